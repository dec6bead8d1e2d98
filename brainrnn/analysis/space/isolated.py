"""How far the modules of a map are compact in space: neighbours and spread."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int, Num
from scipy.spatial import KDTree
from torch import Tensor

from brainrnn.analysis.space.permutation import Statistic
from brainrnn.errors import InputError


def neighbours(
    positions: Num[np.ndarray, "unit space"],
    kind: str | float,
    *,
    sites: Num[np.ndarray, "site space"] | None = None,
) -> Int[Tensor, "unit slot"]:
    """Which units are next to which.

    Distances are in units of the sites' spacing, the median distance from a site to the nearest
    other one, and are taken in the coordinates given: a periodic space is not wrapped.

    Parameters
    ----------
    positions : (unit, space)
        Where the units in question, the active ones, sit.
    kind : {"4", "8"} or float
        "4": one step along one axis (2 neighbours on a line, 4 on a plane grid, 6 on a cubic one);
        "8": at most one step along every axis (2, 8, 26); a number: all within that
        Euclidean distance.
    sites : (site, space), optional
        All sites of the population, from which the spacing is taken; ``positions`` by default.

    Returns
    -------
    (unit, slot) int64
        Indices of each unit's neighbours, padded with -1.

    Raises
    ------
    InputError
        If ``kind`` is none of these, or "4" or "8" is asked of sites that are not a grid.

    Examples
    --------
    >>> neighbours(np.array([[0.0], [1.0], [2.0]]), 1.5)
    tensor([[ 1, -1],
            [ 0,  2],
            [ 1, -1]])
    """
    positions = np.asarray(positions, dtype=np.float64)
    sites = positions if sites is None else np.asarray(sites, dtype=np.float64)
    norm, reach = _reach(kind)
    spacing = site_spacing(sites)
    steps = (sites - sites[0]) / spacing
    if norm != 2 and np.abs(steps - steps.round()).max() > 0.01:
        raise InputError(
            f"neighbourhood {kind!r} needs sites on a regular grid and these are not: "
            "give a radius instead, such as 1.5 (in units of the sites' spacing)"
        )
    pairs = KDTree(positions / spacing).query_pairs(reach * 1.001, p=norm, output_type="ndarray")
    unit, other = np.concatenate([pairs, pairs[:, ::-1]]).T
    order = np.lexsort((other, unit))
    unit, other = unit[order], other[order]
    count = np.bincount(unit, minlength=len(positions))
    slot = np.arange(len(unit)) - np.repeat(count.cumsum() - count, count)
    table = np.full((len(positions), count.max(initial=0)), -1)
    table[unit, slot] = other
    return torch.from_numpy(table)


def site_spacing(sites: Num[np.ndarray, "site space"]) -> float:
    """Median distance from a site to the nearest other one.

    Parameters
    ----------
    sites : (site, space)

    Raises
    ------
    InputError
        If it is 0.
    """
    spacing = float(np.median(KDTree(sites).query(sites, k=2)[0][:, 1]))
    if not spacing > 0:
        raise InputError("most sites coincide: neighbours need sites at different places")
    return spacing


def fraction_isolated(table: Int[Tensor, "unit slot"]) -> Statistic:
    """Fraction of neurons none of whose neighbours belongs to the same module.

    A neuron without neighbours is isolated. Source: "Growing Brains" (arXiv:2310.07711), measure 1.

    Parameters
    ----------
    table : (unit, slot)
        Neighbours as from :func:`neighbours`.

    Returns
    -------
    function
        Labels (batch, unit) to (batch,) float64, for :func:`permutation_test`.

    Examples
    --------
    >>> statistic = fraction_isolated(neighbours(np.array([[0.0], [1.0], [2.0], [3.0]]), 1.5))
    >>> statistic(torch.tensor([[0, 0, 1, 0]]))  # the last two are
    tensor([0.5000], dtype=torch.float64)
    """

    no_one = len(table)  # the row after the last unit's
    on = cache(table.where(table >= 0, torch.tensor(no_one)).T.contiguous().to)

    def statistic(labels: Int[Tensor, "batch unit"]) -> Float[Tensor, " batch"]:
        own = labels.T.contiguous()  # (unit, batch): a neighbour's labels are one row
        row = torch.cat([own, torch.full_like(own[:1], -1)])
        found = torch.zeros_like(own, dtype=torch.bool)
        for others in on(own.device):
            found |= row.index_select(0, others) == own
        return 1 - found.sum(0).double() / len(own)

    return statistic


def _reach(kind: str | float) -> tuple[float, float]:
    """Minkowski norm and radius, in units of spacing, of a neighbourhood."""
    if kind == "4":
        return 1.0, 1.0
    if kind == "8":
        return np.inf, 1.0
    if isinstance(kind, str) or not kind > 0:
        raise InputError(
            f"unknown neighbourhood {kind!r}: use '4', '8' or a radius above 0 (in units of the "
            "sites' spacing)"
        )
    return 2.0, float(kind)
