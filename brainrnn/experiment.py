"""A whole experiment as one configuration: tasks, network, method, training, analysis."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, cast

import numpy as np
import torch
from pydantic import Discriminator, Field, Tag, model_validator

from brainrnn import geometry
from brainrnn.analysis import AnalysisSpec
from brainrnn.config import Settings, build, override, read_toml
from brainrnn.cost import PerMember, per_member
from brainrnn.errors import InputError, unknown
from brainrnn.method import BIMT
from brainrnn.networks import MLP, RNN, MLPSpec, RNNSpec
from brainrnn.task import Suite, Task
from brainrnn.training import TrainingSpec

S = TypeVar("S", bound=Settings)

SUITES = "brainrnn.suites"  # the entry-point group in which packages offer suites of tasks


class TaskSpec(Settings):
    """Which tasks to learn."""

    suite: str = Field("cog20", description="suite of tasks; see `brainrnn tasks list`")
    names: tuple[str, ...] | None = Field(
        None, description="some of the suite's tasks; unset: all of them"
    )
    dt: float | None = Field(
        None, ge=1, description="duration of a step, ms; unset: the suite's own, if it has steps"
    )
    options: dict[str, bool | int | float | str] = Field(
        {}, description="further arguments of the suite, by name"
    )


class MembersSpec(Settings):
    """Networks that train side by side."""

    members: int = Field(1, ge=1, description="networks trained side by side")
    starts: tuple[Annotated[int, Field(ge=0)], ...] | None = Field(
        None,
        description="a number for each member: equal ones start from the same weights; unset: each "
        "from its own",
    )
    perturbation: PerMember = Field(
        0.0,
        description="sd of noise added to all initial parameters, the same draw for all members; a "
        "list gives one per member",
    )
    precision: Literal["float32", "float64"] = Field("float32", description="of the arithmetic")

    @model_validator(mode="after")
    def _one_start_each(self) -> Self:
        for name in ("starts", "perturbation"):
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) != self.members:
                raise ValueError(f"{name} must have one number for each of members")
        return self


class RNNNetwork(RNNSpec, MembersSpec):
    """A recurrent network and where its hidden neurons sit."""

    kind: Literal["rnn"] = Field("rnn", description="rnn: recurrent; mlp: multilayer perceptron")
    geometry: Literal["grid", "line", "ring", "sphere"] = Field(
        "grid", description="arrangement of the hidden sites, about one unit wide"
    )
    shape: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (20, 20), min_length=1, max_length=3, description="neurons along each side of the geometry"
    )
    distance: Literal["l1", "l2", "periodic", "great_circle"] = Field(
        "l2", description="distance between hidden sites; periodic wraps the grid to a torus"
    )

    @model_validator(mode="after")
    def _sides(self) -> RNNNetwork:
        if self.geometry != "grid" and len(self.shape) != 1:
            raise ValueError(f"shape of a {self.geometry} is one number, such as [400]")
        return self


class MLPNetwork(MLPSpec, MembersSpec):
    """A multilayer perceptron, every layer on a line."""

    kind: Literal["mlp"] = Field("mlp", description="rnn: recurrent; mlp: multilayer perceptron")


def _kind(values: Any) -> str:
    return values.get("kind", "rnn") if isinstance(values, dict) else getattr(values, "kind", "rnn")


NetworkSpec = Annotated[
    Annotated[RNNNetwork, Tag("rnn")] | Annotated[MLPNetwork, Tag("mlp")], Discriminator(_kind)
]


class Experiment(Settings):
    """Everything that determines a run."""

    name: str = Field("", description="what to call the experiment")
    seed: int = Field(
        0, ge=0, lt=2**63, description="of initial weights, trials, noise and analysis"
    )
    device: str = Field(
        "cpu",
        pattern=r"^(cpu|cuda(:\d+)?)$",
        description="where to train: cpu, cuda, cuda:1, ...",
    )
    task: TaskSpec = TaskSpec()
    network: NetworkSpec = RNNNetwork()
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
    suite = offered[spec.suite].load()
    arguments = {"names": spec.names, **spec.options} | ({"dt": spec.dt} if spec.dt else {})
    known = inspect.signature(suite).parameters
    options = known.keys() - {"names", "dt"}  # which have keys of their own
    for name in arguments:
        if name not in known or (name in spec.options and name not in options):
            raise InputError(unknown(f"option of the suite {spec.suite!r}", name, options))
    return cast(Task, suite(**arguments))


def build_network(
    spec: RNNNetwork | MLPNetwork, task: Task, *, seed: int, device: str = "cpu"
) -> RNN | MLP:
    """The untrained network of an experiment.

    Raises
    ------
    InputError
        If sizes or settings do not fit together, or there is no such device.
    """
    members: dict[str, Any] = {
        "members": spec.members,
        "seed": seed,
        "starts": spec.starts,
        "dtype": getattr(torch, spec.precision),
    }
    unfolds = isinstance(task, Suite)
    if unfolds != isinstance(spec, RNNNetwork):
        kind, time = ("rnn", "unfold in time") if unfolds else ("mlp", "do not unfold in time")
        raise InputError(f"network.kind is {spec.kind!r}, but these tasks {time}: use {kind!r}")
    net: RNN | MLP
    if isinstance(spec, RNNNetwork):
        net = _build_rnn(spec, cast(Suite, task), **members)
    else:
        positions = getattr(task, "positions", None)
        net = MLP.on_lines(
            task.n_inputs,
            task.n_outputs,
            _part(spec, MLPSpec),
            tokens=positions is not None,
            positions=positions or 1,
            **members,
        )
    _perturb(net, spec.perturbation, seed)
    try:
        return net.to(device)
    except (RuntimeError, AssertionError):
        raise InputError(f"no device {device!r} here: use device=cpu") from None


def _part(spec: Settings, model: type[S]) -> S:
    """The fields of one of the models that a section of the configuration is made of."""
    return model(**{name: getattr(spec, name) for name in model.model_fields})


def _build_rnn(spec: RNNNetwork, suite: Suite, **members: Any) -> RNN:
    sites = getattr(geometry, spec.geometry)(*spec.shape)
    distance: str | geometry.Distance = spec.distance
    if spec.distance == "periodic":
        distance = geometry.periodic([n / max(spec.shape) for n in spec.shape])
    rnn = _part(spec, RNNSpec)
    net = RNN.for_suite(suite, sites=sites, spec=rnn, distance=distance, **members)
    if math.prod(spec.shape) > 1:
        net.anatomy.site_distances("hidden", "hidden")  # a distance that does not fit fails here
    return net


@torch.no_grad()
def _perturb(net: RNN | MLP, sd: float | tuple[float, ...], seed: int) -> None:
    """Add noise to all initial weights: the same draw for all members, each times its own sd."""
    noise = per_member(sd, net, "network.perturbation")
    if bool(noise.any()):
        rng = np.random.default_rng([seed, 3])
        for value in net.parameters():
            draw = torch.from_numpy(rng.standard_normal(value.shape[1:])).to(value)
            value.add_(noise.view(-1, *[1] * (value.ndim - 1)) * draw)
