"""How far a trained network can be pruned: parameters left against test loss (Appendix A)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import gmean
from torch import Tensor

from brainrnn.errors import InputError
from brainrnn.networks import MLP
from brainrnn.plots.style import INK, module_colours, new_figure, open_frame
from paper_mlp.methods import METHODS
from tasks.fixed import FixedTask

Mean = Callable[[xr.DataArray], xr.DataArray]

_MOST = 1000  # points of a frontier, unless they are given


@torch.no_grad()
def pruning_frontier(
    net: MLP, task: FixedTask, unpruned: Sequence[int] | None = None
) -> xr.DataArray:
    """Test loss of every member when only its largest parameters are left.

    The parameters of a member, weights and biases of all layers together, are sorted by magnitude;
    those below a threshold become 0. The threshold runs over all values that make a difference, so
    it is given by the number N_u of parameters that it leaves.

    Parameters
    ----------
    net : MLP
    task : FixedTask
    unpruned : sequence of int, optional
        Numbers of parameters to leave. By default every number from 0 to all, or 1000 of them,
        equally spaced in their logarithm, if there are more.

    Returns
    -------
    (member, unpruned) float64
        Test loss; the coordinate ``unpruned``, N_u, rises.

    Raises
    ------
    InputError
        If a number is below 0 or above the number of parameters.
    """
    ranks = magnitude_ranks(net, [name for name, _ in net.named_parameters()])
    total = sum(rank[0].numel() for rank in ranks.values())
    counts = _counts(total) if unpruned is None else np.unique(np.asarray(unpruned, dtype=int))
    if len(counts) == 0 or counts[0] < 0 or counts[-1] > total:
        raise InputError(
            f"the parameters to leave must be numbers from 0 to {total}, got {unpruned!r}"
        )
    pruned = copy.deepcopy(net)
    losses = []
    for count in counts[::-1].tolist():
        for name, rank in ranks.items():
            pruned.get_parameter(name).mul_(rank < count)
        losses.append(task.loss(pruned(task.test.inputs), task.test))
    return xr.DataArray(
        torch.stack(losses[::-1], dim=1).double().cpu().numpy(),
        dims=("member", "unpruned"),
        coords={"unpruned": counts},
        attrs={"long_name": "test loss"},
    )


def magnitude_ranks(net: MLP, names: Iterable[str]) -> dict[str, Tensor]:
    """Rank of every entry of some parameters among all of them, in its member, from the largest.

    Returns
    -------
    dict of str to int64
        Of the shape of each parameter; 0 for the member's largest magnitude.
    """
    sizes = {name: net.get_parameter(name).detach().abs() for name in names}
    flat = torch.cat([size.flatten(1) for size in sizes.values()], dim=1)
    rank = flat.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    parts = rank.split([size[0].numel() for size in sizes.values()], dim=1)
    return {n: part.view_as(sizes[n]) for n, part in zip(sizes, parts, strict=True)}


def draw_by_method(ax: Axes, curves: xr.DataArray, methods: Sequence[str], mean: Mean) -> None:
    """Draw a thick line for the mean over a method's networks and thin lines for the networks.

    Lines of later methods are a little thinner, because some coincide: swaps change no weight where
    training knows no distance.

    Parameters
    ----------
    ax : Axes
    curves : (member, ...)
        Over one dimension.
    methods : sequence of str
        Each member's, of ``paper_mlp.methods.METHODS``.
    mean : function
        Over the dimension ``member``.
    """
    (dim,) = set(curves.dims) - {"member"}
    for i, method in enumerate(dict.fromkeys(methods)):
        mine = curves.isel(member=[m == method for m in methods])
        colour, width = method_colour(method), max(3.4 - 0.5 * i, 1)
        ax.plot(curves[dim], mine.T, color=colour, lw=0.5, alpha=0.35)
        ax.plot(curves[dim], mean(mine), color=colour, lw=width, label=METHODS[method].title)


def method_colour(method: str) -> tuple[float, ...]:
    """Colour of a training method."""
    i = list(METHODS).index(method)
    return tuple(module_colours(i + (i > 3)))  # the fifth is too close to the first


def plot_pruning(frontier: xr.DataArray, methods: Sequence[str]) -> Figure:
    """Draw the frontier of every training method (Fig. A1); the lower left, the better.

    See :func:`draw_by_method`; means are geometric.

    Parameters
    ----------
    frontier : (member, unpruned)
        As from :func:`pruning_frontier`.
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
    if len(methods) != frontier.sizes["member"]:
        raise InputError(
            f"the frontier has {frontier.sizes['member']} networks and {len(methods)} methods were "
            "given: name the method of each"
        )
    shown = frontier.sel(unpruned=frontier.unpruned > 0)  # 0 has no place on a logarithmic axis
    figure = new_figure(5.2, 3.8)
    ax = figure.add_subplot()
    draw_by_method(ax, shown, methods, lambda mine: mine.reduce(gmean, dim="member"))
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("unpruned parameters $N_u$", color=INK)
    ax.set_ylabel("test loss", color=INK)
    ax.legend(frameon=False, fontsize=8)
    open_frame(ax)
    return figure


def _counts(total: int) -> np.ndarray:
    if total < _MOST:
        return np.arange(total + 1)
    return np.unique(np.concatenate([[0], np.geomspace(1, total, _MOST).round().astype(int)]))
