"""The patches of a map: neighbours of the same module, and how far one gets by way of them."""

from __future__ import annotations

from functools import cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from brainrnn.analysis.space.permutation import Statistic


def join_count(table: Int[Tensor, "unit slot"]) -> Statistic:
    """Fraction of pairs of neighbours that belong to the same module.

    The join-count statistic of same-colour joins (Moran 1948, J. R. Stat. Soc. B 10:243), as a
    fraction of all joins. Larger than chance where modules are compact.

    Parameters
    ----------
    table : (unit, slot)
        Neighbours as from :func:`neighbours`.

    Returns
    -------
    function
        Labels (batch, unit) to (batch,) float64, for :func:`permutation_test`. NaN if no two
        neurons are neighbours.

    Examples
    --------
    >>> row = torch.tensor([[1, -1], [0, 2], [1, -1]])  # three neurons side by side
    >>> join_count(row)(torch.tensor([[0, 0, 1]]))
    tensor([0.5000], dtype=torch.float64)
    """
    unit, slot = (table >= 0).nonzero(as_tuple=True)
    other = table[unit, slot]
    once = unit < other  # neighbours are neighbours both ways
    first, second = cache(unit[once].to), cache(other[once].to)

    def statistic(labels: Int[Tensor, "batch unit"]) -> Float[Tensor, " batch"]:
        own = labels.T.contiguous()  # (unit, batch): a neighbour's labels are one row
        one, two = (own.index_select(0, end(own.device)) for end in (first, second))
        return (one == two).double().mean(0)

    return statistic


def component_size(table: Int[Tensor, "unit slot"], *, largest: bool = False) -> Statistic:
    """Mean number of neurons in a patch: neighbours of the same module, and their neighbours.

    A patch is a connected component of the graph that joins neighbours of the same module; an
    isolated neuron is a patch of one. Larger than chance where modules are compact.

    Parameters
    ----------
    table : (unit, slot)
        Neighbours as from :func:`neighbours`.
    largest : bool
        The number of neurons in the largest patch instead of the mean over patches.

    Returns
    -------
    function
        Labels (batch, unit) to (batch,) float64, for :func:`permutation_test`.

    Notes
    -----
    Every neuron takes over the lowest name in its neighbourhood, then the name that the neuron of
    this name has, until nothing changes. So names travel twice as far with every round, and all
    permutations travel together. On a GPU the host waits for the answer after every round.

    Examples
    --------
    >>> row = torch.tensor([[1, -1], [0, 2], [1, -1]])  # three neurons side by side
    >>> component_size(row)(torch.tensor([[0, 0, 1], [0, 1, 0]]))
    tensor([1.5000, 1.0000], dtype=torch.float64)
    """
    no_one = len(table)  # the row after the last unit's
    on = cache(table.where(table >= 0, torch.tensor(no_one)).T.contiguous().to)

    def statistic(labels: Int[Tensor, "batch unit"]) -> Float[Tensor, " batch"]:
        own = labels.T.contiguous()  # (unit, batch)
        slots = on(own.device)
        units, batch = own.shape
        row = torch.cat([own, torch.full_like(own[:1], -1)])
        joined = [row.index_select(0, others) == own for others in slots]
        # int64, as gather wants it; the last row is of the neighbour that is no one
        itself = torch.arange(units + 1, device=own.device)[:, None].expand(-1, batch)
        name = itself.clone()
        while True:
            lowest = name[:units].clone()
            for others, same in zip(slots, joined, strict=True):
                met = name.index_select(0, others)
                torch.minimum(lowest, met.where(same, lowest), out=lowest)
            lowest = lowest.gather(0, lowest)
            if torch.equal(lowest, name[:units]):
                break
            name[:units] = lowest
        if not largest:
            return units / (lowest == itself[:units]).sum(0).double()
        size = lowest.new_zeros(units, batch).scatter_add_(0, lowest, torch.ones_like(lowest))
        return size.amax(0).double()

    return statistic
