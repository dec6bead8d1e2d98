"""Training steps of an experiment of the feed-forward paper, ours and plain PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

import brainrnn as br
from benchmarks.plain import PlainMLP, stepper
from benchmarks.timing import Comparison, Setting, compare
from brainrnn.runs.experiment import build_network, load_suite
from brainrnn.task import Examples, Task
from brainrnn.training.loop import Trainer
from paper_mlp.experiments import EXPERIMENTS


def compare_steps(
    name: str,
    members: int,
    loss: Callable[[Tensor, Tensor], Tensor],
    case: str,
    setting: Setting,
    *,
    task: Task | None = None,
    precision: str | None = None,
    published: bool = False,
    steps: int,
    least: float | None,
) -> Comparison:
    """Steps of BIMT networks side by side against the same networks one after the other.

    With the settings of the published notebook, everything paid for, and nothing between the steps:
    no swaps, no evaluations. ``published``: the other side computes lengths in every step and draws
    batches by a ``DataLoader``, as the notebook does.
    """
    experiment = EXPERIMENTS[name].experiment("notebook", ["bimt"], members)
    task = task or load_suite(experiment.task)
    network = experiment.network
    if precision is not None:
        network = network.model_copy(update={"precision": precision})
    method = experiment.method.model_copy(
        update={
            "schedule": ((0.0, 1e-3),),
            "biases_from": 0.0,
            "swap": br.SwapSpec(algorithm="none"),
        }
    )
    never = 10**9
    training = experiment.training.model_copy(
        update={"steps": never, "log_every": never, "evaluate_every": never}
    )
    net = build_network(network, task, seed=0, device=setting.device)
    trainer = Trainer(net, task, method, training)
    rng, dtype = np.random.default_rng(0), next(net.parameters()).dtype
    size = None if training.batch == "all" else training.batch

    def draw() -> tuple[Tensor, Tensor]:
        batch = task.sample(size, rng).to(setting.device)
        numbers = batch.inputs.is_floating_point()
        inputs = batch.inputs.to(dtype) if numbers else batch.inputs
        return inputs, batch.targets.to(
            dtype
        ) if batch.targets.is_floating_point() else batch.targets

    if published and size is not None:
        drawn = _loaded(task.train, size)  # type: ignore[attr-defined]
        draw = drawn.__next__
    tokens = task.n_inputs if network.kind == "mlp" and getattr(task, "tokens", False) else None
    plain = [
        stepper(
            PlainMLP.like(net, tokens, published=published),
            draw,
            loss,
            strength=1e-3,
            locality=method.locality[0],
            offset=method.offset,
            reduction=method.reduction,
            rate=training.learning_rate,
        )
        for _ in range(members)
    ]

    def ours() -> None:
        for _ in islice(trainer.records(), steps):
            pass

    def theirs() -> None:
        for step in plain:
            for _ in range(steps):
                step()

    return compare(case, ours, theirs, rounds=setting.either(11, 3), units=steps, least=least)


def _loaded(examples: Examples, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches without end; the notebook's are slower, as they decode every image."""
    loader = DataLoader(
        TensorDataset(examples.inputs, examples.targets), batch_size=size, shuffle=True
    )
    while True:
        yield from loader
