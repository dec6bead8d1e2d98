"""Functional modules: neurons that take part in the same tasks."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
import xarray as xr
from jaxtyping import Float, Int, Shaped
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.metrics import pairwise_distances, silhouette_score
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from brainrnn.analysis.activity.variance import normalise
from brainrnn.errors import InputError, unknown

Clustering: TypeAlias = Literal["kmeans", "agglomerative", "mixture"]

_DIGITS = 6  # normalised variances that agree this far differ by round-off alone


def cluster_units(
    variance: xr.DataArray,
    *,
    active: xr.DataArray,
    k: int | None = None,
    k_range: tuple[int, int] = (8, 20),
    seed: int = 0,
    method: Clustering = "kmeans",
) -> xr.Dataset:
    """Group the active neurons of each network by their normalised task variances.

    The number of modules is ``k``, or the one in ``k_range`` with the highest mean silhouette (Yang
    et al. 2019, Methods). Values of ``k_range`` that a network has
    too few distinct active neurons for are left out, with a silhouette of NaN; a network that has
    too few for all of them, or whose suite has one task only, keeps its neurons in one module.

    Parameters
    ----------
    variance : (member, unit, task)
        Task variance as from :func:`task_variance`.
    active : (member, unit) bool
        Neurons to group.
    k : int, optional
        A fixed number of modules.
    k_range : (int, int)
        Smallest and largest number of modules to try.
    seed : int
    method : {"kmeans", "agglomerative", "mixture"}
        k-means with 20 starts (Yang et al. 2019); Ward's agglomeration; or a mixture of Gaussians,
        each with a variance of its own in every task, of which at least 1e-3 (0.03 squared) is
        noise, from the best of 5 starts.

    Returns
    -------
    Dataset
        ``module`` (member, unit): numbered from 0 by falling size, ties by lowest unit, -1 for
        inactive neurons; ``clusters`` (member,): how many; ``silhouette`` (member, k).

    Raises
    ------
    InputError
        If ``k`` is given and no network has that many distinct active neurons, or the method is
        unknown.

    Examples
    --------
    >>> profiles = [[[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.0, 0.0]]]
    >>> variance = xr.DataArray(profiles, dims=("member", "unit", "task"))
    >>> cluster_units(variance, active=variance.sum("task") > 0, k=2).module.values
    array([[ 0,  0,  1, -1]])
    """
    if method not in get_args(Clustering):
        raise InputError(unknown("clustering", method, get_args(Clustering)))
    ks = np.array([k]) if k is not None else np.arange(k_range[0], k_range[1] + 1)
    features = normalise(variance).transpose("member", "unit", "task").values
    live = active.transpose("member", "unit").values
    module = np.full(live.shape, -1)
    silhouette = np.full((len(live), len(ks)), np.nan)
    if k is not None and all(
        k > _distinct(x[units]) for x, units in zip(features, live, strict=True)
    ):
        raise InputError(
            f"cannot form k = {k} modules: no network has that many active neurons that differ; "
            "lower k or active_threshold, or train for longer"
        )
    with threadpool_limits(1):  # the arrays are small: more threads would only wait for each other
        for member, units in enumerate(live):
            found, silhouette[member] = partitions(features[member, units], ks, seed, method)
            module[member, units] = by_size(found[most_distinct(silhouette[member])])
    return xr.Dataset(
        {
            "module": (
                ("member", "unit"),
                module,
                {"long_name": "functional module, -1 if inactive", "units": "1"},
            ),
            "clusters": (
                "member",
                module.max(1) + 1,
                {"long_name": "number of functional modules", "units": "1"},
            ),
            "silhouette": (
                ("member", "k"),
                silhouette,
                {"long_name": "mean silhouette", "units": "1"},
            ),
        },
        coords={"k": ("k", ks, {"long_name": "number of modules tried"})},
    )


def partitions(
    x: Float[np.ndarray, "unit task"],
    ks: Int[np.ndarray, " k"],
    seed: int,
    method: Clustering = "kmeans",
) -> tuple[list[Int[np.ndarray, " unit"]], Float[np.ndarray, " k"]]:
    """Partitions of neurons into each number of modules that they are distinct enough for.

    Parameters
    ----------
    x : (unit, task)
        Normalised task variances.
    ks : (k,)
        Numbers of modules, rising.
    seed : int
    method : {"kmeans", "agglomerative", "mixture"}

    Returns
    -------
    list of (unit,), (k,)
        Labels for the first so many ``ks``, or of a single module if there are too few distinct
        neurons for any; and the mean silhouette of each, NaN where there is none.
    """
    x = x.astype(np.float64)
    distinct = _distinct(x)
    labels, silhouette = [], np.full(len(ks), np.nan)
    if distinct < ks[0]:
        return [np.zeros(len(x), int)], silhouette
    distance = pairwise_distances(x)
    for i, k in enumerate(ks[ks <= distinct].tolist()):
        one = k == 1  # which not every model takes for an answer
        labels.append(np.zeros(len(x), int) if one else _model(method, k, seed).fit_predict(x))
        if 1 < len(np.unique(labels[-1])) < len(x):
            silhouette[i] = silhouette_score(distance, labels[-1], metric="precomputed")
    return labels, silhouette


def most_distinct(silhouette: Float[np.ndarray, " k"]) -> int:
    """Index of the highest silhouette, (k,); the first if none is known."""
    return 0 if np.isnan(silhouette).all() else int(np.nanargmax(silhouette))


def _model(
    method: Clustering, k: int, seed: int
) -> KMeans | AgglomerativeClustering | GaussianMixture:
    match method:
        case "kmeans":
            return KMeans(k, n_init=20, random_state=seed)
        case "agglomerative":
            return AgglomerativeClustering(k)  # Ward's
        case "mixture":
            return GaussianMixture(
                k, covariance_type="diag", reg_covar=1e-3, n_init=5, random_state=seed
            )


def _distinct(x: Float[np.ndarray, "unit task"]) -> int:
    return len(np.unique(x.round(_DIGITS), axis=0))


def by_size(labels: Shaped[np.ndarray, " unit"]) -> Int[np.ndarray, " unit"]:
    """Number labels from 0 by falling count, ties by first occurrence."""
    _, first, inverse, count = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty_like(count)
    rank[np.lexsort((first, -count))] = np.arange(len(count))
    return rank[inverse]
