"""Signs of weights: is the middle layer negative and the last one positive? (Fig. A8)."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from brainrnn.analysis.feedforward.signs import sign_table
from brainrnn.analysis.graph.live import check_member, live_connections
from brainrnn.errors import InputError
from brainrnn.networks import MLP
from brainrnn.plots.style import INK, NEGATIVE, POSITIVE, new_figure, open_frame
from tasks.fixed import FixedTask

LIVE = 0.05  # of a layer's largest |weight|
_MARKED = 100  # ranks, at most, whose points are marked


def middle_layer_negative(net: MLP, task: FixedTask) -> Bool[np.ndarray, " member"]:
    """Whether more live weights of the middle layer are negative than positive, (member,) bool.

    Section 3.5 says so: "pattern mismatching". In a network of more than three layers, every layer
    between the first and the last must be so.

    The paper contradicts itself: by the caption of Fig. A8 and by Appendix G, positive weights
    dominate in layer 2 and negative ones in layer 3. That figure's legend is at fault, for the
    published notebook draws the negative weights first and labels them "positive". With the labels
    exchanged, the figure agrees with Section 3.5 and with the colours of Fig. 8.

    Raises
    ------
    InputError
        If the network has no middle layer.
    """
    table = sign_table(net)
    middle = table[(table.layer > 1) & (table.layer < net.depth)]
    if middle.empty:
        raise InputError(
            f"a network of {net.depth} layers of weights has no middle one: it takes 3 or more"
        )
    negative = (middle.negative > middle.positive).groupby(middle.member).all()
    return negative.to_numpy()


def last_layer_positive(net: MLP, task: FixedTask) -> Bool[np.ndarray, " member"]:
    """Whether more live weights of the last layer are positive than negative, (member,) bool.

    Section 3.5 says so; on Fig. A8, see :func:`middle_layer_negative`.
    """
    table = sign_table(net)
    last = table[table.layer == net.depth]
    return (last.positive > last.negative).to_numpy()


@torch.no_grad()
def plot_weight_ranks(net: MLP, task: FixedTask, member: int = 0) -> Figure:
    """Draw the magnitudes of one network's weights by rank, positive and negative apart (Fig. A8).

    One panel per layer, out to the last live weight; a dotted line marks the fraction of the
    largest |weight| above which weights are live. Unlike in the paper's figure, the
    labels are right (:func:`middle_layer_negative`).

    Parameters
    ----------
    net : MLP
    task : FixedTask
    member : int
        Which network.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no such network, or it has a layer without live weights.
    """
    check_member(net, member)
    one = net.select(member)
    live = {
        name: kept[0].cpu().numpy() for name, kept in live_connections(one, threshold=LIVE).items()
    }
    if not all(kept.any() for kept in live.values()):
        raise InputError("a layer of the network has no live weight: there is nothing to rank")
    figure = new_figure(2.7 * len(live), 2.7)
    axes = figure.subplots(1, len(live), squeeze=False)[0]
    for layer, (ax, (name, kept)) in enumerate(zip(axes, live.items(), strict=True), start=1):
        weight = one.get_parameter(name)[0].double().cpu().numpy()
        numbers = {sign: int((kept & (sign * weight > 0)).sum()) for sign in (1, -1)}
        end = 1.05 * max(numbers.values()) + 1
        for sign, colour, word in ((1, POSITIVE, "positive"), (-1, NEGATIVE, "negative")):
            size = np.sort(sign * weight[sign * weight > 0])[::-1][: int(end)]
            ax.plot(
                np.arange(1, len(size) + 1),
                size,
                color=colour,
                lw=1.4,
                marker="." if end < _MARKED else None,
                ms=5,
                label=f"{numbers[sign]} {word}",
            )
        ax.axhline(
            LIVE * np.abs(weight).max(),
            color=INK,
            lw=0.7,
            ls=":",
            label=f"{LIVE:.0%} of the largest".replace("%", " %") if layer == 1 else None,
        )
        ax.set_xlim(0, end)
        ax.set_ylim(bottom=0)
        ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        ax.set_title(f"layer {layer}", fontsize=10, color=INK)
        ax.set_xlabel("rank", fontsize=9, color=INK)
        ax.tick_params(labelsize=8)
        ax.legend(frameon=False, fontsize=8)
        open_frame(ax)
    axes[0].set_ylabel("|weight|", fontsize=9, color=INK)
    return figure
