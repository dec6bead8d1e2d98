"""What is drawn of a sample or a search: dots over each key, all keys side by side, its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.axes import Axes

from brainrnn.plots.style import FAINT, NEGATIVE, new_figure, open_frame
from brainrnn.study.compared import is_number, signed
from brainrnn.study.drawings.sweeps import name_methods, spread_out
from brainrnn.study.report.colours import method_colours
from brainrnn.study.report.figures import Drawing, panels
from brainrnn.study.values import POINT, written

_WIDE = 30


def scatter(networks: pd.DataFrame, key: str, quantities: Mapping[str, str]) -> Drawing:
    """Each quantity of every network against one key."""
    figure, axes = panels(len(quantities), 2.9, 2.3)
    names = [] if is_number(networks[key]) else list(networks[key].dropna().unique())
    for ax, (name, words) in zip(axes.flat, quantities.items(), strict=False):
        known = networks[["label", key, name]].dropna()
        if known.empty:
            ax.set_axis_off()
            continue
        if names:  # dots of one word stand side by side
            beside = np.random.default_rng(0).uniform(-0.15, 0.15, len(known))
            known[key] = known[key].map(names.index).astype(float) + beside
            ax.set_xticks(range(len(names)), [written(value) for value in names])
            ax.set_xlim(-0.5, len(names) - 0.5)
        else:
            spread_out(ax, "x", networks[key])
        for label, colour in method_colours(networks.label).items():
            one = known[known.label == label]
            look = {"ms": 3.5, "mew": 0, "alpha": 0.7, "color": colour}
            ax.plot(one[key], one[name], "o", label=label, **look)
        ax.set_xlabel(key, fontsize=8)
        ax.set_title(words, fontsize=9, loc="left")
        open_frame(ax)
    name_methods(figure, networks)
    return figure, f"Each quantity against {key}. A dot is a network; all other keys vary too."


def parallel(means: pd.DataFrame, keys: Sequence[str], goals: Sequence[str]) -> Drawing:
    """Every point as a line through its keys and goals, coloured by the first goal."""
    names = [*keys, *(goal.removeprefix("-") for goal in goals)]
    known = means.dropna(subset=names)
    rank = signed(known, goals[0]).rank(pct=True)
    known = known.loc[rank.sort_values().index]  # the best above all others
    figure = new_figure(1.4 * len(names) + 1, 3.4)
    ax = figure.subplots()
    heights = np.stack([_height(ax, i, known[name]) for i, name in enumerate(names)])
    for points, place in zip(heights.T, rank[known.index], strict=True):
        ax.plot(points, color=colormaps["viridis"](place), lw=1.2, alpha=0.8)
    ax.set_xticks(range(len(names)), [name.replace(".", ".\n") for name in names], fontsize=8)
    ax.set_yticks([])
    ax.set_ylim(-0.08, 1.08)
    ax.set_xlim(-0.1, len(names) - 0.6)
    open_frame(ax)
    ax.spines[["left", "bottom"]].set_visible(False)
    return figure, (
        f"Every point as a line: its values, and what its networks answer (means over seeds). "
        f"Yellow is the best {goals[0].removeprefix('-')}, dark the worst, by rank."
    )


def _height(ax: Axes, column: int, values: pd.Series) -> Float[np.ndarray, " point"]:
    """Heights from 0 to 1 of values along one axis, which is drawn with its ends or names."""
    if is_number(values):
        wide = values.min() > 0 and values.max() >= _WIDE * values.min()
        height = np.log(values) if wide else values.astype(float)
        span = height.max() - height.min() or 1.0
        marks = {0.0: f"{values.min():.3g}", 1.0: f"{values.max():.3g}"}
        result = ((height - height.min()) / span).to_numpy()
    else:
        names = sorted(values.unique(), key=written)
        last = max(len(names) - 1, 1)
        marks = {i / last: written(value) for i, value in enumerate(names)}
        result = values.map(names.index).to_numpy(float) / last
    ax.axvline(column, color=FAINT, lw=0.8, zorder=0)
    for place, text in marks.items():
        side: dict[str, Any] = {"xytext": (4, 0), "textcoords": "offset points", "va": "center"}
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.5}
        ax.annotate(text, (column, place), fontsize=7, zorder=5, bbox=box, **side)
    return result


def history(means: pd.DataFrame, goals: Sequence[str]) -> Drawing:
    """Each goal of the points of a search in their order, and the best so far."""
    figure = new_figure(5.2, 0.5 + 2.3 * len(goals))
    axes = figure.subplots(len(goals), 1, sharex=True, squeeze=False)[:, 0]
    ordered = means.dropna(subset=[POINT]).sort_values(POINT)
    several = ordered.label.nunique() > 1
    for ax, goal in zip(axes, goals, strict=True):
        name = goal.removeprefix("-")
        for label, colour in method_colours(means.label).items():
            one = ordered[ordered.label == label]
            if one.empty:
                continue
            best = signed(one, goal).cummax() * (-1 if goal.startswith("-") else 1)
            faint, strong = (colour, colour) if several else (FAINT, NEGATIVE)
            ax.plot(one[POINT], one[name], "o", ms=4, mew=0, alpha=0.7, color=faint)
            ax.step(one[POINT], best, where="post", lw=1.2, color=strong, label=label)
        spread_out(ax, "y", ordered[name])
        ax.set_ylabel(name)
        open_frame(ax)
    axes[-1].set_xlabel("point, in the order of the search")
    name_methods(figure, ordered)
    return figure, (
        "The history of the search. A dot is a point, the mean over seeds; the line is the best so "
        f"far{' of this goal alone' if len(goals) > 1 else ''}."
    )
