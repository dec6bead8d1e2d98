"""How training went: a curve for each network and measure."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from brainrnn.plots.member import check_columns
from brainrnn.plots.style import canvas, figure_of, module_colours, open_frame

_PANELS = {
    "loss": "loss",
    "accuracy": "accuracy on held-out trials",
    "test_loss": "loss on held-out trials",
    "cost": "connection cost",
    "live": "neurons with connections",
}


def plot_training(metrics: pd.DataFrame, ax: Axes | None = None) -> Figure:
    """Draw loss, accuracy, connection cost and live neurons against the training step.

    The held-out loss stands in for the accuracy where answers are not right or wrong.

    Parameters
    ----------
    metrics : DataFrame
        Columns step, member, loss, test_loss, accuracy, cost and live, one row per step and
        network; values that were not measured at a step are NaN.
    ax : Axes, optional
        Axes that the panels replace; a new figure by default.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the table lacks a column.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [
    ...     {"step": s, "member": 0, "loss": 1 / (1 + s), "accuracy": s / 9, "cost": 5.0, "live": 9}
    ...     for s in range(10)
    ... ]
    >>> [ax.get_ylabel() for ax in plot_training(pd.DataFrame(rows)).axes]
    ['loss', 'accuracy on held-out trials', 'connection cost', 'neurons with connections']
    """
    check_columns(metrics, "step", "member", "accuracy")
    right_or_wrong = bool(metrics["accuracy"].notna().any())
    columns = ["loss", "accuracy" if right_or_wrong else "test_loss", "cost", "live"]
    check_columns(metrics, *columns)
    members = list(metrics.groupby("member"))
    figure = canvas(ax, 8.6, 5.0)
    axes = figure.subplots(2, 2, sharex=True).ravel()
    for panel, column in zip(axes, columns, strict=True):
        for i, (member, rows) in enumerate(members):
            curve = rows[["step", column]].dropna()
            panel.plot(
                curve["step"],
                curve[column],
                color=tuple(module_colours(i)),
                lw=1.3,
                marker="o" if len(curve) <= 40 else "",
                ms=3,
                label=f"network {member}",
            )
        panel.set_ylabel(_PANELS[column])
        open_frame(panel)
        panel.grid(axis="y", color="0.92")
        panel.set_axisbelow(True)
    loss, held_out, cost, live = axes
    for panel in (loss,) if right_or_wrong else (loss, held_out):
        panel.set_yscale("log")
        low, high = panel.get_ylim()
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1e3 * low else (1,)))
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_formatter(NullFormatter())
    if right_or_wrong:
        held_out.set_ylim(0, 1.02)
    cost.set_ylim(0, 1.05 * np.nanmax([1e-12, metrics["cost"].max()]))
    live.set_ylim(0, 1.05 * np.nanmax([1, metrics["live"].max()]))
    for panel in (cost, live):
        panel.set_xlabel("training step")
    if 1 < len(members) <= 10:
        held_out.legend(frameon=False, fontsize=8)
    return figure_of(figure)
