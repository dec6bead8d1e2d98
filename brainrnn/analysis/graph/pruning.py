"""How far a network can be pruned: only its largest weights are left, all others are 0."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
import xarray as xr
from jaxtyping import Int, Num
from torch import Tensor

from brainrnn.analysis.graph.stages import connections
from brainrnn.anatomy.placed import Placed
from brainrnn.errors import InputError, unknown

Network = TypeVar("Network", bound=Placed)

_POINTS = 40  # of a curve, unless they are given


@torch.no_grad()
def magnitude_ranks(
    net: Placed, parameters: Iterable[str] | None = None
) -> dict[str, Int[Tensor, "member ..."]]:
    """Rank of every weight among all weights of its member, by magnitude, from the largest.

    Parameters
    ----------
    net : Placed
    parameters : iterable of str, optional
        Those that are ranked, all together; by default those that join neurons with places.

    Returns
    -------
    dict of str to int64
        Of the shape of each parameter; 0 for the member's largest magnitude.

    Raises
    ------
    InputError
        If the network has no such parameter.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(2, 1, br.MLPSpec(hidden=(1,)))
    >>> net.wired("fc0.weight").data[0] = torch.tensor([[0.1, -0.3]])
    >>> net.wired("fc1.weight").data[0] = torch.tensor([[0.2]])
    >>> {name: rank[0].tolist() for name, rank in magnitude_ranks(net).items()}
    {'fc0.weight': [[2, 0]], 'fc1.weight': [[1]]}
    """
    names, weights = connections(net) if parameters is None else list(parameters), net.weights()
    for name in names:
        if name not in weights:
            raise InputError(unknown("parameter", name, weights))
    sizes = {name: weights[name].detach().abs() for name in names}
    flat = torch.cat([size.flatten(1) for size in sizes.values()], dim=1)
    rank = flat.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    parts = rank.split([size[0].numel() for size in sizes.values()], dim=1)
    return {n: part.view_as(sizes[n]) for n, part in zip(sizes, parts, strict=True)}


@torch.no_grad()
def keep_largest(net: Network, kept: int, *, parameters: Sequence[str] | None = None) -> Network:
    """Copy a network and leave each member only its ``kept`` largest weights.

    Parameters
    ----------
    net : Placed
    kept : int
        Number of weights that stay as they are; the others become 0.
    parameters : sequence of str, optional
        Those that are pruned; see :func:`magnitude_ranks`. By default biases stay.

    Returns
    -------
    Placed
        Of the same kind.

    Raises
    ------
    InputError
        If the number is below 0 or above that of all weights, or there is no such parameter.

    Examples
    --------
    >>> import brainrnn as br
    >>> pruned = keep_largest(br.MLP.on_lines(4, 2), 10)
    >>> sum(int((pruned.wired(f"fc{i}.weight") != 0).sum()) for i in range(pruned.depth))
    10
    """
    ranks = magnitude_ranks(net, parameters)
    _check(ranks, [kept])
    pruned = copy.deepcopy(net)
    _prune(pruned, ranks, kept)
    return pruned


@torch.no_grad()
def pruning_curve(
    net: Network,
    measure: Callable[[Network], Num[Tensor, " member"]],
    kept: Sequence[int] | None = None,
    *,
    parameters: Sequence[str] | None = None,
) -> xr.DataArray:
    """Measure every member when only its largest weights are left.

    Parameters
    ----------
    net : Placed
    measure : function
        From a network to a value for every member, (member,): its loss or its accuracy, say.
    kept : sequence of int, optional
        Numbers of weights to leave, in any order; by default about 40 from 0 to all, equally spaced
        in their logarithm.
    parameters : sequence of str, optional
        Those that are pruned; see :func:`magnitude_ranks`. By default biases stay.

    Returns
    -------
    (member, kept) float64
        What was measured; the coordinate ``kept`` rises.

    Raises
    ------
    InputError
        If a number is below 0 or above that of all weights, or there is no such parameter.

    Examples
    --------
    >>> import brainrnn as br
    >>> net, inputs = br.MLP.on_lines(4, 2, seed=1), torch.ones(8, 4)
    >>> whole = net(inputs)
    >>> def error(pruned):
    ...     return (pruned(inputs) - whole).square().mean((1, 2))
    >>> curve = pruning_curve(net, error, [100, 520])
    >>> curve.kept.values.tolist(), curve.sel(kept=520).item()
    ([100, 520], 0.0)
    """
    ranks = magnitude_ranks(net, parameters)
    numbers = log_spaced(_count(ranks), _POINTS) if kept is None else np.asarray(kept, dtype=int)
    counts = np.unique(numbers).tolist()
    _check(ranks, counts)
    pruned, found = copy.deepcopy(net), []
    for count in counts[::-1]:  # what is gone stays away
        _prune(pruned, ranks, count)
        found.append(measure(pruned))
    return xr.DataArray(
        torch.stack(found[::-1], dim=1).double().cpu().numpy(),
        dims=("member", "kept"),
        coords={"kept": counts},
    )


def log_spaced(total: int, most: int) -> Int[np.ndarray, " count"]:
    """Every number from 0 to ``total``, or ``most`` of them, equally spaced in their logarithm.

    Examples
    --------
    >>> log_spaced(3, 10).tolist(), log_spaced(1000, 4).tolist()
    ([0, 1, 2, 3], [0, 1, 10, 100, 1000])
    """
    if total < most:
        return np.arange(total + 1)
    return np.unique(np.concatenate([[0], np.geomspace(1, total, most).round().astype(int)]))


def _prune(net: Placed, ranks: dict[str, Any], kept: int) -> None:
    weights = net.weights()
    for name, rank in ranks.items():
        weights[name].mul_(rank < kept)


def _count(ranks: dict[str, Any]) -> int:
    return sum(rank[0].numel() for rank in ranks.values())


def _check(ranks: dict[str, Any], counts: Sequence[int]) -> None:
    total = _count(ranks)
    if not counts or min(counts) < 0 or max(counts) > total:
        raise InputError(
            f"of {total} weights, pruning can keep 0 to {total}, got "
            + (", ".join(str(n) for n in counts if not 0 <= n <= total) or "no number")
        )
