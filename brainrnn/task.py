"""What a network is asked to do: batches of trials, and the protocol every task suite follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

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
        Number of steps of each trial.
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
        """Move the tensors to a device."""
        moved = {
            name: getattr(self, name).to(device)
            for name in ("inputs", "targets", "weights", "lengths", "task", "periods")
        }
        return replace(self, **moved)

    def period(self, name: str) -> Tensor:
        """Bounds of one period, (trial, 2): its first step and the step after its last."""
        return self.periods[:, self.period_names.index(name)]


@runtime_checkable
class Task(Protocol):
    """A suite of one or more tasks that a network learns together.

    ``outputs`` below always has a leading member axis: (member, time, trial, output).
    """

    names: tuple[str, ...]
    descriptions: Mapping[str, str]  # one line per task
    dt: float  # ms per step
    n_inputs: int
    n_outputs: int
    input_groups: Mapping[str, slice]  # named ranges of input channels, in order

    def sample(
        self, n: int, rng: np.random.Generator, *, task: Sequence[int] | np.ndarray | None = None
    ) -> Trials:
        """Draw ``n`` trials; ``task`` gives each one's task index, else a balanced random mix."""
        ...

    def loss(self, outputs: Tensor, trials: Trials) -> Tensor:
        """Weighted mean loss of every member, (member,)."""
        ...

    def score(self, outputs: Tensor, trials: Trials) -> Tensor:
        """Whether each trial was answered correctly, (member, trial), 0 or 1 as float32."""
        ...

    def ceiling(self) -> np.ndarray:
        """Best possible mean score per task, (task,); NaN where it is not known."""
        ...
