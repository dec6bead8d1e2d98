"""Lines on paper; of thousands, only those are painted that others leave in sight."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.artist import allow_rasterization
from matplotlib.collections import LineCollection
from matplotlib.path import Path

_UNIT = Path([[0.0, 0.0], [1.0, 0.0]])
_MANY = 2000  # lines that are kept as pixels, so that vector files stay small
_COATS = 8.0  # under which nothing shows; exp(-6) would do, if ink lay evenly
_CELLS = 64  # along each side of the picture, where coats are counted
_GROUPS = 32  # of lines, hidden by earlier groups but not by each other


def collect(
    segments: Float[np.ndarray, "line end 2"], *, colors: Float[np.ndarray, "line 4"], **style: Any
) -> LineCollection:
    """Lines to be painted in this order; many of them as pixels, in vector files too.

    Parameters
    ----------
    segments : (line, 2, 2)
    colors : (line, 4)
    **style
        Of a LineCollection.
    """
    if len(segments) > _MANY:
        return _Crowd(segments, colors=colors, rasterized=True, **style)
    return LineCollection(list(segments), colors=colors, **style)


class _Crowd(LineCollection):
    """Many lines, of which only those in sight are painted, and none becomes a path of its own.

    Both are slow. Every line is the same unit line, moved to its place by a matrix.
    """

    def __init__(self, segments: Float[np.ndarray, "line end 2"], **style: Any) -> None:
        super().__init__([], **style)
        self._ends = segments
        self._places = np.zeros((len(segments), 3, 3))  # from (0, 0) and (1, 0) to both ends
        self._places[:, :2, 0] = segments[:, 1] - segments[:, 0]
        self._places[:, :2, 2] = segments[:, 0]
        self._places[:, 2, 2] = 1

    def get_segments(self) -> list[Float[np.ndarray, "end 2"]]:
        return list(self._ends)

    @allow_rasterization  # here, so that pixels are those of the picture that is written
    def draw(self, renderer: Any) -> None:
        self.update_scalarmappable()  # or the first drawing would do so, and take all colours again
        widths, colours = np.asarray(self.get_linewidth()), np.asarray(self.get_colors())
        pixels = self.get_transform().transform(self._ends.reshape(-1, 2)).reshape(-1, 2, 2)
        seen = in_sight(pixels, np.asarray(renderer.points_to_pixels(widths)), colours[:, 3])
        # What Collection.draw reads; its setters would go through the lines one by one.
        shown = {
            "_paths": [_UNIT],
            "_transforms": self._places[seen],
            "_offsets": np.zeros((seen.sum(), 2)),  # as many as there are lines
            "_linewidths": widths[seen],
            "_edgecolors": colours[seen],
        }
        kept = {name: getattr(self, name) for name in shown}
        try:
            vars(self).update(shown)
            super().draw(renderer)
        finally:
            vars(self).update(kept)


def in_sight(
    segments: Float[np.ndarray, "line end 2"],
    widths: Float[np.ndarray, " line"],
    opacity: Float[np.ndarray, " line"],
) -> Bool[np.ndarray, " line"]:
    """Which of many lines, each painted over those before it, are seen in the end.

    From the top line down, ink is added up in every cell of a grid. Lines that lie anyhow and have
    the area of s cells let exp(-s) of what is below shine through, if they are opaque. A line is
    hidden if every cell that it crosses has thick coats of ink.

    Parameters
    ----------
    segments : (line, 2, 2)
        In the units of widths.
    widths, opacity : (line,)
    """
    low = segments.min((0, 1))
    cell = np.maximum(np.ptp(segments, axis=(0, 1)) / _CELLS, 1e-9)
    start, end = np.moveaxis(((segments - low) / cell).astype(np.float32), 1, 0)
    area = widths * np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1)
    ink = opacity * area / cell.prod() / _CELLS  # coats that each point of a line adds to its cell
    along = (np.arange(_CELLS, dtype=np.float32) + 0.5) / _CELLS
    coats = np.zeros(_CELLS**2)
    seen = np.zeros(len(segments), bool)
    for group in np.array_split(np.arange(len(segments))[::-1], _GROUPS):
        origin, step = start[group], end[group] - start[group]
        column, row = (
            np.minimum(origin[:, [axis]] + step[:, [axis]] * along, _CELLS - 1).astype(int)
            for axis in (0, 1)
        )
        crossed = row * _CELLS + column  # (line, point)
        some = (coats[crossed] < _COATS).any(1)
        seen[group] = some
        coats += np.bincount(
            crossed[some].ravel(), np.repeat(ink[group[some]], _CELLS), minlength=len(coats)
        )
    return seen
