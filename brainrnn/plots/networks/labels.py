"""Words under or over points in a row, as large as the room between the points allows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import cast

import numpy as np
from jaxtyping import Float
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from brainrnn.plots.style import INK, write_at

_READABLE = 7.0  # points; smaller labels rather take turns on two lines
_SMALLEST = 5.0


def points_per_unit(ax: Axes) -> float:
    """Length of one unit of x on paper, in points; an estimate where the layout is automatic.

    It does not depend on whether the layout has been made yet, so that frames of an animation look
    alike.
    """
    figure, spec = cast(Figure, ax.figure), ax.get_subplotspec()
    box = ax.get_position(original=True) if spec is None else spec.get_position(figure)
    units = np.array([np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim())])
    scale = 72 * np.array([box.width, box.height]) * figure.bbox.size / figure.dpi / units
    one_scale = ax.get_aspect() == 1
    across = float(scale.min() if one_scale else scale[0])
    automatic = figure.get_layout_engine() is not None
    return across * (1.2 if automatic else 1)  # narrower margins than those of the grid


def write_labels(
    ax: Axes,
    points: Float[np.ndarray, "text coordinate"],
    texts: Sequence[str],
    *,
    offset: float | int,
    largest: float | int = 10,
    colour: str = INK,
) -> float:
    """Write a text at each of a row of points, in one size, so that no two touch each other.

    Texts that would become too small to read on one line take turns on two.

    Parameters
    ----------
    ax : Axes
        With its final limits in x.
    points : (text, 2 or 3)
        Right and up; how far away does not matter.
    texts : sequence of str
        Matplotlib's mathematical text is understood.
    offset : float
        How far above (positive) or below the points, in points of type.
    largest : float
        Font size where there is room.
    colour : str

    Returns
    -------
    float
        How far the texts reach from the points, in points of type; 0 without texts.
    """
    if not len(texts):
        return 0.0
    width, height = text_extents(texts).T
    order = np.argsort(points[:, 0], kind="stable")
    across = points[:, 0] * points_per_unit(ax)
    one, two = (
        min(_fitting_size(across[turn], width[turn]) for turn in turns)
        for turns in ([order], [order[::2], order[1::2]])
    )
    lines = 1 if one >= min(largest, _READABLE) else 2
    size = min(largest, one if lines == 1 else max(two, _SMALLEST))
    line = math.copysign(1.3 * size, offset)
    for rank, i in enumerate(order):
        shift = (0, offset + line * (rank % lines))
        va = "bottom" if offset > 0 else "top"
        write_at(
            ax, texts[i], points[i, :2], shift, ha="center", va=va, fontsize=size, color=colour
        )
    descent = 0.3  # which matplotlib leaves under every text
    return abs(offset + line * (lines - 1)) + size * (float(height.max()) + descent)


def text_extents(texts: Sequence[str]) -> Float[np.ndarray, "text 2"]:
    """Width and height of texts, in units of the font size."""
    family = tuple(rcParams["font.family"])
    return np.array([_extent(text, family) for text in texts]) / 100


@lru_cache(maxsize=10_000)  # the frames of an animation repeat them
def _extent(text: str, family: tuple[str, ...]) -> Float[np.ndarray, "2"]:
    font = FontProperties(family=list(family))
    return cast(np.ndarray, TextPath((0, 0), text, size=100, prop=font).get_extents().size)


def _fitting_size(across: Float[np.ndarray, " text"], width: Float[np.ndarray, " text"]) -> float:
    """Largest size at which texts of these widths, centred at places in order, stay apart."""
    room = np.diff(across) - 3
    return float((2 * room / np.maximum(width[1:] + width[:-1], 1e-3)).min(initial=np.inf))
