"""One network of a study: how it is made, and what measures get to see of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import xarray as xr

from brainrnn.analysis import analyse
from brainrnn.anatomy.placed import Placed
from brainrnn.errors import InputError
from brainrnn.networks import RNN, NetworkSpec
from brainrnn.runs.experiment import Experiment, build_network, load_suite
from brainrnn.runs.folder import Run
from brainrnn.study.values import POINT, in_file_name
from brainrnn.task import Suite
from brainrnn.wiring_cost.cost import CostSpec
from brainrnn.wiring_cost.swap import SwapSpec, relocate

Arrangement = Literal["kept", "descent", "assignment"]


@dataclass(frozen=True)
class Cell:
    """A method, one of its settings, and a seed: which network of a study.

    Attributes
    ----------
    method, label : str
        Its name in the study, and in words.
    seed : int
    experiment : Experiment
        Everything that determines the network's training.
    trained : bool
        Whether it is trained at all.
    arrangement : str
        How its neurons are arranged after training: as training left them, or anew.
    setting : dict
        Values of the keys that its method sweeps or, after the number of its point, draws.
    folder : str
        Name of the trained network's folder; "": one for all that train alike.
    threads : int, optional
        To train and to ask it on; None: as many as PyTorch has where it runs.
    joint : Experiment, optional
        That of several networks which train as members of one, if this one does
        (:func:`brainrnn.study.together.together`).
    member : int
        Which of them it is.
    """

    method: str
    label: str
    seed: int
    experiment: Experiment
    trained: bool = True
    arrangement: Arrangement = "kept"
    setting: dict[str, Any] = field(default_factory=dict)
    folder: str = ""
    threads: int | None = 1
    joint: Experiment | None = None
    member: int = 0

    @property
    def name(self) -> str:
        """What files about this network are called, after its values or, if drawn, its point."""
        values = [self.setting[POINT]] if POINT in self.setting else self.setting.values()
        return "-".join([self.method, *map(in_file_name, values), str(self.seed)])

    @property
    def trains(self) -> Experiment:
        """What is trained: this network alone, or all of which it is a member."""
        return self.joint or self.experiment

    @cached_property
    def training(self) -> str:
        """Name of the trained network's folder: one for all that train alike."""
        if self.folder:
            return self.folder
        identity = self.trains.model_dump(mode="json", exclude={"analysis", "device", "name"})
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:10]
        return f"{self.experiment.seed}-{digest}"


@dataclass(frozen=True)
class Subject:
    """A network of a study, ready to be measured.

    Attributes
    ----------
    cell : Cell
    net : PlacedNetwork
        Of a kind that the study's measure can ask (``Measure.check`` has seen to it).
    suite : Task
        What it learned.
    folder : Path
        For files of a measure's own; they start with the cell's name.
    """

    cell: Cell
    net: Any
    suite: Any
    folder: Path

    @property
    def seed(self) -> int:
        """Seed of whatever a measure draws."""
        return self.cell.seed

    @property
    def ceiling(self) -> float:
        """Best possible accuracy, mean over tasks."""
        return float(self.suite.ceiling().mean())

    def analysed(self, net: RNN | None = None) -> xr.Dataset:
        """The analysis that the study fixes: of this recurrent network, or of one made of it."""
        spec = self.cell.experiment.analysis
        net = self.net if net is None else net
        return analyse(net, self.suite, spec, seed=self.seed)


def untrained(spec: NetworkSpec, suite: Suite, seed: int) -> RNN:
    """A recurrent network as it is before training."""
    net = build_network(spec, suite, seed=seed)
    assert isinstance(net, RNN)  # Measure.check has seen to it
    return net


def make_subject(cell: Cell, networks: Path, folder: Path) -> Subject:
    """Take a network of a study from the folder of trained ones, or build it untrained.

    Raises
    ------
    InputError
        If it has not been trained to the end.
    """
    suite = load_suite(cell.experiment.task)
    if cell.trained:
        run = Run.open(networks / cell.training)
        net = run.net.select(cell.member) if cell.joint else run.net
        if not run.finished:
            raise InputError(f"{run.path} is not trained to the end: run the study again")
        if run.experiment.training.steps != cell.experiment.training.steps:
            raise InputError(
                f"{run.path} was trained further than the study asks: delete it and run the study "
                "again"
            )
    else:
        net = build_network(cell.experiment.network, suite, seed=cell.experiment.seed)
    if cell.arrangement != "kept":
        rearrange(net, cell.arrangement)
    return Subject(cell, net, suite, folder)


def rearrange(net: Placed, algorithm: Literal["descent", "assignment"]) -> None:
    """Move neurons until no exchange shortens the network's wiring; its function stays.

    The control that every claim about a map needs: what the same weights look like when placed
    afterwards.
    """
    relocate(net, CostSpec(strength=1.0, locality=1.0), SwapSpec(algorithm=algorithm))
