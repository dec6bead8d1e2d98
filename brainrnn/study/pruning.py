"""Pruning: a network without its weakest recurrent weights."""

from __future__ import annotations

import torch

from brainrnn.networks import RNN
from brainrnn.wiring_cost.strength import present


@torch.no_grad()
def prune(net: RNN, absent: float) -> None:
    """Set the weakest recurrent weights of each member to 0, up to this fraction of all.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.RNN(2, 3, br.grid(4, 4), dt=100)
    >>> prune(net, 0.75)
    >>> connections(net)
    64
    """
    weights = net.get_parameter("w_rec")
    flat = weights.flatten(1)
    weakest = flat.abs().argsort(dim=1)[:, : round(absent * flat.shape[1])]
    flat.scatter_(1, weakest, 0.0)


def connections(net: RNN) -> int:
    """Count the recurrent weights of the first member that are there (:func:`present`)."""
    return int(present(net.w_rec)[0].sum())


def absence(net: RNN) -> float:
    """Fraction of the recurrent weights of all members that are not there."""
    return 1 - float(present(net.w_rec).double().mean())
