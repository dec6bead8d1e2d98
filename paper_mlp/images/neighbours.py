"""Which classes became neighbours on the ring of outputs (Section 3.5, Fig. 8)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int, Num
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from brainrnn.analysis.space.permutation import Statistic, permutation_test
from brainrnn.errors import InputError
from brainrnn.networks import MLP
from brainrnn.plots.style import FAINT, INK, POSITIVE, new_figure, no_frame
from paper_mlp.images.ring import adjacency, class_order
from tasks.fixed import FixedTask

_COLUMNS = 5  # rings in a row
_SHARE = LinearSegmentedColormap.from_list("share", ["white", POSITIVE])


def neighbour_table(net: MLP, task: FixedTask) -> pd.DataFrame:
    """Count in how many networks two classes are neighbours on the ring.

    Parameters
    ----------
    net : MLP
        With outputs on a ring.
    task : FixedTask
        Its output labels name the classes.

    Returns
    -------
    DataFrame
        A row per pair of classes, ``one`` and ``other``, most frequent first: in how many
        ``networks`` they are neighbours, the ``share`` of all, the ``chance`` level, 2 of n - 1
        for n classes in random order, and whether they were neighbours at the ``start``. Classes
        stand in their order before the first swap, so that pairs that are neighbours then are
        neighbours more often than by chance, even if nothing moves.

    Raises
    ------
    InputError
        If the outputs do not stand on a ring.
    """
    beside = adjacency(net)
    n = beside.shape[1]
    one, other = np.triu_indices(n, 1)
    count = beside.sum(0)[one, other]
    labels = np.array(task.output_labels or range(n))
    table = pd.DataFrame(
        {
            "one": labels[one],
            "other": labels[other],
            "networks": count,
            "share": count / net.members,
            "chance": 2 / (n - 1),
            "start": np.isin(other - one, (1, n - 1)),
        }
    )
    return table.sort_values("networks", ascending=False, kind="stable", ignore_index=True)


def one_beside_seven(net: MLP, task: FixedTask) -> Bool[np.ndarray, " member"]:
    """Whether classes 1 and 7 became neighbours on the ring, (member,) bool (Section 3.5).

    By chance, they are in 2 of 9 networks.

    Raises
    ------
    InputError
        If the outputs do not stand on a ring, or the task has no classes 1 and 7.
    """
    if not {"1", "7"} <= set(task.output_labels):
        raise InputError(f"task {task.name!r} has no classes 1 and 7: it takes images of digits")
    return adjacency(net)[:, task.output_labels.index("1"), task.output_labels.index("7")]


def class_similarity(
    net: MLP, task: FixedTask
) -> dict[str, Float[np.ndarray, "member output output"]]:
    """How alike the classes are, by what the network makes of them and by their images.

    Returns
    -------
    dict of str to (member, class, class) float64
        ``weights``: Pearson's correlation of the |weights| that lead to two outputs; ``images``:
        that of the mean training images of two classes. 0 where one does not vary.

    Raises
    ------
    InputError
        If the task is not a classification.
    """
    if not task.classes:
        raise InputError(f"the answers of task {task.name!r} are no classes: it takes suite images")
    weight = net.get_parameter(f"fc{net.depth - 1}.weight").detach().abs().double()
    member = torch.nn.functional.one_hot(task.train.targets, task.n_outputs).double()
    mean = (member.T @ task.train.inputs.double()) / member.sum(0).clamp(min=1)[:, None]
    return {
        "weights": _correlation(weight).cpu().numpy(),
        "images": _correlation(mean).expand(net.members, -1, -1).cpu().numpy(),
    }


def similarity_table(net: MLP, task: FixedTask, *, n: int = 10_000, seed: int = 0) -> pd.DataFrame:
    """Compare the similarity of neighbours on the ring with that in random orders of the classes.

    Parameters
    ----------
    net : MLP
        With outputs on a ring.
    task : FixedTask
    n : int
        Number of random orders.
    seed : int

    Returns
    -------
    DataFrame
        A row per ``member`` and ``similarity`` (:func:`class_similarity`): the mean over
        ``neighbours`` on the ring, the mean over random orders, ``chance``, and the share of them
        in which neighbours are at least as similar, ``p``
        (:func:`brainrnn.analysis.permutation_test`).

    Raises
    ------
    InputError
        If the outputs do not stand on a ring, the task is not a classification, or ``n`` is
        below 1.
    """
    similarity = class_similarity(net, task)
    rows = []
    for member, order in enumerate(class_order(net)):
        statistics = {name: _around(values[member]) for name, values in similarity.items()}
        test = permutation_test(statistics, order, n=n, seed=seed, alternative="greater")
        rows.append(
            pd.DataFrame(
                {
                    "member": member,
                    "similarity": list(statistics),
                    "neighbours": test.observed.values,
                    "chance": test.null_mean.values,
                    "p": test.p.values,
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def plot_neighbours(net: MLP, task: FixedTask, titles: Sequence[str] = ()) -> Figure:
    """Draw the ring of outputs of every network, and how often two classes are neighbours.

    Numbers in the matrix count networks; pairs that were neighbours before the first swap have a
    frame. In the rings, the more networks share a neighbourhood, the darker its line.

    Parameters
    ----------
    net : MLP
        With outputs on a ring; all its members are drawn.
    task : FixedTask
    titles : sequence of str
        Written inside each ring.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the outputs do not stand on a ring.
    """
    order, count = class_order(net), adjacency(net).sum(0)
    labels = task.output_labels or tuple(map(str, range(order.shape[1])))
    columns = min(net.members, _COLUMNS)
    rows = -(-net.members // columns)
    figure = new_figure(1.35 * columns + 3.6, max(1.35 * rows, 3.3))
    left, right = figure.subfigures(1, 2, width_ratios=[1.35 * columns, 3.6])
    axes = left.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes:
        ax.set_axis_off()
    for ax, classes in zip(axes, order, strict=False):
        share = count[classes, np.roll(classes, -1)] / net.members
        _draw_ring(ax, [labels[i] for i in classes], share)
    for ax, title in zip(axes, titles, strict=False):
        ax.text(0, 0, title, ha="center", va="center", fontsize=8, color=INK)
    _draw_counts(right.add_subplot(), count, labels, net.members)
    return figure


def _draw_ring(ax: Axes, labels: list[str], share: Float[np.ndarray, " output"]) -> None:
    """Draw labels round a circle, and an arc from each to the next as dark as its share."""
    n = len(labels)
    angle = 2 * np.pi * np.arange(n) / n
    for i, colour in enumerate(_SHARE(0.15 + 0.85 * share)):
        arc = np.linspace(angle[i], angle[i] + 2 * np.pi / n, 20)
        ax.plot(np.cos(arc), np.sin(arc), color=colour, lw=2.5, zorder=1)
    for label, x, y in zip(labels, np.cos(angle), np.sin(angle), strict=True):
        ax.text(
            x,
            y,
            label,
            ha="center",
            va="center",
            fontsize=8,
            color=INK,
            bbox={"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": "none"},
        )
    ax.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), aspect="equal")


def _draw_counts(
    ax: Axes, count: Int[np.ndarray, "output output"], labels: tuple[str, ...], networks: int
) -> None:
    n = len(labels)
    below = np.tril(np.ones((n, n), bool), -1)
    ax.imshow(np.where(below, count / networks, np.nan), cmap=_SHARE, vmin=0, vmax=1)
    for i, j in np.argwhere(below):
        dark = count[i, j] > networks / 2
        if count[i, j]:
            colour = "white" if dark else INK
            ax.text(j, i, f"{count[i, j]}", ha="center", va="center", fontsize=8, color=colour)
        if i - j in (1, n - 1):
            ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, edgecolor=FAINT, lw=0.8))
    ax.set_xticks(range(n - 1), labels[:-1])
    ax.set_yticks(range(1, n), labels[1:])
    ax.tick_params(length=0, labelsize=8)
    ax.set(xlim=(-0.55, n - 1.45), ylim=(n - 0.45, 0.45))
    no_frame(ax)
    ax.set_title(
        f"neighbours in how many of {networks} networks\n"
        f"(chance {2 * networks / (n - 1):.1f}; framed: at the start)",
        fontsize=8,
        color=INK,
    )


def _around(similarity: Float[np.ndarray, "output output"]) -> Statistic:
    """Mean similarity of neighbours on a ring, of classes (batch, place)."""
    table = torch.from_numpy(similarity)

    def statistic(classes: Num[Tensor, "permutation output"]) -> Float[Tensor, " permutation"]:
        here = classes.long()
        return table[here, here.roll(-1, 1)].mean(1)

    return statistic


def _correlation(values: Float[Tensor, "*member row column"]) -> Float[Tensor, "*member row row"]:
    """Pearson's correlation of the rows, (..., row, column) -> (..., row, row)."""
    centred = values - values.mean(-1, keepdim=True)
    size = centred.norm(dim=-1, keepdim=True)
    unit = torch.where(size > 0, centred / size, 0)
    return unit @ unit.mT
