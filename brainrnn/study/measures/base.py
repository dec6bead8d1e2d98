"""What every measure offers: the answer of one network, and tables, figures, words for all."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import pandas as pd
from pydantic import Field

from brainrnn.analysis import check_analysis
from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.config import Settings
from brainrnn.errors import InputError
from brainrnn.runs.experiment import Experiment, build_network, load_suite
from brainrnn.study.answers import Answer
from brainrnn.study.report.claims import Claim
from brainrnn.study.report.figures import Drawing
from brainrnn.study.subject import Cell, Subject
from brainrnn.task import Suite, Task
from brainrnn.training.loop import Trainer
from brainrnn.training.trials import require_trials


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
    dataset: ClassVar[bool] = False  # whether results.nc is written, by the keys that are swept
    asks: ClassVar[Literal["recurrent", "any"]] = "recurrent"  # which networks
    dense: ClassVar[bool] = False  # whether networks with sparse connections cannot be asked
    held: ClassVar[tuple[str, ...]] = ()  # settings: how many trials are in memory at once
    pairs: tuple[tuple[str, str], ...] = Field(
        (), description="pairs of methods, by name, that claims compare"
    )

    def check(self, cells: Sequence[Cell]) -> None:
        """Find what would go wrong in training or in :meth:`answer`, before anything is trained.

        Raises
        ------
        InputError
            If a network cannot be built or trained, or cannot be asked this question.
        """
        suites: dict[str, Task] = {}
        nets: dict[str, PlacedNetwork] = {}
        methods = set[str]()
        for cell in {cell.training: cell for cell in cells}.values():
            experiment = cell.experiment
            task = experiment.task.model_dump_json()
            if task not in suites:
                suites[task] = load_suite(experiment.task)
            suite = suites[task]
            if self.asks == "recurrent":
                self._check_recurrent(experiment, suite)
            kind = task + experiment.network.model_dump_json() + experiment.device
            if kind not in nets:
                nets[kind] = build_network(
                    experiment.network, suite, seed=cell.seed, device=experiment.device
                )
                if self.asks == "recurrent":
                    assert isinstance(suite, Suite)  # _check_recurrent has seen to it
                    check_analysis(nets[kind], suite, experiment.analysis)
                    self._check_trials(suite, nets[kind])
            if cell.trained and cell.method not in methods:  # swept values are checked as settings
                methods.add(cell.method)
                Trainer(nets[kind], suite, experiment.method, experiment.training)
            self.check_one(cell, suite)

    def _check_recurrent(self, experiment: Experiment, suite: Task) -> None:
        kind, members = experiment.network.kind, experiment.network.members
        name = type(self).model_fields["kind"].default
        if kind != "rnn" or not isinstance(suite, Suite):
            raise InputError(
                f"measure.kind {name!r} asks recurrent networks whose tasks unfold in time, not "
                f"network.kind {kind!r}: 'outcome' asks any network"
            )
        if self.dense and getattr(experiment.network, "connections", "") == "sparse":
            raise InputError(
                f"measure.kind {name!r} asks networks with dense connections: set "
                "network.connections=dense, or choose 'map', 'choices' or 'tradeoff'"
            )
        if members > 1:
            raise InputError(
                f"measure.kind {name!r} asks one network at a time: set network.members=1 and give "
                "the study several seeds (or use measure.kind 'outcome')"
            )

    def _check_trials(self, suite: Suite, net: PlacedNetwork) -> None:
        neurons = sum(map(len, net.anatomy.populations.values()))
        for key in self.held:
            require_trials(suite, getattr(self, key), 4 * neurons, f"measure.{key}")

    def check_one(self, cell: Cell, suite: Any) -> None:
        """What this question needs of a network and its tasks, as in :meth:`check`."""

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
