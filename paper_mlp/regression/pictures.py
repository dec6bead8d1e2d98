"""How neurons at the last token follow the weight scalar w, alone and in pairs.

"Seeing Is Believing", Fig. 7 (right middle and bottom) and Fig. A7 (bottom right).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from brainrnn.errors import InputError
from brainrnn.networks import Transformer
from brainrnn.plots.style import INK, POSITIVE, new_figure, open_frame
from paper_mlp.regression.names import stage_name
from paper_mlp.regression.probes import STAGE, last_token, probe_groups, weight_probes
from paper_mlp.regression.sequences import weight_scalar
from tasks.fixed import FixedTask

PAIRS = 3  # drawn
_COLUMNS = 6


def plot_stage_by_weight(
    net: Transformer, task: FixedTask, member: int = 0, *, stage: str = STAGE
) -> Figure:
    """Draw the activation of every probed neuron of a stage at the last token against w.

    Test sequences; one panel for each neuron that :func:`weight_probes` probes, by site, with its
    |correlation| with w and the R^2 of its non-linear probe.

    Raises
    ------
    InputError
        If no neuron varies, or for what :func:`weight_probes` refuses.
    """
    table = probe_groups(net, task, 1, member, stage=stage)
    if table.empty:
        raise InputError(f"no active neuron of {stage_name(stage)} varies: nothing to draw")
    w = weight_scalar(task, task.test)
    activity = last_token(net, task.test, member, stage=stage)
    columns = min(_COLUMNS, len(table))
    rows = -(-len(table) // columns)
    figure = new_figure(0.3 + 1.45 * columns, 0.35 + 1.45 * rows)
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax in axes.flat[len(table) :]:
        ax.set_axis_off()
    probes: list[Any] = list(table.itertuples())
    for ax, probe in zip(axes.flat, probes, strict=False):
        values = activity[:, probe.neurons[0]]
        ax.scatter(w, values, s=2, lw=0, color=POSITIVE, alpha=0.5, rasterized=True)
        ax.set_title(
            f"neuron {probe.sites[0]}\n$|r|$ {probe.correlation:.2f}, $R^2$ {probe.r2:.2f}",
            fontsize=7,
            color=INK,
        )
        ax.tick_params(labelsize=6)
        open_frame(ax)
    figure.supxlabel("weight scalar $w$", fontsize=9, color=INK)
    figure.supylabel(f"activation in {stage_name(stage)}", fontsize=9, color=INK)
    return figure


def plot_pairs(net: Transformer, task: FixedTask, member: int = 0, *, stage: str = STAGE) -> Figure:
    """Draw the pairs of neurons that tell w best, one against the other, coloured by w.

    The three best pairs of :func:`weight_probes` at the last token of the test sequences, or fewer
    if there are fewer. R^2 is that of the non-linear probe.

    Raises
    ------
    InputError
        If fewer than two neurons vary, or for what :func:`weight_probes` refuses.
    """
    table = weight_probes(net, task, member, stage=stage)
    best = table[table.kind == "pair"].head(PAIRS)
    if best.empty:
        raise InputError(
            f"fewer than two active neurons of {stage_name(stage)} vary: there is no pair to draw"
        )
    w = weight_scalar(task, task.test)
    activity = last_token(net, task.test, member, stage=stage)
    figure = new_figure(2.8 * len(best) + 0.7, 2.9)
    axes = np.atleast_1d(figure.subplots(1, len(best)))
    pairs: list[Any] = list(best.itertuples())
    for ax, pair in zip(axes, pairs, strict=True):
        x, y = activity[:, list(pair.neurons)].T
        points = ax.scatter(x, y, c=w, cmap="viridis", s=5, lw=0, rasterized=True)
        for axis, site in zip((ax.xaxis, ax.yaxis), pair.sites, strict=True):
            axis.set_label_text(f"{stage_name(stage)} neuron {site}", fontsize=9)
        ax.set_title(f"$R^2$ = {pair.r2:.3f}", fontsize=9, color=INK)
        ax.tick_params(labelsize=7)
        open_frame(ax)
    bar = figure.colorbar(points, ax=axes, pad=0.02, aspect=25)
    bar.set_label("weight scalar $w$", fontsize=9)
    bar.ax.tick_params(labelsize=7)
    return figure
