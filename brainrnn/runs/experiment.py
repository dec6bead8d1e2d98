"""A whole experiment as one configuration: tasks, network, method, training, analysis."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import Field

from brainrnn.analysis import AnalysisSpec
from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.catalogue import find
from brainrnn.config import Seed, Settings, build, override, read_toml
from brainrnn.errors import InputError, unknown
from brainrnn.networks import NETWORKS, NetworkSpec, RNNNetwork
from brainrnn.own import is_reference, own_function
from brainrnn.task import Suite, Task
from brainrnn.training.loop import TrainingSpec
from brainrnn.wiring_cost.method import BIMT

Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Real = Annotated[float, Field(ge=-1e38, le=1e38)]  # as float32 holds them
SUITES = "brainrnn.suites"  # the entry-point group in which packages offer suites of tasks


class TaskSpec(Settings):
    """Which tasks to learn.

    Examples
    --------
    >>> load_suite(TaskSpec(suite="cog20", names=["go", "dms"])).names
    ('go', 'dms')
    """

    suite: str = Field(
        "cog20",
        description="suite of tasks; see `brainrnn tasks list`; or your own, module:function, "
        "from the current folder or an installed package",
    )
    names: tuple[str, ...] | None = Field(
        None, description="some of the suite's tasks; unset: all of them"
    )
    dt: float | None = Field(
        None,
        ge=1,
        le=1e9,
        description="duration of a step, ms; unset: the suite's own, if it has steps",
    )
    options: dict[str, bool | Whole | Real | str] = Field(
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
    seed: Seed = Field(0, description="of initial weights, trials, noise and analysis")
    device: str = Field(
        "cpu",
        pattern=r"^(cpu|cuda(:\d+)?)$",
        description="where to train: cpu, cuda, cuda:1, ...",
    )
    task: TaskSpec = TaskSpec()
    network: NetworkSpec = Field(RNNNetwork(), description="which network, of which size")
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


def suites() -> dict[str, Any]:  # importlib_metadata has an EntryPoint of its own
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
    """The suite of tasks of that name, from an installed package or from the user's own module.

    Parameters
    ----------
    spec : TaskSpec
        Its ``suite`` is a name that an installed package offers, or ``module:function``. The
        function is called with what the configuration says: ``names``, ``dt``, and its
        ``options``.

    Returns
    -------
    Task

    Raises
    ------
    InputError
        If there is no such suite, module or function, the suite does not know a task or an option,
        or what the function returns is not a task.

    Examples
    --------
    >>> load_suite(TaskSpec(suite="cog20", names=["go"])).n_outputs
    17
    """
    suite = own_function(spec.suite) if is_reference(spec.suite) else _offered(spec.suite)
    task = suite(**_arguments(suite, spec))
    _check_task(task, spec.suite)
    return cast(Task, task)


def _arguments(suite: Callable[..., object], spec: TaskSpec) -> dict[str, object]:
    """What a configuration says to a suite, by the names of the suite's parameters."""
    parameters = dict(inspect.signature(suite).parameters)
    others = [name for name, p in parameters.items() if p.kind is p.VAR_KEYWORD]
    for name in others:  # **others: the suite takes any option
        del parameters[name]
    options = sorted(parameters.keys() - {"names", "dt"})  # which have keys of their own
    for name in spec.options:
        if name in ("names", "dt"):
            raise InputError(f"{name!r} is no option of a suite: set task.{name}")
        if not options and not others:
            raise InputError(f"the suite {spec.suite!r} has no options: leave out {name!r}")
        if name not in options and not others:
            raise InputError(unknown(f"option of the suite {spec.suite!r}", name, options))
    said = {"names": spec.names, "dt": spec.dt}
    arguments: dict[str, object] = {k: value for k, value in said.items() if value is not None}
    for name in arguments:
        if name not in parameters and not others:
            raise InputError(
                f"the suite {spec.suite!r} takes no {name}: leave out task.{name}, or set "
                f"task.{name}=unset"
            )
    if "names" in parameters:
        arguments.setdefault("names", None)
    return {**arguments, **spec.options}


def _offered(name: str) -> Callable[..., object]:
    """The suite that an installed package offers under a name."""
    offered = suites()
    if not offered:
        raise InputError(
            "no suite of tasks is installed: install the package with `pip install -e .`"
        )
    if name not in offered:
        raise InputError(f"{unknown('suite of tasks', name, offered)} (your own: module:function)")
    return cast(Callable[..., object], offered[name].load())


def _check_task(task: object, suite: str) -> None:
    """Raise ``InputError`` unless this is a task, with all that belongs to one."""
    protocol = Suite if hasattr(task, "dt") else Task
    lacking = [name for name in _members(protocol) if not hasattr(task, name)]
    if lacking:
        raise InputError(
            f"the suite {suite!r} returned a {type(task).__name__}, which is no brainrnn."
            f"{protocol.__name__}: it lacks {', '.join(lacking)}"
        )


def _members(protocol: type) -> list[str]:
    """Names of the attributes and methods that a protocol asks for."""
    protocols = [base for base in protocol.__mro__ if getattr(base, "_is_protocol", False)]
    names = [n for p in protocols for n in (*vars(p).get("__annotations__", ()), *vars(p))]
    return [name for name in dict.fromkeys(names) if not name.startswith("_")]


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
        if the network would not fit into memory, or if there is no such device.

    Examples
    --------
    >>> experiment = Experiment(network={"shape": [3, 4]})
    >>> net = build_network(experiment.network, load_suite(experiment.task), seed=0)
    >>> net.wired("w_rec").shape  # (member, neuron, neuron)
    torch.Size([1, 12, 12])
    """
    if not spec.fits(task):
        fitting = next(kind for kind in NETWORKS if kind.fits(task))
        raise InputError(
            f"network.kind is {spec.kind!r}, but these tasks {fitting.tasks}: use "
            f"{fitting.model_fields['kind'].default!r}"
        )
    spec.require_memory(task)
    net = spec.build(task, seed=seed)
    spec.perturb(net, seed)
    try:
        return net.to(device)
    except (RuntimeError, AssertionError):
        raise InputError(f"no device {device!r} here: use device=cpu") from None
