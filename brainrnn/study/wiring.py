"""Which wiring a recurrent network has, how much, and how far it reaches."""

from __future__ import annotations

import torch
from torch import Tensor

from brainrnn.networks import RNN

_ABSENT = 1e-3  # weights up to this fraction of the largest count as absent


def present(weight: Tensor) -> Tensor:
    """Which weights of a matrix are there: more than a thousandth of the largest, bool."""
    return weight.abs() > _ABSENT * weight.abs().max()


@torch.no_grad()
def wiring_length(net: RNN) -> tuple[Tensor, Tensor]:
    """Sum of |w| d over recurrent connections, and their mean length weighted by |w|.

    Returns
    -------
    total, mean : (member,) float64
        In units of the sites' coordinates; the mean is NaN without connections. Connections of a
        neuron to itself do not count.
    """
    magnitude = net.get_parameter("w_rec").abs().double()
    length = net.anatomy.length("w_rec")
    assert length is not None
    total = (magnitude * length).sum((1, 2))
    return total, total / (magnitude * (length > 0)).sum((1, 2))
