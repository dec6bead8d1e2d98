"""A network as a weighted graph, its communities, and Newman's modularity."""

from __future__ import annotations

import networkx as nx
import numpy as np
import xarray as xr
from jaxtyping import Float

from brainrnn.analysis.graph.greedy import greedy_communities
from brainrnn.analysis.graph.live import check_member
from brainrnn.analysis.graph.stages import connections
from brainrnn.anatomy.placed import Placed
from brainrnn.progress import counted

Node = tuple[str, int, int]  # population, fold, neuron


def connection_graph(net: Placed, member: int = 0) -> nx.Graph:
    """Undirected graph of one network's connections, weighted by |weight|.

    Every neuron is a node ``(population, fold, neuron)``. Folds from which connections start, such
    as the places of two tokens, are nodes of their own (fold 0, 1, ...); folds in which they end,
    such as the gates of a GRU, are one node (fold 0). The weight of an edge is the sum of |weight|
    over all connections between its two neurons, in either direction and without a threshold.
    Weights of exactly 0, those from a neuron to itself, biases, and parameters that do not join
    two neurons with places (an embedding, inputs or outputs without places) make no edge.

    Parameters
    ----------
    net : Placed
    member : int
        Which network.

    Returns
    -------
    networkx.Graph
        With the edge attribute ``weight``.

    Raises
    ------
    InputError
        If there is no such network.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(3, 2, br.MLPSpec(hidden=(4,)))
    >>> len(connection_graph(net)), connection_graph(net).size()
    (9, 20)
    """
    adjacency, nodes = _adjacency(net, member)
    return nx.relabel_nodes(nx.from_numpy_array(adjacency), dict(enumerate(nodes)))


def communities(net: Placed, member: int = 0) -> list[frozenset[Node]]:
    """Communities of one network's :func:`connection_graph`, largest first.

    Greedy maximisation of the weighted modularity
    (:func:`brainrnn.analysis.graph.greedy.greedy_communities`), which is deterministic.

    Parameters
    ----------
    net : Placed
    member : int
        Which network.

    Returns
    -------
    list of frozenset of (population, fold, neuron)

    Raises
    ------
    InputError
        If there is no such network.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(3, 2, br.MLPSpec(hidden=(4,)))
    >>> sum(map(len, communities(net)))
    9
    """
    adjacency, nodes = _adjacency(net, member)
    label = greedy_communities(adjacency[None])[0][0]
    groups: list[list[Node]] = [[] for _ in range(label.max() + 1)]
    for node, group in zip(nodes, label, strict=True):
        groups[group].append(node)
    return [frozenset(group) for group in groups]


def newman_modularity(net: Placed, *, progress: bool = False) -> xr.DataArray:
    r"""Modularity of every network's :func:`connection_graph` under its :func:`communities`.

    .. math:: Q = \frac{1}{2m} \sum_{ij} \left[ A_{ij} - \frac{k_i k_j}{2m} \right] \delta(c_i, c_j)

    where :math:`A_{ij}` is the edge weight between neurons i and j, :math:`k_i = \sum_j A_{ij}`,
    :math:`2m = \sum_i k_i`, and :math:`c_i` is i's community (Newman 2006, PNAS 103:8577; Table 2
    of "Seeing Is Believing"). Inputs and outputs are included. The weights enter both the search
    for communities and Q: without them the weakest connection would count as much as the strongest.

    Parameters
    ----------
    net : Placed
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    (member,) float64
        NaN, for 0/0, where a network has no weight but 0, and where a weight is not finite.

    Examples
    --------
    >>> import torch
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(4, 4, br.MLPSpec(hidden=(4,)))
    >>> for weight in (net.fc0.weight, net.fc1.weight):  # two halves that do not meet
    ...     weight.data = torch.block_diag(torch.ones(2, 2), torch.ones(2, 2))[None]
    >>> newman_modularity(net).values
    array([0.5])
    """
    values = []
    for member in counted(range(net.members), "modularity", "network", enabled=progress):
        adjacency, _ = _adjacency(net, member)
        with np.errstate(over="ignore"):
            finite = np.isfinite(adjacency.sum())
        values.append(float(greedy_communities(adjacency[None])[1][0]) if finite else np.nan)
    return xr.DataArray(
        values, dims="member", attrs={"long_name": "Newman modularity", "units": "1"}
    )


def _adjacency(net: Placed, member: int) -> tuple[Float[np.ndarray, "node node"], list[Node]]:
    """The weights of one network's :func:`connection_graph`, and its nodes."""
    check_member(net, member)
    first, nodes = _nodes(net)
    adjacency = np.zeros((len(nodes), len(nodes)))
    for name in connections(net):
        out, source = net.anatomy.wiring[name]
        size = net.wired(name)[member].detach().abs().double().cpu()
        block = size.unflatten(0, (out.folds, -1)).sum(0).numpy()  # (neuron, neuron of each fold)
        row, column = first[str(out.population)], first[str(source.population)]
        adjacency[row : row + block.shape[0], column : column + block.shape[1]] += block
    adjacency += adjacency.T
    np.fill_diagonal(adjacency, 0)
    return adjacency, nodes


def _nodes(net: Placed) -> tuple[dict[str, int], list[Node]]:
    """Index of each population's first node, and all nodes; folds of a source stand in a row."""
    sources = [net.anatomy.wiring[name][1] for name in connections(net)]
    first: dict[str, int] = {}
    nodes: list[Node] = []
    for name, population in net.anatomy.populations.items():
        first[name] = len(nodes)
        folds = max((axis.folds for axis in sources if axis.population == name), default=1)
        nodes += [(name, fold, i) for fold in range(folds) for i in range(len(population))]
    return first, nodes
