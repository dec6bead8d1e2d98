"""How far connections stay within modules."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

from brainrnn.analysis.space.permutation import Statistic


def strength(weight: Num[np.ndarray, "unit unit"]) -> Float[np.ndarray, "unit unit"]:
    """How strongly any two neurons are connected: |weight| in both directions, none with itself.

    Parameters
    ----------
    weight : (unit, unit)

    Returns
    -------
    (unit, unit) float64
        Symmetric, with a diagonal of zeros.
    """
    size = np.abs(np.asarray(weight, dtype=np.float64))
    both = size + size.T
    np.fill_diagonal(both, 0)
    return both


def within_module_weight(weight: Num[np.ndarray, "unit unit"]) -> Statistic:
    r"""Share of the connection strength between different neurons that stays within a module.

    .. math:: \sum_{ij} S_{ij} \, \delta(c_i, c_j) \, / \, \sum_{ij} S_{ij}

    with S from :func:`strength`. Larger than chance where neurons of a module are connected more
    strongly than others: the functional modules are then also anatomical ones.

    Parameters
    ----------
    weight : (unit, unit)

    Returns
    -------
    function
        Labels (batch, unit) to (batch,) float64, for :func:`permutation_test`. NaN if no two
        neurons are connected.

    Examples
    --------
    >>> weight = np.array([[0, 3, 0], [0, 0, 1], [0, 0, 0]])
    >>> within_module_weight(weight)(torch.tensor([[0, 0, 1]]))
    tensor([0.7500], dtype=torch.float64)
    """
    size = strength(weight)
    to_modules = _to_modules(size)

    def statistic(labels: Int[Tensor, "batch unit"]) -> Float[Tensor, " batch"]:
        own = to_modules(labels).gather(1, labels.T.long()[:, None])[:, 0]  # (unit, batch)
        return own.sum(0) / size.sum()

    return statistic


def participation(weight: Num[np.ndarray, "unit unit"]) -> Statistic:
    r"""Mean participation coefficient: how evenly a neuron's connections reach all modules.

    .. math:: \left\langle 1 - \sum_k \left( \frac{s_{ik}}{s_i} \right)^2 \right\rangle_i

    where :math:`s_{ik}` is the strength of neuron i's connections with module k in both directions
    and :math:`s_i = \sum_k s_{ik}` (Guimera and Amaral 2005, Nature 433:895, with weights). Smaller
    than chance where connections stay within modules. Neurons without connections do not count.

    Parameters
    ----------
    weight : (unit, unit)

    Returns
    -------
    function
        Labels (batch, unit) to (batch,) float64, for :func:`permutation_test`. NaN if no two
        neurons are connected.

    Examples
    --------
    >>> weight = np.array([[0, 1, 1], [0, 0, 0], [0, 0, 0]])
    >>> participation(weight)(torch.tensor([[0, 0, 1]]))  # the first neuron reaches both modules
    tensor([0.1667], dtype=torch.float64)
    """
    size = strength(weight)
    total = size.sum(1, keepdims=True)
    share = size[total[:, 0] > 0] / total[total > 0][:, None]
    to_modules = _to_modules(share)

    def statistic(labels: Int[Tensor, "batch unit"]) -> Float[Tensor, " batch"]:
        return 1 - to_modules(labels).square_().sum(1).mean(0)

    return statistic


def _to_modules(size: Float[np.ndarray, "row unit"]) -> Statistic:
    """Labels (batch, unit) to the sum of a row's entries over each module, (row, module, batch)."""
    on = cache(torch.from_numpy(size).to)

    def sums(labels: Int[Tensor, "batch unit"]) -> Float[Tensor, "row module batch"]:
        matrix = on(labels.device)
        modules = int(labels.max()) + 1  # a GPU makes everybody wait for this, once a batch
        kinds = torch.arange(modules, dtype=labels.dtype, device=labels.device)[:, None]
        member = (labels.T[:, None] == kinds).to(matrix.dtype)  # (unit, module, batch)
        return (matrix @ member.flatten(1)).view(len(matrix), modules, len(labels))

    return sums
