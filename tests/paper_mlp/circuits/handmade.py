"""Networks made by hand, and oracles that know nothing of the package."""

from __future__ import annotations

import re
from collections.abc import Sequence

import networkx as nx
import numpy as np
import torch

from brainrnn.networks import MLP, MLPSpec


def silu(x):
    return x / (1 + np.exp(-x))


def empty(*sizes: int, members: int = 1) -> MLP:
    """A network of these layer sizes whose parameters are all 0, in float64."""
    spec = MLPSpec(hidden=sizes[1:-1])
    net = MLP.on_lines(sizes[0], sizes[-1], spec, members=members, dtype=torch.float64)
    with torch.no_grad():
        for value in net.parameters():
            value.zero_()
    return net


def connect(net: MLP, layer: int, weights: dict[tuple[int, int], float], bias=None) -> MLP:
    """Set weights {(target, source): value} and biases {target: value} of one layer, everywhere."""
    with torch.no_grad():
        for (target, source), value in weights.items():
            net.get_parameter(f"fc{layer}.weight")[:, target, source] = value
        for target, value in (bias or {}).items():
            net.get_parameter(f"fc{layer}.bias")[:, target] = value
    return net


def evaluate(net: MLP, inputs: np.ndarray, member: int = 0) -> np.ndarray:
    """Outputs of a SiLU network, (example, output), with NumPy alone."""
    state = np.asarray(inputs, dtype=float)
    for i in range(net.depth):
        weight, bias = (
            net.get_parameter(f"fc{i}.{kind}")[member].detach().double().numpy()
            for kind in ("weight", "bias")
        )
        state = state @ weight.T + bias
        state = silu(state) if i < net.depth - 1 else state
    return state


def evaluate_text(text: str, names: Sequence[str], inputs: np.ndarray) -> np.ndarray:
    """Value of a printed formula, (example,), from its text alone."""
    product = re.sub(r"(\d) (?=[σx])", r"\1 * ", text.split("≈")[-1])
    scope = {"σ": silu} | dict(zip(names, np.asarray(inputs, dtype=float).T, strict=True))
    return eval(product, {"__builtins__": {}}, scope) + np.zeros(len(inputs))


def live_graph(net: MLP, member: int, threshold: float = 0.05) -> nx.DiGraph:
    """Neurons (layer, index) and the connections above 5 % of their layer's largest."""
    graph = nx.DiGraph()
    for i in range(net.depth):
        weight = net.get_parameter(f"fc{i}.weight")[member].abs()
        graph.add_nodes_from((i, s) for s in range(weight.shape[1]))
        graph.add_nodes_from((i + 1, t) for t in range(weight.shape[0]))
        for t, s in (weight > threshold * weight.max()).nonzero().tolist():
            graph.add_edge((i, s), (i + 1, t))
    return graph


def products_network() -> MLP:
    """4-8-4-2: a product is a difference of squares, and 2 σ(z) - z = z tanh(z/2) a square.

    x1 x4 = ((x1 + x4)^2 - (x1 - x4)^2) / 4, neurons 0-3 of h1 and 0 of h2; x2 x3 likewise, 4-7 of
    h1 and 1 of h2.
    """
    net, a = empty(4, 8, 4, 2), 0.4
    for module, (p, q) in enumerate(((0, 3), (1, 2))):
        first = 4 * module
        for k, (one, other) in enumerate(((a, a), (-a, -a), (a, -a), (-a, a))):
            connect(net, 0, {(first + k, p): one, (first + k, q): other})
            connect(net, 1, {(module, first + k): (0.5 if k < 2 else -0.5) / a**2}, {module: 10})
    signs = {(0, 0): 1.0, (0, 1): 1.0, (1, 0): 1.0, (1, 1): -1.0}
    return connect(net, 2, signs, {0: -20.0, 1: 0.0})


def squares_network() -> MLP:
    """3-6-4-3: h2 neuron i holds x_i^2, the outputs add them up."""
    net, a = empty(3, 6, 4, 3), 0.8
    for i in range(3):
        connect(net, 0, {(2 * i, i): a, (2 * i + 1, i): -a})
        connect(net, 1, {(i, 2 * i): 2 / a**2, (i, 2 * i + 1): 2 / a**2}, {i: 8.0})
    sums = {(o, i): 1.0 for o in range(3) for i in range(o + 1)}
    return connect(net, 2, sums, {o: -8.0 * (o + 1) for o in range(3)})


def distance_network() -> MLP:
    """4-4-2-2-2-1: (x1 - x2)^2 + (x3 - x4)^2 in neuron 1 of h3, then some concave function."""
    net, a = empty(4, 4, 2, 2, 2, 1), 0.4
    for k, (p, q) in enumerate(((0, 1), (2, 3))):
        connect(net, 0, {(2 * k, p): a, (2 * k, q): -a, (2 * k + 1, p): -a, (2 * k + 1, q): a})
    connect(net, 1, {(0, j): 1 / a**2 for j in range(4)}, {0: 4.0})
    connect(net, 2, {(1, 0): 0.5}, {1: -1.0})
    connect(net, 3, {(0, 1): 1.0, (1, 1): -2.5}, {1: 2.5})
    return connect(net, 4, {(0, 0): 0.6, (0, 1): -1.3})
