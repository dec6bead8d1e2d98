"""What one would write today in plain PyTorch after the published notebooks: the other side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from brainrnn.anatomy import PlacedNetwork


class PlainMLP(nn.Module):
    """A perceptron of vectors or of pairs of tokens, and what its wiring costs.

    Parameters
    ----------
    places : sequence of (neuron, dimension)
        Of the input, each hidden layer and the output.
    tokens : int, optional
        Size of the vocabulary.
    """

    def __init__(self, places: Sequence[Tensor], tokens: int | None, dtype: torch.dtype) -> None:
        super().__init__()
        folds = 2 if tokens else 1
        sizes = [len(place) for place in places]
        self.embedding = nn.Embedding(tokens, sizes[0], dtype=dtype) if tokens else None
        sizes[0] *= folds
        self.layers = nn.ModuleList([nn.Linear(a, b, dtype=dtype) for a, b in pairwise(sizes)])
        lengths = [torch.cdist(target, source, p=1) for source, target in pairwise(places)]
        lengths[0] = lengths[0].repeat(1, folds)
        self.lengths = [length.to(dtype) for length in lengths]

    @classmethod
    def like(cls, net: PlacedNetwork, tokens: int | None = None) -> PlainMLP:
        """A perceptron of the same size on the same sites."""
        first = next(net.parameters())
        places = [population.sites for population in net.anatomy.populations.values()]
        return cls(places, tokens, first.dtype).to(first.device)

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs, (example, output)."""
        state = inputs if self.embedding is None else self.embedding(inputs).flatten(1)
        for layer in self.layers[:-1]:
            state = nn.functional.silu(layer(state))
        return self.layers[-1](state)

    def cost(self, locality: float, offset: float, reduction: Callable[[Tensor], Tensor]) -> Tensor:
        """The connection cost, Eq. 3."""
        total = torch.zeros((), device=self.layers[0].weight.device)
        for layer, length in zip(self.layers, self.lengths, strict=True):
            total = total + reduction(layer.weight.abs() * (locality * length + offset))
            total = total + offset * reduction(layer.bias.abs())
        if self.embedding is not None:
            total = total + offset * reduction(self.embedding.weight.abs())
        return total

    def to(self, device: torch.device) -> PlainMLP:  # type: ignore[override]
        """Move parameters and lengths."""
        self.lengths = [length.to(device) for length in self.lengths]
        return super().to(device)


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
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    reduce = {"sum": torch.sum, "mean": torch.mean}[reduction]

    def step() -> None:
        inputs, targets = draw()
        optimizer.zero_grad()
        total = loss(net(inputs), targets) + strength * net.cost(locality, offset, reduce)
        total.backward()
        optimizer.step()

    return step
