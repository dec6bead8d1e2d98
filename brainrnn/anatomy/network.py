"""Networks whose neurons have places, many of a kind side by side."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from brainrnn.anatomy.populations import Anatomy
from brainrnn.errors import InputError

Pullback = Callable[[Tensor], Sequence[Tensor]]


class PlacedNetwork(nn.Module):
    """Base of every network whose neurons have places.

    A network sets ``anatomy`` and its parameters, each with a leading member axis, and then calls
    ``self.anatomy.bind(self.named_parameters())``. Cost and swaps need nothing else of it; training
    needs ``respond``.
    """

    anatomy: Anatomy

    @property
    def members(self) -> int:
        """Number of networks that live side by side."""
        return self.anatomy.members

    def respond(self, batch: Any, *, generator: torch.Generator | None = None) -> Tensor:
        """Outputs for a batch of what the network is trained on, (member, ..., output).

        ``generator`` is the source of private noise, where the network has any.
        """
        raise TypeError(f"{type(self).__name__} does not say how it responds to a batch")

    def pullback(
        self, batch: Any, *, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Pullback]:
        """Outputs for a batch, and the way back of their gradient.

        Returns
        -------
        outputs : (member, ..., output)
            The same as of ``respond``, without a graph.
        pullback : function
            From the gradient of a scalar by the outputs to those by every parameter, in order. To
            be called once.
        """
        outputs = self.respond(batch, generator=generator)
        parameters = list(self.parameters())
        return outputs.detach(), lambda gradient: torch.autograd.grad(
            outputs, parameters, gradient, allow_unused=True, materialize_grads=True
        )

    def select(self, *members: int) -> Self:
        """Copy some members into a network of their own, in this order."""
        chosen = copy.deepcopy(self)
        index = torch.tensor(members, device=next(self.parameters()).device)
        chosen.anatomy.members = len(members)
        with torch.no_grad():
            for value in (*chosen.parameters(), *chosen.buffers()):
                value.data = value[index].clone()
        chosen.anatomy.changed()
        return chosen


def per_member(value: float | tuple[float, ...], net: PlacedNetwork, what: str) -> Tensor:
    """One value per member of a network, (member,).

    Raises
    ------
    InputError
        If there is neither one value nor one for each member.
    """
    anchor = next(net.parameters())
    values = torch.as_tensor(value, dtype=anchor.dtype, device=anchor.device).reshape(-1)
    if len(values) not in (1, net.members):
        raise InputError(
            f"{what} has {len(values)} values for {net.members} members: give one, or one for each"
        )
    return values.expand(net.members)
