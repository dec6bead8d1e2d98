"""Does what a study found depend on how its analysis was set? The same tests, set otherwise."""

from __future__ import annotations

from typing import Literal

import pandas as pd
from pydantic import Field

from brainrnn.analysis import robustness
from brainrnn.analysis.map_statistics import MEASURES
from brainrnn.plots.style import new_figure, open_frame
from brainrnn.study.answers import Answer
from brainrnn.study.findings.figures import Drawing, chance_band, colours
from brainrnn.study.findings.settings import name_settings
from brainrnn.study.findings.tables import spread
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.subject import Subject

_CHOICES = ("rule", "threshold", "clustering", "neighbourhood")


class ChoiceMeasure(Measure):
    """Both of the paper's measures under every combination of choices of the analysis."""

    kind: Literal["choices"] = "choices"
    ks: tuple[int, ...] = Field(
        (6, 8, 10, 12, 15, 20), description="numbers of modules, beside the analysis's own rule"
    )
    thresholds: tuple[float, ...] = Field((0.003, 0.01, 0.03), description="thresholds of activity")
    neighbourhoods: tuple[float, ...] = Field(
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
        for statistic, words in MEASURES.items():
            some = rows[rows.statistic == statistic]
            found.tables[f"By choice: {words}"] = _by_choice(some)
        combined = _combined(rows)
        found.tables["Each combination"] = _each(combined)
        for label, group in rows.groupby("label", sort=False):
            own = combined[combined.label == label]
            holds = int((own.both >= self.share * own.networks).sum())
            share = group.groupby("statistic", sort=False).beyond.mean()
            median = group.groupby("statistic", sort=False).z.median()
            found.words.append(
                f"**{label}**: of all combinations of choices and networks, "
                + " and ".join(
                    f"{share[name]:.0%} are below p = {self.level:g} by {words} (median z "
                    f"{median[name]:.1f})"
                    for name, words in MEASURES.items()
                )
                + f"; under {holds} of {len(own)} combinations both are, in at least "
                f"{self.share:.0%} of networks. Mean z over networks is {own.z.min():.1f} to "
                f"{own.z.max():.1f} and {own.z_size.min():.1f} to {own.z_size.max():.1f}."
            )
        found.words += [
            "In the tables by choice: median z (share of maps below "
            f"p = {self.level:g}), over networks and all other choices.",
            "In the table of combinations: mean z by isolated neurons and by cluster size "
            f"(networks in which both are below p = {self.level:g}).",
        ]
        found.figures["choices"] = _curves(rows)
        return found


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


def _curves(rows: pd.DataFrame) -> Drawing:
    figure = new_figure(10, 4)
    axes = figure.subplots(1, 2)
    for ax, (statistic, words) in zip(axes, MEASURES.items(), strict=True):
        chance_band(ax, "y")
        for label, colour in colours(rows.label).items():
            group = rows[(rows.statistic == statistic) & (rows.label == label)]
            choices = [c for c in _CHOICES if group[c].notna().all()]
            curve = group.groupby(choices).z.mean().dropna().sort_values().to_numpy()
            ax.plot(curve, ".", ms=3, color=colour, label=label)
        ax.set_xlabel("combinations of choices, by z")
        ax.set_ylabel(f"z of {words}")
        open_frame(ax)
    axes[0].legend(frameon=False, fontsize=8, markerscale=3)
    return figure, (
        "Specification curves: the z of every combination of choices (number of modules, threshold "
        "of activity, clustering, neighbourhood), mean over each method's networks, in order. The "
        "band holds 95 % of a normal null."
    )
