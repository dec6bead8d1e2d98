"""Tables of what networks learn anew: each method in each condition, task by task."""

from __future__ import annotations

import pandas as pd

from brainrnn.study.report.tables import count
from brainrnn.study.slowness import median, medians


def describe(group: pd.DataFrame) -> dict[str, object]:
    """A method's networks in one condition; what was known before says nothing of a new one."""
    reached, fresh = group[group.reached], group.old_before.isna().all()
    return {
        "neurons": f"{group.neurons.mean():.0f}",
        "weights and biases": f"{group.entries.mean():.0f}",
        "accuracy before": f"{group.new_before.mean():.3f}",
        "learned": count(group.reached),
        "without a step": int((reached.steps == 0).sum()),
        "steps: median of each task": medians(group),
        "known tasks before": "" if fresh else f"{group.old_before.mean():.3f}",
        "forgetting": "" if fresh else f"{group.forgetting.mean():.3f}",
        "forgetting where learned": ""
        if fresh or reached.empty
        else f"{reached.forgetting.mean():.3f}",
    }


def by_condition(group: pd.DataFrame) -> dict[str, object]:
    """A method's steps until it has learned one task, in each condition."""
    return {
        str(condition): f"{median(one)} ({count(one.reached)})"
        for condition, one in group.groupby("condition", sort=False)
    }
