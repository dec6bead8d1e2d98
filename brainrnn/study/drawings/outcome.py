"""What is drawn of networks of any kind: each quantity by setting, and accuracy when pruned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from brainrnn.plots.style import new_figure, open_frame
from brainrnn.study.report.colours import Colour, colours, method_colours
from brainrnn.study.report.figures import (
    Drawing,
    band,
    dots,
    legend_below,
    name_rows,
    panels,
)

_WIDE = 30  # greatest over least value, from which a logarithmic axis shows more


def dots_by_setting(
    rows: pd.DataFrame, by: Sequence[str], quantities: Mapping[str, str]
) -> Drawing:
    """A panel for each quantity, a row for each setting, a dot for each network."""
    groups = dict(list(rows.groupby(list(by), sort=False)))
    names = [_name(by, key) for key in groups]
    colour = _colours(by, names)
    figure, axes = panels(
        len(quantities), 2.3, 0.6 + 0.28 * len(groups), margins=(1.6, 0), sharey=True
    )
    for ax, (name, words) in zip(axes.flat, quantities.items(), strict=False):
        for i, group in enumerate(groups.values()):
            dots(ax, group[name].dropna(), i, colour[names[i]], width=0.2, bar=0.3, size=4)
        if rows[name].min() > 0 and rows[name].max() >= _WIDE * rows[name].min():
            ax.set_xscale("log")
        name_rows(ax, names)
        ax.set_title(words, fontsize=9, loc="left")
        open_frame(ax)
    return figure, "A dot is a network, a bar the mean."


def pruning_curves(rows: pd.DataFrame, by: Sequence[str], quantity: str) -> Drawing:
    """Accuracy, or loss, without the weakest connections."""
    groups = dict(list(rows.groupby(list(by), sort=False)))
    colour = _colours(by, [_name(by, key) for key in groups])
    figure = new_figure(5, 4.4)
    ax = figure.subplots()
    for key, group in groups.items():
        name = _name(by, key)
        band(ax, group, "pruned", quantity, alpha=0.15, color=colour[name], label=name)
    if quantity == "loss":
        ax.set_yscale("log")
    ax.set_xlabel("fraction of connections pruned, weakest first")
    ax.set_ylabel(quantity)
    legend_below(figure, 1)
    return figure, (
        f"{quantity.capitalize()} of networks without their weakest connections: mean, and from "
        "the least to the greatest. Nothing is trained after pruning."
    )


def _colours(by: Sequence[str], names: Sequence[str]) -> dict[str, Colour]:
    """A method has its own colour; each of its settings, where there are several, another."""
    return method_colours(names) if list(by) == ["label"] else colours(names)


def _name(by: Sequence[str], key: Sequence[object]) -> str:
    """A setting in words: the method, and the keys that vary."""
    told = [
        str(value) if name == "label" else f"{name.split('.')[-1]} {_short(value)}"
        for name, value in zip(by, key, strict=True)
    ]
    return ", ".join(told).replace("_", " ")


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
