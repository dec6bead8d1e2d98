"""Layers on planes, painted from the lowest to the highest, with everything between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba_array
from matplotlib.patches import Polygon
from numpy.typing import ArrayLike

from brainrnn.anatomy.placed import Placed
from brainrnn.errors import InputError
from brainrnn.plots.networks.connections import (
    HALO,
    THICKEST,
    draw_lines,
    touched_neurons,
    visible_connections,
)
from brainrnn.plots.networks.labels import points_per_unit, text_extents
from brainrnn.plots.networks.layers import Layout, spacing
from brainrnn.plots.networks.projection import project
from brainrnn.plots.style import FAINT, INACTIVE, INK, write_at

_COATS = 0.5  # of ink, one over the other, from which on lines are drawn with less
_THICK = 0.008  # the thickest line, of the picture's width
_SMALLEST, _LARGEST = 1.0, 4.5  # discs, points
_FONT, _SMALLEST_FONT = 9.0, 4.0
_SHADE = 0.75  # opacity of ink in an image


def paint_planes(
    ax: Axes,
    net: Placed,
    member: int,
    layout: Layout,
    grey: Float[np.ndarray, " input"] | None = None,
) -> None:
    """Paint a network on planes, far things first.

    The observer is above all planes, so that what lies above one is never hidden by what lies below
    it: planes are painted upwards, each after the connections that end there and before those that
    start there. Connections between two planes are painted by the depths of their middles, neurons
    of a plane by their own. Shades alone are painted over the connections that start on them, for
    an image under thousands of lines could not be read.

    Parameters
    ----------
    ax : Axes
        With its final limits.
    net : Placed
    member : int
    layout : Layout
        Of that member, on planes.
    grey : (input,), optional
        What shades the inputs, as from :func:`as_grey`.
    """
    scale = points_per_unit(ax)
    lines = visible_connections(net, member, layout)
    touched = touched_neurons(net, member, layout)
    (left, _), (right, _) = layout.limits
    thickest = min(THICKEST, _THICK * scale * (right - left))
    levels = len(layout.chain)
    below = None
    for level, stage in enumerate(layout.chain):
        floor = 1 + level / levels  # in matplotlib's order of painting, below words
        planes, row = layout.planes[stage.name], layout.rows[stage.name]
        if below is not None:
            segments, strength = lines[str(stage.parameter)]
            order = np.argsort(-segments[:, :, 2].mean(1), kind="stable")
            segments, strength = segments[order, :, :2], strength[order]
            coats = _coats(segments, thickest / scale * np.abs(strength), below, planes)
            draw_lines(
                ax,
                segments,
                strength,
                thickest=thickest,
                zorder=floor - 0.5 / levels,
                ink=(_COATS / max(coats, _COATS)) ** 0.2,
            )
        for fold in reversed(range(len(row))):
            _draw_frame(ax, planes[fold], floor)
            _draw_discs(ax, row[fold], touched[stage.name][fold], scale, floor)
        below = planes
    if grey is not None:
        sites = net.anatomy.populations[layout.chain[0].population].sites.numpy()
        discs = layout.rows[layout.chain[0].name][0]
        _shade(ax, discs, spacing(sites), grey, zorder=1 + 0.7 / levels)


def label_planes(
    ax: Axes, layout: Layout, *, input_labels: Sequence[str], output_labels: Sequence[str]
) -> float:
    """Write labels beside the discs of the lowest and of the highest plane.

    Returns
    -------
    float
        How far words reach above the picture, points.
    """
    first, last = layout.rows[layout.chain[0].name][-1], layout.rows[layout.chain[-1].name][0]
    _write_around(ax, first[:, :2], input_labels)
    top = _write_around(ax, last[:, :2], output_labels)
    return max(0.0, top - ax.get_ylim()[1] * points_per_unit(ax))


def as_grey(image: ArrayLike, net: Placed, layout: Layout) -> Float[np.ndarray, " input"]:
    """An image as a grey value of every input.

    Raises
    ------
    InputError
        If the network is not on planes, its inputs are not drawn, or the image is not one for them.
    """
    first = layout.chain[0]
    if not layout.planes or first.parameter is not None:
        raise InputError(
            "an image shades inputs that are drawn on a plane: leave it out for layers on lines, "
            "and for a part without the inputs"
        )
    grey = np.asarray(image, dtype=float)
    sites = net.anatomy.populations[first.population].sites.numpy()
    sides = tuple(len(np.unique(axis)) for axis in sites.T)
    if grey.shape not in (sides, (len(sites),)) or not np.isfinite(grey).all():
        raise InputError(
            f"an image for these inputs has {sides[0]} x {sides[1]} finite grey values, or "
            f"{len(sites)} in a row, got {' x '.join(map(str, grey.shape)) or 'one number'}"
        )
    return grey.clip(0, 1).ravel()


def _draw_frame(ax: Axes, corners: Float[np.ndarray, "corner 3"], zorder: float) -> None:
    ax.add_patch(Polygon(corners[:, :2], fill=False, ec=FAINT, lw=0.6, zorder=zorder))


def _draw_discs(
    ax: Axes,
    discs: Float[np.ndarray, "neuron 3"],
    touched: Bool[np.ndarray, " neuron"],
    scale: float,
    zorder: float,
) -> None:
    order = np.argsort(-discs[:, 2], kind="stable")
    gap = scale * spacing(discs[:, :2]) if len(discs) > 1 else np.inf
    size = np.clip(0.6 * gap, _SMALLEST, _LARGEST)
    colours = to_rgba_array([INACTIVE, INK])[touched[order].astype(int)]
    x, y = discs[order, :2].T
    ax.scatter(x, y, s=size**2, c=colours, lw=0, zorder=zorder)


def _shade(
    ax: Axes,
    discs: Float[np.ndarray, "input 3"],
    side: float,
    grey: Float[np.ndarray, " input"],
    zorder: float,
) -> None:
    """Darken the square of the plane around each disc."""
    square = np.array([[-1, -1, 0], [-1, 1, 0], [1, 1, 0], [1, -1, 0]]) / 2
    cells = discs[:, None, :2] + project(side * square)[:, :2]
    colours = to_rgba_array([INK] * len(grey), _SHADE * grey)
    ax.add_collection(PolyCollection(cells, facecolors=colours, edgecolors="none", zorder=zorder))


def _coats(
    segments: Float[np.ndarray, "line end 2"],
    widths: Float[np.ndarray, " line"],
    *planes: Float[np.ndarray, "_fold corner 3"],
) -> float:
    """How often lines would cover the room between two planes, on the average."""
    lengths = np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1)
    corners = np.concatenate([plane[..., :2].reshape(-1, 2) for plane in planes])
    room = float(np.ptp(corners, axis=0).prod())
    return float(lengths @ widths) / room if room else 0.0


def _write_around(ax: Axes, discs: Float[np.ndarray, "neuron 2"], texts: Sequence[str]) -> float:
    """Write a text beside each disc, away from their middle, no two of them touching.

    Returns how high the highest ends, points.
    """
    if not len(texts):
        return -np.inf
    points = discs * points_per_unit(ax)
    extent = text_extents(texts) + np.array([0.0, 0.2])
    away = (points - points.mean(0)) / np.maximum(np.ptp(points, axis=0), 1) ** 2
    length = np.linalg.norm(away, axis=1, keepdims=True)
    outside = length > 1e-9
    away = np.where(outside, away / np.where(outside, length, 1), [0.0, 1.0])
    shift = away * (4 + _FONT / 2 * (np.abs(away) * extent).sum(1, keepdims=True))
    middle = points + shift
    apart = np.abs(middle[:, None] - middle)
    fits = (2 * apart / (extent[:, None] + extent)).max(2)  # the size at which two would touch
    np.fill_diagonal(fits, np.inf)
    size = max(min(_FONT, 0.95 * fits.min()), _SMALLEST_FONT)
    for text, disc, offset in zip(texts, discs, shift, strict=True):
        style = {"ha": "center", "va": "center", "fontsize": size, "path_effects": [HALO]}
        write_at(ax, text, disc, offset, color=INK, **style)
    return float((middle + size * extent / 2)[:, 1].max())
