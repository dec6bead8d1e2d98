"""What is drawn of a change of resolution: accuracy after it, and the map through its stages."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from brainrnn.analysis.map_statistics import MEASURES
from brainrnn.plots.style import FAINT, INK, module_colours, new_figure, open_frame
from brainrnn.study.report.figures import Drawing, band, chance_band, legend_below
from brainrnn.study.resizing import CHANGES
from brainrnn.study.stages import STAGES

_COLOURS = dict(zip(CHANGES.values(), (7, 0, 2, 1, 3, -1), strict=True))


def _directions(labelled: pd.DataFrame) -> list[list[str]]:
    """Labels of the networks that are refined, and of those that are merged."""
    ways = [labelled[labelled.change == CHANGES[way]].label for way in ("refined", "place")]
    return [list(labels.drop_duplicates()) for labels in ways if len(labels)]


def _style(change: str) -> dict[str, Any]:
    new = change == CHANGES["scratch"]
    colour = INK if new else tuple(module_colours(_COLOURS[change]))
    return {"color": colour, "ls": ":" if new else "-", "label": change}


def accuracy_after(rows: pd.DataFrame) -> Drawing:
    """Accuracy against steps, a panel for each method and direction."""
    lines = _directions(rows)
    columns = max(map(len, lines))
    figure = new_figure(1.4 + 2.9 * columns, 0.7 + 2.7 * len(lines))
    axes = figure.subplots(len(lines), columns, sharex=True, sharey=True, squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for i, labels in enumerate(lines):
        for j, (ax, label) in enumerate(zip(axes[i], labels, strict=False)):
            ax.set_axis_on()
            group = rows[rows.label == label]
            for change, one in group.groupby("change", sort=False):
                band(ax, one, "step", "accuracy", alpha=0.15, lw=1.5, **_style(str(change)))
            ax.axhline(group.ceiling.mean(), color=FAINT, lw=0.8, ls=(0, (4, 3)), zorder=0)
            ax.set_title(label, loc="left", fontsize=10)
            ax.set_ylim(0, 1.02)
            if i + 1 == len(lines) or j >= len(lines[i + 1]):  # nothing below it
                ax.set_xlabel("training steps after the change")
                ax.tick_params(labelbottom=True)
        axes[i, 0].set_ylabel("accuracy")
    legend_below(figure, 3)
    return figure, (
        "Accuracy on all tasks after a change of resolution, at step 0, and in training "
        "afterwards. Lines are means over seeds, bands from the lowest to the highest seed; "
        "dashed, the best possible. The networks as they were, and new ones of the other "
        "resolution, train for as many steps."
    )


def map_through_stages(stages: pd.DataFrame) -> Drawing:
    """Both z through the stages, a line for each network; rows are measures, columns methods."""
    labels = [label for line in _directions(stages) for label in line]
    figure = new_figure(1.4 + 2.1 * len(labels), 6.0)
    axes = figure.subplots(len(MEASURES), len(labels), sharex=True, sharey="row", squeeze=False)
    for row, (name, words) in zip(axes, MEASURES.items(), strict=True):
        for ax, label in zip(row, labels, strict=True):
            _lines(ax, stages[stages.label == label], name)
        row[0].set_ylabel(f"z of {words}")
    for ax, label in zip(axes[0], labels, strict=True):
        ax.set_title(label, loc="left", fontsize=9)
    legend_below(figure, 3)
    return figure, (
        "Both measures of the map before the change, right after it and after training on, as z "
        "against random arrangements of each network's own modules: below 0 is more modular in "
        "space than chance. A line is a network; the band holds 95 % of a normal null. The parts "
        "of a divided neuron lie side by side and do the same, so that a refined network is far "
        "below 0 by construction: it is not drawn right after the change, and after training on it "
        "compares with networks refined without a penalty."
    )


def _lines(ax: Axes, group: pd.DataFrame, name: str) -> None:
    chance_band(ax, "y")
    for change, one in group.groupby("change", sort=False):
        x = {CHANGES["scratch"]: [1, 2], CHANGES["refined"]: [0, 2]}.get(str(change), [0, 1, 2])
        z = one[[f"{name}_z_{list(STAGES)[i]}" for i in x]].to_numpy().T
        ax.plot(x, z, marker="o", ms=3, mew=0, lw=1, alpha=0.8, **_style(str(change)))
    ax.set_xticks(range(3), STAGES, fontsize=8)
    ax.set_xlim(-0.3, 2.3)
    open_frame(ax)
