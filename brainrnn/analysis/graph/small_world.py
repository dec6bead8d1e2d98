"""Small worlds: as clustered as a lattice, as close together as a random graph."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float


def clustering(
    adjacency: Bool[np.ndarray, "*graph node node"],
) -> Float[np.ndarray, "*graph"] | float:
    """Mean over nodes of the share of pairs of their neighbours that are joined.

    Watts and Strogatz (1998, Nature 393:440); 0 for nodes with fewer than two neighbours.

    Parameters
    ----------
    adjacency : (..., node, node) bool
        Of undirected graphs without loops.

    Returns
    -------
    (...)
    """
    joined = adjacency.astype(np.float32)
    triangles = ((joined @ joined) * joined).sum(-1, dtype=np.float64)
    degree = joined.sum(-1, dtype=np.float64)
    return (triangles / np.maximum(degree * (degree - 1), 1)).mean(-1)


def path_length(
    adjacency: Bool[np.ndarray, "*graph node node"],
) -> Float[np.ndarray, "*graph"] | float:
    """Harmonic mean, over pairs of nodes, of the number of edges from one to the other.

    Pairs without a path between them are infinitely far from each other, and count as such: so the
    graph need not be connected (Newman 2003, SIAM Review 45:167, Eq. 2).

    Parameters
    ----------
    adjacency : (..., node, node) bool
        Of undirected graphs without loops.

    Returns
    -------
    (...)
        Infinite without edges, NaN of a single node.
    """
    nodes = adjacency.shape[-1]
    joined = adjacency.astype(np.float32)
    reached = adjacency | np.eye(nodes, dtype=bool)
    inverse = joined.sum((-2, -1), dtype=np.float64)
    for steps in range(2, nodes):
        further = (reached.astype(np.float32) @ joined > 0) & ~reached
        if not further.any():
            break
        reached |= further
        inverse += further.sum((-2, -1)) / steps
    with np.errstate(divide="ignore", invalid="ignore"):
        return nodes * (nodes - 1) / inverse


def small_worldness(
    adjacency: Bool[np.ndarray, "node node"], random: Bool[np.ndarray, "graph node node"]
) -> tuple[float, Float[np.ndarray, " graph"]]:
    r"""How much more clustered a graph is than random ones, for how much longer its paths are.

    .. math:: \sigma = \frac{C / \langle C \rangle}{L / \langle L \rangle}

    with C and L from :func:`clustering` and :func:`path_length`, and their means over random graphs
    (Humphries and Gurney 2008, PLoS ONE 3:e2051). Above 1 in a small world.

    Parameters
    ----------
    adjacency : (node, node) bool
    random : (graph, node, node) bool
        With the same number of edges: rewired or scattered ones, as in :func:`graph_test`. C and L
        depend on density, so that σ against graphs of another density says little.

    Returns
    -------
    float, (graph,)
        Of the graph, and of each random graph beside the mean of all. NaN where it is not defined.
    """
    all_graphs = np.concatenate([adjacency[None], random])
    c, length = np.asarray(clustering(all_graphs)), np.asarray(path_length(all_graphs))
    with np.errstate(divide="ignore", invalid="ignore"):
        sigma = (c / c[1:].mean()) / (length / length[1:].mean())
    return float(sigma[0]), sigma[1:]
