"""Tables of networks whose resolution was changed: accuracy, and the map."""

from __future__ import annotations

import pandas as pd

from brainrnn.analysis.map_statistics import MEASURES
from brainrnn.study.report.tables import count, mean_sd, median_range
from brainrnn.study.resizing import CHANGES
from brainrnn.study.stages import STAGES, beyond_chance


def accuracy(group: pd.DataFrame) -> dict[str, object]:
    """Accuracy of networks that were changed alike, at every stage, and their wiring."""
    new = group.change.iloc[0] == CHANGES["scratch"]
    return {
        "neurons": int(group.neurons.iloc[0]),
        "networks": len(group),
        "before": "" if new else mean_sd(group.accuracy_before),
        "right after": mean_sd(group.accuracy_after),
        "trained on": mean_sd(group.accuracy_trained),
        "best possible": f"{group.ceiling.mean():.3f}",
        "wiring length, trained on": f"{group.wiring_length_trained.mean():.1f}",
        "weights absent, trained on": f"{group.absent_trained.mean():.1%}",
    }


def maps(group: pd.DataFrame) -> dict[str, object]:
    """The map of networks that were changed alike, at every stage."""
    row: dict[str, object] = {}
    for stage, words in STAGES.items():
        known = stage != "before" or group.change.iloc[0] != CHANGES["scratch"]
        for name, what in MEASURES.items():
            z = group[f"{name}_z_{stage}"]
            row[f"z {what}, {words}"] = median_range(z) if known else ""
        row[f"both p < 0.05, {words}"] = count(beyond_chance(group, stage)) if known else ""
    return row | {"active, later": f"{group.active_trained.mean():.0f}"}
