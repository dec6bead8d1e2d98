"""Whether two ways to divide the neurons into groups agree."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from scipy.special import xlogy
from scipy.stats import entropy
from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information
from torch import Tensor

from brainrnn.analysis.space.permutation import Statistic


def adjusted_mutual_information(groups: Shaped[np.ndarray, " unit"] | Sequence[Any]) -> Statistic:
    r"""Agreement of the modules with a given division of the same neurons, corrected for chance.

    .. math:: \frac{I - E[I]}{(H_1 + H_2) / 2 - E[I]}

    where I is the mutual information of both divisions and H the entropy of each (Vinh, Epps and
    Bailey 2010, JMLR 11:2837). 1 for the same division, 0 on average for random ones.

    Parameters
    ----------
    groups : (unit,)
        Group of each neuron, such as its community in the graph of connections; any labels.

    Returns
    -------
    function
        Labels (batch, unit) to (batch,) float64, for :func:`permutation_test`. All labellings of a
        batch must be permutations of one. NaN if all neurons are in one group or one module, where
        there is nothing to agree on.

    Examples
    --------
    >>> statistic = adjusted_mutual_information(np.array(["a", "a", "b", "b"]))
    >>> statistic(torch.tensor([[0, 0, 1, 1]]))
    tensor([1.], dtype=torch.float64)
    """
    dense = np.unique(np.asarray(groups), return_inverse=True)[1]
    units = len(dense)
    table = xlogy(np.arange(units + 1), np.arange(units + 1)) / units
    on = cache(torch.from_numpy(dense).to)
    terms = cache(torch.from_numpy(table).to)  # x log x of every count there can be

    def statistic(labels: Int[Tensor, "batch unit"]) -> Float[Tensor, " batch"]:
        modules = labels[0].cpu().numpy()
        if min(np.ptp(dense), np.ptp(modules)) == 0:
            return torch.full((len(labels),), np.nan, dtype=torch.float64, device=labels.device)
        # Permutations change the cells of the contingency table alone; neither its margins nor
        # what is expected of them.
        expected = expected_mutual_information(contingency_matrix(dense, modules), units)
        marginal = entropy(np.bincount(dense)) + entropy(np.bincount(modules))
        kinds = int(modules.max()) + 1
        cell = on(labels.device)[:, None] * kinds + labels.T.long()  # (unit, batch)
        count = cell.new_zeros((int(dense.max()) + 1) * kinds, len(labels))
        count.scatter_add_(0, cell, torch.ones_like(cell))
        joint = np.log(units) - terms(labels.device)[count].sum(0)  # entropy of both together
        return (marginal - joint - expected) / (marginal / 2 - expected)

    return statistic
