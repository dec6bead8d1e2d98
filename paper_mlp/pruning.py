"""How far trained networks can be pruned: test loss (Appendix A) and accuracy of what is left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import xarray as xr
from matplotlib.figure import Figure
from scipy.stats import gmean

from brainrnn.analysis.graph.live import live_connections
from brainrnn.analysis.graph.pruning import log_spaced, pruning_curve
from brainrnn.analysis.graph.stages import connections
from brainrnn.errors import InputError
from brainrnn.networks import MLP
from brainrnn.plots.style import INK, new_figure, open_frame
from brainrnn.task import Examples
from brainrnn.training.loop import answer
from paper_mlp.by_method import Mean, check_methods, draw_by_method
from paper_mlp.facts import Fact, least_to_greatest
from paper_mlp.panels import FinishedRun
from tasks.fixed import FixedTask

_MOST = 1000  # points of the loss, unless they are given
_POINTS, _FEWEST = 40, 10  # of the accuracy, unless they are given; and the fewest connections


def loss_when_pruned(
    net: MLP, task: FixedTask, unpruned: Sequence[int] | None = None
) -> xr.DataArray:
    """Test loss of every member when only its largest parameters are left (Fig. A1).

    Weights and biases of all layers are sorted together by magnitude, and those below a threshold
    become 0. The threshold runs over all values that make a difference; it is given by the number
    N_u of parameters that it leaves.

    Parameters
    ----------
    net : MLP
    task : FixedTask
    unpruned : sequence of int, optional
        Numbers of parameters to leave. By default every number from 0 to all, or 1000 of them,
        equally spaced in their logarithm, if there are more.

    Returns
    -------
    (member, kept) float64
        Test loss; the coordinate ``kept``, N_u, rises.

    Raises
    ------
    InputError
        If a number is below 0 or above the number of parameters.
    """
    parameters = list(net.weights())
    total = sum(value[0].numel() for value in net.weights().values())
    kept = log_spaced(total, _MOST).tolist() if unpruned is None else unpruned
    curve = pruning_curve(
        net,
        lambda pruned: task.loss(answer(pruned, task.test), task.test),
        kept,
        parameters=parameters,
    )
    return curve.assign_attrs(long_name="test loss")


def accuracy_when_pruned(
    net: MLP, task: FixedTask, kept: Sequence[int] | None = None, *, images: int = 2000
) -> xr.DataArray:
    """Test accuracy of every member when only its largest connections, and its biases, are left.

    Parameters
    ----------
    net : MLP
    task : FixedTask
        A classification.
    kept : sequence of int, optional
        Numbers of connections to keep; by default 40 numbers from 10 to all, equally spaced in
        their logarithm.
    images : int
        How many of the test examples are used, evenly spaced.

    Returns
    -------
    (member, kept) float64
        Accuracy, 0 to 1; the coordinate ``kept`` rises.

    Raises
    ------
    InputError
        If the task is not a classification, or a number is out of range.
    """
    if not task.classes:
        raise InputError(f"the answers of task {task.name!r} are no classes: see loss_when_pruned")
    if kept is None:
        total = sum(net.wired(name)[0].numel() for name in connections(net))
        kept = np.geomspace(_FEWEST, total, _POINTS).round().astype(int).tolist()
    examples = evenly_spaced(task.test, images)
    curve = pruning_curve(
        net,
        lambda pruned: task.score(answer(pruned, examples), examples).double().mean(1),
        kept,
    )
    return curve.assign_attrs(long_name="test accuracy", units="1", images=len(examples))


def parameters_left(method: str, *, factor: float = 2.0) -> Fact:
    """How few parameters of a method's networks lose at most ``factor`` times what all lose."""

    def fact(run: FinishedRun) -> str:
        losses = loss_when_pruned(run.net.select(*run.members(method)), run.task)
        good = (losses <= factor * losses.isel(kept=-1)).values
        # The first number from which on every one is good enough.
        first = good.shape[1] - np.logical_and.accumulate(good[:, ::-1], axis=1).sum(1)
        return least_to_greatest(losses.kept.values[first], "d")

    return fact


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
        If there is no known method for every network, there is no BIMT network, or the median is 0.
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


def plot_loss_when_pruned(losses: xr.DataArray, methods: Sequence[str]) -> Figure:
    """Draw the test loss of every training method (Fig. A1); the lower left, the better.

    See :func:`paper_mlp.by_method.draw_by_method`; means are geometric.

    Parameters
    ----------
    losses : (member, kept)
        As from :func:`loss_when_pruned`.
    methods : sequence of str
        Each member's, of ``paper_mlp.methods.METHODS``.

    Raises
    ------
    InputError
        If there is no known method for every network.
    """
    shown = losses.sel(kept=losses.kept > 0)  # 0 has no place on a logarithmic axis
    figure = _curves(
        shown,
        methods,
        lambda mine: mine.reduce(gmean, dim="member"),
        (5.2, 3.8),
        "unpruned parameters $N_u$",
        "test loss",
    )
    figure.axes[0].set_yscale("log")
    return figure


def plot_accuracy_when_pruned(accuracies: xr.DataArray, methods: Sequence[str]) -> Figure:
    """Draw the accuracy of every training method against the number of connections that are left.

    See :func:`paper_mlp.by_method.draw_by_method`.

    Parameters
    ----------
    accuracies : (member, kept)
        As from :func:`accuracy_when_pruned`.
    methods : sequence of str
        Each member's, of ``paper_mlp.methods.METHODS``.

    Raises
    ------
    InputError
        If there is no known method for every network.
    """
    figure = _curves(
        accuracies,
        methods,
        lambda mine: mine.mean("member"),
        (5.2, 3.4),
        "connections left",
        f"accuracy, {accuracies.attrs['images']} test images",
    )
    figure.axes[0].set_ylim(0, 1.02)
    return figure


def _curves(
    curves: xr.DataArray,
    methods: Sequence[str],
    mean: Mean,
    size: tuple[float, float],
    xlabel: str,
    ylabel: str,
) -> Figure:
    figure = new_figure(*size)
    ax = figure.add_subplot()
    draw_by_method(ax, curves, methods, mean)
    ax.set_xscale("log")
    ax.set_xlabel(xlabel, fontsize=9, color=INK)
    ax.set_ylabel(ylabel, fontsize=9, color=INK)
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
