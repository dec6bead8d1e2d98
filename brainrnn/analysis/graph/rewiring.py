"""Random graphs to compare a network's graph with: the same number of edges, or the same degrees.

Graphs here are undirected, without loops, and without a second edge between two nodes.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

_ROUNDS = 100  # in each of which half as many exchanges are proposed as there are edges


def rewired(
    edges: Int[np.ndarray, "edge 2"],
    nodes: int,
    n: int,
    rng: np.random.Generator,
    *,
    exchanges: float = 2.0,
) -> Int[np.ndarray, "graph edge 2"]:
    """Random graphs in which every node keeps its degree.

    Pairs of edges exchange ends, a-b and c-d becoming a-d and c-b (Maslov and Sneppen 2002,
    Science 296:910). In a round, all edges pair up at random and exchange at once.

    Parameters
    ----------
    edges : (edge, 2)
        Of the graph to start from.
    nodes : int
    n : int
        How many graphs.
    rng : numpy Generator
    exchanges : float
        How often an edge exchanges ends, on average. A dense graph, in which few exchanges are
        possible, is left after some 50 proposals an edge.

    Returns
    -------
    (n, edge, 2)
        The edges of each graph, in no order.

    Notes
    -----
    Exchanges of a round do not see each other. None takes place whose new edge is there already or
    is proposed twice, or whose old edge another proposes. So whatever can happen in a round can be
    undone in one with the same probability, and all graphs of these degrees become equally likely.
    Where there are more edges than gaps between nodes, gaps are exchanged instead.
    """
    if 4 * len(edges) > nodes * (nodes - 1):  # more than half of all: few exchanges are possible
        gaps = rewired(_others(edges[None], nodes)[0], nodes, n, rng, exchanges=exchanges)
        return _others(gaps, nodes)
    edge = np.broadcast_to(edges, (n, *edges.shape)).copy()
    graph = np.arange(n)[:, None, None]
    half, wanted = len(edges) // 2, exchanges * n * len(edges) / 2
    for _ in range(_ROUNDS if half else 0):
        if wanted <= 0:
            break
        order = rng.random((n, len(edges)), dtype=np.float32).argsort(1)[:, : 2 * half]
        order = order.reshape(n, 2, half)
        old = edge[graph, order]  # (graph, 2, pair, 2)
        turned = rng.random((n, half)) < 0.5
        old[:, 1][turned] = old[:, 1][turned][:, ::-1]
        new = np.stack([old[..., 0], old[:, ::-1, :, 1]], axis=-1)
        was, proposed = _numbers(old, nodes), _numbers(new, nodes)
        there = np.zeros(n * nodes**2, bool)
        there[_numbers(edge[:, None], nodes)] = True
        times = np.bincount(proposed.ravel(), minlength=len(there))
        bad = there[proposed] | (times[proposed] > 1) | (times[was] > 0)
        bad |= new[..., 0] == new[..., 1]
        free = ~bad.any(1)  # (graph, pair)
        wanted -= free.sum()
        moved = np.broadcast_to(free[:, None], order.shape)
        edge[np.broadcast_to(graph, order.shape)[moved], order[moved]] = new[moved]
    return edge


def scattered(
    edges: Int[np.ndarray, "edge 2"], nodes: int, n: int, rng: np.random.Generator
) -> Int[np.ndarray, "graph edge 2"]:
    """Random graphs with the same number of edges anywhere (Erdos and Renyi 1959).

    Parameters
    ----------
    edges : (edge, 2)
    nodes : int
    n : int
    rng : numpy Generator

    Returns
    -------
    (n, edge, 2)
    """
    pairs = np.stack(np.triu_indices(nodes, 1), axis=1)
    order = rng.random((n, len(pairs)), dtype=np.float32).argsort(1)[:, : len(edges)]
    return pairs[order]


def _others(edges: Int[np.ndarray, "graph edge 2"], nodes: int) -> Int[np.ndarray, "graph pair 2"]:
    """Pairs of nodes without an edge, (graph, pair, 2), as many in every graph."""
    free = np.repeat(np.triu(np.ones((nodes, nodes), bool), 1)[None], len(edges), axis=0)
    free[np.arange(len(edges))[:, None], edges.min(-1), edges.max(-1)] = False
    return np.stack(np.nonzero(free)[1:], axis=-1).reshape(len(edges), -1, 2)


def _numbers(edge: Int[np.ndarray, "*which 2"], nodes: int) -> Int[np.ndarray, "*which"]:
    """Number each edge (graph, ..., 2), whichever its first end is; other graphs, other numbers."""
    graph = np.arange(len(edge)).reshape(-1, *[1] * (edge.ndim - 2))
    one, two = edge[..., 0], edge[..., 1]  # a reduction over an axis of two takes ten times as long
    return (graph * nodes + np.minimum(one, two)) * nodes + np.maximum(one, two)
