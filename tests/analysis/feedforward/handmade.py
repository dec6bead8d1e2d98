"""Feed-forward networks made by hand, and the graphs that they are."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import torch

from brainrnn.analysis.graph.stages import stages
from brainrnn.networks import MLP, MLPSpec


def empty(*sizes: int, members: int = 1) -> MLP:
    """A network of these layer sizes whose parameters are all 0, in float64."""
    spec = MLPSpec(hidden=sizes[1:-1])
    net = MLP.on_lines(sizes[0], sizes[-1], spec, members=members, dtype=torch.float64)
    with torch.no_grad():
        for value in net.parameters():
            value.zero_()
    return net


def on_image(*hidden: int, shape=(4, 3), outputs=10, members=1) -> MLP:
    """A network on planes, its inputs the pixels of an image, whose parameters are all 0."""
    spec = MLPSpec(hidden=hidden)
    net = MLP.on_planes(shape, outputs, spec, members=members, dtype=torch.float64)
    with torch.no_grad():
        for value in net.parameters():
            value.zero_()
    return net


def connect(net: MLP, layer: int, weights: dict[tuple[int, int], float], member=slice(None)) -> MLP:
    """Set weights {(target, source): value} of one layer."""
    with torch.no_grad():
        for (target, source), value in weights.items():
            net.get_parameter(f"fc{layer}.weight")[member, target, source] = value
    return net


def drawn(net, keep: float = 1.0, seed: int = 0):
    """Draw all parameters from a normal distribution; keep this share of the weights."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in net.named_parameters():
            value.copy_(torch.randn(value.shape, generator=generator))
            if name.endswith("weight"):
                value *= torch.rand(value.shape, generator=generator) < keep
    return net


def unrolled_graph(net, member: int = 0, positions: int = 1) -> nx.DiGraph:
    """Neurons (stage, position, index), joined by live connections and the residual stream."""
    graph, chain = nx.DiGraph(), stages(net)
    for before, stage in pairwise(chain):
        weight = net.get_parameter(stage.parameter)[member].abs()
        n = len(net.anatomy.populations[stage.population])
        graph.add_nodes_from((stage.name, to, i) for to in range(positions) for i in range(n))
        many = len(net.anatomy.populations[before.population])
        graph.add_nodes_from((before.name, to, i) for to in range(positions) for i in range(many))
        for row, column in (weight > 0.05 * weight.max()).nonzero().tolist():
            for to in range(positions):
                later = len(weight) == 3 * n and row >= n  # a key or a value
                for source in range(to + 1) if later else [to]:
                    graph.add_edge((before.name, source, column % many), (stage.name, to, row % n))
        if stage.carried is not None:
            for to in range(positions):
                for i in range(n):
                    graph.add_edge((chain[stage.carried].name, to, i), (stage.name, to, i))
    return graph
