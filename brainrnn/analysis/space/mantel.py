"""Do two relations between neurons agree, such as their distance and how alike they are?"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

from brainrnn.analysis.space.permutation import Statistic
from brainrnn.errors import InputError

_BLOCK = 1 << 15  # pairs times permutations at a time: what is gathered stays in the cache
_DEVICE_BLOCK = 1 << 26  # on a GPU, which only many at a time keep busy


def mantel(one: Num[np.ndarray, "unit unit"], other: Num[np.ndarray, "unit unit"]) -> Statistic:
    """Pearson correlation, over all pairs of neurons, of two relations between them.

    The Mantel statistic (Mantel 1967, Cancer Research 27:209). Pairs share neurons and are not
    independent, so its null permutes neurons, not pairs.

    Parameters
    ----------
    one, other : (unit, unit)
        Symmetric; diagonals do not count. Where one of them is mostly zeros, only its other
        entries cost time.

    Returns
    -------
    function
        Neurons (batch, unit) to (batch,) float64, for :func:`permutation_test` of
        ``arange(unit)``. NaN if one of them is the same for all pairs.

    Raises
    ------
    InputError
        If the matrices do not fit each other or are not symmetric.

    Examples
    --------
    >>> place = np.array([0.0, 1.0, 3.0])
    >>> distance = np.abs(place[:, None] - place)
    >>> mantel(distance, -distance)(torch.tensor([[0, 1, 2]])).round(decimals=6)
    tensor([-1.], dtype=torch.float64)
    """
    one, other = (np.asarray(matrix, dtype=np.float64) for matrix in (one, other))
    for matrix in (one, other):
        if matrix.shape != (len(one), len(one)) or not np.allclose(matrix, matrix.T):
            raise InputError(
                "a Mantel statistic needs two symmetric matrices of one size, one row per neuron, "
                f"got shapes {one.shape} and {other.shape}"
            )
    pairs = np.triu_indices(len(one), 1)
    if np.count_nonzero(one[pairs]) > np.count_nonzero(other[pairs]):
        one, other = other, one
    first, second = one[pairs], other[pairs]
    if not (_spread(first) > 0 and _spread(second) > 0):
        return lambda neurons: torch.full(
            neurons.shape[:1], torch.nan, dtype=torch.float64, device=neurons.device
        )
    value = first / _spread(first)
    # This one sums to 0, so that the other need not be centred and keeps its zeros.
    centred = np.zeros_like(other)
    centred[pairs] = (second - second.mean()) / _spread(second)
    kept = value != 0
    return pair_sum((pairs[0][kept], pairs[1][kept]), value[kept], centred + centred.T)


def pair_sum(
    pairs: tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]],
    value: Float[np.ndarray, " pair"],
    relation: Float[np.ndarray, "unit unit"],
) -> Statistic:
    r"""Sum of :math:`v_e R_{\pi(i_e) \pi(j_e)}` over pairs e of places; neuron π(i) is on place i.

    Parameters
    ----------
    pairs : (pair,), (pair,)
        Both ends of each pair.
    value : (pair,)
    relation : (unit, unit)

    Returns
    -------
    function
        Neurons (batch, unit) to (batch,) float64, for :func:`permutation_test` of
        ``arange(unit)``.
    """
    ends = [cache(torch.from_numpy(np.ascontiguousarray(end)).to) for end in pairs]
    weights = cache(torch.from_numpy(value).to)
    table = cache(torch.from_numpy(np.ascontiguousarray(relation).ravel()).to)

    def statistic(neurons: Int[Tensor, "batch unit"]) -> Float[Tensor, " batch"]:
        device = neurons.device
        column = neurons.T.to(torch.int32)  # half the bytes of int64 are half the time
        row = column * len(relation)
        first, second, weight = (f(device) for f in (*ends, weights))
        total = weight.new_zeros(len(neurons))
        step = max(1, (_BLOCK if device.type == "cpu" else _DEVICE_BLOCK) // len(neurons))
        for start in range(0, len(weight), step):
            some = slice(start, start + step)
            where = row.index_select(0, first[some]).add_(column.index_select(0, second[some]))
            found = table(device).index_select(0, where.flatten()).view_as(where)
            total.addmv_(found.T, weight[some])
        return total

    return statistic


def similarity(variance: Num[np.ndarray, "unit task"]) -> Float[np.ndarray, "unit unit"]:
    """Functional similarity: the cosine between the task variances of any two neurons.

    Parameters
    ----------
    variance : (unit, task)
        Of active neurons; a scale of each neuron's own makes no difference.

    Returns
    -------
    (unit, unit)
        From 0 for neurons without a task in common to 1 for those of the same profile; 0 for
        silent neurons.

    Examples
    --------
    >>> similarity(np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]]))
    array([[1., 1., 0.],
           [1., 1., 0.],
           [0., 0., 1.]])
    """
    variance = np.asarray(variance, dtype=np.float64)
    length = np.linalg.norm(variance, axis=1, keepdims=True)
    profile = variance / np.where(length > 0, length, 1)
    return profile @ profile.T


def _spread(values: Float[np.ndarray, " pair"]) -> float:
    """Root of the sum of squares about the mean; 0 if all values are equal."""
    length = np.linalg.norm(values - values.mean()) if len(values) else 0.0
    return float(length) if length > 1e-9 * np.linalg.norm(values) else 0.0
