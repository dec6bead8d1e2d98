"""The training loop: one step at a time, for all members of a network together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from torch import Tensor

from brainrnn.anatomy import PlacedNetwork, per_member
from brainrnn.config import Settings
from brainrnn.cost import connection_cost, cost_coefficients
from brainrnn.errors import InputError
from brainrnn.method import BIMT
from brainrnn.progress import progress_bar
from brainrnn.strength import count_live
from brainrnn.swap import relocate
from brainrnn.task import Examples, Suite, Task, Trials
from brainrnn.threads import one_thread

_SMALL = 2e7  # multiplications in the forward pass of a step
_AT_ONCE = 100_000  # examples times members that a network answers at once in an evaluation


class TrainingSpec(Settings):
    """How long and how fast to train, and how often to look."""

    steps: int = Field(3000, ge=1, description="training steps")
    batch: Annotated[int, Field(ge=1)] | Literal["all"] = Field(
        128, description="trials per step; all: every example, where they are fixed"
    )
    learning_rate: float = Field(1e-3, gt=0, description="of Adam")
    decay: Literal["none", "linear", "cosine"] = Field(
        "linear", description="how the learning rate falls to 0 at the end"
    )
    decay_over: float = Field(
        0.3, gt=0, le=1, description="last fraction of training over which the rate falls"
    )
    clip: float = Field(
        1.0, ge=0, description="largest norm of each member's loss gradient; 0: no clipping"
    )
    log_every: int = Field(10, ge=1, description="steps between two rows of metrics")
    evaluate_every: int = Field(250, ge=1, description="steps between two evaluations")
    evaluation_trials: int = Field(20, ge=1, description="held-out trials per task")
    checkpoint_every: int = Field(500, ge=1, description="steps between two checkpoints of a run")
    snapshot_every: int | None = Field(
        None,
        ge=1,
        description="steps between two snapshots of a run's network, for animations; unset: none",
    )

    def rate(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        start = self.steps * (1 - self.decay_over)
        if self.decay == "none" or step < start:
            return self.learning_rate
        left = (self.steps - step) / (self.steps - start)
        return self.learning_rate * (
            left if self.decay == "linear" else math.sin(left * math.pi / 2) ** 2
        )


class DivergedError(RuntimeError):
    """The loss became NaN or infinite."""


@dataclass(frozen=True)
class Record:
    """What one step of training did.

    Attributes
    ----------
    step : int
        Steps done so far.
    loss : (member,) tensor
        Prediction loss of the batch, before the step.
    moves : (member,) tensor
        Neurons that changed place.
    metrics : list of dict
        One row per member every ``log_every`` steps and at evaluations, else empty: step, member,
        loss, cost (connection cost without lambda), strength (lambda in this step), live
        (neurons with connections), moves (since the last row), test_loss and accuracy (both
        held-out, NaN but at evaluations).
    """

    step: int
    loss: Tensor
    moves: Tensor
    metrics: list[dict[str, float]]


class Trainer:
    """A network in training: everything that a step changes, and nothing else.

    All members see the same trials and the same private noise; they differ in their initial
    weights and in what ``method`` gives one value per member. Gradients are clipped member by
    member, so that each member trains as it would alone.

    Parameters
    ----------
    net : PlacedNetwork
    task : Task
    method : BIMT
    spec : TrainingSpec
    seed : int
        Of the trials, the held-out trials and the private noise.
    """

    def __init__(
        self, net: PlacedNetwork, task: Task, method: BIMT, spec: TrainingSpec, *, seed: int = 0
    ) -> None:
        self.net, self.task, self.method, self.spec, self.seed = net, task, method, spec, seed
        self.device = next(net.parameters()).device
        self.step = 0
        self._moves = torch.zeros(net.members, dtype=torch.int64, device=self.device)
        self._trials = np.random.default_rng([seed, 1])
        self._noise = torch.Generator(self.device).manual_seed(seed)
        rng = np.random.default_rng([seed, 2])
        self.held_out = task.held_out(spec.evaluation_trials, rng).to(self.device)
        self._prices: dict[str, Tensor] = {}
        self._priced: tuple[object, ...] = ()  # what the prices were computed from
        self._optimizer = torch.optim.Adam(net.parameters(), lr=spec.learning_rate, fused=True)
        # Settings that do not fit fail here, not in the middle of training.
        if spec.batch == "all" and isinstance(task, Suite):
            raise InputError(
                "training.batch must be a number, not all: these trials are drawn without end"
            )
        cost_coefficients(net, method)
        method.strengths(net)
        if method.swap.locality is not None:
            per_member(method.swap.locality, net, "swap locality")

    def records(self) -> Iterator[Record]:
        """Train to the last step, yielding a record after each.

        Raises
        ------
        DivergedError
            If a member's loss is NaN or infinite, before the step is taken; or if a weight is
            after it.
        """
        with _flushed_denormals(), one_thread(self._work() < _SMALL):
            while self.step < self.spec.steps:
                progress = self.step / self.spec.steps
                strength = self.method.strengths(self.net, progress)
                loss = self._descend(progress)
                self.step += 1
                moves = torch.zeros_like(self._moves)
                if self._due(self.method.swap.every) and self.method.factor(progress) > 0:
                    moves = relocate(self.net, self.method, self.method.swap)
                    self._moves += moves
                yield Record(self.step, loss, moves, self._metrics(loss, strength, progress))

    def _work(self) -> float:
        """Multiplications in the forward pass of a step, about."""
        batch = self.task.sample(self._batch, np.random.default_rng(0))
        rows = int(batch.lengths.sum()) if isinstance(batch, Trials) else len(batch)
        return rows * sum(value.numel() for value in self.net.parameters())

    @property
    def _batch(self) -> int | None:
        return None if self.spec.batch == "all" else self.spec.batch

    def _due(self, every: int) -> bool:
        return self.step % every == 0 or self.step == self.spec.steps

    def _price(self, progress: float) -> dict[str, Tensor]:
        """Lambda times the cost of a unit of |w|, by parameter; empty where nothing is paid for."""
        # Of what goes into the prices only these change, and most of them seldom.
        now = (
            self.method.factor(progress),
            self.method.pays_biases(progress),
            self.net.anatomy.version,
        )
        if now != self._priced:
            strength, self._priced = self.method.strengths(self.net, progress), now
            paid = bool(strength.any())
            costs = cost_coefficients(self.net, self.method, progress) if paid else {}
            self._prices = {
                name: _across(strength, self.net.get_parameter(name)) * cost
                for name, cost in costs.items()
            }
        return self._prices

    def _descend(self, progress: float) -> Tensor:
        """One step of Adam on prediction loss and connection cost; the loss, (member,)."""
        batch = self.task.sample(self._batch, self._trials).to(self.device)
        outputs = self.net.respond(batch, generator=self._noise)
        loss = self.task.loss(outputs, batch)
        self._require_finite(loss, "loss")
        self._optimizer.zero_grad()
        loss.sum().backward()
        parameters = dict(self.net.named_parameters())
        if self.spec.clip:
            _clip_by_member([p.grad for p in parameters.values()], self.spec.clip)
        rate = self.spec.rate(self.step)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        prices = self._price(progress)
        with torch.no_grad():
            if self.method.form == "subgradient":
                for name, price in prices.items():
                    value = parameters[name]
                    assert value.grad is not None
                    value.grad.addcmul_(price, value.sign())
            self._optimizer.step()
            if self.method.form == "proximal":
                for name, price in prices.items():
                    self._shrink(parameters[name], price, rate)
            sums = [value.flatten(1).sum(1) for value in parameters.values()]
            self._require_finite(torch.stack(sums).sum(0), "sum of the weights")
        return loss.detach()

    def _require_finite(self, values: Tensor, what: str) -> None:
        """Raise ``DivergedError`` if a member's value, (member,), is NaN or infinite."""
        if not bool(values.isfinite().all()):
            member = int(torch.nonzero(~values.isfinite())[0])
            raise DivergedError(
                f"the {what} of member {member} is not finite at step {self.step + 1}: lower "
                "training.learning_rate, set training.clip, or start from smaller weights"
            )

    def _shrink(self, value: Tensor, price: Tensor, rate: float) -> None:
        """Soft threshold in the metric of Adam: each weight's own step size times its price.

        The proximal operator of sum price |w| under Adam's diagonal preconditioner
        eta = rate / (sqrt(v) + eps): w <- sign(w) max(|w| - eta price, 0).
        """
        state, group = self._optimizer.state[value], self._optimizer.param_groups[0]
        correction = 1 - group["betas"][1] ** state["step"].item()
        scale = (state["exp_avg_sq"] / correction).sqrt_().add_(group["eps"])
        threshold = (rate * price / scale).expand_as(value)
        value -= torch.minimum(torch.maximum(value, -threshold), threshold)

    @torch.no_grad()
    def _metrics(self, loss: Tensor, strength: Tensor, progress: float) -> list[dict[str, float]]:
        evaluate = self._due(self.spec.evaluate_every)
        if not (evaluate or self._due(self.spec.log_every)):
            return []
        nothing = torch.full((self.net.members,), torch.nan)
        test_loss, score = self.evaluate() if evaluate else (nothing, nothing[:, None])
        columns = {
            "loss": loss,
            "test_loss": test_loss,
            "cost": connection_cost(self.net, self.method, progress),
            "strength": strength,
            "live": count_live(self.net),
            "moves": self._moves,
            "accuracy": score.mean(1),
        }
        self._moves = torch.zeros_like(self._moves)
        values = {name: column.tolist() for name, column in columns.items()}
        return [
            {"step": self.step, "member": m} | {name: value[m] for name, value in values.items()}
            for m in range(self.net.members)
        ]

    @torch.no_grad()
    def evaluate(self) -> tuple[Tensor, Tensor]:
        """Loss (member,) and mean score (member, task) on the held-out trials."""
        outputs = answer(self.net, self.held_out)
        score = self.task.score(outputs, self.held_out)
        score = score.view(self.net.members, len(self.task.names), -1).mean(2)
        return self.task.loss(outputs, self.held_out), score

    def state_dict(self) -> dict[str, Any]:
        """Everything that an exact continuation needs."""
        return {
            "step": self.step,
            "network": self.net.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "trials": self._trials.bit_generator.state,
            "noise": self._noise.get_state(),
            "moves": self._moves,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state.

        Raises
        ------
        InputError
            If it belongs to another network.
        """
        try:
            self.net.load_state_dict(state["network"])
            self._optimizer.load_state_dict(state["optimizer"])
            self._trials.bit_generator.state = state["trials"]
            self._noise.set_state(state["noise"].cpu())
            self._moves = state["moves"].to(self.device)
            self.step = int(state["step"])
        except (KeyError, RuntimeError, TypeError, ValueError, AttributeError):
            raise InputError(
                "the checkpoint belongs to another network: it does not fit the configuration"
            ) from None


@torch.no_grad()
def answer(net: PlacedNetwork, batch: Trials | Examples) -> Tensor:
    """Outputs for a batch of any size, without noise or gradients; examples part by part."""
    if isinstance(batch, Trials):
        return net.respond(batch)
    size = max(1, _AT_ONCE // net.members)
    parts = range(0, len(batch), size)
    return torch.cat([net.respond(batch.take(slice(i, i + size))) for i in parts], dim=1)


def train(
    net: PlacedNetwork,
    task: Task,
    method: BIMT | None = None,
    *,
    seed: int = 0,
    progress: bool = True,
    **training: Any,
) -> pd.DataFrame:
    """Train a network in place and return its metrics, a row per logged step and member.

    Parameters
    ----------
    net : PlacedNetwork
    task : Task
    method : BIMT
        Brain-inspired modular training with its defaults if not given.
    seed : int
    progress : bool
        Whether to draw a progress bar.
    **training
        Fields of :class:`TrainingSpec`, for example ``steps=3000``.

    Raises
    ------
    DivergedError
        If the loss becomes NaN or infinite.
    """
    trainer = Trainer(net, task, method or BIMT(), TrainingSpec(**training), seed=seed)
    rows: list[dict[str, float]] = []
    with progress_bar(trainer.spec.steps, enabled=progress) as bar:
        for record in trainer.records():
            rows += record.metrics
            bar.update(record.step, record.metrics)
    return pd.DataFrame(rows)


@contextmanager
def _flushed_denormals() -> Iterator[None]:
    """Take denormal numbers for zero: L1 makes many, and they slow arithmetic down many times."""
    before = bool(torch.tensor(1e-40) * 1 == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def _across(values: Tensor, like: Tensor) -> Tensor:
    """Values (member,) shaped to multiply a parameter (member, ...)."""
    return values.view(-1, *[1] * (like.ndim - 1))


def _clip_by_member(gradients: list[Tensor | None], largest: float) -> None:
    """Scale each member's gradient down to a norm of at most ``largest``."""
    present = [g for g in gradients if g is not None]
    squared = [g.flatten(1).square().sum(1) for g in present]
    norm = torch.stack(squared).sum(0).sqrt()
    scale = (largest / (norm + 1e-6)).clamp(max=1.0)
    for g in present:
        g *= _across(scale, g)
