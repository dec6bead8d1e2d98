"""Networks whose neurons have places, many of a kind side by side."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from brainrnn.anatomy.placed import Placed

Pullback = Callable[[Tensor], Sequence[Tensor]]


class PlacedNetwork(nn.Module, Placed):
    """Base of every network whose neurons have places.

    A network sets ``anatomy`` and its parameters, each with a leading member axis, and then calls
    ``self.anatomy.bind(self.named_parameters())``. Cost and swaps need nothing else of it; training
    needs ``respond``.
    """

    def weights(self) -> dict[str, Tensor]:
        """Every parameter by name, (member, out, in) or, of a bias, (member, out)."""
        return dict(self.named_parameters())

    def weight(self, parameter: str) -> Tensor:
        """One of the :meth:`weights`."""
        return self.get_parameter(parameter)

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
