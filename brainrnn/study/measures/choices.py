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
from brainrnn.study.report.tables import spread, summarise
from brainrnn.study.subject import Subject

_CHOICES = ("rule", "threshold", "clustering", "neighbourhood")


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
        combined = _combined(rows)
        found.tables["Each method"] = summarise(
            combined, {"label": "method"}, partial(_ranges, share=self.share)
        )
        for statistic, words in MEASURES.items():
            some = rows[rows.statistic == statistic]
            found.tables[f"By choice: {words}"] = _by_choice(some)
        found.tables["Each combination"] = _each(combined)
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
        found.figures["choices"] = specification_curves(rows, _CHOICES)
        return found


def _ranges(own: pd.DataFrame, share: float) -> dict[str, object]:
    """A method's mean z over all combinations, from the least to the greatest."""
    holds = int((own.both >= share * own.networks).sum())
    ranges = {MEASURES["isolated"]: own.z, MEASURES["cluster_size"]: own.z_size}
    return {
        **{f"mean z, {words}": f"{z.min():.1f} to {z.max():.1f}" for words, z in ranges.items()},
        f"combinations with {share:.0%} of networks beyond chance": f"{holds} of {len(own)}",
    }


def _by_choice(rows: pd.DataFrame) -> pd.DataFrame:
    """Median z, and the share of maps beyond chance, with each single choice held."""
    return pd.DataFrame(
        [
            {"choice": choice, "value": value}
            | {
                str(label): f"{one.z.median():.1f} ({one.beyond.mean():.0%})"
                for label, one in group.groupby("label", sort=False)
            }
            for choice in _CHOICES
            for value, group in rows.groupby(choice, sort=False)
        ]
    )


def _combined(rows: pd.DataFrame) -> pd.DataFrame:
    """Both measures side by side; the cluster size is the same whatever the neighbourhood."""
    keys = ["label", "rule", "threshold", "clustering"]
    isolated, size = (rows[rows.statistic == statistic] for statistic in MEASURES)
    pair = isolated.merge(size[["seed", *keys, "z", "beyond"]], on=["seed", *keys])
    pair = pair.assign(both=(pair.beyond_x == 1) & (pair.beyond_y == 1))
    return (
        pair.rename(columns={"z_x": "z", "z_y": "z_size"})
        .groupby([*keys, "neighbourhood"], sort=False)
        .agg({"z": "mean", "z_size": "mean", "both": "sum", "seed": "size"})
        .rename(columns={"seed": "networks"})
        .reset_index()
    )


def _each(combined: pd.DataFrame) -> pd.DataFrame:
    """A row for each combination, a column for each method."""
    values = zip(combined.z, combined.z_size, combined.both, combined.networks, strict=True)
    cells = [f"{z:.1f}, {size:.1f} ({both} of {n})" for z, size, both, n in values]
    return spread(combined.assign(cell=cells), _CHOICES, "label", "cell")
