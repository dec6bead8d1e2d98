"""How far the neurons of a module are spread in space."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

from brainrnn.analysis.space.permutation import Statistic


def cluster_size(positions: Num[np.ndarray, "unit space"]) -> Statistic:
    r"""Mean over modules of the mean distance of a module's neurons to their centroid.

    .. math:: \frac1K \sum_k \frac1{n_k} \sum_{i \in k} \lVert x_i - \bar x_k \rVert_2

    Source: "Growing Brains" (arXiv:2310.07711), measure 2.

    Parameters
    ----------
    positions : (unit, space)
        Where the neurons sit.

    Returns
    -------
    function
        Labels (batch, unit) to (batch,) float64, for :func:`permutation_test`. In the unit of the
        positions; centroids are means of the coordinates, also in a periodic or curved space.

    Examples
    --------
    >>> statistic = cluster_size(np.array([[0.0], [2.0], [10.0], [11.0]]))
    >>> statistic(torch.tensor([[0, 0, 1, 1]]))  # 1 in the first module, 0.5 in the second
    tensor([0.7500], dtype=torch.float64)
    """
    on = cache(torch.as_tensor(np.asarray(positions), dtype=torch.float64).T.contiguous().to)

    def statistic(labels: Int[Tensor, "batch unit"]) -> Float[Tensor, " batch"]:
        axes = on(labels.device)[:, :, None]  # (space, unit, 1)
        batch, units = labels.shape
        # One flat index: along one axis of two, scattering and gathering take twice as long.
        column = torch.arange(batch, device=labels.device)
        index = column.add(labels.T, alpha=batch).flatten()
        # A GPU that is asked how many modules there are would make everybody wait.
        modules = units if labels.is_cuda else int(index.max()) // batch + 1

        def total(
            values: Float[Tensor, "*shape"],
        ) -> Float[Tensor, " entry"]:  # (unit, batch) -> (module * batch)
            zeros = values.new_zeros(modules * batch)
            return zeros.scatter_add_(0, index, values.expand(units, batch).flatten())

        size = total(axes.new_ones(()))
        square = axes.new_zeros(units, batch)
        for axis in axes:
            centre = (total(axis) / size).index_select(0, index)
            away = centre.view(units, batch).sub_(axis)
            square.addcmul_(away, away)
        return (total(square.sqrt_()) / size).view(modules, batch).nanmean(0)

    return statistic
