"""What a network is asked to do: batches of trials, and the protocol every task suite follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
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
    """

    inputs: Tensor
    targets: Tensor
    weights: Tensor
    lengths: Tensor
    task: Tensor
    period_names: tuple[str, ...]
    periods: Tensor
    conditions: Mapping[str, np.ndarray] = field(default_factory=dict)

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

    def period(self, name: str) -> Tensor:
        """Bounds of one period, (trial, 2): its first step and the step after its last."""
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
    """

    inputs: Tensor
    targets: Tensor
    weights: Tensor | None = None

    def __len__(self) -> int:
        """Count the examples."""
        return len(self.inputs)

    def to(self, device: torch.device | str) -> Examples:
        """Move the tensors to a device."""
        weights = None if self.weights is None else self.weights.to(device)
        return Examples(self.inputs.to(device), self.targets.to(device), weights)

    def take(self, index: Tensor | slice) -> Examples:
        """Pick some of them."""
        if isinstance(index, slice):
            return Examples(self.inputs[index], self.targets[index], self.weights)
        inputs, targets = (part.index_select(0, index) for part in (self.inputs, self.targets))
        return Examples(inputs, targets, self.weights)


@runtime_checkable
class Task(Protocol):
    """One or more tasks that a network learns together.

    ``outputs`` below always has a leading member axis: (member, time, trial, output), or (member,
    example, output) where there is no time.
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

    def loss(self, outputs: Tensor, batch: Any) -> Tensor:
        """Weighted mean loss of every member, (member,)."""
        ...

    def score(self, outputs: Tensor, batch: Any) -> Tensor:
        """Whether each trial was answered correctly, (member, trial), 0 or 1.

        NaN where there is no such thing as a correct answer.
        """
        ...

    def ceiling(self) -> np.ndarray:
        """Best possible mean score per task, (task,); NaN where it is not known."""
        ...


@runtime_checkable
class Suite(Task, Protocol):
    """Tasks that unfold in time."""

    dt: float  # ms per step
    input_groups: Mapping[str, slice]  # named ranges of input channels, in order

    def sample(
        self,
        n: int | None,
        rng: np.random.Generator,
        *,
        task: Sequence[int] | np.ndarray | None = None,
    ) -> Trials:
        """Draw ``n`` trials; ``task`` gives each one's task index, else a balanced random mix."""
        ...

    def held_out(self, n: int, rng: np.random.Generator) -> Trials:
        """Draw ``n`` trials of each task, task after task."""
        ...
