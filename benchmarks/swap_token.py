"""A swap pass on the modular-addition network against one cost evaluation per candidate."""

from __future__ import annotations

from collections.abc import Iterator

import torch

import brainrnn as br
from benchmarks.timing import Comparison, compare
from brainrnn.swap import importance
from paper_mlp.experiments import EXPERIMENTS
from tasks import groups

TOP_K = 30


def comparisons() -> Iterator[Comparison]:
    reproduction = EXPERIMENTS["fig5"]
    task = groups(["addition"], seed=4)
    method = reproduction.experiment("notebook", ["bimt"], 1).method
    net = br.MLP.on_lines(59, 59, br.MLPSpec(hidden=reproduction.hidden), tokens=True)
    start = {name: net.anatomy.places(name).clone() for name in net.anatomy.populations}

    def restart() -> None:
        for name, places in start.items():
            net.anatomy.move(name, places)

    def ours() -> None:
        restart()
        br.relocate(net, method, method.swap)

    def theirs() -> None:
        restart()
        _one_evaluation_each(net, method)

    # From random weights, where most of the neurons still move; and when training has settled.
    ours()
    cheapest = float(br.connection_cost(net, method).detach())
    theirs()
    assert abs(float(br.connection_cost(net, method).detach()) / cheapest - 1) < 0.01
    yield compare("64-50-50-59, k = 30, random weights", ours, theirs, rounds=5)
    br.train(net, task, _settled(method), steps=300, batch="all", clip=0.0, progress=False)
    start = {name: net.anatomy.places(name).clone() for name in net.anatomy.populations}
    yield compare("64-50-50-59, k = 30, after 300 steps", ours, theirs, rounds=5)


def _settled(method: br.BIMT) -> br.BIMT:
    """Swap until nothing moves, to see a pass over a network that has settled."""
    return method.model_copy(update={"swap": br.SwapSpec(algorithm="assignment", every=50)})


@torch.no_grad()
def _one_evaluation_each(net: br.MLP, method: br.BIMT) -> None:
    """The same pass as one would write it first: try every partner, and keep the cheapest."""
    x = {name: net.anatomy.positions(name)[0, :, 0].float() for name in net.anatomy.populations}
    names = list(x)
    layers = [net.get_parameter(f"fc{i}.weight")[0].abs() for i in range(net.depth)]

    def cost() -> torch.Tensor:
        total = torch.zeros(())
        for weight, source, target in zip(layers, names, names[1:], strict=False):
            places = x[source].repeat(weight.shape[1] // len(x[source]))
            length = (x[target][:, None] - places[None]).abs()
            total = total + (weight * (method.swap.locality[0] * length + method.offset)).mean()
        return total

    for name in names:
        order = importance(net, name)[0].argsort(descending=True)[:TOP_K]
        for i in order.tolist():
            costs = []
            for j in range(len(x[name])):
                x[name][[i, j]] = x[name][[j, i]]
                costs.append(cost())
                x[name][[i, j]] = x[name][[j, i]]
            j = int(torch.stack(costs).argmin())
            x[name][[i, j]] = x[name][[j, i]]
        sites = net.anatomy.populations[name].sites[:, 0].float()
        net.anatomy.move(name, torch.cdist(x[name][:, None], sites[:, None]).argmin(1)[None])
