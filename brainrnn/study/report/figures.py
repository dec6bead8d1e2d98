"""What the figures of several measures share: panels, dots, curves with bands, legends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import seaborn as sns
from jaxtyping import Float, Shaped
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainrnn.plots.style import FAINT, new_figure, open_frame
from brainrnn.study.report.colours import Colour

BAND = "#eef0f2"
Drawing = tuple[Figure, str]  # and its caption


def panels(
    n: int,
    width: float,
    height: float,
    *,
    margins: tuple[float, float] = (0.0, 0.0),
    **options: Any,
) -> tuple[Figure, Shaped[np.ndarray, "row column"]]:
    """A figure of ``n`` panels in rows of four, and its axes; others are hidden.

    Parameters
    ----------
    n : int
    width, height : float
        Of one panel, in inches.
    margins : (float, float)
        What the figure is wider and higher than its panels.
    **options
        For ``Figure.subplots``, such as ``sharex``.
    """
    columns = min(4, n)
    lines = -(-n // columns)
    figure = new_figure(margins[0] + width * columns, margins[1] + height * lines)
    axes = figure.subplots(lines, columns, squeeze=False, **options)
    for ax in axes.flat[n:]:
        ax.set_axis_off()
    return figure, axes


def chance_band(ax: Axes, axis: Literal["x", "y"]) -> None:
    """Mark where 95 % of a normal null's z lie, along an axis."""
    span, line = (ax.axvspan, ax.axvline) if axis == "x" else (ax.axhspan, ax.axhline)
    span(-1.96, 1.96, color=BAND, zorder=0)
    line(0, color=FAINT, lw=0.8, zorder=1)


def in_row(n: int, row: float | int, width: float) -> Float[np.ndarray, " network"]:
    """Heights at which ``n`` networks of one row do not hide each other."""
    return row + (np.linspace(-width, width, n) if n > 1 else np.zeros(n))


def dots(
    ax: Axes,
    values: pd.Series,
    row: float | int,
    colour: Colour,
    *,
    width: float,
    bar: float,
    size: float,
) -> None:
    """Draw a dot for each network in one row, and a bar at their mean.

    Parameters
    ----------
    ax : Axes
    values : Series
    row : float
        Height of the row.
    colour : colour
    width, bar : float
        How far dots, and the bar, reach above and below the row.
    size : float
        Diameter of a dot, in points.
    """
    heights = in_row(len(values), row, width)
    ax.plot(values, heights, "o", ms=size, mew=0, alpha=0.85, color=colour)
    ax.plot([values.mean()] * 2, [row - bar, row + bar], color=colour, lw=2)


def name_rows(ax: Axes, names: Sequence[str]) -> None:
    """Name rows, from the top down."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)


def band(ax: Axes, rows: pd.DataFrame, x: str, y: str, *, alpha: float, **look: Any) -> None:
    """Draw the mean of ``y`` at every ``x``, and a band from the least to the greatest.

    Parameters
    ----------
    ax : Axes
    rows : DataFrame
    x, y : str
        Its columns.
    alpha : float
        Of the band.
    **look
        Of the line: ``color``, ``label``, ``ls`` and so on.
    """
    whole: Any = ("pi", 100)  # percentiles 0 and 100
    band = {"alpha": alpha, "lw": 0}
    sns.lineplot(rows, x=x, y=y, errorbar=whole, err_kws=band, legend=False, ax=ax, **look)
    ax.set(xlabel="", ylabel="")
    open_frame(ax)


def heat(
    ax: Axes, table: pd.DataFrame, names: Iterable[object], *, below: bool, **look: Any
) -> None:
    """Draw a table as colours, with the names of its rows and, if asked for, its columns below.

    Parameters
    ----------
    ax : Axes
    table : DataFrame
    names : iterable
        Of its rows.
    below : bool
        Whether columns are named.
    **look
        For ``seaborn.heatmap``: ``cmap``, ``vmin``, ``vmax`` and so on.
    """
    columns = list(table.columns) if below else False
    sns.heatmap(
        table, ax=ax, cbar=False, yticklabels=list(map(str, names)), xticklabels=columns, **look
    )
    ax.tick_params(length=0, labelsize=7)
    ax.tick_params(axis="x", labelrotation=90)
    ax.tick_params(axis="y", labelrotation=0)


def legend_below(figure: Figure, columns: int = 4) -> None:
    """Say what all panels' lines and dots are, once, below them."""
    handles = {
        label: handle
        for ax in figure.axes
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(handles.values()),
        list(handles),
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        fontsize=8,
    )
