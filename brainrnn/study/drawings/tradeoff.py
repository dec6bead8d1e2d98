"""What is drawn of the trade-off: accuracy against sparsity and against wiring length."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from brainrnn.plots.style import FAINT, new_figure, open_frame
from brainrnn.study.fronts import front
from brainrnn.study.report.colours import Colour, method_colours
from brainrnn.study.report.figures import Drawing

_WELL = 0.95  # of the best possible accuracy: what the lower panels show


def accuracy_and_cost(rows: pd.DataFrame) -> Drawing:
    """Accuracy against weights that are present, and against the length of the wiring."""
    figure = new_figure(10, 7.6)
    axes = figure.subplots(2, 2, sharex="col", sharey="row", height_ratios=[1, 1.2])
    ceiling = rows.ceiling.max()
    costs = (1 - rows.absent, rows.wiring_length)
    for ax, cost in zip(axes.flat, (*costs, *costs), strict=True):
        for label, colour in method_colours(rows.label).items():
            _draw(ax, rows.assign(cost=cost)[rows.label == label], colour, label)
        ax.axhline(ceiling, color=FAINT, lw=0.8, ls=":", zorder=0)
        ax.set_xscale("log")
        open_frame(ax)
    for ax in axes[:, 0]:
        ax.set_ylabel("accuracy")
    axes[1, 0].set_ylim(_WELL * ceiling, ceiling + 0.05 * (1 - _WELL))
    axes[1, 0].set_xlabel("fraction of recurrent weights present")
    axes[1, 1].set_xlabel("wiring length, sum of |w| d")
    axes[0, 0].legend(frameon=False, fontsize=8, loc="lower right")
    return figure, (
        "Accuracy on all tasks against how sparse the recurrent weights are, and against the "
        "length of the wiring; below, the same where networks do well. Full dots are networks as "
        "trained, each with its own strength of the penalty; faint ones the same networks with "
        "their weakest weights taken away. Lines are the Pareto fronts of all seeds together: no "
        "network of the method is better in both. Dotted: the best possible."
    )


def _draw(ax: Axes, rows: pd.DataFrame, colour: Colour, label: str) -> None:
    """A method's networks, as trained and pruned, and their front."""
    pruned, trained = rows[rows.pruned.astype(bool)], rows[~rows.pruned.astype(bool)]
    ax.plot(pruned.cost, pruned.accuracy, "o", ms=3, mew=0, alpha=0.25, color=colour)
    ax.plot(trained.cost, trained.accuracy, "o", ms=5, mew=0, alpha=0.9, color=colour)
    best = rows[front(rows.cost.to_numpy(), rows.accuracy.to_numpy())].sort_values("cost")
    ax.step(best.cost, best.accuracy, where="post", lw=1.2, color=colour, label=label)
