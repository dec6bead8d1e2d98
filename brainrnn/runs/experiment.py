"""A whole experiment as one configuration: tasks, network, method, training, analysis."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import cast

from pydantic import Field

from brainrnn.analysis import AnalysisSpec
from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.catalogue import find
from brainrnn.config import Settings, build, override, read_toml
from brainrnn.errors import InputError, unknown
from brainrnn.networks import NETWORKS, NetworkSpec, RNNNetwork
from brainrnn.task import Task
from brainrnn.training.loop import TrainingSpec
from brainrnn.wiring_cost.method import BIMT

SUITES = "brainrnn.suites"  # the entry-point group in which packages offer suites of tasks


class TaskSpec(Settings):
    """Which tasks to learn.

    Examples
    --------
    >>> load_suite(TaskSpec(suite="cog20", names=["go", "dms"])).names
    ('go', 'dms')
    """

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


class Experiment(Settings):
    """Everything that determines a run.

    Examples
    --------
    >>> experiment = Experiment(network={"shape": [10, 10]}, method={"strength": 1e-3})
    >>> experiment.network.shape, experiment.training.steps
    ((10, 10), 3000)
    """

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

    Parameters
    ----------
    path : str or Path
        The file, or the name of an experiment that comes with the package, such as "quick".
    overrides : iterable of str
        Each sets one key; the value is read as TOML.

    Returns
    -------
    Experiment

    Raises
    ------
    InputError
        One line for whatever is wrong with the file, a key or a value.

    Examples
    --------
    >>> load_experiment("quick", ["network.shape=[5, 5]"]).network.shape
    (5, 5)
    """
    return build(Experiment, override(read_toml(find("experiment", path)), overrides))


def on_device(experiment: Experiment, device: str | None) -> Experiment:
    """The same experiment on another device.

    Parameters
    ----------
    experiment : Experiment
    device : str or None
        cpu, cuda, cuda:1, ...; None: the experiment's own.

    Returns
    -------
    Experiment

    Raises
    ------
    InputError
        If that is not the name of a device.

    Examples
    --------
    >>> on_device(Experiment(), "cuda:1").device
    'cuda:1'
    """
    if device is None:
        return experiment
    return build(Experiment, experiment.model_dump(exclude_none=True) | {"device": device})


def suites() -> dict[str, EntryPoint]:
    """Every suite of tasks that an installed package offers, by name.

    Returns
    -------
    dict of str to EntryPoint

    Examples
    --------
    >>> "cog20" in suites()
    True
    """
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
    options = sorted(known.keys() - {"names", "dt"})  # which have keys of their own
    for name in arguments:
        if name in spec.options and not options:
            raise InputError(f"the suite {spec.suite!r} has no options: leave out {name!r}")
        if name not in known or (name in spec.options and name not in options):
            raise InputError(unknown(f"option of the suite {spec.suite!r}", name, options))
    return cast(Task, suite(**arguments))


def build_network(
    spec: NetworkSpec, task: Task, *, seed: int, device: str = "cpu"
) -> PlacedNetwork:
    """The untrained network of an experiment.

    Parameters
    ----------
    spec : NetworkSpec
        The configuration's section ``network``.
    task : Task
    seed : int
        Of the initial weights.
    device : str

    Returns
    -------
    PlacedNetwork

    Raises
    ------
    InputError
        If the kind of network does not fit these tasks, if sizes or settings do not fit together,
        or if there is no such device.

    Examples
    --------
    >>> experiment = Experiment(network={"shape": [3, 4]})
    >>> net = build_network(experiment.network, load_suite(experiment.task), seed=0)
    >>> net.weight("w_rec").shape  # (member, neuron, neuron)
    torch.Size([1, 12, 12])
    """
    if not spec.fits(task):
        fitting = next(kind for kind in NETWORKS if kind.fits(task))
        raise InputError(
            f"network.kind is {spec.kind!r}, but these tasks {fitting.tasks}: use "
            f"{fitting.model_fields['kind'].default!r}"
        )
    net = spec.build(task, seed=seed)
    spec.perturb(net, seed)
    try:
        return net.to(device)
    except (RuntimeError, AssertionError):
        raise InputError(f"no device {device!r} here: use device=cpu") from None
