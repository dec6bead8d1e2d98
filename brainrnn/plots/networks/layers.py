"""Where a feed-forward network is drawn: layers one above the other, neurons at their places."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Num
from scipy.spatial import KDTree

from brainrnn.analysis.graph.stages import Stage, stages
from brainrnn.anatomy.placed import Placed
from brainrnn.errors import InputError, unknown
from brainrnn.plots.networks.projection import project

# parameter -> discs of its rows and of its columns
Ends = dict[
    str, tuple[Float[np.ndarray, "_row coordinate"], Float[np.ndarray, "_column coordinate"]]
]

_FOLD = 0.3  # between the layers of two tokens, where stages are 1 apart
_STOREY = 0.85  # between two planes, where the largest is 1 wide
_WIDTH = 2.2  # inches, of the largest plane


@dataclass(frozen=True)
class Layout:
    """Where a network's neurons are on paper.

    Attributes
    ----------
    chain : tuple of Stage
        What is drawn, upwards.
    rows : dict of str to (fold, neuron, 2 or 3)
        The discs of every stage: right and up, and on planes how far away.
    planes : dict of str to (fold, corner, 3)
        The planes of every stage, wide enough for all sites of the network; empty on lines.
    """

    chain: tuple[Stage, ...]
    rows: dict[str, Float[np.ndarray, "_fold _neuron coordinate"]]
    planes: dict[str, Float[np.ndarray, "_fold _corner coordinate"]]

    @property
    def limits(self) -> tuple[Float[np.ndarray, " axis"], Float[np.ndarray, " axis"]]:
        """The lower left and the upper right corner, with a margin; the same wherever swaps lead.

        On lines whose sites are all taken, and on planes.
        """
        drawn = (self.planes or self.rows).values()
        points = np.concatenate([points[..., :2].reshape(-1, 2) for points in drawn])
        low, high = points.min(0), points.max(0)
        if low[0] == high[0]:  # neurons one above the other
            low[0], high[0] = low[0] - 0.5, high[0] + 0.5
        margin = np.array([0.04, 0.03]) * (high - low)
        return low - margin, high + margin

    def size(self, *, titled: bool, panel: bool = False, beside: float = 0) -> tuple[float, float]:
        """Width and height in inches of a figure of its own, or of a panel of one.

        ``beside``: inches of words to the left of planes; rows make room for their own.
        """
        if self.planes:
            low, high = self.limits
            scale = _WIDTH * (0.8 if panel else 1) / (high - low)[0]
            width, height = (high - low) * scale
            return width + 0.2 + beside, height + 0.2 + 0.25 * titled
        width = min(max(3.2, 0.13 * max(row.shape[1] for row in self.rows.values())), 8.0)
        storey = max(0.85, 0.14 * width)
        height = 0.7 + storey * (len(self.rows) - 1) + 0.25 * titled
        return width * (0.8 if panel else 1), height


def lay_out(net: Placed, member: int, part: tuple[str, str] | None = None) -> Layout:
    """Place the neurons of all stages, or of those from the first to the last of ``part``.

    Layers on lines are rows: right is a neuron's place and up its stage, from 0 at the first.
    Layers on planes are seen in a parallel projection (see ``projection.py``). Folds of a source
    are rows or planes below each other, the first in its stage's place.

    Raises
    ------
    InputError
        If the network is not feed-forward, a stage of ``part`` does not exist or does not come
        after the other, or the sites are neither all on lines nor all on planes.
    """
    chain = _drawn_stages(net, part)
    sites = [net.anatomy.populations[stage.population].sites for stage in chain]
    dimensions = sorted({site.shape[1] for site in sites})
    if dimensions not in ([1], [2]):
        raise InputError(
            "a connectivity graph shows layers that are all on lines or all on planes, got sites "
            f"in {' and '.join(map(str, dimensions))} dimensions"
        )
    places = [net.anatomy.positions(stage.population)[member].cpu().numpy() for stage in chain]
    heights = [level - _FOLD * np.arange(_folds(net, chain, level)) for level in range(len(chain))]
    names = [stage.name for stage in chain]
    if dimensions == [1]:
        return Layout(chain, dict(zip(names, map(_stacked, places, heights), strict=True)), {})
    low, high = _ground([site.numpy() for site in sites])
    corners = np.array([low, (low[0], high[1]), high, (high[0], low[1])])
    heights = [_STOREY * (high - low).max() * height for height in heights]
    rows = [project(_stacked(*pair)) for pair in zip(places, heights, strict=True)]
    planes = [project(_stacked(corners, height)) for height in heights]
    return Layout(chain, dict(zip(names, rows, strict=True)), dict(zip(names, planes, strict=True)))


def connection_ends(net: Placed, layout: Layout) -> Ends:
    """Where the rows and the columns of every parameter are drawn, (row, ...), (column, ...)."""
    ends = {}
    for before, stage in pairwise(layout.chain):
        out, source = net.anatomy.wiring[str(stage.parameter)]
        end = np.tile(layout.rows[stage.name][0], (out.folds, 1))
        start = layout.rows[before.name][: source.folds]
        ends[str(stage.parameter)] = end, start.reshape(-1, start.shape[2])
    return ends


def spacing(points: Num[np.ndarray, "point coordinate"]) -> float:
    """Smallest distance between two of several points; 0 of a single one."""
    if len(points) < 2:
        return 0.0
    return float(KDTree(points).query(points, 2)[0][:, 1].min())


def _drawn_stages(net: Placed, part: tuple[str, str] | None) -> tuple[Stage, ...]:
    chain = stages(net)
    if part is None:
        return chain
    names = [stage.name for stage in chain]
    for name in part:
        if name not in names:
            raise InputError(unknown("stage", name, names))
    first, last = map(names.index, part)
    if first >= last:
        raise InputError(f"the part of a network to draw must go upwards, got {part}")
    return chain[first : last + 1]


def _folds(net: Placed, chain: tuple[Stage, ...], level: int) -> int:
    """How many folds of a stage connections start from."""
    if level + 1 == len(chain):
        return 1
    return net.anatomy.wiring[str(chain[level + 1].parameter)][1].folds


def _stacked(
    places: Float[np.ndarray, "place space"], heights: Float[np.ndarray, " height"]
) -> Float[np.ndarray, "height place space+1"]:
    """The same places at every height."""
    shape = (len(heights), len(places))
    columns = [np.broadcast_to(column, shape) for column in places.T]
    return np.stack([*columns, np.broadcast_to(heights[:, None], shape)], axis=-1)


def _ground(
    sites: list[Float[np.ndarray, "_site axis"]],
) -> tuple[Float[np.ndarray, " axis"], Float[np.ndarray, " axis"]]:
    """Two corners of a rectangle with room for all sites, half a spacing around each layer."""
    rooms = [spacing(site) / 2 for site in sites]
    low = np.min([site.min(0) - room for site, room in zip(sites, rooms, strict=True)], axis=0)
    high = np.max([site.max(0) + room for site, room in zip(sites, rooms, strict=True)], axis=0)
    return (low - 0.5, high + 0.5) if np.array_equal(low, high) else (low, high)
