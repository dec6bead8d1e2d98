"""Classifiers with the same number of connections: accuracy against how many are left."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
import xarray as xr
from matplotlib.figure import Figure
from torch import Tensor

from brainrnn.analysis.graph.live import live_connections
from brainrnn.analysis.graph.stages import connections
from brainrnn.errors import InputError, unknown
from brainrnn.networks import MLP
from brainrnn.plots.style import INK, new_figure, open_frame
from brainrnn.task import Examples
from brainrnn.training.loop import answer
from paper_mlp.circuits.pruning import draw_by_method, magnitude_ranks
from paper_mlp.methods import METHODS
from tasks.fixed import FixedTask

_POINTS = 40  # of a pruning curve, unless they are given


@torch.no_grad()
def keep_largest(net: MLP, kept: int) -> MLP:
    """Copy a network and leave each member only its ``kept`` largest connections.

    The connections of all layers together are ranked by |weight|, and the others become 0. Biases
    stay: unlike in :func:`paper_mlp.circuits.pruning.pruning_frontier`, which prunes all parameters
    alike.

    Raises
    ------
    InputError
        If the number is negative or larger than that of all connections.
    """
    return _pruned(net, magnitude_ranks(net, connections(net)), kept)


def matched_sparsity(net: MLP, methods: Sequence[str]) -> int:
    """Median number of live connections of the BIMT networks, rounded down.

    Parameters
    ----------
    net : MLP
    methods : sequence of str
        Each member's, of ``paper_mlp.methods.METHODS``.

    Raises
    ------
    InputError
        If there are not as many methods as members, there is no BIMT network, or their median is 0.
    """
    check_methods(net.members, methods)
    bimt = [method == "bimt" for method in methods]
    if not any(bimt):
        raise InputError("no network is of method bimt, whose sparsity the others are pruned to")
    live = torch.stack([kept.sum((1, 2)) for kept in live_connections(net).values()]).sum(0)
    kept = int(np.median(live.cpu().numpy()[bimt]))
    if kept == 0:
        raise InputError("the BIMT networks have no live connection: there is nothing to prune to")
    return kept


@torch.no_grad()
def pruning_curve(
    net: MLP, task: FixedTask, kept: Sequence[int] | None = None, *, images: int = 2000
) -> xr.DataArray:
    """Test accuracy of every member when only its largest connections are left.

    Parameters
    ----------
    net : MLP
    task : FixedTask
        A classification.
    kept : sequence of int
        Numbers of connections to keep; 40 numbers up to all, equally spaced in their logarithm, by
        default.
    images : int
        How many of the test examples are used, evenly spaced.

    Returns
    -------
    (member, connections) float64
        Accuracy, 0 to 1; the coordinate ``connections`` rises. See :func:`keep_largest`.

    Raises
    ------
    InputError
        If the task is not a classification, or a number is out of range.
    """
    if not task.classes:
        raise InputError(f"the answers of task {task.name!r} are no classes: see pruning_frontier")
    ranks = magnitude_ranks(net, connections(net))
    total = sum(rank[0].numel() for rank in ranks.values())
    numbers = np.geomspace(10, total, _POINTS) if kept is None else np.asarray(kept)
    counts = np.unique(numbers.round().astype(int))
    examples = evenly_spaced(task.test, images)
    scores = [
        task.score(answer(_pruned(net, ranks, count), examples), examples).double().mean(1)
        for count in counts.tolist()
    ]
    return xr.DataArray(
        torch.stack(scores, dim=1).cpu().numpy(),
        dims=("member", "connections"),
        coords={"connections": counts},
        attrs={"long_name": "test accuracy", "units": "1", "images": len(examples)},
    )


def plot_pruning_curve(curve: xr.DataArray, methods: Sequence[str]) -> Figure:
    """Draw the accuracy of every training method against the number of connections that are left.

    See :func:`paper_mlp.circuits.pruning.draw_by_method`.

    Parameters
    ----------
    curve : (member, connections)
        As from :func:`pruning_curve`.
    methods : sequence of str
        Each member's, of ``paper_mlp.methods.METHODS``.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there are not as many methods as members.
    """
    check_methods(curve.sizes["member"], methods)
    figure = new_figure(5.2, 3.4)
    ax = figure.add_subplot()
    draw_by_method(ax, curve, methods, lambda mine: mine.mean("member"))
    ax.set_xscale("log")
    ax.set_ylim(0, 1.02)
    ax.set_xlabel("connections left", fontsize=9, color=INK)
    ax.set_ylabel(f"accuracy, {curve.attrs['images']} test images", fontsize=9, color=INK)
    ax.tick_params(labelsize=8)
    ax.legend(frameon=False, fontsize=8)
    open_frame(ax)
    return figure


def evenly_spaced(examples: Examples, n: int) -> Examples:
    """``n`` examples, spread evenly over all of them; all if there are no more.

    Raises
    ------
    InputError
        If ``n`` is below 1.
    """
    if n < 1:
        raise InputError(f"an accuracy is measured on 1 example at least, got {n}")
    n = min(n, len(examples))
    return examples.take(torch.arange(n) * len(examples) // n)


def check_methods(members: int, methods: Sequence[str]) -> None:
    """See that there is a known method for every network.

    Raises
    ------
    InputError
        If not.
    """
    if len(methods) != members:
        raise InputError(
            f"{members} networks, but {len(methods)} methods were given: name the method of each"
        )
    for method in methods:
        if method not in METHODS:
            raise InputError(unknown("method", method, METHODS))


def _pruned(net: MLP, ranks: dict[str, Tensor], kept: int) -> MLP:
    total = sum(rank[0].numel() for rank in ranks.values())
    if not 0 <= kept <= total:
        raise InputError(f"a network of {total} connections can keep 0 to {total}, got {kept}")
    pruned = copy.deepcopy(net)
    for name, rank in ranks.items():
        pruned.get_parameter(name).mul_(rank < kept)
    return pruned
