"""Connectivity graphs: a feed-forward network's neurons on their lines, and all its weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from brainrnn.analysis.graph import check_member, live_connections
from brainrnn.anatomy import PlacedNetwork
from brainrnn.errors import InputError, unknown
from brainrnn.plots.labels import points_per_unit, write_labels
from brainrnn.plots.layers import Ends, Rows, connection_ends, layer_rows, natural_size
from brainrnn.plots.style import FAINT, INACTIVE, INK, NEGATIVE, POSITIVE, new_figure

Connection = tuple[str, int, int]  # parameter, row and column of its matrix

_VISIBLE = 0.003  # of the layer's largest weight; thinner lines leave no ink
_THICKEST = 2.2  # points


def draw_network(
    net: PlacedNetwork,
    member: int = 0,
    ax: Axes | None = None,
    *,
    input_labels: Sequence[str] = (),
    output_labels: Sequence[str] = (),
    title: str | None = None,
    numbers: bool = False,
    marked: Iterable[Connection] = (),
) -> Figure:
    """Draw a feed-forward network from its inputs, at the bottom, to its outputs, at the top.

    Neurons are discs at their places on the line. Connections are blue where positive and red
    where negative, their thickness proportional to |weight|, relative to the largest of the same
    layer, the strongest on top ("Seeing Is Believing", Section 3). Lines below 0.3 % of the
    thickest, which could not be seen, are left out. Unlike in the paper, neurons that no live
    connection touches (:func:`brainrnn.analysis.live_connections`) are pale.

    The places of several tokens, which are the same, are drawn in rows one below the other, the
    first token's on top.

    Parameters
    ----------
    net : PlacedNetwork
    member : int
        Which network.
    ax : Axes, optional
        Where to draw; a new figure by default.
    input_labels, output_labels : sequence of str
        What each neuron of the first and of the last layer stands for. A label stands where its
        neuron does, so swaps move it.
    title : str, optional
    numbers : bool
        Whether to number the sites under the inputs, from 1.
    marked : iterable of (parameter, row, column)
        Connections to cross out, such as ``("fc0.weight", 3, 1)``: neurons, not sites.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the network is not feed-forward or not on lines, or lacks the member, a marked
        connection, or as many inputs or outputs as there are labels.
    """
    check_member(net, member)
    rows = layer_rows(net, member)
    bottom, *_, top = rows
    inputs, outputs = rows[bottom][-1], rows[top][0]
    _check_labels("input", input_labels, len(inputs))
    _check_labels("output", output_labels, len(outputs))
    ends = connection_ends(net, rows)
    middles = [_middle(ends, connection) for connection in marked]

    ax = ax or new_figure(*natural_size(rows, titled=bool(title))).add_subplot()
    _frame(ax, rows)
    _draw_connections(ax, net, member, ends, rows)
    _draw_neurons(ax, net, member, rows)
    _draw_marks(ax, middles)
    _name_folds(ax, rows)
    below = -5.0
    if numbers:
        sites = [str(site + 1) for site in net.anatomy.places(bottom)[member].tolist()]
        below -= write_labels(ax, inputs, sites, offset=below, largest=7, colour=FAINT)
    write_labels(ax, inputs, input_labels, offset=below, largest=_label_size(inputs))
    reach = write_labels(ax, outputs, output_labels, offset=5, largest=_label_size(outputs))
    if title:
        ax.set_title(title, fontsize=10, color=INK, linespacing=1.4, pad=4 + reach)
    return cast(Figure, ax.figure)


def draw_networks(
    panels: Sequence[tuple[str, PlacedNetwork, int]],
    *,
    columns: int | None = None,
    row_titles: Sequence[str] = (),
    input_labels: Sequence[str] = (),
    output_labels: Sequence[str] = (),
    numbers: bool = False,
) -> Figure:
    """Draw several networks side by side: methods, seeds, or moments of training.

    Parameters
    ----------
    panels : sequence of (title, net, member)
        In reading order.
    columns : int, optional
        Panels in a row; all of them by default.
    row_titles : sequence of str
        Written to the left of each row.
    input_labels, output_labels, numbers
        As in :func:`draw_network`, the same for every panel.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no panel or no column, or a network cannot be drawn.
    """
    columns = len(panels) if columns is None else columns
    if not panels or columns < 1:
        raise InputError(
            f"to draw networks takes a panel and a column at least, got {len(panels)} panels in "
            f"{columns} columns"
        )
    n_rows = math.ceil(len(panels) / columns)
    sizes = [
        natural_size(layer_rows(net, member), titled=bool(title)) for title, net, member in panels
    ]
    width, height = (max(side) for side in zip(*sizes, strict=True))
    figure = new_figure(width * columns * 0.8, height * n_rows)
    axes = figure.subplots(n_rows, columns, squeeze=False)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for ax, (title, net, member) in zip(axes.flat, panels, strict=False):
        draw_network(
            net,
            member,
            ax,
            input_labels=input_labels,
            output_labels=output_labels,
            title=title,
            numbers=numbers,
        )
    for ax, title in zip(axes[:, 0], row_titles, strict=False):
        ax.annotate(
            title,
            (0, 0.5),
            xytext=(-8, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="right",
            va="center",
            rotation=90,
            fontsize=10,
            color=INK,
        )
    return figure


def _draw_connections(ax: Axes, net: PlacedNetwork, member: int, ends: Ends, rows: Rows) -> None:
    segments, strengths = [], []
    for name, (end, start) in ends.items():
        weight = net.get_parameter(name)[member].detach().double().cpu().numpy()
        weight = weight / max(np.abs(weight).max(), np.finfo(float).tiny)
        row, column = np.nonzero(np.abs(weight) >= _VISIBLE)
        segments.append(np.stack([start[column], end[row]], axis=1))
        strengths.append(weight[row, column])
    strength = np.concatenate(strengths)
    order = np.argsort(np.abs(strength), kind="stable")
    strength = strength[order]
    lines = LineCollection(
        np.concatenate(segments)[order],
        colors=np.where(strength > 0, POSITIVE, NEGATIVE),
        linewidths=min(_THICKEST, 0.24 * _gap(ax, rows)) * np.abs(strength),
        capstyle="round",
        zorder=1,
        rasterized=len(strength) > 2000,  # keeps vector files small
    )
    ax.add_collection(lines)


def _middle(ends: Ends, connection: Connection) -> np.ndarray:
    name, row, column = connection
    if name not in ends:
        raise InputError(unknown("connections", name, ends))
    end, start = ends[name]
    if not (0 <= row < len(end) and 0 <= column < len(start)):
        raise InputError(
            f"cannot mark {name}[{row}, {column}]: it has {len(end)} rows and {len(start)} columns"
        )
    return (end[row] + start[column]) / 2


def _draw_marks(ax: Axes, middles: Sequence[np.ndarray]) -> None:
    for x, y in middles:
        ax.plot(
            x,
            y,
            marker="x",
            ms=8,
            mew=2,
            color=INK,
            zorder=4,
            path_effects=[patheffects.withStroke(linewidth=4, foreground="white")],
        )


def _frame(ax: Axes, rows: Rows) -> None:
    discs = np.concatenate([row.reshape(-1, 2) for row in rows.values()])
    low, high = discs.min(0), discs.max(0)
    margin = np.array([0.04, 0.03]) * (high - low)
    ax.set_xlim(low[0] - margin[0], high[0] + margin[0])
    ax.set_ylim(low[1] - margin[1], high[1] + margin[1])
    ax.set_axis_off()


def _gap(ax: Axes, rows: Rows) -> float:
    """Distance between neighbours in the most crowded row, points."""
    most = max(row.shape[1] for row in rows.values())
    return points_per_unit(ax) * np.ptp(ax.get_xlim()) / most


def _draw_neurons(ax: Axes, net: PlacedNetwork, member: int, rows: Rows) -> None:
    touched = {name: np.zeros(row.shape[:2], bool) for name, row in rows.items()}
    for name, live in live_connections(net).items():
        out, source = net.anatomy.wiring[name]
        here = live[member].cpu().numpy()
        touched[str(out.population)][0] |= here.any(1).reshape(out.folds, -1).any(0)
        touched[str(source.population)][: source.folds] |= here.any(0).reshape(source.folds, -1)
    size = min(max(0.5 * _gap(ax, rows), 2), 4.5)
    for dark, colour in ((False, INACTIVE), (True, INK)):
        discs = np.concatenate([rows[name][touched[name] == dark] for name in rows])
        ax.scatter(discs[:, 0], discs[:, 1], s=size**2, color=colour, lw=0, zorder=2 + dark)


def _name_folds(ax: Axes, rows: Rows) -> None:
    for folds in rows.values():
        for number, row in enumerate(folds if len(folds) > 1 else (), start=1):
            ax.annotate(
                f"token {number}",
                row[row[:, 0].argmin()],
                xytext=(-8, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=8,
                color=FAINT,
            )


def _check_labels(what: str, labels: Sequence[str], n: int) -> None:
    if len(labels) not in (0, n):
        raise InputError(f"{n} {what}s take a label each, or none at all, got {len(labels)} labels")


def _label_size(row: np.ndarray) -> float:
    return 10 if len(row) <= 10 else 7
