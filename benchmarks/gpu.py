"""A GPU beside the processor and beside plain PyTorch on the same card: ``make gpu-check``.

Under ten minutes on a card. ``python -m benchmarks.gpu --device cpu --small`` is a rehearsal.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np
import torch
from torch.nn.functional import mse_loss

import brainrnn as br
from benchmarks.plain import PlainMLP, stepper
from benchmarks.report import machine
from benchmarks.rnn_step import plain_loop
from benchmarks.scale import SPARSE_NETWORK, sites, step
from benchmarks.swap_rnn import recurrent
from benchmarks.timing import timed
from brainrnn.analysis import cluster_size, fraction_isolated, neighbours
from brainrnn.files import atomic_path
from brainrnn.runs.experiment import build_network, load_suite
from brainrnn.training.loop import Trainer
from paper_mlp.experiments import EXPERIMENTS
from tasks import cog20

_NEVER = 10**9
_LARGEST_ON_CPU = {"members": 256, "dense": 6400, "sparse": 25_600}


def seconds(work: Callable[[], object] | None) -> float | None:
    """Of some work, the median of three turns after a first one; of nothing, nothing."""
    if work is None:
        return None
    work()
    return statistics.median(timed(work) for _ in range(3))


def members(n: int, device: str) -> tuple[Callable[[], object], Callable[[], object]]:
    """A step of the symbolic network, 4-20-20-2: of ``n`` side by side, and of a plain one."""
    experiment = EXPERIMENTS["fig3a"].experiment("notebook", ["bimt"], n)
    task = load_suite(experiment.task)
    method = experiment.method.model_copy(update={"swap": br.SwapSpec(algorithm="none")})
    training = experiment.training.model_copy(
        update={"steps": _NEVER, "log_every": _NEVER, "evaluate_every": _NEVER}
    )
    net = build_network(experiment.network, task, seed=0, device=device)
    records = Trainer(net, task, method, training).records()
    rng, dtype = np.random.default_rng(0), next(net.parameters()).dtype

    def draw() -> tuple[torch.Tensor, torch.Tensor]:
        batch = task.sample(None if training.batch == "all" else training.batch, rng).to(device)
        return batch.inputs.to(dtype), batch.targets.to(dtype)

    plain = stepper(
        PlainMLP.like(net.select(0), None),
        draw,
        mse_loss,
        strength=1e-3,
        locality=method.locality[0] if isinstance(method.locality, tuple) else method.locality,
        offset=method.offset,
        reduction=method.reduction,
        rate=training.learning_rate,
    )
    return lambda: next(records), plain


def recurrent_step(
    n: int, connections: str, device: str
) -> tuple[Callable[[], object], Callable[[], object] | None]:
    """A training step in 128 trials; and the plain loop's forward and backward pass."""
    if connections == "sparse":
        return step(n, SPARSE_NETWORK, device), None
    suite = cog20(dt=100)
    trials = suite.sample(128, np.random.default_rng(0)).to(device)
    other = br.RNN.for_suite(suite, sites=sites(n)).to(device)

    def plain() -> None:
        suite.loss(plain_loop(other, trials.inputs), trials).sum().backward()

    return step(n, None, device), plain


def others(side: int, device: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """A swap pass, an analysis and 10,000 permutations of a network on a square grid."""
    method, suite = br.BIMT(strength=1e-4), cog20(dt=100, names=["go", "dm1"])
    for trained in (False, True):
        net = recurrent(side, trained=trained).to(device)
        yield (
            "swap pass, " + ("as after training" if trained else "random weights"),
            lambda net=net: br.relocate(net, method, method.swap),
        )
    net = br.RNN.for_suite(suite, sites=br.grid(side, side)).to(device)
    yield "analysis", lambda: br.analyse(net, suite, br.AnalysisSpec(trials=16, k=8))
    places = br.grid(side, side).numpy()
    labels = np.random.default_rng(0).integers(0, 12, side**2)
    tests = {
        "isolated": fraction_isolated(neighbours(places, "8")),
        "cluster_size": cluster_size(places),
    }
    yield (
        "10,000 permutations",
        lambda: br.permutation_test(tests, labels, n=10_000, device=device),
    )


def rows(device: str, *, small: bool) -> Iterator[dict[str, object]]:
    """What was measured: seconds on the device, on the processor, and of plain PyTorch there."""
    for n in (1, 4) if small else (1, 16, 256, 1024, 4096):
        ours, plain = members(n, device)
        alone = seconds(plain)
        assert alone is not None
        host = seconds(members(n, "cpu")[0]) if n <= _LARGEST_ON_CPU["members"] else None
        yield _row("step of symbolic networks", n, seconds(ours), host, n * alone)
    sizes = {"dense": (400, 1600, 6400, 16_384), "sparse": (400, 1600, 6400, 25_600, 102_400)}
    for connections, many in sizes.items():
        for n in (100,) if small else many:
            ours, plain = recurrent_step(n, connections, device)
            on_host = n <= _LARGEST_ON_CPU[connections]
            host = seconds(recurrent_step(n, connections, "cpu")[0]) if on_host else None
            what = f"step of a recurrent network, {connections}"
            yield _row(what, n, seconds(ours), host, seconds(plain))
    side = 6 if small else 40
    for (what, ours), (_, host_work) in zip(others(side, device), others(side, "cpu"), strict=True):
        yield _row(what, side**2, seconds(ours), seconds(host_work), None)


def _row(
    what: str, n: int, ours: float | None, host: float | None, plain: float | None
) -> dict[str, object]:
    return {"what": what, "n": n, "device_s": ours, "cpu_s": host, "plain_s": plain}


@click.command()
@click.option("--device", default="cuda", show_default=True)
@click.option("--small", is_flag=True, help="Sizes of a rehearsal.")
@click.option("--out", type=click.Path(path_type=Path), help="Also write a JSON file.")
def main(device: str, small: bool, out: Path | None) -> None:
    """Run the tests that need a GPU, then measure."""
    if device != "cpu":
        if not torch.cuda.is_available():
            raise click.UsageError(f"no device {device!r} here: --device cpu --small rehearses")
        tests = subprocess.run([sys.executable, "-m", "pytest", "-q", "-m", "cuda", "tests"])
        if tests.returncode:
            raise click.ClickException("tests on the GPU failed")
    start, found = time.perf_counter(), []
    for row in rows(device, small=small):
        found.append(row)
        click.echo(json.dumps(row))
    about = machine(device)
    click.echo(
        f"{', '.join(f'{k} {v}' for k, v in about.items())}; "
        f"{time.perf_counter() - start:.0f} s in all"
    )
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(out) as temporary:
            temporary.write_text(json.dumps({"machine": about, "rows": found}, indent=1))


if __name__ == "__main__":
    main()
