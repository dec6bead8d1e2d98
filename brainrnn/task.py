"""What a network is asked to do: batches of trials, and the protocol every task suite follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Trials:
    """A batch of trials of any mix of tasks, padded with zeros to the longest of them.

    Attributes
    ----------
    inputs : (time, trial, channel) float32
        What the network sees; zero after a trial's end.
    targets : (time, trial) int64, or (time, trial, output) float32
        The correct class at every step, or the correct output.
    weights : (time, trial) float32
        Weight of each step in the loss; zero after a trial's end.
    lengths : (trial,) int64
        Number of steps of each trial; always on the CPU, where they plan the computation.
    task : (trial,) int64
        Index into the suite's ``names``.
    period_names : tuple of str
        Every period that occurs in the suite, in temporal order.
    periods : (trial, period, 2) int64
        First step of each period and the step after its last; both -1 where a task lacks it.
    conditions : mapping of str to (trial,) float64
        Stimulus conditions by name; NaN where a task does not have that condition.

    Examples
    --------
    >>> from tasks import cog20
    >>> trials = cog20(names=["go", "dm1"]).sample(6, np.random.default_rng(0))
    >>> len(trials), trials.inputs.shape[1:]
    (6, torch.Size([6, 35]))
    >>> trials.period("decision").shape
    torch.Size([6, 2])
    """

    inputs: Float[Tensor, "time trial channel"]
    targets: Int[Tensor, "time trial"] | Float[Tensor, "time trial output"]
    weights: Float[Tensor, "time trial"]
    lengths: Int[Tensor, " trial"]
    task: Int[Tensor, " trial"]
    period_names: tuple[str, ...]
    periods: Int[Tensor, "trial period 2"]
    conditions: Mapping[str, Float[np.ndarray, " trial"]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Count the trials."""
        return len(self.lengths)

    def to(self, device: torch.device | str) -> Trials:
        """Move the tensors to a device, all but the lengths."""
        moved = {
            name: getattr(self, name).to(device)
            for name in ("inputs", "targets", "weights", "task", "periods")
        }
        return replace(self, **moved)

    def period(self, name: str) -> Int[Tensor, "trial 2"]:
        """Bounds of one period: its first step, and the step after its last."""
        return self.periods[:, self.period_names.index(name)]


@dataclass(frozen=True)
class Examples:
    """A batch for a network without time.

    Attributes
    ----------
    inputs : (example, input) floating point, (example, position) int64, or (example, position, \
input) floating point
        Vectors, tokens, or sequences of vectors.
    targets : (example, output) floating point, (example,) int64, or (example, position, output) \
floating point
        The correct output, the correct class, or the correct output at every position.
    weights : (position, output), optional
        Of each target of a sequence in the loss; all alike if not given.

    Examples
    --------
    >>> numbers = Examples(torch.rand(10, 4), torch.arange(10))
    >>> len(numbers.take(slice(3)))
    3
    """

    inputs: (
        Float[Tensor, "example input"]
        | Int[Tensor, "example position"]
        | Float[Tensor, "example position input"]
    )
    targets: (
        Float[Tensor, "example output"]
        | Int[Tensor, " example"]
        | Float[Tensor, "example position output"]
    )
    weights: Float[Tensor, "position output"] | None = None

    def __len__(self) -> int:
        """Count the examples."""
        return len(self.inputs)

    def to(self, device: torch.device | str) -> Examples:
        """Move the tensors to a device."""
        weights = None if self.weights is None else self.weights.to(device)
        return Examples(self.inputs.to(device), self.targets.to(device), weights)

    def take(self, index: Int[Tensor, " chosen"] | slice) -> Examples:
        """Pick some of them."""
        if isinstance(index, slice):
            return Examples(self.inputs[index], self.targets[index], self.weights)
        inputs, targets = (part.index_select(0, index) for part in (self.inputs, self.targets))
        return Examples(inputs, targets, self.weights)


@runtime_checkable
class Task(Protocol):
    """One or more tasks that a network learns together.

    A task of your own is a class with these methods, and needs no base class. ``outputs`` below has
    a leading member axis: (member, time, trial, output), or (member, example, output) without time.

    Examples
    --------
    >>> import brainrnn as br
    >>> from torch.nn.functional import binary_cross_entropy_with_logits
    >>> class Sums:
    ...     names, descriptions = ("sums",), {"sums": "Is the sum of two numbers positive?"}
    ...     n_inputs, n_outputs = 2, 1
    ...
    ...     def sample(self, n, rng):
    ...         x = torch.from_numpy(rng.normal(size=(n, 2))).float()
    ...         return br.Examples(x, (x.sum(1, keepdim=True) > 0).float())
    ...
    ...     held_out = sample
    ...
    ...     def loss(self, outputs, batch):
    ...         targets = batch.targets.expand_as(outputs)
    ...         each = binary_cross_entropy_with_logits(outputs, targets, reduction="none")
    ...         return each.mean((1, 2))
    ...
    ...     def score(self, outputs, batch):
    ...         return ((outputs > 0) == (batch.targets > 0)).float()[..., 0]
    ...
    ...     def ceiling(self):
    ...         return np.ones(1)
    >>> net = br.MLP.on_lines(2, 1, br.MLPSpec(hidden=(8,)))
    >>> options = {"learning_rate": 0.01, "evaluation_trials": 100, "progress": False}
    >>> metrics = br.train(net, Sums(), br.BIMT(strength=1e-4), steps=200, **options)
    >>> bool(metrics.accuracy.iloc[-1] > 0.9)
    True
    """

    names: tuple[str, ...]
    descriptions: Mapping[str, str]  # one line per task
    n_inputs: int
    n_outputs: int

    def sample(self, n: int | None, rng: np.random.Generator) -> Trials | Examples:
        """Draw ``n`` trials, a balanced random mix of tasks; None: all of a fixed set."""
        ...

    def held_out(self, n: int, rng: np.random.Generator) -> Trials | Examples:
        """What to test on: ``n`` trials of each task, task after task, or a fixed test set."""
        ...

    def loss(self, outputs: Float[Tensor, "member ..."], batch: Any) -> Float[Tensor, " member"]:
        """Weighted mean loss of every member."""
        ...

    def score(
        self, outputs: Float[Tensor, "member ..."], batch: Any
    ) -> Float[Tensor, "member trial"]:
        """Whether each trial was answered correctly, 0 or 1.

        NaN where there is no such thing as a correct answer.
        """
        ...

    def ceiling(self) -> Float[np.ndarray, " task"]:
        """Best possible mean score of each task; NaN where it is not known."""
        ...


@runtime_checkable
class Suite(Task, Protocol):
    """Tasks that unfold in time.

    Examples
    --------
    >>> from tasks import cog20
    >>> suite = cog20(dt=100)
    >>> isinstance(suite, Suite), suite.dt, len(suite.names)
    (True, 100, 20)
    """

    dt: float  # ms per step
    input_groups: Mapping[str, slice]  # named ranges of input channels, in order

    def sample(
        self,
        n: int | None,
        rng: np.random.Generator,
        *,
        task: Sequence[int] | Int[np.ndarray, " trial"] | None = None,
    ) -> Trials:
        """Draw ``n`` trials; ``task`` gives each one's task index, else a balanced random mix."""
        ...

    def held_out(self, n: int, rng: np.random.Generator) -> Trials:
        """Draw ``n`` trials of each task, task after task."""
        ...
