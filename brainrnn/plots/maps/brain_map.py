"""The picture of a brain: neurons where they sit, coloured by module, and their connections."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float, Num
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d import Axes3D
from mpl_toolkits.mplot3d.art3d import Line3DCollection
from scipy.spatial import KDTree

from brainrnn.errors import InputError
from brainrnn.plots.maps.legend import legend_rows, legend_title, title
from brainrnn.plots.member import is_active, one_member
from brainrnn.plots.style import (
    INACTIVE,
    INK,
    figure_of,
    module_colours,
    new_figure,
    sign_colours,
)

# Axes are typed Any below, because those in two and in three dimensions take other arguments.
_VISIBLE = 0.02  # connections weaker than this fraction of the strongest are left out


def plot_map(
    brain: xr.Dataset, member: int = 0, ax: Axes | None = None, *, max_lines: int = 3000
) -> Figure:
    """Draw one network's neurons and recurrent connections in space.

    Active neurons are discs in the colour of their functional module. Their area grows with the
    summed task variance. Inactive neurons are small and grey. Connections are blue where positive
    and red where negative, thicker and darker the larger the weight, relative to the largest of
    the network. Those below 2 % of it are left out. The legend gives each module's size and the
    tasks in which it stands out most from the other modules.

    Only ``position`` is needed. Without ``weight`` there are no lines, without ``module`` the discs
    are black, without ``task_variance`` they are of one size, and without ``active`` all neurons
    that have a module are active.

    Parameters
    ----------
    brain : Dataset
        As from :func:`brainrnn.analysis.analyse`, or your own: ``position`` (unit, space) in one,
        two or three dimensions (of more, the first three), and what there is of ``weight``
        (unit, source), ``module`` (unit,) int, ``active`` (unit,) bool, ``task_variance``
        (unit, task) and ``label`` (unit,), the names of modules. Each may have a member axis.
    member : int
        Which network.
    ax : Axes, optional
        Where to draw; with sites in three dimensions, axes with ``projection="3d"``. A new figure
        by default.
    max_lines : int
        Only this many of the strongest connections are drawn.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no such network, a position is missing or not finite, or sites in three
        dimensions are to be drawn on axes of two.

    Examples
    --------
    Real neurons, of which places and brain areas are known:

    >>> import brainrnn as br
    >>> import xarray as xr
    >>> places = br.grid(4, 4).numpy()
    >>> data = xr.Dataset(
    ...     {"position": (("unit", "space"), places), "module": ("unit", [0, 0, 1, 1] * 4)}
    ... )
    >>> figure = plot_map(data)
    >>> figure.axes[0].get_title(loc="left")
    '16 of 16 neurons active, 2 modules'
    """
    one = one_member(brain, member, "position")
    place = _places(one)
    solid = place.shape[1] == 3
    if ax is None:
        ax = new_figure(8.4, 6.0).add_subplot(projection="3d" if solid else None)
    if solid != isinstance(ax, Axes3D):
        raise InputError(
            f"sites in {one.sizes['space']} dimensions are drawn on axes in {2 + solid}: make them "
            f"with add_subplot({'projection=' + repr('3d') if solid else ''})"
        )
    active = is_active(one)
    if "weight" in one:
        _draw_connections(ax, place, one.weight.transpose("unit", "source").values, max_lines)
    _draw_neurons(ax, place, active, _shares(one), _colours(one))
    _frame(ax, place)
    ax.set_title(title(one, active), loc="left", fontsize=10, color=INK, linespacing=1.5)
    ax.legend(
        handles=legend_rows(one, active),
        loc="upper left",
        bbox_to_anchor=(1.02, 1),
        frameon=False,
        fontsize=7.5,
        labelcolor=INK,
        title=legend_title(one),
        title_fontsize=8,
        alignment="left",
        borderaxespad=0,
    )
    return figure_of(ax)


def connection_lines(
    place: Float[np.ndarray, "unit space"], weight: Num[np.ndarray, "unit source"], max_lines: int
) -> tuple[Float[np.ndarray, "line end space"], Num[np.ndarray, " line"]]:
    """Visible connections between different neurons, weakest first.

    Parameters
    ----------
    place : (unit, space)
    weight : (unit, source)
    max_lines : int

    Returns
    -------
    segments : (line, 2, space)
    strength : (line,)
        Weight over the largest magnitude, -1 to 1.
    """
    size = np.abs(weight)
    np.fill_diagonal(size, 0)
    largest = max(size.max(), np.finfo(size.dtype).tiny)
    least = _VISIBLE * largest
    if 0 < max_lines < size.size:  # before sorting, for there may be tens of millions
        least = max(least, np.partition(size, -max_lines, axis=None)[-max_lines])
    unit, source = np.nonzero(size >= least)
    order = np.argsort(size[unit, source], kind="stable")
    order = order[max(0, len(order) - max_lines) :]
    unit, source = unit[order], source[order]
    return np.stack([place[source], place[unit]], axis=1), weight[unit, source] / largest


def _places(one: xr.Dataset) -> Float[np.ndarray, "unit space"]:
    """Where neurons are on paper: in two or three dimensions, those of a line at height 0."""
    if set(one.position.dims) != {"unit", "space"}:
        raise InputError(
            f"positions are (unit, space), got ({', '.join(map(str, one.position.dims))})"
        )
    place = one.position.transpose("unit", "space").values[:, :3].astype(float)
    if not np.isfinite(place).all():
        raise InputError("some positions are not finite: leave those neurons out")
    if place.shape[1] == 1:
        place = np.column_stack([place, np.zeros(len(place))])
    return place


def _shares(one: xr.Dataset) -> Float[np.ndarray, " unit"]:
    """Summed task variance of each neuron over the largest; 1 where it is not known."""
    if "task_variance" not in one:
        return np.ones(one.sizes["unit"])
    total = one.task_variance.sum("task").values
    return total / max(total.max(), np.finfo(float).tiny)


def _colours(one: xr.Dataset) -> Float[np.ndarray, "unit 3"]:
    if "module" not in one:
        return np.tile(to_rgb(INK), (one.sizes["unit"], 1))
    return module_colours(one.module.values)


def _draw_connections(
    ax: Any,
    place: Float[np.ndarray, "unit space"],
    weight: Num[np.ndarray, "unit source"],
    max_lines: int,
) -> None:
    segments, strength = connection_lines(place, weight, max_lines)
    if not place[:, 1:].any():  # on a line, lines would hide each other
        segments = _arcs(segments)
    size = np.abs(strength)[:, None]
    fine = min(1, _room(ax) / 350)  # in small pictures
    ink = min(1, 400 / max(size.sum(), 1))  # many lines must not bury the neurons
    kind: Any = Line3DCollection if isinstance(ax, Axes3D) else LineCollection
    lines = kind(
        segments,
        colors=np.hstack([sign_colours(strength), ink * (0.08 + 0.82 * size)]),
        linewidths=fine * (0.25 + 2.75 * size[:, 0]),
        capstyle="round",
        zorder=1,
        rasterized=len(strength) > 2000,  # keeps vector files small
    )
    ax.add_collection(lines)


def _arcs(
    segments: Float[np.ndarray, "line end space"],
) -> Float[np.ndarray, "line point space"]:
    """Half circles over the ends of level segments, one way above and back below."""
    start, end = segments[:, 0, :1], segments[:, 1, :1]  # (line, 1)
    angle = np.linspace(0, np.pi, 25)
    middle, radius = (start + end) / 2, (start - end) / 2
    return np.stack([middle + radius * np.cos(angle), radius * np.sin(angle)], axis=2)


def _room(ax: Any) -> float:
    """The shorter side of the axes, in points."""
    return float(72 * min(ax.bbox.width, ax.bbox.height) / ax.figure.dpi)


def _draw_neurons(
    ax: Any,
    place: Float[np.ndarray, "unit space"],
    active: Bool[np.ndarray, " unit"],
    share: Float[np.ndarray, " unit"],
    colour: Float[np.ndarray, "unit 3"],
) -> None:
    gap = np.median(KDTree(place).query(place, k=2)[0][:, 1]) if len(place) > 1 else 1.0
    extent = float(np.ptp(place, axis=0).max() + gap) or 1.0  # all neurons may be in one place
    widest = np.clip(0.82 * _room(ax) * gap / extent, 2, 30)  # so that neighbours do not touch
    widest *= 0.6 if isinstance(ax, Axes3D) else 1.0  # and those behind show between them
    style = {"depthshade": False} if isinstance(ax, Axes3D) else {}
    ax.scatter(
        *place[~active].T, s=(0.22 * widest) ** 2, color=INACTIVE, linewidths=0, zorder=2, **style
    )
    ax.scatter(
        *place[active].T,
        s=widest**2 * (0.35 + 0.65 * np.sqrt(share[active])),
        c=colour[active],
        edgecolors="white",
        linewidths=0.8,
        zorder=3,
        **style,
    )


def _frame(ax: Any, place: Float[np.ndarray, "unit space"]) -> None:
    low, high = place.min(0), place.max(0)
    extent = (high - low).max() or 1.0
    margin = 0.04 * extent + 1e-9
    ax.set_xlim(low[0] - margin, high[0] + margin)
    room = 0.0 if place[:, 1:].any() else (high - low)[0] / 2  # for arcs
    ax.set_ylim(low[1] - margin - room, high[1] + margin + room)
    if isinstance(ax, Axes3D):
        ax.set_zlim(low[2] - margin, high[2] + margin)
    ax.set_aspect("equal", anchor="W")
    ax.set_axis_off()
