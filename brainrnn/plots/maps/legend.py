"""The words of a map: its title, and what the colours mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Bool, Int
from matplotlib.lines import Line2D

from brainrnn.analysis.activity.variance import normalise
from brainrnn.plots.style import INACTIVE, NEGATIVE, POSITIVE, module_colours

_ROWS = 20  # modules in a legend
_TESTED = {"isolated": "isolated neurons", "cluster_size": "cluster size"}


def title(one: xr.Dataset, active: Bool[np.ndarray, " unit"]) -> str:
    """What is known of one network: active neurons, modules, accuracy, and both tests."""
    known = [f"{int(active.sum())} of {len(active)} neurons active"]
    if "module" in one:
        known.append(f"{np.count_nonzero(module_sizes(one, active))} modules")
    if "accuracy" in one:
        known.append(f"accuracy {float(one.accuracy.mean()):.3f}")
    lines = [", ".join(known)]
    tested = set(one.statistic.values) if "p" in one else set()
    p = {words: float(one.p.sel(statistic=s)) for s, words in _TESTED.items() if s in tested}
    if p:
        lines.append("against chance: " + ", ".join(f"{w} p = {v:.2g}" for w, v in p.items()))
    return "\n".join(lines)


def legend_rows(one: xr.Dataset, active: Bool[np.ndarray, " unit"]) -> list[Line2D]:
    """A row for each of the largest modules, and for what else is drawn."""
    rows = _module_rows(one, active) if "module" in one else []
    rows.append(Line2D([], [], color=INACTIVE, label="inactive", ls="", marker="o", ms=3))
    if "weight" in one:
        rows.append(Line2D([], [], color=POSITIVE, label="positive connection", lw=2))
        rows.append(Line2D([], [], color=NEGATIVE, label="negative connection", lw=2))
    return rows


def legend_title(one: xr.Dataset) -> str | None:
    """What stands over the rows of modules."""
    if "module" not in one:
        return None
    return "module (neurons)" + (": typical tasks" if "task_variance" in one else "")


def module_sizes(one: xr.Dataset, active: Bool[np.ndarray, " unit"]) -> Int[np.ndarray, " module"]:
    """Number of active neurons in each module; 0 of a number that no module has."""
    module = one.module.values[active]
    return np.bincount(module[module >= 0])


def characteristic_tasks(
    one: xr.Dataset, active: Bool[np.ndarray, " unit"], most: int = 3
) -> dict[int, list[str]]:
    """For each module, the tasks whose normalised variance is most above the other neurons' mean.

    Parameters
    ----------
    one : Dataset
        Of one network, without the member axis.
    active : (unit,) bool
    most : int
        Tasks per module.

    Returns
    -------
    dict of int to list of str
    """
    share = normalise(one.task_variance).transpose("unit", "task").values[active]
    module = one.module.values[active]
    typical = {}
    for k in np.flatnonzero(module_sizes(one, active)).tolist():
        excess = share[module == k].mean(0) - share.mean(0)
        typical[k] = [str(one.task.values[i]) for i in np.argsort(-excess)[:most]]
    return typical


def _module_rows(one: xr.Dataset, active: Bool[np.ndarray, " unit"]) -> list[Line2D]:
    sizes = module_sizes(one, active)
    there = np.flatnonzero(sizes)
    tasks = characteristic_tasks(one, active) if "task_variance" in one else {}
    disc: dict[str, Any] = {"ls": "", "marker": "o", "ms": 7, "mec": "white"}
    rows = []
    for k in sorted(there[np.argsort(-sizes[there], kind="stable")[:_ROWS]].tolist()):
        words = f"{_name(one, k)} ({sizes[k]})" + (f": {', '.join(tasks[k])}" if tasks else "")
        rows.append(Line2D([], [], color=tuple(module_colours(k)), label=words, **disc))
    if len(there) > _ROWS:
        rows.append(Line2D([], [], ls="", label=f"and {len(there) - _ROWS} smaller modules"))
    return rows


def _name(one: xr.Dataset, module: int) -> str:
    """A module's own name where it has one, such as a brain area's, or else its number."""
    if "label" not in one:
        return str(module)
    return str(one.label.values[one.module.values == module][0])
