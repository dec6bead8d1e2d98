"""What every measure offers: the answer of one network, and tables, figures, words for all."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pandas as pd
from pydantic import Field

from brainrnn.config import Settings
from brainrnn.errors import InputError
from brainrnn.runs.experiment import load_suite
from brainrnn.study.answers import Answer
from brainrnn.study.report.claims import Claim
from brainrnn.study.report.figures import Drawing
from brainrnn.study.subject import Cell, Subject
from brainrnn.task import Suite


@dataclass
class Findings:
    """What a measure found in all networks of a study.

    Attributes
    ----------
    tables : dict of DataFrame
        By headline, in the report's order.
    figures : dict of (Figure, caption)
        By file name without its ending.
    claims : list of Claim
        What holds and what does not, with its numbers.
    notes : list of str
        How the tables are to be read.
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, Drawing] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Measure(Settings):
    """A question that is put to every network of a study, one by one, and its answer over all."""

    drawn: ClassVar[tuple[str, ...]] = ()  # names of the tables that ``portraits`` makes
    pairs: tuple[tuple[str, str], ...] = Field(
        (), description="pairs of methods, by name, that claims compare"
    )

    def check(self, cells: Sequence[Cell]) -> None:
        """Find what would go wrong in :meth:`answer`, before any network is trained.

        Raises
        ------
        InputError
            If the networks are not recurrent ones, or cannot be asked this question.
        """
        for cell in {cell.training: cell for cell in cells}.values():
            suite = load_suite(cell.experiment.task)
            if cell.experiment.network.kind != "rnn" or not isinstance(suite, Suite):
                raise InputError("a study is about recurrent networks: use network.kind = 'rnn'")
            self.check_one(cell, suite)

    def check_one(self, cell: Cell, suite: Suite) -> None:
        """What this question needs of a recurrent network and its tasks, as in :meth:`check`."""

    @abstractmethod
    def answer(self, subject: Subject) -> Answer:
        """What one network answers."""

    def portraits(self, folder: Path, cells: Sequence[Cell]) -> dict[str, pd.DataFrame]:
        """What pictures of single networks need, in tables by name.

        From what :meth:`answer` left in its subject's folder.
        """
        return {}

    def gallery(
        self, rows: pd.DataFrame, portraits: Mapping[str, pd.DataFrame]
    ) -> dict[str, Drawing]:
        """Pictures of single networks."""
        return {}

    @abstractmethod
    def findings(self, rows: pd.DataFrame) -> Findings:
        """What all networks say together.

        ``rows`` are those of :attr:`brainrnn.study.answers.Answers.rows`, in the study's order.
        """
