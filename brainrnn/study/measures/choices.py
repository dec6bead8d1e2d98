"""Does what a study found depend on how its analysis was set? The same tests, set otherwise."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import pandas as pd
from pydantic import Field

from brainrnn.analysis import robustness
from brainrnn.analysis.map_statistics import MEASURES
from brainrnn.analysis.spec import Modules
from brainrnn.config import Positive
from brainrnn.study.answers import Answer
from brainrnn.study.drawings.choices import specification_curves
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.report.claims import by_share
from brainrnn.study.report.settings import name_settings
from brainrnn.study.report.tables import summarise
from brainrnn.study.subject import Subject
from brainrnn.study.tables import choices as tables


class ChoiceMeasure(Measure):
    """Both of the paper's measures under every combination of choices of the analysis."""

    kind: Literal["choices"] = "choices"
    ks: tuple[Modules, ...] = Field(
        (6, 8, 10, 12, 15, 20), description="numbers of modules, beside the analysis's own rule"
    )
    thresholds: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field(
        (0.003, 0.01, 0.03), description="thresholds of activity"
    )
    neighbourhoods: tuple[Positive, ...] = Field(
        (1.0, 1.5, 2.0), description="radii within which neurons are neighbours"
    )
    level: float = Field(0.001, gt=0, lt=1, description="p below which a map is beyond chance")
    share: float = Field(
        0.8, gt=0, le=1, description="share of networks that must be for the paper's claim to hold"
    )

    def answer(self, subject: Subject) -> Answer:
        """An item for every combination of choices and measure."""
        tests = robustness(
            subject.analysed(),
            ks=("silhouette", *self.ks),
            thresholds=self.thresholds,
            neighbourhoods=self.neighbourhoods,
        )
        return Answer(tests.drop(columns="member"))

    def findings(self, rows: pd.DataFrame) -> Findings:
        """How often each method's maps are beyond chance, over all choices and by each."""
        found = Findings()
        rows = name_settings(rows)
        rows = rows.assign(beyond=(rows.p < self.level).where(rows.p.notna()))
        combined = tables.combined(rows)
        found.tables["Each method"] = summarise(
            combined, {"label": "method"}, partial(tables.ranges, share=self.share)
        )
        for statistic, words in MEASURES.items():
            some = rows[rows.statistic == statistic]
            found.tables[f"By choice: {words}"] = tables.by_choice(some)
        found.tables["Each combination"] = tables.each_combination(combined)
        claim = (
            f"Both measures are beyond chance (p < {self.level:g}) in at least {self.share:.0%} of "
            f"networks, under at least {self.share:.0%} of combinations."
        )
        found.claims = [
            by_share(claim, str(label), own.both >= self.share * own.networks, share=self.share)
            for label, own in combined.groupby("label", sort=False)
        ]
        found.notes = [
            "In the tables by choice: median z (share of maps below "
            f"p = {self.level:g}), over networks and all other choices.",
            "In the table of combinations: mean z by isolated neurons and by cluster size "
            f"(networks in which both are below p = {self.level:g}).",
        ]
        found.figures["choices"] = specification_curves(rows, tables.CHOICES)
        return found
