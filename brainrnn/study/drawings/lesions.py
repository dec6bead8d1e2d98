"""What is drawn of lesions: damage by task, specificity beside random sets, and severity."""

from __future__ import annotations

from typing import Any

import pandas as pd

from brainrnn.plots.style import FAINT, new_figure, no_frame, open_frame
from brainrnn.study.report.colours import colours, method_colours
from brainrnn.study.report.figures import (
    Drawing,
    heat,
    in_row,
    legend_below,
    name_rows,
    panels,
)
from brainrnn.study.specificity import KINDS, damage_by_task, observed


def damage_maps(rows: pd.DataFrame) -> Drawing:
    """Heat maps of damage, methods by kinds of lesion, in each method's first network."""
    first = [
        group[group.seed == group.seed.iloc[0]] for _, group in rows.groupby("label", sort=False)
    ]
    kinds = {"modules": ("module", "observed"), "regions": ("region", "observed")}
    kinds["random neurons"] = ("module", "random")
    heights = [max(4, int((observed(group).kind == "module").sum())) for group in first]
    figure = new_figure(11, 1.6 + 0.2 * sum(heights) + 0.45 * len(first))
    axes = figure.subplots(len(first), 3, squeeze=False, height_ratios=heights)
    for row, group in zip(axes, first, strict=True):
        lost, below = damage_by_task(group), group is first[-1]
        for ax, (words, (kind, null)) in zip(row, kinds.items(), strict=True):
            some = (group.kind == kind) & (group.null == null) & (group.draw == 0)
            heat(ax, lost[some], group.neurons[some], below=below, cmap="magma_r", vmin=0, vmax=1)
            ax.set_title(words if group is first[0] else "", fontsize=10)
        row[0].set_ylabel(f"{group.label.iloc[0]}\nseed {group.seed.iloc[0]}", fontsize=9)
    bar = figure.colorbar(axes[0, 0].collections[0], ax=axes, pad=0.01, aspect=40, shrink=0.6)
    bar.set_label("damage")
    no_frame(bar.ax)
    return figure, (
        "Damage by lesions in one network of each method: the share of what it has to lose in "
        "a task that it loses. A row is a lesion, of a module, of a region of space, or of "
        "random active neurons, as many as the module in the same row has; numbers of neurons "
        "on the left."
    )


def beside_random_sets(networks: pd.DataFrame) -> Drawing:
    """A line for each network, from its random sets to its lesions; statistics by kinds."""
    looks = method_colours(networks.label)
    names = {
        "specificity": "specificity: largest less median damage",
        "gini": "Gini coefficient of damage over tasks",
        "fit": "fit: damage against share of task variance, rank correlation",
    }
    figure = new_figure(9.5, 0.8 + len(names) * (0.9 + 0.4 * max(1, len(looks))))
    axes = figure.subplots(len(names), len(KINDS), sharey=True, sharex="row")
    for row, (name, words) in zip(axes, names.items(), strict=True):
        some = networks[(networks.statistic == name) & (networks.null == "random")]
        for ax, (kind, lesion) in zip(row, KINDS.items(), strict=True):
            for i, (label, colour) in enumerate(looks.items()):
                one = some[(some.kind == kind) & (some.label == label)]
                y = in_row(len(one), i, 0.2)
                ax.hlines(y, one.null_mean, one.observed, color=colour, lw=1, alpha=0.6)
                ax.plot(one.null_mean, y, "o", ms=4, mfc="white", mew=1, color=colour)
                ax.plot(one.observed, y, "o", ms=5, mew=0, color=colour)
            ax.axvline(0, color=FAINT, lw=0.8, zorder=0)
            ax.set_title(f"lesion of a {lesion}", loc="left", fontsize=10)
            ax.margins(x=0.08)
            open_frame(ax)
        row[1].set_xlabel(words)
        name_rows(row[0], list(looks))
    return figure, (
        "Above: how much more a lesion costs the task it costs most than the median task. "
        "Middle: how unequal its damage is over tasks. Below: whether it costs most in the "
        "tasks that its neurons take part in. A full dot is the mean over a network's lesions, "
        "the ring on its line the mean over random sets of as many active neurons."
    )


def against_severity(rows: pd.DataFrame) -> Drawing:
    """Specificity against severity, a panel for each method."""
    labels = rows.label.drop_duplicates()
    figure, axes = panels(len(labels), 2.7, 2.7, margins=(1.0, 0.7), sharex=True, sharey=True)
    looks: dict[str, Any] = {"ls": "", "marker": "o", "mew": 0, "rasterized": True}
    for ax, label in zip(axes.flat, labels, strict=False):
        group = rows[rows.label == label]
        drawn = group[group.null != "observed"]
        ax.plot(drawn.severity, drawn.specificity, ms=2, alpha=0.15, color=FAINT, **looks)
        for (kind, words), colour in zip(KINDS.items(), colours(KINDS).values(), strict=True):
            one = observed(group)[observed(group).kind == kind]
            ax.plot(one.severity, one.specificity, ms=4, color=colour, label=words, **looks)
        ax.plot([], [], ms=4, color=FAINT, label="random neurons", **looks)
        ax.set_title(label, loc="left", fontsize=10)
        open_frame(ax)
    legend_below(figure)
    for ax in axes[-1]:
        ax.set_xlabel("severity: mean damage")
    for ax in axes[:, 0]:
        ax.set_ylabel("specificity")
    return figure, (
        "Specificity of a lesion against how severe it is, in all networks: lesions that do "
        "little damage cannot be specific, and neither can those that destroy everything, so "
        "only lesions of the same severity compare. Grey: random sets of active neurons."
    )
