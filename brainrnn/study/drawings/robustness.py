"""What is drawn of robustness: accuracy under rising damage, and robustness against sparsity."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns

from brainrnn.plots.style import new_figure, open_frame
from brainrnn.study.report.colours import Colour, method_colours
from brainrnn.study.report.figures import Drawing, band, legend_below
from brainrnn.study.report.inference import rank_correlation
from brainrnn.study.tolerance import DAMAGES, VARIANTS

_LEVELS = {
    "inputs": "sd of noise on inputs",
    "units": "noise on units / rms state",
    "weights": "noise on weights / rms weight",
    "loss": "fraction of active neurons lost",
}


def _looks(rows: pd.DataFrame) -> dict[str, tuple[Colour, str]]:
    """A colour for each method and a line for each of its settings, by label."""
    names = rows[["method", "label"]].drop_duplicates()
    colour, nth = method_colours(names.label), names.groupby("method").cumcount() % 4
    return {
        label: (colour[label], ("-", "--", ":", "-.")[i])
        for label, i in zip(names.label, nth, strict=True)
    }


def accuracy_curves(curve: pd.DataFrame, pruned: float) -> Drawing:
    """Accuracy against levels, damages in columns, as trained and at matched sparsity in rows."""
    variants = list(curve.variant.drop_duplicates())
    figure = new_figure(12, 0.7 + 2.7 * len(variants))
    axes = figure.subplots(len(variants), len(DAMAGES), sharex="col", sharey=True, squeeze=False)
    for row, variant in zip(axes, variants, strict=True):
        for ax, damage in zip(row, DAMAGES, strict=True):
            some = curve[(curve.variant == variant) & (curve.damage == damage)]
            for label, (colour, line) in _looks(curve).items():
                look = {"color": colour, "ls": line, "lw": 1.4, "label": label}
                band(ax, some[some.label == label], "level", "accuracy", alpha=0.12, **look)
            ax.set_xlim(left=0)
            ax.set_ylim(0, 1.02)
            ax.grid(axis="y", color="0.92")
            ax.set_axisbelow(True)
        row[0].set_ylabel(f"accuracy, {VARIANTS[variant]}")
    for ax, words in zip(axes[-1], _LEVELS.values(), strict=True):
        ax.set_xlabel(words)
    legend_below(figure)
    return figure, (
        "Accuracy on all tasks under rising damage: above, networks as trained; below, with their "
        f"weakest weights taken away until {pruned:.0%} of the recurrent ones are absent. Lines "
        "are means over seeds, bands from the lowest to the highest seed."
    )


def against_presence(trained: pd.DataFrame, names: dict[str, str]) -> Drawing:
    """Robustness against the weights that are present, a dot for each network.

    Parameters
    ----------
    trained : DataFrame
        Robustness of networks as trained.
    names : dict
        What the legend calls each method.
    """
    figure = new_figure(12, 3.6)
    axes = figure.subplots(1, len(DAMAGES), sharey=True)
    for ax, (damage, words) in zip(axes, DAMAGES.items(), strict=True):
        some = trained[trained.damage == damage]
        some = some.assign(present=1 - some.absent, method=some.method.map(names))
        sns.scatterplot(
            some,
            x="present",
            y="robustness",
            hue="method",
            palette=method_colours(some.method),
            s=25,
            linewidth=0,
            alpha=0.85,
            ax=ax,
        )
        if (legend := ax.get_legend()) is not None:  # without a finite value there is none
            legend.remove()
        rho = rank_correlation(some.present, some.robustness)
        ax.set_title(words if np.isnan(rho) else f"{words}, ρ = {rho:.2f}", loc="left", fontsize=10)
        ax.set_xscale("log")
        ax.set_xlabel("recurrent weights present")
        open_frame(ax)
    legend_below(figure)
    return figure, (
        "Robustness of every network as trained, the area under its accuracy as a fraction of the "
        "undamaged, against the fraction of its recurrent weights that are present; ρ is "
        "Spearman's rank correlation over all of them."
    )
