"""Is there a map? Both of the paper's measures and others, network by network and over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

import pandas as pd
from pydantic import Field

from brainrnn.analysis import load, map_statistics, save
from brainrnn.analysis.map_statistics import MEASURES, MORAN
from brainrnn.study.answers import Answer
from brainrnn.study.claims import maps as claims
from brainrnn.study.drawings.maps import portray, side_by_side, z_of_networks
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.report.comparisons import compare, planned
from brainrnn.study.report.figures import Drawing
from brainrnn.study.report.settings import name_settings, with_setting
from brainrnn.study.report.tables import spread, summarise
from brainrnn.study.subject import Cell, Subject
from brainrnn.study.tables import maps as tables
from brainrnn.study.wiring import wiring_length

_NOTES = [
    "In the tables over networks, Holm's procedure controls p for the two measures, over all "
    "methods. For the other statistics, and between methods, Benjamini and Hochberg's does.",
    "What networks that differ by their places alone have in common is asked once.",
    "In the table of mean z a star says that the controlled p is below 0.05.",
    "A map fails where both p values of a network are at least 0.05 in as many networks.",
]


class MapMeasure(Measure):
    """The paper's question, with the analysis that the study's experiment fixes."""

    drawn: ClassVar[tuple[str, ...]] = ("neurons", "connections")
    kind: Literal["map"] = "map"
    level: float = Field(
        0.001, gt=0, lt=1, description="p below which one network's map is beyond chance"
    )
    share: float = Field(
        0.8, gt=0, le=1, description="share of networks that must be for the paper's claim to hold"
    )
    graphs: int = Field(50, ge=2, le=10**9, description="random graphs beside the recurrent graph")
    accuracy_share: float = Field(
        0.95, gt=0, le=1, description="share of the best possible accuracy they must reach"
    )

    def answer(self, subject: Subject) -> Answer:
        """An item for each statistic."""
        brain = subject.analysed()
        save(brain, subject.folder / f"{subject.cell.name}.nc")
        tested = map_statistics(brain, graphs=self.graphs).isel(member=0)
        one = brain.isel(member=0)
        total, mean = wiring_length(subject.net)
        network = {
            "accuracy": float(one.accuracy.mean()),
            "ceiling": float(one.ceiling.mean()),
            "active": int(one.active.sum()),
            "modules": int(one.clusters),
            "absent": float(one.sparsity),
            "wiring_length": float(total[0]),
            "mean_length": float(mean[0]),
            "exponent": float(tested.length_estimate.sel(model="power_law", parameter="exponent")),
        }
        for name in ("akaike_weight", "ratio", "ratio_p"):
            values = tested[f"length_{name}"].to_series()
            network |= {f"{name}_{model}": float(value) for model, value in values.items()}
        fields = ["observed", "null_mean", "null_low", "null_high", "z", "p", "alternative"]
        return Answer(tested[fields].to_dataframe().reset_index()[["statistic", *fields]], network)

    def findings(self, rows: pd.DataFrame) -> Findings:
        """The paper's table, the tests over seeds, and what holds of its claims."""
        rows = name_settings(rows)
        paper = rows[rows.statistic.isin(MEASURES)]
        found = Findings()
        found.tables["Each method"] = summarise(
            paper, {"label": "method"}, partial(tables.describe, level=self.level)
        )
        single = rows.statistic.str.startswith(MORAN)  # of single tasks
        claimed = tables.over_networks(paper, "holm")
        others = rows[~single & ~rows.statistic.isin(MEASURES)]
        explored = tables.over_networks(others, "benjamini-hochberg")
        found.tables["Over networks"] = claimed
        found.tables["Mean z over networks"] = tables.side_by_side(pd.concat([claimed, explored]))
        found.tables["Connection lengths"] = summarise(
            paper[paper.statistic == "isolated"], {"label": "method"}, tables.lengths
        )
        found.tables["Between methods"] = compare(paper, "z", within={"statistic": "statistic"})
        network = ["label", "seed", "accuracy", "active", "modules", "absent", "wiring_length"]
        found.tables["Each network"] = spread(paper, network, "statistic", ["observed", "z", "p"])
        found.claims = [
            *claims.each_method(
                paper,
                claimed,
                level=self.level,
                share=self.share,
                accuracy_share=self.accuracy_share,
            ),
            *claims.inside_modules(explored),
            *claims.between(planned(found.tables["Between methods"], self.pairs, rows)),
        ]
        found.notes = _NOTES
        found.figures["z"] = z_of_networks(paper)
        return found

    def portraits(self, folder: Path, cells: Sequence[Cell]) -> dict[str, pd.DataFrame]:
        """The maps of the first seed."""
        first = [cell for cell in cells if cell.seed == cells[0].seed]
        return portray(
            {with_setting(c.label, c.setting): load(folder / f"{c.name}.nc") for c in first}
        )

    def gallery(
        self, rows: pd.DataFrame, portraits: Mapping[str, pd.DataFrame]
    ) -> dict[str, Drawing]:
        """The maps of the first seed, all methods side by side."""
        rows = name_settings(rows)
        return {"maps": side_by_side(portraits, rows[rows.seed == rows.seed.iloc[0]])}
