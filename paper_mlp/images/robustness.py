"""How well networks classify shifted, scaled and noisy images, at the same sparsity.

This is not in the paper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainrnn.analysis.feedforward.distortions import DISTORTIONS, distorted_accuracy
from brainrnn.analysis.feedforward.receptive import image_shape
from brainrnn.analysis.graph.pruning import keep_largest
from brainrnn.analysis.graph.stages import connections
from brainrnn.errors import InputError
from brainrnn.networks import MLP
from brainrnn.plots.style import FAINT, INK, new_figure, open_frame
from paper_mlp.by_method import check_methods, method_colour
from paper_mlp.images.pixels import check_image
from paper_mlp.methods import METHODS
from paper_mlp.pruning import evenly_spaced, matched_sparsity
from tasks.fixed import FixedTask

_SHOWN = ("vanilla", "l1", "bimt")  # those that the paper compares in its tables


def robustness_table(
    net: MLP,
    task: FixedTask,
    methods: Sequence[str],
    *,
    amounts: Mapping[str, Sequence[int | float]] | None = None,
    images: int = 2000,
) -> pd.DataFrame:
    """Accuracy of every network on distorted test images, as trained and at matched sparsity.

    At matched sparsity, every network keeps only its k largest connections and its biases
    (:func:`brainrnn.analysis.graph.keep_largest`), where k is the median number of live
    connections of the run's BIMT networks. No network is trained again.

    Parameters
    ----------
    net : MLP
        Of images.
    task : FixedTask
    methods : sequence of str
        Each member's, of ``paper_mlp.methods.METHODS``.
    amounts : mapping of str to sequence of float
        Which of ``DISTORTIONS`` and how much of each; by default, all with their own amounts.
    images : int
        How many of the test images are used, evenly spaced over all of them: of MNIST, every fifth
        by default.

    Returns
    -------
    DataFrame
        A row per ``member``, ``pruned`` (bool), ``distortion`` and ``amount`` (pixels, factor, or
        standard deviation of grey values), with the ``accuracy``, 0 to 1, the mean over the
        directions of a shift; how many ``connections`` the network had, and how many ``images``
        were used.

    Raises
    ------
    InputError
        If the network's inputs are not the task's pixels, there are not as many methods as
        members, no live connection in the BIMT networks, or a distortion is unknown or impossible.
    """
    check_image(net, task)
    kept = matched_sparsity(net, methods)
    total = sum(net.wired(name)[0].numel() for name in connections(net))
    examples = evenly_spaced(task.test, images).to(net.wired("fc0.weight").device)
    parts = [
        distorted_accuracy(network, task.score, examples, image_shape(net), amounts=amounts).assign(
            pruned=pruned, connections=joined, images=len(examples)
        )
        for pruned, network, joined in ((True, keep_largest(net, kept), kept), (False, net, total))
    ]
    return pd.concat(parts, ignore_index=True)


def plot_robustness(
    table: pd.DataFrame, methods: Sequence[str], *, shown: Sequence[str] = _SHOWN
) -> Figure:
    """Draw accuracy against the amount of each distortion, method by method.

    Lines are means over a method's networks. Shades are standard deviations (ddof 1); a single
    network has none. Solid: all networks pruned to the same number of connections. Dashed: as
    trained.

    Parameters
    ----------
    table : DataFrame
        As from :func:`robustness_table`.
    methods : sequence of str
        Each member's.
    shown : sequence of str
        Methods to draw, where there are any; the three that the paper's tables compare by default.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there are not as many methods as members, or none is to be shown.
    """
    check_methods(table.member.nunique(), methods)
    drawn = [method for method in shown if method in methods]
    if not drawn:
        raise InputError(
            f"none of {', '.join(shown)} is a method of these networks: show some of "
            + ", ".join(dict.fromkeys(methods))
        )
    table = table.assign(method=[methods[member] for member in table.member])
    kinds = table.distortion.unique()
    figure = new_figure(2.7 * len(kinds) + 1.9, 2.8)
    axes = figure.subplots(1, len(kinds), squeeze=False, sharey=True)[0]
    for ax, kind in zip(axes, kinds, strict=True):
        for method in drawn:
            _draw(ax, table[(table.distortion == kind) & (table.method == method)], method)
        ax.set_xlabel(DISTORTIONS[kind].label, fontsize=9, color=INK)
        ax.tick_params(labelsize=8)
        open_frame(ax)
    axes[0].set_ylim(0, 1.02)
    axes[0].set_ylabel(f"accuracy, {table.images.iloc[0]} test images", fontsize=9, color=INK)
    left = table.connections[table.pruned].iloc[0]
    axes[-1].plot([], [], color=FAINT, lw=1.6, label=f"{left} connections")
    axes[-1].plot([], [], color=FAINT, lw=1.2, ls="--", label="as trained")
    axes[-1].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _draw(ax: Axes, table: pd.DataFrame, method: str) -> None:
    colour = method_colour(method)
    for pruned, rows in table.groupby("pruned"):
        spread = rows.groupby("amount").accuracy.agg(["mean", "std"])
        ax.plot(
            spread.index,
            spread["mean"],
            color=colour,
            lw=1.6 if pruned else 1.2,
            ls="-" if pruned else "--",
            label=METHODS[method].title if pruned else None,
        )
        low, high = spread["mean"] - spread["std"], spread["mean"] + spread["std"]
        ax.fill_between(spread.index, low, high, color=colour, alpha=0.15, lw=0)
