"""The graph of live connections of any matrix of weights, beside random graphs like it."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Num

from brainrnn.analysis.graph.greedy import greedy_communities
from brainrnn.analysis.graph.mixing import strength
from brainrnn.analysis.graph.rewiring import rewired, scattered
from brainrnn.analysis.graph.small_world import clustering, path_length, small_worldness
from brainrnn.analysis.space.permutation import Alternative, compare
from brainrnn.errors import InputError, unknown
from brainrnn.memory import require_memory

NULLS = {"degree": rewired, "density": scattered}
ALTERNATIVES: dict[str, Alternative] = {
    "modularity": "greater",
    "clustering": "greater",
    "path_length": "two-sided",
    "small_world": "greater",
}


def live(
    weight: Num[np.ndarray, "unit source"], threshold: float = 0.05
) -> Bool[np.ndarray, "unit source"]:
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
    weight: Num[np.ndarray, "unit source"] | xr.DataArray | torch.Tensor,
    *,
    threshold: float = 0.05,
    null: Literal["degree", "density"] = "degree",
    n: int = 50,
    seed: int | np.random.SeedSequence = 0,
) -> xr.Dataset:
    r"""Compare the graph of live connections with random graphs: is it modular, a small world?

    Two neurons are joined by an edge if the connection between them is live in either direction;
    its weight is the sum of |weight| over both directions, of live connections only.
    Small-worldness is

    .. math:: \sigma = \frac{C / \langle C \rangle}{L / \langle L \rangle}

    (Humphries and Gurney 2008, PLoS ONE 3:e2051), with the clustering coefficient C and the path
    length L, and their means over the random graphs.

    Parameters
    ----------
    weight : (unit, source)
        Weights of any graph: of a network's active neurons, or a connectome. Negative ones count by
        their magnitude; connections of neurons with themselves do not count.
    threshold : float
        Connections above this fraction of the strongest are live; 0 for all that are there.
    null : {"degree", "density"}
        Random graphs in which every neuron has as many edges as in this one (Maslov and Sneppen
        2002, Science 296:910), or just as many edges in all (Erdos and Renyi 1959). The weights are
        those of the network's edges, at random.
    n : int
        Number of random graphs.
    seed : int or SeedSequence

    Returns
    -------
    Dataset
        As from :func:`permutation_test`, of the statistics ``modularity`` (of
        :func:`greedy_communities`; alternative: greater), ``clustering`` (greater), ``path_length``
        (two-sided) and ``small_world`` (greater); and ``community`` (unit,). The attributes
        ``edges`` and ``density`` (of all pairs, the share that is joined) hold for this graph and
        every random one.

    Raises
    ------
    InputError
        If ``n`` is below 1 or so many graphs would not fit into memory, the threshold is out of
        range, the null unknown, or the weights are not a square matrix of finite numbers.

    Notes
    -----
    C rises and L falls with the density of a graph, so that σ against graphs of another density
    would mostly measure density. Both nulls here have as many edges as the graph. The path length
    is a harmonic mean, so that a graph in several pieces has one too. Weights enter the modularity
    alone.

    Examples
    --------
    A ring of 40 neurons, each connected to those nearby:

    >>> gap = np.abs(np.arange(40)[:, None] - np.arange(40))
    >>> ring = (np.minimum(gap, 40 - gap) <= 3).astype(float)
    >>> test = graph_test(ring, n=20)
    >>> float(test.observed.sel(statistic="small_world").round(1))
    4.1
    >>> float(test.p.sel(statistic="small_world")) <= 1 / 21
    True
    >>> test.attrs["edges"], round(test.attrs["density"], 3)
    (120, 0.154)
    """
    weight = _matrix(weight)
    if n < 1:
        raise InputError(f"a graph is compared with at least 1 random graph, got n={n}")
    if null not in NULLS:
        raise InputError(unknown("null", null, list(NULLS)))
    require_memory(2 * 8 * n * weight.size, f"{n:,} random graphs", "compare with fewer")
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
    pairs = len(size) * (len(size) - 1) // 2
    test = test.assign_attrs(edges=len(edges), density=len(edges) / pairs if pairs else 0.0)
    return test.assign(
        community=(
            "unit",
            label[0],
            {"long_name": "community in the graph of live connections", "units": "1"},
        )
    )


def _matrix(weight: np.ndarray | xr.DataArray | torch.Tensor) -> Num[np.ndarray, "unit source"]:
    """Weights as a square array of finite numbers."""
    matrix = np.asarray(weight.detach().cpu() if isinstance(weight, torch.Tensor) else weight)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(
            f"weights of a graph must be (unit, source), square, got the shape {matrix.shape}"
        )
    if not np.isfinite(matrix).all():
        raise InputError("weights of a graph must be finite: set connections that are not to 0")
    return matrix
