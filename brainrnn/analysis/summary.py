"""The result in words and numbers: a table for people, JSON for programs."""

from __future__ import annotations

import math
from textwrap import fill
from typing import Any

import numpy as np
import xarray as xr

from brainrnn.analysis.activity.variance import normalise
from brainrnn.analysis.map_statistics import MEASURES
from brainrnn.analysis.parts import not_given

_LEVEL = 0.05


def summary(brain: xr.Dataset) -> str:
    """Plain-text table of accuracy by task and of each network's map against chance.

    Parameters
    ----------
    brain : Dataset
        As from :func:`analyse` or :func:`analyse_recorded`.

    Returns
    -------
    str
        With several networks, accuracies are means over them; the map is reported for each.

    Examples
    --------
    >>> import brainrnn as br
    >>> place = br.grid(6, 6).numpy()
    >>> spec = br.AnalysisSpec(permutations=200)
    >>> brain = br.analyse_recorded(positions=place, modules=(place > 0.5) @ [2, 1], spec=spec)
    >>> print(br.summary(brain).splitlines()[-2])
    The map is more modular in space than chance by both measures (p < 0.05, 200 permutations).
    """
    members = brain.sizes["member"]
    blocks = [_accuracy_table(brain)] if "accuracy" in brain else []
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

    Examples
    --------
    >>> import brainrnn as br
    >>> brain = br.analyse_recorded(modules=["V1", "V1", "V1", "MT"])
    >>> found = as_json(brain)
    >>> found["active"], found["clusters"], found["sparsity"]
    (4, 2, None)
    """
    members = [_member_json(brain.isel(member=i)) for i in range(brain.sizes["member"])]
    if len(members) == 1:
        return members[0]
    whole = _mean(members)
    for key in MEASURES:
        whole[key] |= {"z": None, "p": None}
    return whole | {"members": members}


def statistics_table(statistics: xr.Dataset) -> str:
    """Plain-text table of every statistic beside chance, and of the fits to connection lengths.

    Parameters
    ----------
    statistics : Dataset
        As from :func:`map_statistics`.

    Returns
    -------
    str
        A block for each network, and what is left out.

    Examples
    --------
    >>> import brainrnn as br
    >>> rng = np.random.default_rng(0)
    >>> brain = br.analyse_recorded(weights=rng.normal(size=(20, 20)))
    >>> print(br.statistics_table(br.map_statistics(brain, graphs=5)).splitlines()[1][:40])
    Newman modularity                 0.0556
    """
    blocks = []
    for member in range(statistics.sizes["member"]):
        title = f"network {member}" if statistics.sizes["member"] > 1 else ""
        blocks.append(_statistics(statistics.isel(member=member), title))
    if "left_out" in statistics.attrs:
        blocks.append(fill(str(statistics.attrs["left_out"]), 100))
    return "\n\n".join(blocks)


def _accuracy_table(brain: xr.Dataset) -> str:
    accuracy, tasks = brain.accuracy.mean("member"), brain.task.values
    width = max(len(str(task)) for task in [*tasks, "mean"])
    rows = zip([*tasks, "mean"], *(_with_mean(x) for x in (accuracy, brain.ceiling)), strict=True)
    lines = [f"{'task':<{width}}  accuracy  ceiling"]
    lines += [f"{task:<{width}}  {a:8.3f}  {_number(c, 7)}" for task, a, c in rows]
    return "\n".join(lines)


def _map_table(brain: xr.Dataset, title: str) -> str:
    """Counts, both statistics and the verdict for one network (no member axis)."""
    counts = f"{title}{int(brain.active.sum())} of {brain.sizes['unit']} neurons active"
    if "clusters" in brain:
        counts += f", {int(brain.clusters)} modules"
    if "sparsity" in brain:
        counts += f", {float(brain.sparsity):.0%} of recurrent weights absent"
    if math.isfinite(cost := float(brain.get("connection_cost", math.nan))):
        counts += f", connection cost {cost:.4g}"
    missing = not_given(brain)
    left_out = [f"Not given, so left out: what needs {', '.join(missing)}."] if missing else []
    return "\n".join([counts, *_tests(brain), *left_out])


def _tests(brain: xr.Dataset) -> list[str]:
    """Both measures of one network's map beside chance, and the verdict; nothing without a map."""
    if "observed" not in brain:
        return []
    width = max(map(len, MEASURES.values()))
    lines = [f"{'':<{width}}  observed  null mean  95 % of the null         z         p"]
    for key, name in MEASURES.items():
        s = brain.sel(statistic=key)
        lines.append(
            f"{name:<{width}}  {_number(float(s.observed), 8, 4)}  "
            f"{_number(float(s.null_mean), 9, 4)}  "
            f"{_number(float(s.null_low), 7, 4)} - {_number(float(s.null_high), 6, 4)}  "
            f"{_number(float(s.z), 8, 2)}  {_significance(float(s.p))}"
        )
    return [*lines, _verdict(brain)]


def _verdict(brain: xr.Dataset) -> str:
    given = "label" in brain
    if not given and brain.sizes["task"] == 1:
        return (
            "No modules to test: neurons differ in the tasks they take part in, and there is one."
        )
    if not brain.active.any():
        return "No modules to test: no neuron is active."
    if int(brain.active.sum()) == 1:
        return "No modules to test: one neuron is active."
    if int(brain.clusters) < 2 and given:
        return "No modules to test: all active neurons are in one."
    if int(brain.clusters) < 2 and _alike(brain):
        return "No modules to test: all active neurons take part in the tasks alike."
    if int(brain.clusters) < 2:
        return (
            "No modules to test: too few active neurons differ in the tasks they take part in; "
            "lower analysis.k_range or analysis.active_threshold, or train for longer."
        )
    if not bool((brain.null_sd > 0).any()):
        return "The map cannot be tested: it is the same wherever the active neurons are."
    below = [name for key, name in MEASURES.items() if float(brain.p.sel(statistic=key)) < _LEVEL]
    test = f"(p < {_LEVEL}, {brain.sizes['permutation']} permutations)"
    match below:
        case []:
            return f"The map is not more modular in space than chance by either measure {test}."
        case [name]:
            return f"The map is more modular in space than chance by its {name} only {test}."
        case _:
            return f"The map is more modular in space than chance by both measures {test}."


def _alike(brain: xr.Dataset) -> bool:
    """Whether the active neurons of one network share one profile of task variances."""
    profiles = normalise(brain.task_variance).transpose("unit", ...).values[brain.active.values]
    return bool(np.allclose(profiles, profiles[0], atol=1e-6))


def _statistics(one: xr.Dataset, title: str) -> str:
    known = one.observed.notnull()
    if not bool(known.any()):
        return f"{title}\nNothing to test: fewer than 3 neurons are active.".lstrip()
    width = max(len(str(name)) for name in one["name"].values)
    lines = [f"{title:<{width}}  observed  null mean  95 % of the null          z        p"]
    for s in one.statistic.values:
        row = one.sel(statistic=s)
        low, high = float(row.null_low), float(row.null_high)
        lines.append(
            f"{row['name'].item():<{width}}  {_number(float(row.observed), 8, 4)}  "
            f"{_number(float(row.null_mean), 9, 4)}  {_number(low, 7, 4)} - {_number(high, 7, 4)}  "
            f"{_number(float(row.z), 8, 2)}  {_significance(float(row.p), 7)}  "
            f"{row.alternative.item()}"
        )
    if not bool(known.all()):
        lines.append("A dash: too few modules, neurons or connections, or no difference, to tell.")
    return "\n".join(line.rstrip() for line in [*lines, *_fits(one)])


def _fits(one: xr.Dataset) -> list[str]:
    """Lines on how the probability of a connection falls with distance."""
    if "length_estimate" not in one:
        return []
    lines = ["", f"{'connection probability':<22}    weight  power law is better by        p"]
    for model in one.model.values:
        fit = one.sel(model=model)
        values = fit.length_estimate
        known = ", ".join(
            f"{p} {float(v):.3g}"
            for p, v in zip(one.parameter.values, values, strict=True)
            if np.isfinite(v)
        )
        weight, ratio, p = (
            float(fit[f"length_{name}"]) for name in ("akaike_weight", "ratio", "ratio_p")
        )
        lines.append(
            f"{str(model).replace('_', ' '):<22}  {_number(weight, 8, 4)}  "
            f"{_number(ratio, 22, 1)}  {_significance(p, 7)}  {known}"
        )
    return lines


def _member_json(brain: xr.Dataset) -> dict[str, Any]:
    def known(name: str) -> xr.DataArray:
        return brain.get(name, xr.DataArray(math.nan))

    fields = ("observed", "null_mean", "z", "p")
    tested = "observed" in brain
    return {
        "accuracy": _plain(known("accuracy").mean()),
        "accuracy_ceiling": _plain(known("ceiling").mean(skipna=False)),
        "accuracy_per_task": {
            str(task): _plain(known("accuracy").sel(task=task))
            for task in (brain.task.values if "accuracy" in brain else [])
        },
        "active": int(brain.active.sum()),
        "clusters": int(brain.clusters) if "clusters" in brain else None,
        **{
            key: {f: _plain(brain[f].sel(statistic=key)) if tested else None for f in fields}
            for key in MEASURES
        },
        "connection_cost": _plain(known("connection_cost")),
        "sparsity": _plain(known("sparsity")),
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


def _significance(p: float, width: int = 8) -> str:
    return f"{p:{width}.2g}" if math.isfinite(p) else f"{'-':>{width}}"


def _number(value: float, width: int, digits: int = 3) -> str:
    return f"{value:{width}.{digits}f}" if math.isfinite(value) else f"{'-':>{width}}"
