"""What the first layer looks for in an image ("Seeing Is Believing", Appendix G, Fig. A9)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from brainrnn.analysis.feedforward.receptive import image_shape, receptive_fields
from brainrnn.analysis.graph.live import active_neurons, check_member
from brainrnn.errors import InputError
from brainrnn.networks import MLP
from brainrnn.plots.style import FAINT, INK, POSITIVE, new_figure, open_frame
from brainrnn.wiring_cost.strength import wiring_strength
from paper_mlp.images.pixels import SIGNED, check_image, first_hidden
from tasks.fixed import FixedTask

_COLUMNS = 10  # features in a row
_SIDE = 0.62  # of a feature, inches
_CURVE = 2.4  # height of the scores by rank, inches
_HEAD, _GAP = 0.26, 0.12  # room for a score, and between features, of a feature's side


def feature_scores(net: MLP) -> xr.DataArray:
    """How strong the features of the first layer are: the sum of |weights| into each neuron.

    "For each feature, we compute its score as the sum of absolute weights" (Appendix G). In the
    published notebook, the score is that of the swaps, which also counts the weights that leave the
    neuron.

    Parameters
    ----------
    net : MLP
        Of images.

    Returns
    -------
    (member, neuron) float64
        Neurons in the order of the parameters.

    Raises
    ------
    InputError
        If the network's inputs are not the pixels of an image.
    """
    image_shape(net)
    score, _ = wiring_strength(net, first_hidden(net))
    return xr.DataArray(
        score.double().cpu().numpy(),
        dims=("member", "neuron"),
        attrs={"long_name": "sum of |weights|", "units": "1"},
    )


def active_features(net: MLP) -> Bool[np.ndarray, "member neuron"]:
    """Features that matter, (member, neuron) bool: those on a live path from a pixel to an output.

    See :func:`brainrnn.analysis.active_neurons`.

    Raises
    ------
    InputError
        If the network's inputs are not the pixels of an image.
    """
    image_shape(net)
    return active_neurons(net)[first_hidden(net)].cpu().numpy()


def count_features(net: MLP) -> Int[np.ndarray, " member"]:
    """How many features of the first layer are active, (member,) int64.

    The paper sees 38 "features with large scores" in one network (Appendix G) and does not say what
    is large; here, a feature counts if it is active (:func:`active_features`).

    Raises
    ------
    InputError
        If the network's inputs are not the pixels of an image.
    """
    return active_features(net).sum(1)


def plot_features(net: MLP, task: FixedTask, member: int = 0) -> Figure:
    """Draw the active features of one network from the highest score to the lowest (Fig. A9).

    Blue pixels have positive weights and red ones negative; each feature is drawn relative to its
    own largest |weight|, and its score says how strong it is. Features that are not active are
    counted but not drawn. To the right, the scores of all features by rank.

    Parameters
    ----------
    net : MLP
    task : FixedTask
        Of images.
    member : int
        Which network.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no such network, its inputs are not the task's pixels, or no feature is active.
    """
    check_member(net, member)
    check_image(net, task)
    one = net.select(member)
    scores, active = feature_scores(one).values[0], active_features(one)[0]
    order = np.argsort(-scores, kind="stable")
    ranked = order[active[order]]
    n = len(ranked)
    if n == 0:
        raise InputError("the network has no active feature: there is nothing to draw")
    columns = min(n, _COLUMNS)
    width = columns * _SIDE * (1 + _GAP)
    height = -(-n // columns) * _SIDE * (1 + _HEAD)
    rest = max(height - _CURVE, 0.01)  # room below the curve, inches
    figure = new_figure(width + 3.4, max(height, _CURVE) + 0.7)
    grid = figure.add_gridspec(2, 2, width_ratios=[width, 2.9], height_ratios=[_CURVE, rest])
    left = figure.add_subplot(grid[:, 0])
    _draw_features(left, receptive_fields(one)[0, ranked], scores[ranked], columns)
    left.set_title(
        f"{n} of {len(scores)} features are active. Blue: positive, red: negative,\n"
        "each relative to its largest |weight|. Numbers: scores.",
        fontsize=9,
        color=INK,
        loc="left",
    )
    _draw_scores(figure.add_subplot(grid[0, 1]), scores[order], active[order])
    return figure


def _draw_features(
    ax: Axes,
    images: Float[np.ndarray, "neuron row column"],
    scores: Float[np.ndarray, " neuron"],
    columns: int,
) -> None:
    """Draw all features in one picture, with room for a score above each."""
    n, high, wide = images.shape
    head, gap = _HEAD * high, _GAP * wide
    largest = np.abs(images).max((1, 2), keepdims=True)
    row, column = np.divmod(np.arange(n), columns)
    x, y = column * (wide + gap), row * (high + head)
    for image, left, top in zip(images / largest, x, y, strict=True):
        ax.imshow(
            image,
            cmap=SIGNED,
            vmin=-1,
            vmax=1,
            extent=(left, left + wide, top + high, top),
            interpolation="nearest",
        )
    frames = [Rectangle((a, b), wide, high) for a, b in zip(x, y, strict=True)]
    ax.add_collection(PatchCollection(frames, facecolor="none", edgecolor=FAINT, lw=0.4))
    for score, left, top in zip(scores, x, y, strict=True):
        ax.text(
            left + wide / 2,
            top - 0.04 * high,
            f"{score:#.3g}".rstrip("."),
            ha="center",
            va="bottom",
            fontsize=7,
            color=INK,
        )
    ax.set_xlim(-0.5, columns * (wide + gap) - gap + 0.5)
    ax.set_ylim(y[-1] + high + 0.5, -head)
    ax.set_aspect("equal", anchor="NW")
    ax.set_axis_off()


def _draw_scores(
    ax: Axes, scores: Float[np.ndarray, " neuron"], active: Bool[np.ndarray, " neuron"]
) -> None:
    rank = np.arange(1, len(scores) + 1)
    for kind, colour, label in ((active, POSITIVE, "active"), (~active, FAINT, "not active")):
        if kind.any():
            ax.scatter(rank[kind], scores[kind], s=9, color=colour, lw=0, label=label)
    ax.set_xlabel("rank of the feature", fontsize=9, color=INK)
    ax.set_ylabel("score (sum of |weights|)", fontsize=9, color=INK)
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.tick_params(labelsize=8)
    ax.legend(frameon=False, fontsize=8)
    open_frame(ax)
