"""Communities of many graphs at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from brainrnn.analysis.activity.clustering import by_size

_NOTHING = 1e-12  # gains in modularity up to this are round-off


def greedy_communities(
    size: Float[np.ndarray, "graph node node"],
) -> tuple[Int[np.ndarray, "graph node"], Float[np.ndarray, " graph"]]:
    r"""Communities of undirected weighted graphs and their modularities Q, side by side.

    From one community per node, those two are joined that raise Q most, until none do: the search
    of :func:`communities` (Clauset, Newman and Moore 2004, Physical Review E 70:066111), a step of
    all graphs at a time.

    Parameters
    ----------
    size : (graph, node, node)
        Symmetric weights of edges, 0 for none and on the diagonal.

    Returns
    -------
    (graph, node) int, (graph,)
        Community of each node, numbered from 0 by falling size; a node without edges is one of its
        own. Q is NaN for a graph without edges.
    """
    graphs, nodes, _ = size.shape
    total = size.sum((1, 2), keepdims=True)
    with np.errstate(invalid="ignore"):
        share = size / total
    degree = share.sum(2)
    label: np.ndarray = np.tile(np.arange(nodes), (graphs, 1))
    gain = share - degree[:, :, None] * degree[:, None, :]  # half of what joining two adds to Q
    gain[:, np.arange(nodes), np.arange(nodes)] = -np.inf
    gain[np.isnan(gain)] = -np.inf
    going: np.ndarray = np.arange(graphs)
    while len(going):
        best = gain.reshape(len(going), -1).argmax(1)
        one, two = np.divmod(best, nodes)
        here = np.arange(len(going))
        better = gain[here, one, two] > _NOTHING
        if not better.all():
            going, gain, one, two = going[better], gain[better], one[better], two[better]
            here = np.arange(len(going))
        joined = gain[here, one] + gain[here, two]
        gain[here, one], gain[here, :, one] = joined, joined
        gain[here, two], gain[here, :, two] = -np.inf, -np.inf
        some = label[going]
        label[going] = np.where(some == two[:, None], one[:, None], some)
    same = label[:, :, None] == label[:, None, :]
    q = ((share - degree[:, :, None] * degree[:, None, :]) * same).sum((1, 2))
    return np.stack([by_size(one) for one in label]) if graphs else label, q
