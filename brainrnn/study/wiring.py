"""How much wiring a recurrent network has, and how far it reaches."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from brainrnn.networks import RNN


@torch.no_grad()
def wiring_length(net: RNN) -> tuple[Float[Tensor, " member"], Float[Tensor, " member"]]:
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
