"""What is known of recorded neurons: read from arrays, checked, and laid side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import xarray as xr
from torch import Tensor

from brainrnn.analysis.activity.variance import task_variance
from brainrnn.errors import InputError

Array: TypeAlias = np.ndarray | xr.DataArray | Tensor | Sequence[Any]
Activity: TypeAlias = Mapping[Any, Array] | Sequence[Array] | xr.DataArray

# Variables of an analysis, and the part each is read from.
_VARIABLES = {
    "positions": "position",
    "variance": "task_variance",
    "modules": "label",
    "weights": "weight",
    "active": "active",
}
_GIVEN_AS = {
    "position": "positions",
    "task_variance": "activity or variance",
    "module": "modules (or activity, or variance)",
    "weight": "weights",
}


def require(brain: xr.Dataset, what: str, *variables: str) -> None:
    """See that an analysis knows what a question to it needs.

    Raises
    ------
    InputError
        If not, with the part to give.
    """
    for name in variables:
        if name not in brain:
            raise InputError(
                f"{what} needs {_GIVEN_AS.get(name, name)}, which this analysis was not given: "
                "pass it to analyse_recorded"
            )


def not_given(brain: xr.Dataset) -> list[str]:
    """Parts that an analysis was made without, in words."""
    return [part for name, part in _GIVEN_AS.items() if name not in brain]


def read_parts(
    *,
    positions: Array | None = None,
    activity: Activity | None = None,
    variance: Array | None = None,
    modules: Array | None = None,
    weights: Array | None = None,
    active: Array | None = None,
) -> xr.Dataset:
    """Read what is known of neurons into one dataset.

    Parameters
    ----------
    positions, activity, variance, modules, weights, active
        As for :func:`brainrnn.analyse_recorded`.

    Returns
    -------
    Dataset
        Of what was given: ``position`` (member, unit, space), ``task_variance`` (member, unit,
        task), ``label`` (member, unit), ``weight`` (member, unit, source) and ``active`` (member,
        unit).

    Raises
    ------
    InputError
        If a part has a wrong shape or impossible values, or two parts do not fit each other.
    """
    if activity is not None and variance is not None:
        raise InputError("activity and variance are both given: variance is of activity, give one")
    given: dict[str, tuple[Array | None, tuple[str, ...]]] = {
        "positions": (positions, ("unit", "space")),
        "variance": (variance, ("unit", "task")),
        "modules": (modules, ("unit",)),
        "weights": (weights, ("unit", "source")),
        "active": (active, ("unit",)),
    }
    parts = {
        what: _labelled(value, what, dims, ("member", *dims))
        for what, (value, dims) in given.items()
        if value is not None
    }
    tasks = {} if activity is None else _by_task(activity)
    if not tasks and parts.keys() <= {"positions", "active"}:
        raise InputError("nothing to analyse: give activity, variance, modules or weights")
    trials = {f"activity of task {task!r}": _trials(one, task) for task, one in tasks.items()}
    everything = parts | trials
    _fit(everything)
    if tasks:
        each = [task_variance(one) for one in trials.values()]
        parts["variance"] = xr.concat(each, xr.DataArray(list(tasks), dims="task", name="task"))
    for what, part in parts.items():
        _check(what, part)
    members = max(one.sizes.get("member", 1) for one in everything.values())
    found = {_VARIABLES[what]: _laid_out(part, members) for what, part in parts.items()}
    return xr.Dataset(found).assign_coords(_coordinates(parts))


def _labelled(value: Array, what: str, *forms: tuple[str, ...]) -> xr.DataArray:
    """An array with the dimensions of one of these forms; a labelled one in any order."""
    if isinstance(value, xr.DataArray):
        if not any(set(value.dims) == set(form) for form in forms):
            raise InputError(f"{what} must have {_either(forms)}, got the dimensions {value.dims}")
        return value
    try:
        array = np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value)
    except ValueError:  # lists of lists of different lengths
        raise InputError(f"{what} must be one array, got rows of different lengths") from None
    for form in forms:
        if array.ndim == len(form):
            return xr.DataArray(array, dims=form)
    raise InputError(f"{what} must have {_either(forms)}, got the shape {array.shape}")


def _either(forms: tuple[tuple[str, ...], ...]) -> str:
    return "the axes " + " or ".join(f"({', '.join(form)})" for form in forms)


def _by_task(activity: Activity) -> dict[str, Array]:
    """Activity by the name of its task."""
    if isinstance(activity, xr.DataArray) and "task" in activity.dims:
        names = activity["task"].values.tolist()  # their numbers where they have no names
        return {str(t): activity.isel(task=i, drop=True) for i, t in enumerate(names)}
    if isinstance(activity, Mapping):
        return {str(task): one for task, one in activity.items()}
    if isinstance(activity, np.ndarray | Tensor | xr.DataArray):
        raise InputError(
            "activity must be a dict {task: (trial, time, unit)} or a list of such arrays, one for "
            "each task, got one array"
        )
    return {f"task{i}": one for i, one in enumerate(activity)}


def _trials(value: Array, task: str) -> xr.DataArray:
    """Activity in the trials of one task, (member, trial, time, unit) in floating point."""
    what = f"activity of task {task!r}"
    forms = [("trial", "unit"), ("trial", "time", "unit"), ("member", "trial", "time", "unit")]
    if isinstance(value, xr.DataArray):  # which an array without labels could not tell
        forms.append(("member", "trial", "unit"))
    array = _labelled(value, what, *forms)
    if array.sizes["trial"] < 2:
        raise InputError(f"{what} has {array.sizes['trial']} trial: a variance needs at least 2")
    _numbers(array, what)
    array = array.expand_dims([d for d in ("member", "time") if d not in array.dims])
    array = array if array.dtype.kind == "f" else array.astype(np.float64)
    silent = array.isnull().all(("trial", "time")).any("member").values
    if silent.any() or np.isinf(array.values).any():
        where = f"unit {silent.argmax()} has no value" if silent.any() else "a value is infinite"
        raise InputError(f"{what}: {where}; NaN may only fill time after a trial's end, or gaps")
    return array


def _fit(parts: Mapping[str, xr.DataArray]) -> None:
    """See that all parts are of the same units, in one order, and of as many networks."""
    for dim in ("unit", "member"):
        sizes = {what: part.sizes[dim] for what, part in parts.items() if dim in part.dims}
        if dim == "unit" and "weights" in parts:
            sizes["the second axis of weights"] = parts["weights"].sizes["source"]
        if dim == "member":  # one for all
            sizes = {what: size for what, size in sizes.items() if size > 1}
        for what, size in sizes.items():
            first, expected = next(iter(sizes.items()))
            if size != expected:
                raise InputError(
                    f"{first} has {expected} {dim}s and {what} has {size}: give the same {dim}s in "
                    "every part"
                )
    named = {what: part.unit.values for what, part in parts.items() if "unit" in part.coords}
    for what, names in named.items():
        first, expected = next(iter(named.items()))
        if not np.array_equal(names, expected):
            raise InputError(f"{first} and {what} name different units, or in another order")


def _check(what: str, part: xr.DataArray) -> None:
    """See that the values of a part are possible."""
    match what:
        case "modules":
            words = all(isinstance(value, str) for value in part.values.flat)
            if part.dtype.kind not in "iu" and not words:
                raise InputError(
                    "modules must be integers (-1: in none) or strings ('': in none), one for each "
                    f"unit, got {part.dtype}"
                )
        case "active":
            if part.dtype != bool:
                raise InputError(f"active must be True or False for each unit, got {part.dtype}")
        case _:
            _numbers(part, what)
            bad = ~xr.apply_ufunc(np.isfinite, part)
            if bad.any():
                unit = int(bad.any([dim for dim in bad.dims if dim != "unit"]).values.argmax())
                raise InputError(
                    f"{what} of unit {unit} hold NaN or infinity: leave that unit out of every part"
                )
            if what == "variance" and (part < 0).any():
                raise InputError("variance is below 0 somewhere: activity goes in as activity=")


def _numbers(part: xr.DataArray, what: str) -> None:
    if part.dtype.kind not in "fiub":
        raise InputError(f"{what} must be real numbers, got {part.dtype}")


def _laid_out(part: xr.DataArray, members: int) -> xr.Variable:
    """A part as a variable of every network, its axes in the order of an analysis."""
    order = ("member", "unit", "space", "source", "task")
    part = part if "member" in part.dims else part.expand_dims("member")
    if part.sizes["member"] < members:
        part = part.isel(member=np.zeros(members, int))
    return part.variable.transpose(*(dim for dim in order if dim in part.dims)).copy()


def _coordinates(parts: Mapping[str, xr.DataArray]) -> dict[str, Any]:
    """Names of units, if a part has them, and of tasks."""
    names: dict[str, Any] = {}
    for part in parts.values():
        if "unit" in part.coords:
            names["unit"] = part.unit.values
    if "variance" in parts:
        variance = parts["variance"]
        known = "task" in variance.coords
        names["task"] = (
            variance.task.values if known else [f"task{i}" for i in range(variance.sizes["task"])]
        )
    return names
