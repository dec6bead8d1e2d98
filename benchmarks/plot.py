"""A connectivity graph drawn and written as a picture, against one ``plot`` call for every edge."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure

import brainrnn as br
from benchmarks.timing import Comparison, Setting, compare
from brainrnn.plots import draw_network


def comparisons(setting: Setting) -> Iterator[Comparison]:
    side = setting.either(400, 100)
    net = br.MLP.on_lines(side, side, br.MLPSpec(hidden=()))
    edges = setting.either(2000, 500)  # of which the other side draws so many
    yield compare(
        f"a graph of {side**2:,} connections",
        lambda: picture(draw_network(net)),
        partial(one_plot_each, net, edges),
        rounds=setting.either(5, 2),
        part=edges / side**2,
        least=setting.either(50, 10),
    )


def picture(figure: Figure) -> None:
    """Write a figure as PNG."""
    figure.savefig(io.BytesIO(), format="png", dpi=150)


def one_plot_each(net: br.MLP, edges: int) -> None:
    """Draw the first so many connections as the published notebooks do."""
    weight = net.get_parameter("fc0.weight")[0].detach()
    x = [population.sites[:, 0] for population in net.anatomy.populations.values()]
    figure, ax = plt.subplots()
    largest = weight.abs().max()
    for row, column in torch.cartesian_prod(*map(torch.arange, weight.shape))[:edges].tolist():
        w = weight[row, column]
        ax.plot(
            [x[0][column], x[1][row]],
            [0, 1],
            color="blue" if w > 0 else "red",
            lw=2 * float(w.abs() / largest),
        )
    picture(figure)
    plt.close(figure)
