"""Tables of robustness: each method, and task by task."""

from __future__ import annotations

import pandas as pd

from brainrnn.study.report.tables import mean_sd
from brainrnn.study.tolerance import area


def describe(group: pd.DataFrame) -> dict[str, object]:
    """A method's robustness to each damage: means over its networks."""
    network = group.groupby("seed").first()
    about: dict[str, object] = {"weights absent": f"{network.absent.mean():.1%}"}
    by = group.groupby("damage", sort=False).robustness
    shares = {str(damage): mean_sd(one) for damage, one in by}
    return about | {"undamaged": mean_sd(network.undamaged)} | shares


def each_task(group: pd.DataFrame) -> dict[str, object]:
    """Robustness in each task: means over networks of those it can be told of."""
    networks = [one for _, one in group.groupby("seed")]
    return {
        task.removeprefix("accuracy_"): pd.Series([area(n.level, n[task]) for n in networks]).mean()
        for task in map(str, group.filter(regex="^accuracy_"))
    }
