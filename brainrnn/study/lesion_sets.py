"""Which neurons a lesion takes: a module's, those at its place, a region's, or random ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Bool, Float, Int, Shaped


def lesion_sets(
    brain: xr.Dataset, *, draws: int, strata: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, Bool[np.ndarray, "lesion unit"]]:
    """Modules of a network, their places, regions, and random sets of active neurons beside them.

    Parameters
    ----------
    brain : Dataset
        Analysis of one network (:func:`brainrnn.analysis.analyse`), without ``member``.
    draws : int
        Random sets for each lesion and null.
    strata : int
        Groups of neurons of equal number and rising task variance, inside which the sets that match
        a module's activity are drawn.
    rng : numpy Generator

    Returns
    -------
    DataFrame
        What each lesion is. ``kind``: module, around (a module's place), region, intact (no
        neuron) or all; ``null``: observed, random, or matched to the module's activity;
        ``lesion``: the number of the module or region; ``draw``: of its random sets.
    (lesion, unit) bool
        Its neurons.
    """
    active = np.flatnonzero(brain.active.values)
    place = brain.position.transpose("unit", "space").values[active]
    module, n = brain.module.values[active], int(brain.clusters)
    region = regions(place, n)
    total = brain.task_variance.sum("task").values[active]
    stratum = total.argsort(kind="stable").argsort() * strata // max(1, len(active))
    alike = np.zeros_like(stratum)
    sets = {
        ("intact", "observed"): np.zeros((1, 1, len(active)), bool),
        ("all", "observed"): np.ones((1, 1, len(active)), bool),
        ("module", "observed"): members(module[None], n),
        ("around", "observed"): around(place, module, n)[None],
        ("region", "observed"): members(region[None], n),
        ("module", "random"): members(shuffled(module, alike, draws, rng), n),
        ("module", "matched"): members(shuffled(module, stratum, draws, rng), n),
        ("region", "random"): members(shuffled(region, alike, draws, rng), n),
    }
    about = [
        {"kind": kind, "null": null, "lesion": lesion, "draw": draw}
        for (kind, null), some in sets.items()
        for draw, lesion in np.ndindex(*some.shape[:2])
    ]
    neurons = np.zeros((len(about), brain.sizes["unit"]), bool)
    neurons[:, active] = np.concatenate([s.reshape(-1, len(active)) for s in sets.values()])
    neurons[1] = True  # without any neuron, whether it counts as active or not
    return pd.DataFrame(about), neurons


def regions(place: Float[np.ndarray, "neuron space"], n: int) -> Int[np.ndarray, " neuron"]:
    """Divide neurons into contiguous regions of equal number, by halving along the longest side.

    Parameters
    ----------
    place : (neuron, space)
    n : int
        How many regions; their numbers of neurons differ by one at most.

    Examples
    --------
    >>> regions(np.array([[0.0], [0.3], [0.9], [0.6]]), 2).tolist()
    [0, 0, 1, 1]
    """
    region = np.zeros(len(place), int)
    waiting = [(np.arange(len(place)), 0, n)]
    while waiting:
        some, first, parts = waiting.pop()
        region[some] = first
        if parts > 1:
            inside = place[some]
            axis = int(np.ptp(inside, axis=0).argmax()) if len(some) else 0
            order = some[inside[:, axis].argsort(kind="stable")]
            low = parts // 2
            cut = len(some) // parts * low + min(low, len(some) % parts)
            waiting += [(order[:cut], first, low), (order[cut:], first + low, parts - low)]
    return region


def around(
    place: Float[np.ndarray, "neuron space"], module: Int[np.ndarray, " neuron"], n: int
) -> Bool[np.ndarray, "module neuron"]:
    """As many neurons as each module has, those nearest to its centroid.

    Parameters
    ----------
    place : (neuron, space)
    module : (neuron,) int
        From 0 to n - 1.
    n : int
    """
    own = members(module[None], n)[0]
    size = own.sum(1)
    centre = own @ place / np.maximum(size, 1)[:, None]
    distance = np.linalg.norm(place - centre[:, None], axis=2)
    rank = distance.round(9).argsort(axis=1, kind="stable").argsort(axis=1)
    return rank < size[:, None]


def shuffled(
    labels: Shaped[np.ndarray, " neuron"],
    stratum: Int[np.ndarray, " neuron"],
    n: int,
    rng: np.random.Generator,
) -> Shaped[np.ndarray, "draw neuron"]:
    """Permute labels inside strata, every order equally likely.

    Parameters
    ----------
    labels : (neuron,)
    stratum : (neuron,) int
    n : int
        Number of draws.
    rng : numpy Generator
    """
    result = np.empty((n, len(labels)), labels.dtype)
    order = (stratum + rng.random((n, len(labels)))).argsort(axis=1)
    result[:, stratum.argsort(kind="stable")] = labels[order]
    return result


def members(
    labels: Int[np.ndarray, "draw neuron"], n: int
) -> Bool[np.ndarray, "draw label neuron"]:
    """Which neurons bear each label from 0 to n - 1."""
    return labels[:, None] == np.arange(n)[:, None]
