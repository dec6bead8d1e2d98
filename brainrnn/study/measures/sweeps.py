"""What does a setting do? Accuracy, sparsity, wiring and map of networks over swept settings."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from brainrnn.analysis.map_statistics import MEASURES
from brainrnn.study.answers import Answer
from brainrnn.study.drawings.sweeps import heat_maps, lines, pareto
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.report.tables import mean_sd, summarise
from brainrnn.study.subject import Subject
from brainrnn.study.wiring import wiring_length

QUANTITIES = {
    "accuracy": "accuracy",
    "absent": "weights absent",
    "active": "active neurons",
    "modules": "modules",
    "wiring_length": "wiring length",
    **{f"{name}_z": f"z {words}" for name, words in MEASURES.items()},
}


class SweepMeasure(Measure):
    """Each network's accuracy, sparsity, wiring and map, beside the settings that are swept."""

    kind: Literal["sweep"] = "sweep"

    def answer(self, subject: Subject) -> Answer:
        """An item for the accuracy of every task."""
        one = subject.analysed().isel(member=0)
        items = pd.DataFrame(
            {
                "task": one.task.values,
                "task_accuracy": one.accuracy.values,
                "task_ceiling": one.ceiling.values,
            }
        )
        network = {
            "accuracy": float(one.accuracy.mean()),
            "ceiling": float(one.ceiling.mean()),
            "absent": float(one.sparsity),
            "active": int(one.active.sum()),
            "modules": int(one.clusters),
            "wiring_length": float(wiring_length(subject.net)[0][0]),
        }
        for name in MEASURES:
            tested = one.sel(statistic=name)
            network |= {f"{name}_{field}": float(tested[field]) for field in ("z", "p")}
        return Answer(items, network)

    def findings(self, rows: pd.DataFrame) -> Findings:
        """Means over seeds of each setting; lines or heat maps; and the Pareto front."""
        keys = [key for key in map(str, rows) if "." in key]
        settings = [*(["label"] if rows.label.nunique() > 1 or not keys else []), *keys]
        of_network = [*settings, "seed", *(c for c in rows if c in _FACTS)]
        networks = rows[of_network].drop_duplicates([*settings, "seed"], ignore_index=True)
        found = Findings()
        found.tables["Each setting"] = summarise(
            networks.fillna(dict.fromkeys(keys, "-")),
            {name: name for name in settings},
            lambda group: (
                {"seeds": len(group)}
                | {words: mean_sd(group[name]) for name, words in QUANTITIES.items()}
            ),
        )
        found.tables["Each network"] = networks
        if len(keys) == 2:
            found.figures["heat_maps"] = heat_maps(networks, keys, QUANTITIES)
        for key in keys if len(keys) != 2 else ():
            found.figures[f"lines_{key.split('.')[-1]}"] = lines(networks, key, QUANTITIES)
        found.figures["pareto"] = pareto(networks)
        return found


_FACTS = {*QUANTITIES, "ceiling", *(f"{name}_p" for name in MEASURES)}
