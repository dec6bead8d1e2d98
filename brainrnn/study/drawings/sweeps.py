"""What is drawn of a sweep: lines over one setting, heat maps over two, and the Pareto front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainrnn.plots.style import FAINT, NEGATIVE, new_figure, open_frame
from brainrnn.study.compared import is_number, on_front
from brainrnn.study.report.colours import method_colours
from brainrnn.study.report.figures import (
    Drawing,
    band,
    dots,
    heat,
    legend_below,
    name_rows,
    panels,
)
from brainrnn.study.values import written

_WIDE = 30  # greatest over least value, from which a logarithmic axis shows more


def lines(networks: pd.DataFrame, key: str, quantities: Mapping[str, str]) -> Drawing:
    """Each quantity against one setting; if its values are words, a row for each word."""
    in_words = not is_number(networks[key])
    values = networks[key].dropna().unique()
    size = (2.6, 0.7 + 0.28 * len(values)) if in_words else (2.9, 2.3)
    figure, axes = panels(len(quantities), *size, margins=(1.0 * in_words, 0), sharey=in_words)
    if in_words:
        figure.supylabel(key, fontsize=8)
    colour = method_colours(networks.label)
    for ax, (name, words) in zip(axes.flat, quantities.items(), strict=False):
        known = networks[["label", key, name]].dropna()
        if known.empty:
            ax.set_axis_off()
            continue
        groups = known.groupby("label", sort=False)
        for (label, one), shift in zip(groups, _shifts(known), strict=True):
            look = {"color": colour[str(label)]}
            if not in_words:
                band(ax, one, key, name, alpha=0.2, label=str(label), **look)
                ax.plot(one[key], one[name], "o", ms=3, mew=0, alpha=0.6, **look)
                continue
            for row, value in enumerate(values):
                chosen = one.loc[one[key] == value, name]
                dots(ax, chosen, row + shift, look["color"], width=0.1, bar=0.2, size=4)
            ax.plot([], [], "o", ms=4, label=str(label), **look)
        if in_words:
            name_rows(ax, [written(value) for value in values])
            open_frame(ax)
        else:
            spread_out(ax, "x", known[key])
            ax.set_xlabel(key, fontsize=8)
        ax.set_title(words, fontsize=9, loc="left")
    name_methods(figure, networks)
    mean = "a bar" if in_words else "the line"
    return figure, (
        f"Each quantity {'for each' if in_words else 'against'} {key}. A dot is a network, {mean} "
        "the mean over seeds and all other settings"
        + ("." if in_words else ", the band from the least to the greatest.")
    )


def _shifts(rows: pd.DataFrame) -> Float[np.ndarray, " method"]:
    """How far methods stand above each other in one row."""
    count = rows.label.nunique()
    return np.linspace(-0.25, 0.25, count) if count > 1 else np.zeros(1)


def name_methods(figure: Figure, rows: pd.DataFrame) -> None:
    """Say which colour is which method, if there are several."""
    if rows.label.nunique() > 1:
        legend_below(figure)


def heat_maps(
    networks: pd.DataFrame, keys: Sequence[str], quantities: Mapping[str, str]
) -> Drawing:
    """Each quantity over two settings, mean over seeds."""
    down, across = keys
    names = {key: _in_order(networks[key]) for key in keys}
    wide = max(len(written(value)) for value in names[down])
    figure, axes = panels(
        len(quantities),
        0.8 + 0.55 * len(names[across]),
        1.1 + 0.32 * len(names[down]),
        margins=(0.6 + 0.04 * wide, 0.4),
    )
    for ax, (name, words) in zip(axes.flat, quantities.items(), strict=False):
        mean = networks.pivot_table(index=down, columns=across, values=name, dropna=False)
        mean = mean.reindex(index=names[down], columns=names[across])
        if not np.isfinite(mean.to_numpy(float)).any():
            ax.set_axis_off()
            continue
        mean.columns = [_short(value) for value in names[across]]
        style = {"cmap": "viridis", "annot": True, "fmt": ".3g", "annot_kws": {"fontsize": 6.5}}
        heat(ax, mean, map(_short, names[down]), below=True, **style)
        ax.set_xlabel(across, fontsize=8)
        ax.set_ylabel(down, fontsize=8)
        ax.set_title(words, fontsize=9, loc="left")
    return figure, f"Each quantity over {down} and {across}: the mean over seeds."


def pareto(networks: pd.DataFrame, means: pd.DataFrame, goals: tuple[str, str]) -> Drawing:
    """Two goals of each network, and the settings that no other beats in both.

    Parameters
    ----------
    networks : DataFrame
        A row for each network.
    means : DataFrame
        A row for each setting.
    goals : (str, str)
        What is to be great or, with a minus sign, small.
    """
    down, across = (goal.removeprefix("-") for goal in goals)
    best = means[on_front(means, goals)].sort_values(across)
    figure = new_figure(5, 3.6)
    ax = figure.subplots()
    several = networks.label.nunique() > 1
    for label, colour in method_colours(networks.label).items():
        one = networks[networks.label == label]
        shade = colour if several else FAINT
        ax.plot(one[across], one[down], "o", ms=4, mew=0, color=shade, label=label)
    side: Literal["pre", "post"] = "post" if goals[1].startswith("-") else "pre"
    ring = {"mfc": "none" if several else NEGATIVE, "ms": 7 if several else 4}
    ax.step(best[across], best[down], "o-", where=side, lw=1, color=NEGATIVE, **ring)
    spread_out(ax, "x", networks[across])
    ax.set_xlabel("wiring length, sum of |w| d" if across == "wiring_length" else across)
    ax.set_ylabel(down)
    open_frame(ax)
    name_methods(figure, networks)
    return figure, (
        f"{down} against {across}. A dot is a network. Red are the settings on the Pareto front, "
        "as means over seeds: no other setting is better in one and as good in the other."
    )


def spread_out(ax: Axes, axis: str, values: pd.Series) -> None:
    """Make an axis logarithmic where that shows more."""
    if values.min() > 0 and values.max() >= _WIDE * values.min():
        ax.set(**{f"{axis}scale": "log"})


def _in_order(values: pd.Series) -> list[object]:
    """Numbers from the least to the greatest, words as they come."""
    distinct = values.dropna().unique()
    return sorted(distinct) if is_number(values) else list(distinct)


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else written(value)
