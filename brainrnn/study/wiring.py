"""How much wiring a network has, and how far it reaches."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from brainrnn.analysis.graph.stages import connections
from brainrnn.anatomy.placed import Placed


@torch.no_grad()
def wiring_length(net: Placed) -> tuple[Float[Tensor, " member"], Float[Tensor, " member"]]:
    """Sum of |w| d over connections between neurons with places, and their mean length by |w|.

    Returns
    -------
    total, mean : (member,) float64
        In units of the sites' coordinates; the mean is NaN without connections. Connections of a
        neuron to itself do not count.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(2, 1, br.MLPSpec(hidden=(1,)))  # inputs at 1/4, 3/4; others at 1/2
    >>> for weight in (net.fc0.weight, net.fc1.weight):
    ...     _ = weight.data.fill_(-1.0)
    >>> total, mean = wiring_length(net)
    >>> float(total[0]), round(float(mean[0]), 3)
    (0.5, 0.167)
    """
    total = mass = torch.zeros(net.members, dtype=torch.float64, device=net.anchor().device)
    for name in connections(net):
        magnitude = net.weights()[name].abs().double()
        length = net.anatomy.length(name)
        assert length is not None
        out, source = net.anatomy.wiring[name]
        counts = (length > 0) if out.population == source.population else torch.ones_like(length)
        total = total + (magnitude * length).sum((1, 2))
        mass = mass + (magnitude * counts).sum((1, 2))
    return total, total / mass
