"""How training went: one curve per network and measure."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from brainrnn.plots.style import module_colours, new_figure, open_frame

_PANELS = {
    "loss": "loss",
    "accuracy": "accuracy on held-out trials",
    "test_loss": "loss on held-out trials",
    "cost": "connection cost",
    "live": "neurons with connections",
}


def plot_training(metrics: pd.DataFrame) -> Figure:
    """Loss, accuracy, connection cost and live neurons against the training step.

    The held-out loss stands in for the accuracy where answers are not right or wrong.

    Parameters
    ----------
    metrics : DataFrame
        Columns step, member, loss, test_loss, accuracy, cost and live, one row per step and
        network; values that were not measured at a step are NaN.

    Returns
    -------
    Figure
    """
    figure = new_figure(8.6, 5.0)
    members = list(metrics.groupby("member"))
    right_or_wrong = bool(metrics["accuracy"].notna().any())
    columns = ["loss", "accuracy" if right_or_wrong else "test_loss", "cost", "live"]
    for ax, column in zip(figure.subplots(2, 2, sharex=True).flat, columns, strict=True):
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
        ax.set_ylabel(_PANELS[column])
        open_frame(ax)
        ax.grid(axis="y", color="0.92")
        ax.set_axisbelow(True)
    loss, held_out, cost, live = figure.axes
    for ax in (loss,) if right_or_wrong else (loss, held_out):
        ax.set_yscale("log")
        low, high = ax.get_ylim()
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1e3 * low else (1,)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())
    if right_or_wrong:
        held_out.set_ylim(0, 1.02)
    cost.set_ylim(0, 1.05 * max(metrics["cost"].max(), 1e-12))
    live.set_ylim(0, 1.05 * max(metrics["live"].max(), 1))
    for ax in (cost, live):
        ax.set_xlabel("training step")
    if 1 < len(members) <= 10:
        held_out.legend(frameon=False, fontsize=8)
    return figure
