"""Are neighbours alike in what they do? Moran's I."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

from brainrnn.analysis.space.permutation import Statistic


def morans_i(table: Int[Tensor, "unit slot"], values: Num[np.ndarray, "unit feature"]) -> Statistic:
    r"""Spatial autocorrelation of any number of features of the neurons, all at once.

    .. math:: I = \frac{n}{W} \, \frac{\sum_{ij} w_{ij} z_i z_j}{\sum_i z_i^2}

    where z is a feature less its mean over neurons, :math:`w_{ij}` is 1 for neighbours and 0
    otherwise, and W their sum (Moran 1950, Biometrika 37:17). Without autocorrelation
    :math:`-1 / (n - 1)` is expected; larger where neighbours are alike.

    Parameters
    ----------
    table : (unit, slot)
        Neighbours as from :func:`neighbours`.
    values : (unit, feature)

    Returns
    -------
    function
        Neurons (batch, unit) to (batch, feature) float64, for :func:`permutation_test` of
        ``arange(unit)`` under a tuple of names. NaN for features that are the same in all neurons,
        and if no two neurons are neighbours.

    Examples
    --------
    >>> row = torch.tensor([[1, -1], [0, 2], [1, 3], [2, -1]])  # four neurons side by side
    >>> statistic = morans_i(row, np.array([[1.0], [1.0], [0.0], [0.0]]))
    >>> statistic(torch.tensor([[0, 1, 2, 3], [0, 2, 1, 3]])).round(decimals=3)
    tensor([[ 0.3330],
            [-1.0000]], dtype=torch.float64)
    """
    values = np.asarray(values, dtype=np.float64)
    z = values - values.mean(0)
    square = (z**2).sum(0)
    square[square <= 1e-18 * (values**2).sum(0)] = np.nan
    joins = int((table >= 0).sum())
    scale = len(values) / joins if joins else np.nan
    # Each feature scaled so that the sum over neighbours is I itself; the last row is no one's.
    scaled = np.append(z * np.sqrt(scale / square), np.zeros_like(z[:1]), axis=0)
    on = cache(torch.from_numpy(scaled).to)
    slots = cache(table.where(table >= 0, torch.tensor(len(table))).T.contiguous().to)

    def statistic(neurons: Int[Tensor, "batch unit"]) -> Float[Tensor, "batch feature"]:
        device, (batch, units) = neurons.device, neurons.shape
        order = neurons.T.long()
        no_one = torch.full_like(order[:1], units)
        rows = torch.cat([order, no_one]).flatten()
        moved = on(device).index_select(0, rows).view(units + 1, -1)  # (unit, batch * feature)
        around = torch.zeros_like(moved[:units])
        for others in slots(device):
            around += moved.index_select(0, others)
        return around.mul_(moved[:units]).sum(0).view(batch, -1)

    return statistic
