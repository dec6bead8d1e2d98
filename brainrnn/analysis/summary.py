"""The result in words and numbers: a table for people, JSON for programs."""

from __future__ import annotations

import math
from typing import Any

import xarray as xr

from brainrnn.analysis.map_statistics import MEASURES

_LEVEL = 0.05


def summary(brain: xr.Dataset) -> str:
    """Plain-text table of accuracy by task and of each network's map against chance.

    Parameters
    ----------
    brain : Dataset
        As from :func:`analyse`.

    Returns
    -------
    str
        With several networks, accuracies are means over them; the map is reported for each.
    """
    members = brain.sizes["member"]
    blocks = [_accuracy_table(brain)]
    for member in range(members):
        title = f"network {member}: " if members > 1 else ""
        blocks.append(_map_table(brain.isel(member=member), title))
    return "\n\n".join(blocks)


def as_json(brain: xr.Dataset) -> dict[str, Any]:
    """Give the main results as an object of plain numbers that is strict JSON.

    Parameters
    ----------
    brain : Dataset
        As from :func:`analyse`.

    Returns
    -------
    dict
        ``accuracy`` and ``accuracy_ceiling`` (means over tasks), ``accuracy_per_task``,
        ``active`` (number of neurons), ``clusters``, ``isolated`` and ``cluster_size`` (each
        ``observed``, ``null_mean``, ``z``, ``p``), ``connection_cost`` and ``sparsity``. With
        several networks, these are means over those in which they are known, without z and p,
        which belong to single networks; ``members`` lists an object of the same keys for each.
        What is not known is None.
    """
    members = [_member_json(brain.isel(member=i)) for i in range(brain.sizes["member"])]
    if len(members) == 1:
        return members[0]
    whole = _mean(members)
    for key in MEASURES:
        whole[key] |= {"z": None, "p": None}
    return whole | {"members": members}


def _accuracy_table(brain: xr.Dataset) -> str:
    accuracy, tasks = brain.accuracy.mean("member"), brain.task.values
    width = max(len(str(task)) for task in [*tasks, "mean"])
    rows = zip([*tasks, "mean"], *(_with_mean(x) for x in (accuracy, brain.ceiling)), strict=True)
    lines = [f"{'task':<{width}}  accuracy  ceiling"]
    lines += [f"{task:<{width}}  {a:8.3f}  {_number(c, 7)}" for task, a, c in rows]
    return "\n".join(lines)


def _map_table(brain: xr.Dataset, title: str) -> str:
    """Counts, both statistics and the verdict for one network (no member axis)."""
    cost = float(brain.connection_cost)
    counts = (
        f"{title}{int(brain.active.sum())} of {brain.sizes['unit']} neurons active, "
        f"{int(brain.clusters)} modules, {float(brain.sparsity):.0%} of recurrent weights absent"
    )
    if math.isfinite(cost):
        counts += f", connection cost {cost:.4g}"
    width = max(map(len, MEASURES.values()))
    lines = [
        counts,
        f"{'':<{width}}  observed  null mean  95 % of the null         z         p",
    ]
    for key, name in MEASURES.items():
        s = brain.sel(statistic=key)
        lines.append(
            f"{name:<{width}}  {_number(float(s.observed), 8, 4)}  "
            f"{_number(float(s.null_mean), 9, 4)}  "
            f"{_number(float(s.null_low), 7, 4)} - {_number(float(s.null_high), 6, 4)}  "
            f"{_number(float(s.z), 8, 2)}  {_significance(float(s.p))}"
        )
    return "\n".join([*lines, _verdict(brain)])


def _verdict(brain: xr.Dataset) -> str:
    if brain.sizes["task"] == 1:
        return (
            "No modules to test: neurons differ in the tasks they take part in, and there is one."
        )
    if not brain.active.any():
        return "No modules to test: no neuron is active."
    if int(brain.clusters) < 2:
        return (
            "No modules to test: too few active neurons differ in the tasks they take part in; "
            "lower analysis.k_range or analysis.active_threshold, or train for longer."
        )
    below = [name for key, name in MEASURES.items() if float(brain.p.sel(statistic=key)) < _LEVEL]
    test = f"(p < {_LEVEL}, {brain.sizes['permutation']} permutations)"
    match below:
        case []:
            return f"The map is not more modular in space than chance by either measure {test}."
        case [name]:
            return f"The map is more modular in space than chance by its {name} only {test}."
        case _:
            return f"The map is more modular in space than chance by both measures {test}."


def _member_json(brain: xr.Dataset) -> dict[str, Any]:
    test = {
        key: {
            field: _plain(brain[field].sel(statistic=key))
            for field in ("observed", "null_mean", "z", "p")
        }
        for key in MEASURES
    }
    return {
        "accuracy": _plain(brain.accuracy.mean()),
        "accuracy_ceiling": _plain(brain.ceiling.mean(skipna=False)),
        "accuracy_per_task": {
            str(task): _plain(value)
            for task, value in zip(brain.task.values, brain.accuracy, strict=True)
        },
        "active": int(brain.active.sum()),
        "clusters": int(brain.clusters),
        **test,
        "connection_cost": _plain(brain.connection_cost),
        "sparsity": _plain(brain.sparsity),
    }


def _mean(objects: list[Any]) -> Any:
    """Mean of like-shaped nested objects of numbers, over those that are not None."""
    if isinstance(objects[0], dict):
        return {key: _mean([o[key] for o in objects]) for key in objects[0]}
    known = [o for o in objects if o is not None]
    return sum(known) / len(known) if known else None


def _with_mean(values: xr.DataArray) -> list[float]:
    return [*values.values.tolist(), float(values.mean(skipna=False))]


def _plain(value: xr.DataArray) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def _significance(p: float) -> str:
    return f"{p:8.2g}" if math.isfinite(p) else f"{'-':>8}"


def _number(value: float, width: int, digits: int = 3) -> str:
    return f"{value:{width}.{digits}f}" if math.isfinite(value) else f"{'-':>{width}}"
