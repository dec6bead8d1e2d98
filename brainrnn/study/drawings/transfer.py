"""What is drawn of new tasks: how many are learned by when, and what is forgotten."""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainrnn.plots.style import FAINT, new_figure, open_frame
from brainrnn.study.report.colours import method_colours
from brainrnn.study.report.figures import BAND, Drawing, dots, legend_below, name_rows


def learned_by_step(rows: pd.DataFrame, first: int, limit: int, criterion: float) -> Drawing:
    """Share learned against steps, a panel for each condition, a line for each method."""
    conditions = rows.condition.drop_duplicates()
    figure = new_figure(1 + 2.3 * len(conditions), 3.0)
    axes = figure.subplots(1, len(conditions), sharex=True, sharey=True, squeeze=False)[0]
    for ax, condition in zip(axes, conditions, strict=True):
        for label, colour in method_colours(rows.label).items():
            one = rows[(rows.condition == condition) & (rows.label == label)]
            steps = np.sort(one.steps[one.reached].to_numpy())
            x = np.concatenate([[first / 2], steps.clip(first / 2), [limit]])
            y = np.append(np.arange(len(steps) + 1), len(steps)) / len(one)
            ax.step(x, y, where="post", color=colour, lw=1.5, label=label)
        ax.set_title(condition, loc="left", fontsize=9)
        ax.set_xscale("log")
        ax.set_xlabel("training steps")
        ax.set_ylim(0, 1.03)
        open_frame(ax)
    axes[0].set_ylabel("share of new tasks learned")
    legend_below(figure, 6)
    return figure, (
        "Share of new tasks learned, over tasks and networks, against training steps, by what was "
        f"free to change. A task is learned at {criterion:.0%} of the best possible accuracy; it "
        f"is given up after {limit} steps. New networks of a seed are the same whatever the "
        "method, and their lines lie on each other."
    )


def slowness_and_forgetting(networks: pd.DataFrame) -> Drawing:
    """Every network's means, conditions in rows."""
    looks, conditions = method_colours(networks.label), list(networks.condition.drop_duplicates())
    figure = new_figure(9.5, 1.2 + 0.3 * len(looks) * len(conditions))
    axes = figure.subplots(1, 2, sharey=True)
    names = {"slowness": "slowness, 0 to 1", "forgetting": "accuracy lost in known tasks"}
    for ax, (quantity, words) in zip(axes, names.items(), strict=True):
        for row, condition in enumerate(conditions):
            for i, (label, colour) in enumerate(looks.items()):
                here = (networks.condition == condition) & (networks.label == label)
                y = row + (i - (len(looks) - 1) / 2) * 0.8 / len(looks)
                dots(ax, networks[here][quantity], y, colour, width=0.06, bar=0.12, size=4.5)
            if row:
                ax.axhline(row - 0.5, color=BAND, lw=0.8, zorder=0)
        ax.axvline(0, color=FAINT, lw=0.8, zorder=0)
        ax.set_xlabel(words)
        open_frame(ax)
    name_rows(axes[0], conditions)
    for label, colour in looks.items():
        axes[0].plot([], [], "o", ms=5, mew=0, color=colour, label=label)
    legend_below(figure, 6)
    return figure, (
        "Left: share of all learnings of the same task, by any network in any condition, that took "
        "fewer steps. Right: how much accuracy in the tasks known before is lost until the new one "
        "is learned or given up. A dot is a network, the mean over its new tasks; a bar is the "
        "mean of its method."
    )
