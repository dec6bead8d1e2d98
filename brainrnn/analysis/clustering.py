"""Functional modules: neurons that take part in the same tasks."""

from __future__ import annotations

import numpy as np
import xarray as xr
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances, silhouette_score
from threadpoolctl import threadpool_limits

from brainrnn.analysis.variance import normalise
from brainrnn.errors import InputError

_DIGITS = 6  # normalised variances that agree this far differ by round-off alone


def cluster_units(
    variance: xr.DataArray,
    *,
    active: xr.DataArray,
    k: int | None = None,
    k_range: tuple[int, int] = (8, 20),
    seed: int = 0,
) -> xr.Dataset:
    """Group the active neurons of each network by their normalised task variances.

    k-means with 20 starts; the number of modules is ``k``, or the one in ``k_range`` with the
    highest mean silhouette (Yang et al. 2019, Methods). Values of ``k_range`` that a network has
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

    Returns
    -------
    Dataset
        ``module`` (member, unit): numbered from 0 by falling size, ties by lowest unit, -1 for
        inactive neurons; ``clusters`` (member,): how many; ``silhouette`` (member, k).

    Raises
    ------
    InputError
        If ``k`` is given and no network has that many distinct active neurons.
    """
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
            found, silhouette[member] = _best_partition(features[member, units], ks, seed)
            module[member, units] = _by_size(found)
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


def _best_partition(x: np.ndarray, ks: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels (unit,) of the partition with the highest silhouette, and all silhouettes (k,)."""
    x = x.astype(np.float64)
    distinct = _distinct(x)
    labels, silhouette = [], np.full(len(ks), np.nan)
    if distinct < ks[0]:
        return np.zeros(len(x), int), silhouette
    distance = pairwise_distances(x)
    for i, k in enumerate(ks[ks <= distinct]):
        labels.append(KMeans(int(k), n_init=20, random_state=seed).fit_predict(x))
        if 1 < k < len(x):
            silhouette[i] = silhouette_score(distance, labels[-1], metric="precomputed")
    best = 0 if np.isnan(silhouette).all() else int(np.nanargmax(silhouette))
    return labels[best], silhouette


def _distinct(x: np.ndarray) -> int:
    return len(np.unique(x.round(_DIGITS), axis=0))


def _by_size(labels: np.ndarray) -> np.ndarray:
    """Number labels from 0 by falling count, ties by first occurrence."""
    _, first, inverse, count = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty_like(count)
    rank[np.lexsort((first, -count))] = np.arange(len(count))
    return rank[inverse]
