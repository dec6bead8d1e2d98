"""A network that is nothing but wired parameters, for tests of every wiring form."""

from __future__ import annotations

import torch
from torch import nn

from brainrnn.anatomy import geometry
from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.anatomy.placed import Placed
from brainrnn.anatomy.populations import Anatomy, Population

WIRING = {
    "embed": "_ token",
    "fold": "h1 (2 token)",
    "bias": "h1",
    "up": "h2 h1",
    "rec": "h2 h2",
    "gru": "(3 h2) h2",
    "qkv": "(3 heads) stream",
    "proj": "stream heads",
    "read": "_ h2",
    "free": "_ _",
    "out_bias": "_",
}


class Wired(PlacedNetwork):
    """Random parameters of every wiring form, on plane sites where no populations are given."""

    def __init__(
        self,
        wiring: dict[str, str] = WIRING,
        *,
        populations: list[Population] | None = None,
        members: int = 2,
        seed: int = 0,
        distance="l2",
        blocks: int = 3,
        sparse: float = 0.0,
        movable: tuple[str, ...] = ("token", "h1", "h2", "stream", "heads"),
    ) -> None:
        super().__init__()
        sites = {
            "token": geometry.ring(4),
            "h1": geometry.grid(2, 3),
            "h2": geometry.grid(3, 3),
            "stream": geometry.grid(1, 5),
            "heads": geometry.grid(3, 4),
        }
        populations = populations or [
            Population(name, s, name in movable, blocks if name == "heads" else 1)
            for name, s in sites.items()
        ]
        self.anatomy = Anatomy(populations, wiring, distance=distance, members=members)
        generator = torch.Generator().manual_seed(seed)
        for name, axes in self.anatomy.wiring.items():
            sizes = [
                a.folds * len(self.anatomy.populations[a.population]) if a.population else 3
                for a in axes
            ]
            value = torch.randn(members, *sizes, generator=generator, dtype=torch.float64)
            value *= torch.rand(value.shape, generator=generator) >= sparse
            self.register_parameter(name, nn.Parameter(value))
        self.anatomy.bind(self.named_parameters())

    def shuffle(self, seed: int) -> None:
        """Give every population random places (whole blocks, shuffled inside)."""
        generator = torch.Generator().manual_seed(seed)
        for name, population in self.anatomy.populations.items():
            size = len(population) // population.blocks
            places = [
                torch.cat(
                    [
                        slot * size + torch.randperm(size, generator=generator)
                        for slot in torch.randperm(population.blocks, generator=generator)
                    ]
                )
                for _ in range(self.members)
            ]
            self.anatomy.move(name, torch.stack(places))


class Wrapped(Placed):
    """Somebody's module and anatomy, with no more than what Placed asks for."""

    def __init__(self, model, sites, wiring):
        self.model = model
        self.anatomy = Anatomy([Population(name, s) for name, s in sites.items()], wiring)

    def weights(self):
        named = dict(self.model.named_parameters())
        return {name: named[name][None] for name in self.anatomy.wiring}
