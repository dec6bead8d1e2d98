"""Whether pixels that carry nothing are pruned (Section 3.5), and maps of the field (Fig. 8)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Shaped
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from brainrnn.analysis.feedforward.receptive import (
    border_distance,
    live_pixels,
    pixel_strength,
    receptive_table,
)
from brainrnn.analysis.graph.live import check_member
from brainrnn.errors import InputError
from brainrnn.networks import MLP
from brainrnn.plots.style import FAINT, INK, NEGATIVE, POSITIVE, new_figure, open_frame
from paper_mlp.images.pixels import check_image, first_hidden
from tasks.fixed import FixedTask

_STRENGTH = LinearSegmentedColormap.from_list("strength", ["white", POSITIVE, INK])


def blank_pixels(task: FixedTask) -> Bool[np.ndarray, "row column"]:
    """Pixels that are zero in all training images, (row, column) bool.

    Raises
    ------
    InputError
        If the task has no images.
    """
    if task.image is None:
        raise InputError(f"task {task.name!r} has no images: take suite 'images'")
    return (task.train.inputs == 0).all(0).cpu().numpy().reshape(task.image)


def blank_pixels_pruned(net: MLP, task: FixedTask) -> pd.DataFrame:
    """How far the pixels that are zero in all training images have been pruned (Section 3.5).

    The data give the weights of such a pixel no gradient: only a penalty can prune them. Without
    one they stay as they were drawn, and a network whose other weights grow past twenty times
    theirs seems to prune them too. Their own size tells the two apart.

    Parameters
    ----------
    net : MLP
    task : FixedTask
        Of images.

    Returns
    -------
    DataFrame
        A row per ``member``: how many pixels are ``blank``, the share of them that is ``pruned``
        (no live connection leaves them), and the mean |weight| that leaves them, ``weight``, and
        that leaves the other pixels, ``other_weight``. NaN where there is no such pixel.

    Raises
    ------
    InputError
        If the network's inputs are not the task's pixels.
    """
    check_image(net, task)
    blank = blank_pixels(task)
    size = pixel_strength(net) / net.anatomy.places(first_hidden(net)).shape[1]
    return pd.DataFrame(
        {
            "member": range(net.members),
            "blank": int(blank.sum()),
            "pruned": _mean(~live_pixels(net)[:, blank]),
            "weight": _mean(size[:, blank]),
            "other_weight": _mean(size[:, ~blank]),
        }
    )


def plot_receptive_fields(
    moments: Sequence[tuple[int, MLP]], task: FixedTask, member: int = 0
) -> Figure:
    """Draw which pixels one network looks at, moment after moment of its training.

    Maps of :func:`pixel_strength`, each relative to its largest, beside the standard deviation of
    every pixel over the training images. Red lines go round the pixels that vary at all, so that
    one sees whether pixels that are always zero are pruned. Last, the share of the pixels at each
    distance from the border that are live.

    Parameters
    ----------
    moments : sequence of (step, net)
    task : FixedTask
        Of images.
    member : int
        Which network of each moment.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no moment, no such network, its inputs are not the task's pixels, or all its
        weights are 0.
    """
    ones = []
    for step, net in moments:
        check_member(net, member)
        check_image(net, task)
        ones.append((step, net.select(member)))
    shrinking = receptive_table(ones)
    if not all(pixel_strength(net).any() for _, net in ones):
        raise InputError("no weight leaves the pixels of the network: there is nothing to draw")
    spread = task.train.inputs.double().std(0).cpu().numpy().reshape(task.image)
    varies = spread > 0

    panels = len(ones) + 1
    figure = new_figure(1.45 * panels + 3.4, 2.3)
    axes = figure.subplots(1, panels + 1, width_ratios=[1.0] * panels + [1.75])
    _draw_map(axes[0], spread, varies, f"training images, sd\n{varies.sum()} pixels vary")
    for ax, (step, net) in zip(axes[1:-1], ones, strict=True):
        title = f"step {step:,}\n{live_pixels(net).sum()} pixels live"
        _draw_map(ax, pixel_strength(net)[0], varies, title)
    _draw_shares(axes[-1], shrinking, varies)
    return figure


def _draw_map(
    ax: Axes,
    values: Float[np.ndarray, "row column"],
    varies: Bool[np.ndarray, "row column"],
    title: str,
) -> None:
    image = values / max(values.max(), np.finfo(float).tiny)
    ax.imshow(image, cmap=_STRENGTH, vmin=0, vmax=1, interpolation="nearest")
    ax.add_collection(LineCollection(list(_outline(varies)), colors=NEGATIVE, lw=0.8))
    ax.set_title(title, fontsize=8, color=INK)
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_color(FAINT)


def _draw_shares(ax: Axes, table: pd.DataFrame, varies: Bool[np.ndarray, "row column"]) -> None:
    ring = border_distance(varies.shape)
    share = [varies[ring == distance].mean() for distance in range(ring.max() + 1)]
    steps = table.step.unique()
    shades = _STRENGTH(np.linspace(0.25, 1, len(steps)))
    for step, shade in zip(steps, shades, strict=True):
        rows = table[table.step == step]
        ax.plot(rows.distance, rows.live / rows.pixels, color=shade, lw=1.4, label=f"step {step:,}")
    ax.plot(share, color=NEGATIVE, lw=1, ls="--", label="vary in training images")
    ax.set_xlabel("pixels from the border", fontsize=8, color=INK)
    ax.set_ylabel("share of live pixels", fontsize=8, color=INK)
    ax.set_ylim(-0.03, 1.05)
    ax.tick_params(labelsize=7)
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    open_frame(ax)


def _outline(mask: Bool[np.ndarray, "row column"]) -> Float[np.ndarray, "edge 2 2"]:
    """Edges between pixels inside and outside of a mask, (edge, end, 2) as x and y."""
    padded = np.pad(mask, 1)
    y, x = np.nonzero(padded[1:-1, 1:] != padded[1:-1, :-1])  # left of pixel x
    upright = np.stack([[x, y], [x, y + 1]])
    y, x = np.nonzero(padded[1:, 1:-1] != padded[:-1, 1:-1])  # above pixel y
    level = np.stack([[x, y], [x + 1, y]])
    return np.concatenate([upright, level], axis=2).transpose(2, 0, 1) - 0.5


def _mean(values: Shaped[np.ndarray, "member pixel"]) -> Float[np.ndarray, " member"]:
    """Mean over pixels, (member,); NaN where there are none."""
    return values.mean(1) if values.shape[1] else np.full(len(values), np.nan)
