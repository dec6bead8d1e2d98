"""What is drawn of choices: the z of every combination, in order."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from brainrnn.analysis.map_statistics import MEASURES
from brainrnn.plots.style import new_figure, open_frame
from brainrnn.study.report.colours import method_colours
from brainrnn.study.report.figures import Drawing, chance_band


def specification_curves(rows: pd.DataFrame, choices: Sequence[str]) -> Drawing:
    """Mean z over each method's networks under every combination, a panel for each measure."""
    figure = new_figure(10, 4)
    axes = figure.subplots(1, 2)
    for ax, (statistic, words) in zip(axes, MEASURES.items(), strict=True):
        chance_band(ax, "y")
        for label, colour in method_colours(rows.label).items():
            group = rows[(rows.statistic == statistic) & (rows.label == label)]
            known = [c for c in choices if group[c].notna().all()]
            curve = group.groupby(known).z.mean().dropna().sort_values().to_numpy()
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
