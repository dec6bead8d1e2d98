"""A whole experiment as one configuration: tasks, network, method, training, analysis."""

from __future__ import annotations

import math
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Literal, cast

import torch
from pydantic import Field, model_validator

from brainrnn import geometry
from brainrnn.analysis import AnalysisSpec
from brainrnn.config import Settings, build, override, read_toml
from brainrnn.errors import InputError, unknown
from brainrnn.method import BIMT
from brainrnn.networks.rnn import RNN, RNNSpec
from brainrnn.task import Task
from brainrnn.training import TrainingSpec

SUITES = "brainrnn.suites"  # the entry-point group in which packages offer suites of tasks


class TaskSpec(Settings):
    """Which tasks to learn, and at which time step."""

    suite: str = Field("cog20", description="suite of tasks; see `brainrnn tasks list`")
    names: tuple[str, ...] | None = Field(
        None, description="some of the suite's tasks; unset: all of them"
    )
    dt: float = Field(100.0, ge=1, description="duration of a step, ms")


class NetworkSpec(RNNSpec):
    """The recurrent network and where its hidden neurons sit."""

    geometry: Literal["grid", "line", "ring", "sphere"] = Field(
        "grid", description="arrangement of the hidden sites, about one unit wide"
    )
    shape: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (20, 20), min_length=1, max_length=3, description="neurons along each side of the geometry"
    )
    distance: Literal["l1", "l2", "periodic", "great_circle"] = Field(
        "l2", description="distance between hidden sites; periodic wraps the grid to a torus"
    )
    members: int = Field(
        1, ge=1, description="networks trained side by side, each with own weights"
    )
    precision: Literal["float32", "float64"] = Field("float32", description="of the arithmetic")

    @model_validator(mode="after")
    def _sides(self) -> NetworkSpec:
        if self.geometry != "grid" and len(self.shape) != 1:
            raise ValueError(f"shape of a {self.geometry} is one number, such as [400]")
        return self


class Experiment(Settings):
    """Everything that determines a run."""

    seed: int = Field(
        0, ge=0, lt=2**63, description="of initial weights, trials, noise and analysis"
    )
    device: str = Field(
        "cpu",
        pattern=r"^(cpu|cuda(:\d+)?)$",
        description="where to train: cpu, cuda, cuda:1, ...",
    )
    task: TaskSpec = TaskSpec()
    network: NetworkSpec = NetworkSpec()
    method: BIMT = BIMT()
    training: TrainingSpec = TrainingSpec()
    analysis: AnalysisSpec = AnalysisSpec()


def load_experiment(path: str | Path, overrides: Iterable[str] = ()) -> Experiment:
    """Read an experiment from a TOML file, with ``section.key=value`` overrides.

    Raises
    ------
    InputError
        One line for whatever is wrong with the file, a key or a value.
    """
    return build(Experiment, override(read_toml(path), overrides))


def suites() -> dict[str, EntryPoint]:
    """Every suite of tasks that an installed package offers, by name."""
    return {point.name: point for point in entry_points(group=SUITES)}


def load_suite(spec: TaskSpec) -> Task:
    """The suite of tasks of that name, from whichever installed package offers it.

    Raises
    ------
    InputError
        If no package does, or the suite does not know a task.
    """
    offered = suites()
    if not offered:
        raise InputError(
            "no suite of tasks is installed: install the package with `pip install -e .`"
        )
    if spec.suite not in offered:
        raise InputError(unknown("suite of tasks", spec.suite, offered))
    return cast(Task, offered[spec.suite].load()(dt=spec.dt, names=spec.names))


def build_network(spec: NetworkSpec, suite: Task, *, seed: int, device: str = "cpu") -> RNN:
    """The untrained network of an experiment.

    Raises
    ------
    InputError
        If sizes or settings do not fit together, or there is no such device.
    """
    sites = getattr(geometry, spec.geometry)(*spec.shape)
    distance: str | geometry.Distance = spec.distance
    if spec.distance == "periodic":
        distance = geometry.periodic([n / max(spec.shape) for n in spec.shape])
    rnn = RNNSpec(**{name: getattr(spec, name) for name in RNNSpec.model_fields})
    net = RNN.for_suite(
        suite,
        sites=sites,
        spec=rnn,
        distance=distance,
        members=spec.members,
        seed=seed,
        dtype=getattr(torch, spec.precision),
    )
    if math.prod(spec.shape) > 1:
        net.anatomy.site_distances("hidden", "hidden")  # a distance that does not fit fails here
    try:
        return net.to(device)
    except (RuntimeError, AssertionError):
        raise InputError(f"no device {device!r} here: use device=cpu") from None
