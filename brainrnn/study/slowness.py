"""How slowly new tasks are learned: ranks and medians of steps, and tests over networks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from brainrnn.study.plasticity import CONDITIONS
from brainrnn.study.report.comparisons import compare

_QUANTITIES = {"slowness": "slowness", "forgetting": "forgetting"}
ASKED = tuple((CONDITIONS[a], CONDITIONS[b]) for a, b in (("module", "random"), ("all", "new")))
_PLANNED = (
    *ASKED,
    (CONDITIONS["module"], CONDITIONS["all"]),
    (CONDITIONS["rule"], CONDITIONS["all"]),
)


def slowness(rows: pd.DataFrame, limit: int) -> pd.DataFrame:
    """Rows with the share of all learnings of the same task that took fewer steps, 0 to 1.

    Half of those that took as many count. All learning is given up after equally many steps, so
    what was not learned is slower than all that was, and as slow as what was not learned either:
    Gehan's scores of censored data (1965, Biometrika 52:203), which need no more than ranks here.
    """
    steps = rows.steps.where(rows.reached, limit + 1)
    by_task = steps.groupby(rows.task)
    rank = by_task.transform(lambda one: (stats.rankdata(one) - 0.5) / len(one))
    return rows.assign(slowness=rank)


def median(group: pd.DataFrame) -> str:
    """Median of steps; where it falls on what was not learned, more than the last step."""
    value = group.steps.where(group.reached, np.inf).median()
    return f"{value:g}" if np.isfinite(value) else f"> {group.steps.max():g}"


def medians(group: pd.DataFrame) -> str:
    """Tasks one by one, for they take as different numbers of steps as methods do."""
    return ", ".join(f"{task} {median(one)}" for task, one in group.groupby("task", sort=False))


def network_means(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over new tasks: networks, not tasks, are the sample."""
    group = rows.groupby(["label", "seed", "condition"], sort=False)
    columns = ["old_before", "neurons", "reached", "steps", "slowness", "forgetting", "new_before"]
    return group[columns].mean().reset_index()


def between_methods(networks: pd.DataFrame) -> pd.DataFrame:
    """Every two methods in each condition; new networks of a seed are the same in all methods."""
    trained = networks[networks.condition != CONDITIONS["new"]]
    return compare(trained, _QUANTITIES, within={"condition": "condition"})


def between_conditions(networks: pd.DataFrame) -> pd.DataFrame:
    """The comparisons of conditions that the question is about, in each method."""
    sides = ("condition", "condition")
    tests = compare(
        networks, _QUANTITIES, within={"label": "method"}, between=sides, pairs=_PLANNED
    )
    return tests[tests.n > 0]  # a new network forgets nothing
