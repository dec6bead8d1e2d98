"""How good a sparse network's predictions are, and how they come about (Appendices B.1 and B.3)."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainrnn.analysis.feedforward.activations import stage_activity
from brainrnn.analysis.graph.live import active_neurons, check_member
from brainrnn.errors import InputError
from brainrnn.networks import MLP
from brainrnn.plots.style import FAINT, INK, NEGATIVE, POSITIVE, new_figure, open_frame
from paper_mlp.circuits.quantities import quantities_of, quantity_correlations
from tasks.fixed import FixedTask


@torch.no_grad()
def plot_predictions(net: MLP, task: FixedTask, member: int = 0) -> Figure:
    """Draw what one network predicts against the true targets, in the test examples (Fig. A2).

    One panel per output; RMSE is the root of the mean squared error of that output.

    Raises
    ------
    InputError
        If the task is not a regression, or there is no such network.
    """
    check_member(net, member)
    if task.classes:
        raise InputError(
            f"the answers of task {task.name!r} are classes: draw its decision boundary instead"
        )
    predicted = net.select(member)(task.test.inputs)[0].double().cpu().numpy()
    true = task.test.targets.double().cpu().numpy()
    figure = new_figure(2.9 * task.n_outputs, 3.0)
    axes = figure.subplots(1, task.n_outputs, squeeze=False)[0]
    for i, (ax, label) in enumerate(zip(axes, task.output_labels, strict=True)):
        both = np.stack([true[:, i], predicted[:, i]])
        ends = [both.min(), both.max()]
        ax.plot(ends, ends, color=FAINT, lw=1, zorder=1)
        ax.scatter(*both, s=12, color=POSITIVE, lw=0, alpha=0.7, zorder=2)
        ax.set_aspect("equal", "datalim")
        ax.set_title(label, fontsize=10, color=INK)
        rmse = np.sqrt(np.mean((both[0] - both[1]) ** 2))
        _note(ax, f"RMSE {rmse:.2g}")
        ax.set_xlabel("true")
        open_frame(ax)
    axes[0].set_ylabel("predicted")
    return figure


@torch.no_grad()
def plot_intermediate(net: MLP, task: FixedTask, member: int = 0) -> Figure:
    """Draw the intermediate quantities of a formula against the neurons that follow them best.

    In Fig. 3b, the squares against neurons of A2. In Fig. 3c, I against a neuron of A3, and the
    network's output against that neuron; there the line is the root that it stands for, if the
    activation a = start + slope I is linear in I: the square root of (a - start) / slope (Fig. A3).
    Neurons are numbered by site from 1, as in the paper. r is Pearson's correlation.

    Raises
    ------
    InputError
        If the task has no intermediate quantities, or there is no such network.
    """
    check_member(net, member)
    one = net.select(member)
    quantities, values = quantities_of(one, task)
    correlation = quantity_correlations(one, task)[0]
    activity = stage_activity(one, task.test.inputs, quantities.population)[0]
    active = active_neurons(one)[quantities.population][0].cpu().numpy()
    best = np.where(active[:, None], abs(correlation), -1).argmax(0)  # (quantity,)
    site = one.anatomy.places(quantities.population)[0].tolist()

    composed = task.name == "composition"
    panels = len(quantities.labels) + composed
    figure = new_figure(2.9 * panels, 3.0)
    axes = figure.subplots(1, panels, squeeze=False)[0]
    layer = quantities.population.replace("h", "A")
    for ax, label, value, neuron in zip(axes, quantities.labels, values.T, best, strict=False):
        ax.scatter(value, activity[:, neuron], s=12, color=POSITIVE, lw=0, alpha=0.7)
        _note(ax, f"r = {float(correlation.sel(quantity=label)[neuron]):.3f}")
        ax.set_xlabel(label)
        ax.set_ylabel(f"neuron {site[neuron] + 1} of {layer}")
        open_frame(ax)
    if composed:
        output = one(task.test.inputs)[0, :, 0].double().cpu().numpy()
        _draw_root(axes[-1], activity[:, best[0]], output, values[:, 0])
        axes[-1].set_xlabel(axes[0].get_ylabel())
    return figure


def _draw_root(
    ax: Axes,
    activation: Float[np.ndarray, " example"],
    output: Float[np.ndarray, " example"],
    i: Float[np.ndarray, " example"],
) -> None:
    slope, start = np.polyfit(i, activation, 1)
    if slope:  # else the neuron is silent
        line = np.linspace(start, start + slope * i.max(), 200)
        ax.plot(line, np.sqrt((line - start) / slope), color=NEGATIVE, lw=1.3, label="square root")
    ax.scatter(activation, output, s=12, color=POSITIVE, lw=0, alpha=0.7, label="network")
    ax.set_ylabel("output")
    ax.legend(frameon=False, fontsize=8, loc="lower right" if slope > 0 else "lower left")
    open_frame(ax)


def _note(ax: Axes, text: str) -> None:
    ax.text(0.04, 0.96, text, transform=ax.transAxes, va="top", fontsize=8, color=INK)
