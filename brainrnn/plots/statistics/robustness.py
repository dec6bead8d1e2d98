"""A finding under every choice that could have been made instead."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainrnn.plots.style import INK, NEGATIVE, new_figure, no_frame, open_frame

_LEVEL = 0.05
_NAMES = {"isolated": "fraction of neurons isolated", "cluster_size": "average cluster size"}
_CHOICES = {
    "rule": "modules",
    "clustering": "clustering",
    "threshold": "activity threshold",
    "neighbourhood": "neighbourhood",
}


def plot_robustness(table: pd.DataFrame, member: int = 0) -> Figure:
    """Specification curve: z under each combination of choices, in order, and the choices below.

    Full dots have p below 0.05; the dotted line is the median over all combinations. Each mark
    below a dot is a choice that gave it: a choice matters where its marks gather on one side.

    Parameters
    ----------
    table : DataFrame
        As from :func:`brainrnn.analysis.robustness`.
    member : int
        Which network.

    Returns
    -------
    Figure
    """
    known = table[(table.member == member) & table.z.notna()]
    levels = {name: _levels(table[name]) for name in _CHOICES}
    height = [3.0, *(0.16 * len(v) + 0.08 for v in levels.values())]
    figure = new_figure(11, sum(height) + 1.2)
    axes = figure.subplots(len(height), len(_NAMES), sharex="col", height_ratios=height)
    for column, (statistic, name) in enumerate(_NAMES.items()):
        some = known[known.statistic == statistic].sort_values("z", kind="stable")
        _curve(axes[0, column], some, name)
        for ax, (choice, values) in zip(axes[1:, column], levels.items(), strict=True):
            _marks(ax, some[choice], values, _CHOICES[choice] if column == 0 else "")
        if some.neighbourhood.isna().all():
            axes[-1, column].set_visible(False)  # the cluster size has none
    figure.align_ylabels(axes[1:, 0])
    return figure


def _curve(ax: Axes, some: pd.DataFrame, name: str) -> None:
    order, significant = np.arange(len(some)), (some.p < _LEVEL).to_numpy()
    z = some.z.to_numpy()
    for full in (True, False):
        ax.scatter(
            order[significant == full], z[significant == full], s=9, lw=0.6,
            facecolor=NEGATIVE if full else "white", edgecolor=NEGATIVE, zorder=3,
        )  # fmt: skip
    ax.axhline(0, color=INK, lw=0.8)
    title = name
    if len(some):
        ax.axhline(np.median(z), color=INK, lw=0.8, ls=":")
        title += f"\np < {_LEVEL} in {significant.mean():.0%} of {len(some)} combinations"
    ax.set_title(title, loc="left", fontsize=10, color=INK)
    ax.set_ylabel("z")
    ax.tick_params(axis="x", length=0, labelbottom=False)
    open_frame(ax)
    ax.spines["bottom"].set_visible(False)


def _marks(ax: Axes, choice: pd.Series, values: list, label: str) -> None:
    row = choice.map({value: i for i, value in enumerate(values)})
    ax.scatter(np.arange(len(choice)), row, marker="|", s=14, lw=0.7, color=INK)
    ax.set_yticks(
        range(len(values)), [f"{v:g}" if isinstance(v, float) else str(v) for v in values]
    )
    ax.tick_params(axis="both", length=0, labelsize=6.5, labelbottom=False)
    ax.set_ylim(len(values) - 0.4, -0.6)
    ax.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
    ax.set_facecolor("#f3f4f5")
    no_frame(ax)


def _levels(choice: pd.Series) -> list:
    """Values of a choice, words before numbers, and these rising."""
    values = choice.dropna().unique().tolist()
    return sorted(
        values, key=lambda v: (not isinstance(v, str), v if not isinstance(v, str) else 0)
    )
