"""What an experiment draws and writes of its finished run, and what it may ask of that run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from tasks.fixed import FixedTask

Tabulate = Callable[[Any, FixedTask], pd.DataFrame]


class FinishedRun(ABC):
    """A trained run, as pictures and texts see it; :class:`paper_mlp.outcome.Outcome` is one."""

    @property
    @abstractmethod
    def net(self) -> Any:
        """All networks, one member for every method and seed."""

    @property
    @abstractmethod
    def task(self) -> FixedTask:
        """What they learned."""

    @property
    @abstractmethod
    def methods(self) -> list[str]:
        """The method of every member."""

    @property
    @abstractmethod
    def table(self) -> pd.DataFrame:
        """A row per network: method, seed, losses, accuracies, modularity, structures."""

    @property
    @abstractmethod
    def shown(self) -> int:
        """The network that single pictures show."""

    @abstractmethod
    def members(self, method: str) -> list[int]:
        """The networks of a method."""

    @abstractmethod
    def label(self, member: int) -> str:
        """What tells a member from the others of its method."""

    @abstractmethod
    def moments(self, n: int) -> list[tuple[int, Any]]:
        """About ``n`` snapshots (step, network), spread over training."""

    @abstractmethod
    def at(self, progress: float) -> Any:
        """All networks at about that fraction of training, 0 to 1."""

    @abstractmethod
    def of_method(self, method: str, tabulate: Tabulate) -> str:
        """A table of the networks of a method, with their seeds, as text."""


@dataclass(frozen=True)
class Panel:
    """A picture that an experiment draws of its finished run.

    Attributes
    ----------
    name : str
        Of the file.
    source : str
        What it corresponds to in the paper.
    draw : function
        From the finished run to a Figure.
    """

    name: str
    source: str
    draw: Callable[[FinishedRun], Figure]


@dataclass(frozen=True)
class Text:
    """A result in words or a table, as plain text; see :class:`Panel`."""

    name: str
    source: str
    write: Callable[[FinishedRun], str]
