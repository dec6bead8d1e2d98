"""The picture of a brain: neurons where they sit, coloured by module, and their connections."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from mpl_toolkits.mplot3d import Axes3D
from mpl_toolkits.mplot3d.art3d import Line3DCollection
from scipy.spatial import KDTree

from brainrnn.analysis.activity.variance import normalise
from brainrnn.plots.style import (
    INACTIVE,
    INK,
    NEGATIVE,
    POSITIVE,
    module_colours,
    new_figure,
)

# Axes are typed Any below, because those in two and in three dimensions take other arguments.
_VISIBLE = 0.02  # connections weaker than this fraction of the strongest are left out
_LEGEND_ROWS = 20


def plot_map(
    brain: xr.Dataset, member: int = 0, ax: Axes | None = None, *, max_lines: int = 3000
) -> Figure:
    """Draw one network's neurons and recurrent connections in space.

    Active neurons are discs in the colour of their functional module, their area growing with the
    summed task variance; inactive ones are small and grey. Connections are blue where positive
    and red where negative, thicker and darker the larger the weight, relative to the largest of
    the network. Those below 2 % of it are left out. The legend gives each module's size and the
    tasks in which it stands out most from the other modules.

    Parameters
    ----------
    brain : Dataset
        As from :func:`brainrnn.analysis.analyse`, with sites in one, two or three dimensions.
    member : int
        Which network.
    ax : Axes, optional
        Where to draw; with 3D sites a 3D one. A new figure by default.
    max_lines : int
        Only this many of the strongest connections are drawn.

    Returns
    -------
    Figure
    """
    one = brain.isel(member=member)
    place = one.position.transpose("unit", "space").values[:, :3]
    if place.shape[1] == 1:
        place = np.column_stack([place, np.zeros(len(place))])
    solid = place.shape[1] == 3
    if ax is None:
        ax = new_figure(8.4, 6.0).add_subplot(projection="3d" if solid else None)
    _draw_connections(ax, place, one.weight.transpose("unit", "source").values, max_lines)
    _draw_neurons(ax, place, one)
    _frame(ax, place)
    ax.set_title(_title(one), loc="left", fontsize=10, color=INK, linespacing=1.5)
    ax.legend(
        handles=_legend(one),
        loc="upper left",
        bbox_to_anchor=(1.02, 1),
        frameon=False,
        fontsize=7.5,
        labelcolor=INK,
        title="module (neurons): typical tasks",
        title_fontsize=8,
        alignment="left",
        borderaxespad=0,
    )
    return cast(Figure, ax.figure)


def connection_lines(
    place: np.ndarray, weight: np.ndarray, max_lines: int
) -> tuple[np.ndarray, np.ndarray]:
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


def _draw_connections(ax: Any, place: np.ndarray, weight: np.ndarray, max_lines: int) -> None:
    segments, strength = connection_lines(place, weight, max_lines)
    if not place[:, 1:].any():  # on a line, lines would hide each other
        segments = _arcs(segments)
    size = np.abs(strength)[:, None]
    fine = min(1, _room(ax) / 350)  # in small pictures
    ink = min(1, 400 / max(size.sum(), 1))  # many lines must not bury the neurons
    rgb = np.where(strength[:, None] > 0, to_rgb(POSITIVE), to_rgb(NEGATIVE))
    kind: Any = Line3DCollection if isinstance(ax, Axes3D) else LineCollection
    lines = kind(
        segments,
        colors=np.hstack([rgb, ink * (0.08 + 0.82 * size)]),
        linewidths=fine * (0.25 + 2.75 * size[:, 0]),
        capstyle="round",
        zorder=1,
        rasterized=len(strength) > 2000,  # keeps vector files small
    )
    ax.add_collection(lines)


def _arcs(segments: np.ndarray) -> np.ndarray:
    """Half circles over the ends of level segments, one way above and back below."""
    start, end = segments[:, 0, :1], segments[:, 1, :1]  # (line, 1)
    angle = np.linspace(0, np.pi, 25)
    middle, radius = (start + end) / 2, (start - end) / 2
    return np.stack([middle + radius * np.cos(angle), radius * np.sin(angle)], axis=2)


def _room(ax: Any) -> float:
    """The shorter side of the axes, in points."""
    return float(72 * min(ax.bbox.width, ax.bbox.height) / ax.figure.dpi)


def _draw_neurons(ax: Any, place: np.ndarray, one: xr.Dataset) -> None:
    active = one.active.values
    total = one.task_variance.sum("task").values
    share = total / max(total.max(), np.finfo(float).tiny)
    gap = np.median(KDTree(place).query(place, k=2)[0][:, 1]) if len(place) > 1 else 1.0
    extent = np.ptp(place, axis=0).max() + gap
    widest = np.clip(0.82 * _room(ax) * gap / extent, 2, 30)  # so that neighbours do not touch
    widest *= 0.6 if isinstance(ax, Axes3D) else 1.0  # and those behind show between them
    style = {"depthshade": False} if isinstance(ax, Axes3D) else {}
    ax.scatter(
        *place[~active].T, s=(0.22 * widest) ** 2, color=INACTIVE, linewidths=0, zorder=2, **style
    )
    ax.scatter(
        *place[active].T,
        s=widest**2 * (0.35 + 0.65 * np.sqrt(share[active])),
        c=module_colours(one.module.values[active]),
        edgecolors="white",
        linewidths=0.8,
        zorder=3,
        **style,
    )


def _frame(ax: Any, place: np.ndarray) -> None:
    low, high = place.min(0), place.max(0)
    margin = 0.04 * (high - low).max() + 1e-9
    ax.set_xlim(low[0] - margin, high[0] + margin)
    room = 0.0 if place[:, 1:].any() else (high - low)[0] / 2  # for arcs
    ax.set_ylim(low[1] - margin - room, high[1] + margin + room)
    if isinstance(ax, Axes3D):
        ax.set_zlim(low[2] - margin, high[2] + margin)
    ax.set_aspect("equal", anchor="W")
    ax.set_axis_off()


def _title(one: xr.Dataset) -> str:
    p = {key: float(one.p.sel(statistic=key)) for key in one.statistic.values}
    return (
        f"{int(one.active.sum())} of {one.sizes['unit']} neurons active, "
        f"{int(one.clusters)} modules, accuracy {float(one.accuracy.mean()):.3f}\n"
        f"against chance: isolated neurons p = {p['isolated']:.2g}, "
        f"cluster size p = {p['cluster_size']:.2g}"
    )


def _legend(one: xr.Dataset) -> list[Line2D]:
    tasks = characteristic_tasks(one)
    size = np.bincount(one.module.values[one.active.values], minlength=int(one.clusters))
    disc: dict[str, Any] = {"ls": "", "marker": "o", "ms": 7, "mec": "white"}
    rows = [
        Line2D(
            [],
            [],
            color=tuple(module_colours(k)),
            label=f"{k} ({size[k]}): {', '.join(tasks[k])}",
            **disc,
        )
        for k in range(min(len(size), _LEGEND_ROWS))
    ]
    if len(size) > _LEGEND_ROWS:
        rows.append(Line2D([], [], ls="", label=f"and {len(size) - _LEGEND_ROWS} smaller modules"))
    return [
        *rows,
        Line2D([], [], color=INACTIVE, label="inactive", ls="", marker="o", ms=3),
        Line2D([], [], color=POSITIVE, label="positive connection", lw=2),
        Line2D([], [], color=NEGATIVE, label="negative connection", lw=2),
    ]


def characteristic_tasks(one: xr.Dataset, most: int = 3) -> list[list[str]]:
    """For each module, the tasks whose normalised variance is most above the other neurons' mean.

    Parameters
    ----------
    one : Dataset
        Of one network, without the member axis.
    most : int
        Tasks per module.
    """
    share = normalise(one.task_variance).transpose("unit", "task").values[one.active.values]
    module = one.module.values[one.active.values]
    excess = [share[module == k].mean(0) - share.mean(0) for k in range(int(one.clusters))]
    return [[str(one.task.values[i]) for i in np.argsort(-e)[:most]] for e in excess]
