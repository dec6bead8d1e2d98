"""A swap pass on the network of handwritten digits against one cost evaluation per candidate."""

from __future__ import annotations

from collections.abc import Iterator

import torch

import brainrnn as br
from benchmarks.timing import Comparison, Setting, compare
from brainrnn.wiring_cost.swap import importance
from paper_mlp.experiments import EXPERIMENTS

_GOAL, _FLOOR = 1000, 150


def comparisons(setting: Setting) -> Iterator[Comparison]:
    reproduction = EXPERIMENTS["fig8"]
    method = reproduction.experiment("notebook", ["bimt"], 1).method
    net = br.MLP.on_planes((28, 28), 10, br.MLPSpec(hidden=reproduction.network["hidden"]))
    net.to(setting.device)
    start = {name: net.anatomy.places(name).clone() for name in net.anatomy.populations}
    naive = Naive(net, method)
    part = 1 / 10

    def restart() -> None:
        for name, places in start.items():
            net.anatomy.move(name, places)

    def ours() -> None:
        br.relocate(net, method, method.swap)

    # From random weights, where most of the neurons still move; and where none does any more.
    for case in ("random weights", "settled"):
        yield compare(
            f"784-100-100-10, k = 30, {case}",
            ours,
            lambda: naive.relocate(part),
            rounds=setting.either(7, 2),
            part=part,
            before=restart,
            least=setting.either(_GOAL, _FLOOR),
        )
        while bool(br.relocate(net, method, method.swap).any()):
            pass
        start = {name: net.anatomy.places(name).clone() for name in net.anatomy.populations}


class Naive:
    """The same pass as the paper's notebook has it: try every partner, and keep the cheapest.

    Each trial puts two neurons in each other's place and computes the connection cost.
    """

    def __init__(self, net: br.MLP, method: br.BIMT) -> None:
        self.net, self.top_k, self.offset = net, method.swap.top_k, method.offset
        self.locality = method.swap.locality[0]

    @torch.no_grad()
    def relocate(self, part: float) -> None:
        """Let a part of the neurons look for a partner; the network stays as it is."""
        anatomy = self.net.anatomy
        x = {name: anatomy.positions(name)[0].float() for name in anatomy.populations}
        weights = [self.net.get_parameter(f"fc{i}.weight")[0].abs() for i in range(self.net.depth)]
        for name, places in x.items():
            if not anatomy.populations[name].movable:
                continue
            order = importance(self.net, name)[0].argsort(descending=True)[: self.top_k].tolist()
            for i in order[: max(1, round(part * len(order)))]:
                costs = []
                for j in range(len(places)):
                    places[[i, j]] = places[[j, i]]
                    costs.append(self.cost(weights, list(x.values())))
                    places[[i, j]] = places[[j, i]]
                j = int(torch.stack(costs).argmin())
                places[[i, j]] = places[[j, i]]

    def cost(self, weights: list[torch.Tensor], x: list[torch.Tensor]) -> torch.Tensor:
        """Connection cost, the mean over each layer."""
        layers = zip(weights, x, x[1:], strict=False)
        return torch.stack(
            [
                (w * (self.locality * torch.cdist(out, source, p=1) + self.offset)).mean()
                for w, source, out in layers
            ]
        ).sum()
