"""Connectivity graphs: a feed-forward network's neurons at their places, and all its weights."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from brainrnn.analysis.graph.live import check_member
from brainrnn.analysis.graph.stages import stages
from brainrnn.anatomy.placed import Placed
from brainrnn.errors import InputError, unknown
from brainrnn.plots.networks.connections import Connection, cross_out, middles
from brainrnn.plots.networks.layers import Layout, lay_out
from brainrnn.plots.networks.planes import as_grey, label_planes, paint_planes
from brainrnn.plots.networks.rows import label_rows, paint_rows
from brainrnn.plots.style import FAINT, INK, canvas, figure_of, new_figure, write_at

_LARGEST = 24.0  # side of a picture of many panels, inches


def draw_network(
    net: Placed,
    member: int = 0,
    ax: Axes | None = None,
    *,
    input_labels: Sequence[str] = (),
    output_labels: Sequence[str] = (),
    title: str | None = None,
    numbers: Collection[str] = (),
    stage_names: Mapping[str, str] | None = None,
    part: tuple[str, str] | None = None,
    marked: Iterable[Connection] = (),
    image: ArrayLike | None = None,
) -> Figure:
    """Draw a feed-forward network from its inputs, at the bottom, to its outputs, at the top.

    Neurons are discs at their places. Connections are blue where positive and red where negative,
    their thickness proportional to |weight|, relative to the largest of the same layer ("Seeing Is
    Believing", Section 3). Lines below 0.3 % of the thickest, which could not be seen, are left
    out. Unlike in the paper, neurons that no live connection touches
    (:func:`brainrnn.analysis.live_connections`) are pale.

    Layers on lines are rows, the strongest connections on top. The places of several tokens, which
    are the same, are drawn in rows one below the other, the first token's on top.

    Layers on planes (Section 3.5, Fig. 8) are stacked and seen in a parallel projection from above,
    near things over far ones; where connections would be an opaque block they are transparent. The
    first coordinate of a site runs from far to near and the second from left to right, as rows and
    columns of an image do.

    Parameters
    ----------
    net : Placed
        Feed-forward. Only populations that connections join are drawn.
    member : int
        Which network.
    ax : Axes, optional
        Where to draw; a new figure by default.
    input_labels, output_labels : sequence of str
        What each neuron of the first and of the last layer stands for. A label stands where its
        neuron does, so swaps move it.
    title : str, optional
    numbers : collection of str
        Stages (:func:`brainrnn.analysis.stages`) whose sites are numbered, from 1, such as
        ``["input"]``; on lines alone.
    stage_names : mapping of str to str, optional
        What to write to the left of stages, by their names.
    part : (str, str), optional
        The first and the last stage to draw; all by default.
    marked : iterable of (parameter, row, column)
        Connections to cross out, such as ``("fc0.weight", 3, 1)``: neurons, not sites.
    image : (rows, columns) or (input,) array, optional
        Grey values from 0 (paper) to 1 (ink), a value for every input, row after row, that shade
        the inputs; on planes alone.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the network is not feed-forward, or its layers are neither all on lines nor all on
        planes; if it lacks the member, a stage, a marked connection, or as many inputs or outputs
        as there are labels or grey values; or if planes are to be numbered, or lines to be shaded.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(2, 1, br.MLPSpec(hidden=(4,)))
    >>> figure = draw_network(net, input_labels=["x", "y"], title="one hidden layer")
    >>> figure.axes[0].get_title()
    'one hidden layer'

    On your own axes:

    >>> from matplotlib.figure import Figure
    >>> figure = Figure(layout="constrained")
    >>> left, right = figure.subplots(1, 2)
    >>> draw_network(net, ax=right) is figure
    True
    """
    check_member(net, member)
    stage_names = stage_names or {}
    _check_stages(net, (*numbers, *stage_names))
    layout = lay_out(net, member, part)
    inputs, outputs = (len(net.anatomy.populations[layout.chain[i].population]) for i in (0, -1))
    _check_labels("input", input_labels, inputs)
    _check_labels("output", output_labels, outputs)
    grey = None if image is None else as_grey(image, net, layout)
    crosses = middles(net, layout, marked)
    if layout.planes and numbers:
        raise InputError("sites are numbered on lines alone: leave out numbers for planes")

    beside = 0.08 * max(map(len, stage_names.values()), default=0)
    size = layout.size(titled=bool(title), beside=beside)
    ax = ax or new_figure(*size).add_subplot()
    _frame(ax, layout)
    labels = {"input_labels": input_labels, "output_labels": output_labels}
    if layout.planes:
        paint_planes(ax, net, member, layout, grey)
        reach = label_planes(ax, layout, **labels)
    else:
        paint_rows(ax, net, member, layout)
        reach = label_rows(ax, net, member, layout, numbers=numbers, **labels)
    cross_out(ax, crosses)
    _name_folds(ax, layout)
    _name_stages(ax, layout, stage_names)
    if title:
        ax.set_title(title, fontsize=10, color=INK, linespacing=1.4, pad=4 + reach)
    return figure_of(ax)


def draw_networks(
    panels: Sequence[tuple[str, Placed, int]],
    *,
    ax: Axes | None = None,
    columns: int | None = None,
    row_titles: Sequence[str] = (),
    input_labels: Sequence[str] = (),
    output_labels: Sequence[str] = (),
    numbers: Collection[str] = (),
    image: ArrayLike | None = None,
) -> Figure:
    """Draw several networks side by side: methods, seeds, or moments of training.

    Parameters
    ----------
    panels : sequence of (title, net, member)
        In reading order.
    ax : Axes, optional
        Axes that the panels replace; a new figure by default.
    columns : int, optional
        Panels in a row; all of them by default.
    row_titles : sequence of str
        Written to the left of each row.
    input_labels, output_labels, numbers, image
        As in :func:`draw_network`, the same for every panel.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no panel or no column, or a network cannot be drawn.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(2, 1, br.MLPSpec(hidden=(4,)), members=2)
    >>> figure = draw_networks([("seed 0", net, 0), ("seed 1", net, 1)])
    >>> [ax.get_title() for ax in figure.axes]
    ['seed 0', 'seed 1']
    """
    columns = len(panels) if columns is None else columns
    if not panels or columns < 1:
        raise InputError(
            f"to draw networks takes a panel and a column at least, got {len(panels)} panels in "
            f"{columns} columns"
        )
    n_rows = math.ceil(len(panels) / columns)
    sizes = [
        lay_out(net, member).size(titled=bool(title), panel=True) for title, net, member in panels
    ]
    width, height = (max(side) for side in zip(*sizes, strict=True))
    shrink = min(1.0, _LARGEST / (width * columns), _LARGEST / (height * n_rows))
    figure = canvas(ax, shrink * width * columns, shrink * height * n_rows)
    axes = figure.subplots(n_rows, columns, squeeze=False)
    for empty in axes.flat[len(panels) :]:
        empty.set_axis_off()
    for panel, (title, net, member) in zip(axes.flat, panels, strict=False):
        draw_network(
            net,
            member,
            panel,
            input_labels=input_labels,
            output_labels=output_labels,
            title=title,
            numbers=numbers,
            image=image,
        )
    style = {"ha": "right", "va": "center", "rotation": 90, "fontsize": 10, "color": INK}
    for first, title in zip(axes[:, 0], row_titles, strict=False):
        write_at(first, title, (0, 0.5), (-8, 0), xycoords="axes fraction", **style)
    return figure_of(figure)


def _frame(ax: Axes, layout: Layout) -> None:
    low, high = layout.limits
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    ax.set_aspect("equal" if layout.planes else "auto")
    ax.set_axis_off()


def _name_folds(ax: Axes, layout: Layout) -> None:
    for folds in layout.rows.values():
        for number, row in enumerate(folds if len(folds) > 1 else (), start=1):
            _write_beside(ax, f"token {number}", row[row[:, 0].argmin(), :2], 8.0)


def _name_stages(ax: Axes, layout: Layout, names: Mapping[str, str]) -> None:
    for stage, name in names.items():
        if stage in layout.rows:
            drawn = (layout.planes or layout.rows)[stage][0]
            height = drawn[drawn[:, 0].argmin(), 1]
            _write_beside(ax, name, np.array([ax.get_xlim()[0], height]), 4.0)


def _write_beside(ax: Axes, text: str, point: Float[np.ndarray, " axis"], distance: float) -> None:
    style = {"ha": "right", "va": "center", "fontsize": 8, "color": FAINT}
    write_at(ax, text, point, (-distance, 0), **style)


def _check_stages(net: Placed, names: Iterable[str]) -> None:
    known = [stage.name for stage in stages(net)]
    for name in names:
        if name not in known:
            raise InputError(unknown("stage", name, known))


def _check_labels(what: str, labels: Sequence[str], n: int) -> None:
    if len(labels) not in (0, n):
        raise InputError(f"{n} {what}s take a label each, or none at all, got {len(labels)} labels")
