"""Pruning: a network of any kind without its weakest connections."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor

from brainrnn.analysis.graph.pruning import magnitude_ranks
from brainrnn.analysis.graph.stages import connections as joining
from brainrnn.anatomy.placed import Placed
from brainrnn.wiring_cost.strength import present


@torch.no_grad()
def prune(net: Placed, absent: float) -> None:
    """Set the weakest connections of each member to 0, up to this fraction of all.

    Connections are the weights between neurons with places: of a recurrent network the recurrent
    ones, of a perceptron those of all layers, ranked together.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.RNN(2, 3, br.grid(4, 4), dt=100)
    >>> prune(net, 0.75)
    >>> connections(net)
    64
    """
    ranks = magnitude_ranks(net)
    total, weights = possible(net), net.weights()
    for name, rank in ranks.items():
        weights[name].masked_fill_(rank >= total - round(absent * total), 0.0)


def possible(net: Placed) -> int:
    """Count the connections that a member could have."""
    return sum(net.anatomy.pairs(name) for name in joining(net))


def count_connections(net: Placed) -> Int[Tensor, " member"]:
    """Count each member's connections that are there (:func:`present`)."""
    weights = net.weights()
    there = [present(weights[name]).flatten(1).sum(1) for name in joining(net)]
    return torch.stack(there).sum(0)


def connections(net: Placed) -> int:
    """Count the connections of the first member that are there."""
    return int(count_connections(net)[0])


def absence(net: Placed) -> float:
    """Fraction of the connections of all members that are not there."""
    return 1 - int(count_connections(net).sum()) / (net.members * possible(net))
