"""The graph of a network's connections: which matter, what they join, and how modular it is."""

from __future__ import annotations

import networkx as nx
import numpy as np
import torch
import xarray as xr
from torch import Tensor

from brainrnn.analysis.stages import connections, stages
from brainrnn.anatomy import PlacedNetwork
from brainrnn.errors import InputError
from brainrnn.progress import counted

Node = tuple[str, int, int]  # population, fold, neuron


@torch.no_grad()
def live_connections(net: PlacedNetwork, *, threshold: float = 0.05) -> dict[str, Tensor]:
    """Connections that are not negligible beside the strongest of their parameter.

    A connection is live if its |weight| is above ``threshold`` times the largest |weight| of its
    parameter in its member. The paper has no such number: it draws thickness relative to the
    layer's largest weight and leaves the rest to the eye ("Seeing Is Believing", Section 3).

    Parameters
    ----------
    net : PlacedNetwork
    threshold : float
        At least 0 and below 1.

    Returns
    -------
    dict of str to (member, out, in) bool
        For every parameter that joins neurons with places.

    Raises
    ------
    InputError
        If the threshold is out of range.
    """
    if not 0 <= threshold < 1:
        raise InputError(
            f"the threshold of live connections must be a fraction of the largest weight, at least "
            f"0 and below 1, got {threshold!r}"
        )
    sizes = {name: net.get_parameter(name).abs() for name in connections(net)}
    return {n: size > threshold * size.amax(dim=(1, 2), keepdim=True) for n, size in sizes.items()}


@torch.no_grad()
def active_neurons(net: PlacedNetwork, *, threshold: float = 0.05) -> dict[str, Tensor]:
    """Neurons on a path of live connections from an input to an output.

    Where inputs are tokens, no path starts at an input neuron in which every token's embedding is
    negligible (at most ``threshold`` times the member's largest), and a neuron is active if any of
    its folds is. Paths also follow a residual stream from each of its moments to the next; one into
    a head of attention may be that of a query or a key.

    Parameters
    ----------
    net : PlacedNetwork
        Feed-forward.
    threshold : float
        As in :func:`live_connections`.

    Returns
    -------
    dict of str to (member, neuron) bool
        For every stage (:func:`brainrnn.analysis.stages`), inputs and outputs included; the stages
        of a perceptron are its populations.

    Raises
    ------
    InputError
        If the threshold is out of range, or the network is not feed-forward.
    """
    chain = stages(net)
    live = live_connections(net, threshold=threshold)
    # (member, fold, neuron) of every stage; folds of a target are one, of a source several
    reached = [_sources(net, chain[0].population, threshold)]
    for stage in chain[1:]:
        paths = _folded(net, live, stage.parameter)  # (member, fold, out, fold, source)
        arrived = (paths & reached[-1][:, None, None, : paths.shape[3]]).any((1, 3, 4))
        if stage.carried is not None:
            arrived |= reached[stage.carried].any(1)
        reached.append(arrived[:, None])
    leads = [torch.zeros_like(places) for places in reached]
    leads[-1] |= True
    for index in reversed(range(1, len(chain))):
        stage, on = chain[index], leads[index].any(1)
        paths = _folded(net, live, stage.parameter)
        leads[index - 1] = leads[index - 1] | (paths & on[:, None, :, None, None]).any((1, 2))
        if stage.carried is not None:
            leads[stage.carried] = leads[stage.carried] | on[:, None]
    return {
        stage.name: (to & fro).any(1) for stage, to, fro in zip(chain, reached, leads, strict=True)
    }


def connection_graph(net: PlacedNetwork, member: int = 0) -> nx.Graph:
    """Undirected graph of one network's connections, weighted by |weight|.

    Every neuron is a node ``(population, fold, neuron)``. Folds from which connections start, such
    as the places of two tokens, are nodes of their own (fold 0, 1, ...); folds in which they end,
    such as the gates of a GRU, are one node (fold 0). The weight of an edge is the sum of |weight|
    over all connections between its two neurons, in either direction and without a threshold.
    Weights of exactly 0, those from a neuron to itself, biases, and parameters that do not join
    two neurons with places (an embedding) make no edge.

    Parameters
    ----------
    net : PlacedNetwork
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
    """
    check_member(net, member)
    first, nodes = _nodes(net)
    adjacency = np.zeros((len(nodes), len(nodes)))
    for name in connections(net):
        out, source = net.anatomy.wiring[name]
        size = net.get_parameter(name)[member].detach().abs().double().cpu()
        block = size.unflatten(0, (out.folds, -1)).sum(0).numpy()  # (neuron, neuron of each fold)
        row, column = first[str(out.population)], first[str(source.population)]
        adjacency[row : row + block.shape[0], column : column + block.shape[1]] += block
    adjacency += adjacency.T
    np.fill_diagonal(adjacency, 0)
    return nx.relabel_nodes(nx.from_numpy_array(adjacency), dict(enumerate(nodes)))


def communities(net: PlacedNetwork, member: int = 0) -> list[frozenset[Node]]:
    """Communities of one network's :func:`connection_graph`, largest first.

    Greedy maximisation of the weighted modularity (Clauset, Newman & Moore 2004, Physical Review E
    70:066111), which is deterministic.
    """
    return _greedy(connection_graph(net, member))


def newman_modularity(net: PlacedNetwork, *, progress: bool = False) -> xr.DataArray:
    r"""Modularity of every network's :func:`connection_graph` under its :func:`communities`.

    .. math:: Q = \frac{1}{2m} \sum_{ij} \left[ A_{ij} - \frac{k_i k_j}{2m} \right] \delta(c_i, c_j)

    where :math:`A_{ij}` is the edge weight between neurons i and j, :math:`k_i = \sum_j A_{ij}`,
    :math:`2m = \sum_i k_i`, and :math:`c_i` is i's community (Newman 2006, PNAS 103:8577; Table 2
    of "Seeing Is Believing"). Inputs and outputs are included. The weights enter both the search
    for communities and Q: without them the weakest connection would count as much as the strongest.

    Parameters
    ----------
    net : PlacedNetwork
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    (member,) float64
        NaN, for 0/0, where a network has no weight but 0, and where a weight is not finite.
    """
    values = []
    for member in counted(range(net.members), "modularity", "network", enabled=progress):
        graph = connection_graph(net, member)
        defined = 0 < graph.size(weight="weight") < np.inf
        values.append(
            nx.community.modularity(graph, _greedy(graph), weight="weight") if defined else np.nan
        )
    return xr.DataArray(
        values, dims="member", attrs={"long_name": "Newman modularity", "units": "1"}
    )


def check_member(net: PlacedNetwork, member: int) -> None:
    """See that a network has this member.

    Raises
    ------
    InputError
        If not.
    """
    if not 0 <= member < net.members:
        raise InputError(f"network {member} does not exist: choose 0 to {net.members - 1}")


def _greedy(graph: nx.Graph) -> list[frozenset[Node]]:
    return list(nx.community.greedy_modularity_communities(graph, weight="weight"))


def _nodes(net: PlacedNetwork) -> tuple[dict[str, int], list[Node]]:
    """Index of each population's first node, and all nodes; folds of a source stand in a row."""
    sources = [net.anatomy.wiring[name][1] for name in connections(net)]
    first: dict[str, int] = {}
    nodes: list[Node] = []
    for name, population in net.anatomy.populations.items():
        first[name] = len(nodes)
        folds = max((axis.folds for axis in sources if axis.population == name), default=1)
        nodes += [(name, fold, i) for fold in range(folds) for i in range(len(population))]
    return first, nodes


def _folded(net: PlacedNetwork, live: dict[str, Tensor], parameter: str | None) -> Tensor:
    """Live connections of a parameter, (member, fold, out, fold, source)."""
    assert parameter is not None
    out, source = net.anatomy.wiring[parameter]
    return live[parameter].unflatten(2, (source.folds, -1)).unflatten(1, (out.folds, -1))


def _sources(net: PlacedNetwork, population: str, threshold: float) -> Tensor:
    """Where paths may start, (member, fold, neuron of the inputs) bool."""
    wiring = net.anatomy.wiring.items()
    folds = next(
        axes[1].folds
        for _, axes in wiring
        if len(axes) == 2 and axes[1].population == population and axes[0].population
    )
    start = torch.ones_like(net.anatomy.places(population), dtype=torch.bool)
    for name, axes in wiring:
        if len(axes) == 2 and axes[0].population is None and axes[1].population == population:
            size = net.get_parameter(name).abs().amax(1)  # a table of tokens: (member, input)
            start = size > threshold * size.amax(1, keepdim=True)
    return start[:, None].expand(-1, folds, -1)
