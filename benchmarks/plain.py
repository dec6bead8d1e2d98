"""What one would write today in plain PyTorch after the published notebooks: the other side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from brainrnn.anatomy.network import PlacedNetwork


class PlainMLP(nn.Module):
    """A perceptron of vectors or of pairs of tokens, and what its wiring costs.

    Parameters
    ----------
    places : sequence of (neuron, dimension)
        Of the input, each hidden layer and the output.
    tokens : int, optional
        Size of the vocabulary.
    published : bool
        Whether lengths are computed anew in every step, as in the published notebooks.
    """

    def __init__(
        self,
        places: Sequence[Tensor],
        tokens: int | None,
        dtype: torch.dtype,
        *,
        published: bool = False,
    ) -> None:
        super().__init__()
        folds = 2 if tokens else 1
        sizes = [len(place) for place in places]
        self.embedding = nn.Embedding(tokens, sizes[0], dtype=dtype) if tokens else None
        sizes[0] *= folds
        self.layers = nn.ModuleList([nn.Linear(a, b, dtype=dtype) for a, b in pairwise(sizes)])
        self.places = [place.to(dtype) for place in places]
        self.folds = folds
        self.kept = None if published else self.lengths()

    def lengths(self) -> list[Tensor]:
        """City-block length of every connection, layer by layer."""
        found = [
            (target[:, None] - source[None]).abs().sum(2)
            for source, target in pairwise(self.places)
        ]
        found[0] = found[0].repeat(1, self.folds)
        return found

    @classmethod
    def like(cls, net: PlacedNetwork, tokens: int | None, *, published: bool = False) -> PlainMLP:
        """A perceptron of the same size on the same sites."""
        first = next(net.parameters())
        places = [p.sites.to(first.device) for p in net.anatomy.populations.values()]
        return cls(places, tokens, first.dtype, published=published).to(first.device)

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs, (example, output)."""
        state = inputs if self.embedding is None else self.embedding(inputs).flatten(1)
        for layer in self.layers[:-1]:
            state = nn.functional.silu(layer(state))
        return self.layers[-1](state)

    def cost(self, locality: float, offset: float, reduction: Callable[[Tensor], Tensor]) -> Tensor:
        """The connection cost, Eq. 3."""
        total = torch.zeros((), device=self.layers[0].weight.device)
        lengths = self.lengths() if self.kept is None else self.kept
        for layer, length in zip(self.layers, lengths, strict=True):
            total = total + reduction(layer.weight.abs() * (locality * length + offset))
            total = total + offset * reduction(layer.bias.abs())
        if self.embedding is not None:
            total = total + offset * reduction(self.embedding.weight.abs())
        return total


def stepper(
    net: PlainMLP,
    draw: Callable[[], tuple[Tensor, Tensor]],
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    strength: float,
    locality: float,
    offset: float,
    reduction: str,
    rate: float,
) -> Callable[[], None]:
    """A function that takes one step of Adam on prediction loss and connection cost."""
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.0)
    reduce = {"sum": torch.sum, "mean": torch.mean}[reduction]

    def step() -> None:
        inputs, targets = draw()
        optimizer.zero_grad()
        total = loss(net(inputs), targets) + strength * net.cost(locality, offset, reduce)
        total.backward()
        optimizer.step()

    return step
