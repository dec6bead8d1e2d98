"""What every weight of a sparse classifier is for: remove one at a time (Appendix C)."""

from __future__ import annotations

import math

import torch
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainrnn.analysis.graph.ablation import without_each_connection
from brainrnn.errors import InputError
from brainrnn.networks import MLP
from brainrnn.plots.networks.network import Connection, draw_network
from brainrnn.plots.style import INK, new_figure
from paper_mlp.circuits.boundary import class_probability, draw_boundary
from tasks.fixed import FixedTask

_COLUMNS = 5
_MOST = 40  # weights that one figure shows


@torch.no_grad()
def remove_each_weight(net: MLP, task: FixedTask, member: int = 0) -> tuple[MLP, xr.Dataset]:
    """Remove each live weight of one network in turn, and see how well it still classifies.

    See :func:`brainrnn.analysis.graph.without_each_connection`.

    Parameters
    ----------
    net : MLP
    task : FixedTask
        A classification.
    member : int
        Which network.

    Returns
    -------
    ablated : MLP
        One member per removed weight.
    table : Dataset
        Along ``weight``, from the inputs to the outputs: ``parameter``, ``row`` and ``column`` say
        which weight (neurons, not sites), ``value`` what it was, and ``accuracy`` how many of the
        test examples are classified correctly without it, 0 to 1. The attribute ``accuracy`` is
        that of the whole network.

    Raises
    ------
    InputError
        If the task is not a classification, or there is no such network or no live weight in it.
    """
    if not task.classes:
        raise InputError(
            f"removing weights is judged by accuracy, and {task.name!r} has no classes"
        )
    ablated, table = without_each_connection(net, member)
    accuracy = task.score(ablated(task.test.inputs), task.test).double().mean(1)
    whole = task.score(net.select(member)(task.test.inputs), task.test).mean()
    table["accuracy"] = ("weight", accuracy.cpu().numpy())
    return ablated, table.assign_attrs(accuracy=float(whole))


def plot_ablations(net: MLP, task: FixedTask, member: int = 0) -> Figure:
    """Draw, for each live weight, the network with it crossed out and the boundary without it.

    Fig. A4. The first panel is the whole network. Hidden neurons are called by layer and site, from
    1, as in the paper; below the graph is the accuracy on the test examples.

    Raises
    ------
    InputError
        If the network has more than 40 live weights, or the task does not divide the plane in two.
    """
    ablated, table = remove_each_weight(net, task, member)
    n = table.sizes["weight"]
    if n > _MOST:
        raise InputError(
            f"network {member} has {n} live weights, and a picture of each would not be legible: "
            f"choose one with at most {_MOST}, such as one trained with BIMT"
        )
    whole, without = class_probability(net.select(member), task), class_probability(ablated, task)
    columns = min(_COLUMNS, n + 1)
    rows = math.ceil((n + 1) / columns)
    figure = new_figure(2.2 * columns, 3.9 * rows)
    axes = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=[1.3, 1] * rows)
    for ax in axes.flat:
        ax.set_axis_off()
    graphs, boundaries = axes[::2].flat, axes[1::2].flat
    one = net.select(member)
    _draw(graphs[0], boundaries[0], one, task, whole[0], table.attrs["accuracy"])
    for k in range(n):
        weight = table.isel(weight=k)
        removed = str(weight.parameter.item()), int(weight.row), int(weight.column)
        accuracy = float(weight.accuracy)
        _draw(graphs[k + 1], boundaries[k + 1], one, task, without[k], accuracy, removed)
    return figure


def _draw(
    graph: Axes,
    boundary: Axes,
    net: MLP,
    task: FixedTask,
    probability: xr.DataArray,
    accuracy: float,
    removed: Connection | None = None,
) -> None:
    draw_network(
        net,
        ax=graph,
        input_labels=task.input_labels,
        output_labels=task.output_labels,
        title="nothing removed" if removed is None else _name(net, task, removed),
        marked=() if removed is None else (removed,),
    )
    boundary.set_axis_on()
    draw_boundary(boundary, probability, task)
    boundary.set_title(f"{100 * accuracy:.3g} % correct", fontsize=9, color=INK)
    boundary.set(xlabel="", ylabel="", xticks=[], yticks=[])


def _name(net: MLP, task: FixedTask, connection: Connection) -> str:
    """Say what a connection of a single network joins, and its weight: "$x_1$ → A1:14, −0.63"."""
    parameter, row, column = connection
    names = list(net.anatomy.populations)
    level = int(parameter.removeprefix("fc").removesuffix(".weight"))
    ends = []
    for i, neuron in ((level, column), (level + 1, row)):
        if i == 0:
            ends.append(task.input_labels[neuron])
        elif i == net.depth:
            ends.append(task.output_labels[neuron])
        else:
            ends.append(f"A{i}:{int(net.anatomy.places(names[i])[0, neuron]) + 1}")
    weight = net.get_parameter(parameter)[0, row, column].item()
    return f"{' → '.join(ends)}, {weight:.2f}".replace("-", "−")
