"""The ink of a connectivity graph: lines for weights, crosses on some, and which neurons matter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float
from matplotlib import patheffects
from matplotlib.axes import Axes

from brainrnn.analysis.graph.live import live_connections
from brainrnn.anatomy.placed import Placed
from brainrnn.errors import InputError, unknown
from brainrnn.plots.networks.crowd import collect
from brainrnn.plots.networks.layers import Layout, connection_ends
from brainrnn.plots.style import INK, sign_colours

Connection = tuple[str, int, int]  # parameter, row and column of its matrix

THICKEST = 2.2  # points
HALO = patheffects.withStroke(linewidth=2.5, foreground="white")  # of words among lines

_VISIBLE = 0.003  # of the layer's largest weight; thinner lines leave no ink


def visible_connections(
    net: Placed, member: int, layout: Layout
) -> dict[str, tuple[Float[np.ndarray, "line end coordinate"], Float[np.ndarray, " line"]]]:
    """Lines that leave ink: parameter -> their ends, and their strengths.

    A strength is the weight relative to the largest of its parameter.
    """
    lines = {}
    for name, (end, start) in connection_ends(net, layout).items():
        weight = net.wired(name)[member].detach().double().cpu().numpy()
        weight = weight / max(np.abs(weight).max(), np.finfo(float).tiny)
        row, column = np.nonzero(np.abs(weight) >= _VISIBLE)
        lines[name] = np.stack([start[column], end[row]], axis=1), weight[row, column]
    return lines


def draw_lines(
    ax: Axes,
    segments: Float[np.ndarray, "line end 2"],
    strength: Float[np.ndarray, " line"],
    *,
    thickest: float | int,
    zorder: float | int,
    ink: float | int = 1.0,
) -> None:
    """Draw connections in this order: blue if positive, red if negative, as thick as strong.

    Parameters
    ----------
    ax : Axes
    segments : (line, 2, 2)
    strength : (line,)
        From -1 to 1.
    thickest : float
        Width of a line of strength 1, points.
    zorder : float
    ink : float
        Below 1 colours are both paler and transparent, for lines that would hide each other.
        Transparency alone would not do: hundreds of dark coats, however thin, are dark.
    """
    opacity = np.full((len(strength), 1), ink)
    lines = collect(
        segments,
        colors=np.hstack([1 - ink * (1 - sign_colours(strength)), opacity]),
        linewidths=thickest * np.abs(strength),
        capstyle="round",
        zorder=zorder,
    )
    ax.add_collection(lines, autolim=False)


def touched_neurons(
    net: Placed, member: int, layout: Layout
) -> dict[str, Bool[np.ndarray, "_fold _neuron"]]:
    """Whether a drawn live connection starts or ends at each disc, by stage."""
    touched = {name: np.zeros(row.shape[:2], bool) for name, row in layout.rows.items()}
    live = live_connections(net)
    for before, stage in pairwise(layout.chain):
        out, source = net.anatomy.wiring[str(stage.parameter)]
        here = live[str(stage.parameter)][member].cpu().numpy()
        touched[stage.name][0] |= here.any(1).reshape(out.folds, -1).any(0)
        touched[before.name][: source.folds] |= here.any(0).reshape(source.folds, -1)
    return touched


def middles(
    net: Placed, layout: Layout, connections: Iterable[Connection]
) -> list[Float[np.ndarray, " axis"]]:
    """Where the middle of each connection is on paper: right and up.

    Raises
    ------
    InputError
        If a connection is not one of those drawn.
    """
    ends = connection_ends(net, layout)
    points = []
    for name, row, column in connections:
        if name not in ends:
            raise InputError(unknown("connections", name, ends))
        end, start = ends[name]
        if not (0 <= row < len(end) and 0 <= column < len(start)):
            raise InputError(
                f"cannot mark {name}[{row}, {column}]: it has {len(end)} rows and {len(start)} "
                "columns"
            )
        points.append((end[row, :2] + start[column, :2]) / 2)
    return points


def cross_out(ax: Axes, points: Sequence[Float[np.ndarray, " axis"]]) -> None:
    """Draw a cross at each of these points."""
    for x, y in points:
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
