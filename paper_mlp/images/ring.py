"""The order in which classes stand on the ring of outputs."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Int

from brainrnn.errors import InputError
from brainrnn.networks import MLP


def class_order(net: MLP) -> Int[np.ndarray, "member output"]:
    """The classes in the order of their places on the ring, (member, class) int64.

    The last one is the first one's neighbour.

    Raises
    ------
    InputError
        If the outputs do not stand on a ring.
    """
    sites = net.anatomy.populations["out"].sites
    from_centre = sites - sites.mean(0)
    radius = from_centre.norm(dim=1)
    if sites.shape[1] != 2 or len(sites) < 3 or not torch.allclose(radius, radius.mean()):
        raise InputError(
            "the network's outputs do not stand on a ring: train it with network.layout 'planes'"
        )
    around = torch.atan2(from_centre[:, 1], from_centre[:, 0]).remainder(2 * torch.pi).argsort()
    occupant = net.anatomy.places("out").argsort(dim=1)  # class on each site
    return occupant[:, around].cpu().numpy()


def adjacency(net: MLP) -> Bool[np.ndarray, "member output output"]:
    """Whether two classes are neighbours on the ring, (member, class, class) bool.

    Raises
    ------
    InputError
        If the outputs do not stand on a ring.
    """
    order = class_order(net)
    n = order.shape[1]
    place = order.argsort(1)
    apart = (place[:, :, None] - place[:, None, :]) % n
    return (apart == 1) | (apart == n - 1)
