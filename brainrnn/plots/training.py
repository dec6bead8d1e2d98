"""How training went: one curve per network and measure."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from brainrnn.plots.style import module_colours, new_figure, open_frame

_PANELS = {
    "loss": "loss",
    "accuracy": "accuracy on held-out trials",
    "cost": "connection cost",
    "live": "neurons with connections",
}


def plot_training(metrics: pd.DataFrame) -> Figure:
    """Loss, accuracy, connection cost and live neurons against the training step.

    Parameters
    ----------
    metrics : DataFrame
        Columns step, member, loss, accuracy, cost and live, one row per step and network; values
        that were not measured at a step are NaN.

    Returns
    -------
    Figure
    """
    figure = new_figure(8.6, 5.0)
    members = list(metrics.groupby("member"))
    for ax, (column, label) in zip(
        figure.subplots(2, 2, sharex=True).flat, _PANELS.items(), strict=True
    ):
        for i, (member, rows) in enumerate(members):
            curve = rows[["step", column]].dropna()
            ax.plot(
                curve["step"],
                curve[column],
                color=tuple(module_colours(i)),
                lw=1.3,
                marker="o" if len(curve) <= 40 else "",
                ms=3,
                label=f"network {member}",
            )
        ax.set_ylabel(label)
        open_frame(ax)
        ax.grid(axis="y", color="0.92")
        ax.set_axisbelow(True)
    loss, accuracy, cost, live = figure.axes
    loss.set_yscale("log")
    loss.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    loss.yaxis.set_major_formatter("{x:g}")
    loss.yaxis.set_minor_formatter(NullFormatter())
    accuracy.set_ylim(0, 1.02)
    cost.set_ylim(0, 1.05 * max(metrics["cost"].max(), 1e-12))
    live.set_ylim(0, 1.05 * max(metrics["live"].max(), 1))
    for ax in (cost, live):
        ax.set_xlabel("training step")
    if 1 < len(members) <= 10:
        accuracy.legend(frameon=False, fontsize=8)
    return figure
