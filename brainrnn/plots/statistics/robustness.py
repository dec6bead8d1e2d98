"""A finding under every choice that could have been made instead."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainrnn.analysis.map_statistics import MEASURES
from brainrnn.errors import InputError
from brainrnn.plots.member import check_columns
from brainrnn.plots.style import (
    INK,
    LEVEL,
    canvas,
    draw_tested,
    figure_of,
    no_frame,
    open_frame,
)

_CHOICES = {
    "rule": "modules",
    "clustering": "clustering",
    "threshold": "activity threshold",
    "neighbourhood": "neighbourhood",
}


def plot_robustness(table: pd.DataFrame, member: int = 0, ax: Axes | None = None) -> Figure:
    """Draw a specification curve: z under each combination of choices, in order.

    Full dots have p below 0.05; the dotted line is the median over all combinations. Each mark
    below a dot is a choice that gave it. A choice matters where its marks gather on one side.

    Parameters
    ----------
    table : DataFrame
        As from :func:`brainrnn.analysis.robustness`.
    member : int
        Which network.
    ax : Axes, optional
        Axes that the panels replace; a new figure by default.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no such network, or the table lacks a column.

    Examples
    --------
    >>> import pandas as pd
    >>> choices = {"rule": "argmax", "clustering": "kmeans", "threshold": 0.01}
    >>> rows = [
    ...     {"member": 0, "statistic": name, "neighbourhood": "8", "z": z, "p": 0.1, **choices}
    ...     for name in ("isolated", "cluster_size")
    ...     for z in (-1.2, 0.3)
    ... ]
    >>> figure = plot_robustness(pd.DataFrame(rows))
    >>> figure.axes[0].get_title(loc="left").splitlines()[1]
    'p < 0.05 in 0% of 2 combinations'
    """
    check_columns(table, "member", "statistic", "z", "p", *_CHOICES)
    if not (table.member == member).any():
        raise InputError(f"network {member} does not exist in this table")
    known = table[(table.member == member) & table.z.notna()]
    levels = {name: _levels(table[name]) for name in _CHOICES}
    height = [3.0, *(0.16 * len(v) + 0.08 for v in levels.values())]
    figure = canvas(ax, 11.0, sum(height) + 1.2)
    axes = figure.subplots(len(height), len(MEASURES), sharex="col", height_ratios=height)
    for column, (statistic, name) in enumerate(MEASURES.items()):
        some = known[known.statistic == statistic].sort_values("z", kind="stable")
        _curve(axes[0, column], some, name)
        for panel, (choice, values) in zip(axes[1:, column], levels.items(), strict=True):
            _marks(panel, some[choice], values, _CHOICES[choice] if column == 0 else "")
        if some.neighbourhood.isna().all():
            axes[-1, column].set_visible(False)  # the cluster size has none
    figure.align_ylabels(axes[1:, 0])
    return figure_of(figure)


def _curve(ax: Axes, some: pd.DataFrame, name: str) -> None:
    z, p = some.z.to_numpy(), some.p.to_numpy()
    draw_tested(ax, np.arange(len(some)), z, p, s=9, lw=0.6)
    ax.axhline(0, color=INK, lw=0.8)
    title = name
    if len(some):
        ax.axhline(np.median(z), color=INK, lw=0.8, ls=":")
        title += f"\np < {LEVEL} in {(p < LEVEL).mean():.0%} of {len(some)} combinations"
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
