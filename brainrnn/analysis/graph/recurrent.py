"""The graph of a recurrent network's live connections, beside random graphs like it."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from brainrnn.analysis.graph.greedy import greedy_communities
from brainrnn.analysis.graph.mixing import strength
from brainrnn.analysis.graph.rewiring import rewired, scattered
from brainrnn.analysis.graph.small_world import clustering, path_length, small_worldness
from brainrnn.analysis.space.permutation import Alternative, compare
from brainrnn.errors import InputError, unknown

NULLS = {"degree": rewired, "density": scattered}
ALTERNATIVES: dict[str, Alternative] = {
    "modularity": "greater",
    "clustering": "greater",
    "path_length": "two-sided",
    "small_world": "greater",
}


def live(weight: np.ndarray, threshold: float = 0.05) -> np.ndarray:
    """Connections between different neurons that are not negligible beside the strongest.

    As :func:`live_connections`, for a matrix of weights.

    Parameters
    ----------
    weight : (unit, source)
    threshold : float
        Fraction of the largest |weight| between two different neurons.

    Returns
    -------
    (unit, source) bool

    Raises
    ------
    InputError
        If the threshold is not at least 0 and below 1.
    """
    if not 0 <= threshold < 1:
        raise InputError(
            "the threshold of live connections must be a fraction of the largest weight, at least "
            f"0 and below 1, got {threshold!r}"
        )
    size = np.abs(weight)
    np.fill_diagonal(size, 0)
    return size > threshold * size.max(initial=0)


def graph_test(
    weight: np.ndarray,
    *,
    threshold: float = 0.05,
    null: Literal["degree", "density"] = "degree",
    n: int = 50,
    seed: int | np.random.SeedSequence = 0,
) -> xr.Dataset:
    """Compare the graph of live connections with random graphs.

    Two neurons are joined by an edge if the connection between them is live in either direction;
    its weight is the sum of |weight| over both directions, of live connections only.

    Parameters
    ----------
    weight : (unit, source)
        Of active neurons; connections of neurons with themselves do not count.
    threshold : float
        As in :func:`live`.
    null : {"degree", "density"}
        Random graphs in which every neuron has as many edges as in this one, or just as many edges
        in all. The weights are those of the network's edges, at random.
    n : int
        Number of random graphs.
    seed : int or SeedSequence

    Returns
    -------
    Dataset
        As from :func:`permutation_test`, of the statistics ``modularity`` (of
        :func:`greedy_communities`; alternative: greater), ``clustering`` (greater), ``path_length``
        (two-sided) and ``small_world`` (greater); and ``community`` (unit,).

    Raises
    ------
    InputError
        If ``n`` is below 1, the threshold out of range, or the null unknown.
    """
    if n < 1:
        raise InputError(f"a graph is compared with at least 1 random graph, got n={n}")
    if null not in NULLS:
        raise InputError(unknown("null", null, list(NULLS)))
    rng = np.random.default_rng(seed)
    size = strength(np.where(live(weight, threshold), weight, 0))
    edges = np.stack(np.nonzero(np.triu(size)), axis=1)
    value = size[tuple(edges.T)]
    moved = NULLS[null](edges, len(size), n, rng)
    random = np.zeros((n, *size.shape))
    graph = np.arange(n)[:, None]
    weights = rng.permuted(np.tile(value, (n, 1)), axis=1)
    random[graph, moved[..., 0], moved[..., 1]] = weights
    random[graph, moved[..., 1], moved[..., 0]] = weights
    label, q = greedy_communities(np.concatenate([size[None], random]))
    sigma, random_sigma = small_worldness(size > 0, random > 0)
    rows = {
        "modularity": (q[0], q[1:]),
        "clustering": (clustering(size > 0), clustering(random > 0)),
        "path_length": (path_length(size > 0), path_length(random > 0)),
        "small_world": (sigma, random_sigma),
    }
    test = compare(
        np.array([observed for observed, _ in rows.values()], float),
        np.stack([values for _, values in rows.values()]),
        list(rows),
        alternative=ALTERNATIVES,
    )
    return test.assign(
        community=(
            "unit",
            label[0],
            {"long_name": "community in the graph of live connections", "units": "1"},
        )
    )
