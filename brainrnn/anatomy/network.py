"""Networks whose neurons have places, many of a kind side by side."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from brainrnn.anatomy.placed import Trainable

N = TypeVar("N", bound="PlacedNetwork")
Pullback = Callable[[Tensor], Sequence[Tensor]]


class PlacedNetwork(nn.Module, Trainable):
    """Base of the networks of this package: parameters and places have a leading member axis.

    A network sets ``anatomy`` and its parameters, each with a leading member axis, and then calls
    ``self.anatomy.bind(self.named_parameters())``. Cost and swaps need nothing else of it; training
    needs ``respond``.

    Examples
    --------
    >>> from brainrnn import Anatomy, Population, line
    >>> class Linear(PlacedNetwork):
    ...     def __init__(self, members=1):
    ...         super().__init__()
    ...         populations = [Population("a", line(3)), Population("b", line(2))]
    ...         self.anatomy = Anatomy(populations, {"weight": "b a"}, members=members)
    ...         self.weight = nn.Parameter(torch.randn(members, 2, 3))
    ...         self.anatomy.bind(self.named_parameters())
    ...
    ...     def respond(self, batch, *, generator=None):
    ...         return batch.inputs @ self.weight.mT
    >>> Linear(members=4).anatomy.length("weight").shape
    torch.Size([4, 2, 3])
    """

    def weights(self) -> dict[str, Float[Tensor, "member out *source"]]:
        """Every parameter by name, (member, out, in) or, of a bias, (member, out).

        A parameter with partners is (member, out, partner).
        """
        return dict(self.named_parameters())

    def parameter(self, name: str) -> Tensor:
        """The parameter of that name, (member, out, in) or, of a bias, (member, out)."""
        return self.get_parameter(name)

    def spread(self, name: str, values: Tensor) -> Tensor:
        """The values themselves: parameters have the layout of weights."""
        return values

    def wired(self, name: str) -> Tensor:
        """The parameter of that name, (member, out, in) or, of a bias, (member, out).

        Of one with partners, a matrix that is made of it.
        """
        return self.anatomy.matrix(name, self.get_parameter(name))

    def entries(self, name: str) -> int:
        """Number of entries of one member's parameter."""
        return self.get_parameter(name)[0].numel()

    def anchor(self) -> Tensor:
        """Any of the parameters."""
        return next(self.parameters())

    def respond(
        self, batch: Any, *, generator: torch.Generator | None = None
    ) -> Float[Tensor, "member *batch output"]:
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

    def select(self: N, *members: int) -> N:
        """Copy some members into a network of their own, in this order."""
        chosen = copy.deepcopy(self)
        index = torch.tensor(members, device=next(self.parameters()).device)
        chosen.anatomy.members = len(members)
        with torch.no_grad():
            for value in (*chosen.parameters(), *chosen.buffers()):
                value.data = value[index].clone()
        chosen.anatomy.changed()
        return chosen
