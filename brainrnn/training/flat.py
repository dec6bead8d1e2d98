"""A network's parameters side by side in one buffer, so that a step changes all of them at once."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from brainrnn.anatomy.network import PlacedNetwork


class FlatParameters:
    """One row for each member of a network, in which all its parameters lie one after the other.

    The parameters become views of ``values``, without a change of their numbers.

    Parameters
    ----------
    net : PlacedNetwork

    Attributes
    ----------
    values : (member, entry) Parameter
        ``values.grad`` is there from the start.
    gradient : (member, entry)
        The same as ``values.grad``.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(4, 2, br.MLPSpec(hidden=(3,)), members=5)
    >>> flat = FlatParameters(net)
    >>> flat.values.shape  # 3 x 4 + 3 and 2 x 3 + 2
    torch.Size([5, 23])
    >>> flat.values.data.zero_().sum() == net.get_parameter("fc0.weight").sum()
    tensor(True)
    """

    def __init__(self, net: PlacedNetwork) -> None:
        parameters = dict(net.named_parameters())
        self._shapes = {name: value.shape for name, value in parameters.items()}
        self.values = nn.Parameter(
            torch.cat([p.detach().flatten(1) for p in parameters.values()], 1)
        )
        self.gradient = self.values.grad = torch.zeros_like(self.values)
        self.attach(net)

    def attach(self, net: PlacedNetwork) -> None:
        """Make the network's parameters views again, if something has replaced them since."""
        for name, view in self.split(self.values.data).items():
            parameter = net.get_parameter(name)
            if parameter.data_ptr() != view.data_ptr():
                view.copy_(parameter.data)
                parameter.data = view

    def split(self, flat: Float[Tensor, "member entry"]) -> dict[str, Float[Tensor, "member ..."]]:
        """Views of a flat buffer by parameter, each of that parameter's shape."""
        sizes = [shape[1:].numel() for shape in self._shapes.values()]
        return {
            name: part.unflatten(1, shape[1:])
            for (name, shape), part in zip(
                self._shapes.items(), flat.split(sizes, dim=1), strict=True
            )
        }

    def join(self, parts: Mapping[str, Tensor]) -> Float[Tensor, "member entry"]:
        """Broadcast values by parameter, 0 where there is none, to a flat buffer."""
        flat = torch.zeros_like(self.values)
        for name, view in self.split(flat).items():
            if name in parts:
                view.copy_(parts[name])
        return flat

    def gather(self, gradients: Sequence[Float[Tensor, "part ..."]], members: slice) -> None:
        """Put the gradients of some members' parameters, in order, where they belong."""
        torch.cat([g.flatten(1) for g in gradients], dim=1, out=self.gradient[members])


def shared(net: PlacedNetwork, members: slice) -> PlacedNetwork:
    """Some members of a network as one of their own, whose parameters and places are its views."""
    views: dict[int, Tensor] = {id(p): nn.Parameter(p.data[members]) for p in net.parameters()}
    views |= {id(buffer): buffer[members] for buffer in net.buffers()}
    part = copy.deepcopy(net, views)
    part.anatomy.members = len(range(net.members)[members])
    return part
