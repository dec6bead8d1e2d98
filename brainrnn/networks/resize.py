"""The same recurrent network on a finer grid, or on a coarser one."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from torch import Tensor

from brainrnn.anatomy import geometry
from brainrnn.errors import InputError
from brainrnn.networks.rnn import RNN

_RIDGE = 1e-6  # of least squares, in units of the largest mean square of a merged neuron
_ITERATIONS = 100  # of the power method


def grid_shape(net: RNN) -> tuple[int, ...]:
    """Sites along each side of the grid that a network's neurons sit on.

    Raises
    ------
    InputError
        If the sites are not those of :func:`brainrnn.grid`.

    Examples
    --------
    >>> grid_shape(RNN(1, 1, geometry.grid(2, 3), dt=100))
    (2, 3)
    """
    sites = net.anatomy.populations["hidden"].sites
    shape = tuple(len(axis.round(decimals=9).unique()) for axis in sites.T)
    whole = math.prod(shape) == len(sites)
    if not whole or not torch.allclose(geometry.grid(*shape).to(sites), sites, rtol=0, atol=1e-9):
        raise InputError("only networks on a whole grid can be refined or coarse-grained")
    return shape


@torch.no_grad()
def refine(net: RNN, factor: int = 2, *, spread: float = 0.5, seed: int = 0) -> RNN:
    """The same function by more neurons, ``factor`` times as many along each side of the grid.

    Every neuron becomes several, which share its cell of the grid. Each of them gets the inputs
    that it got, and what it sent is divided among them, so that without private noise all of them
    do what it did and the function stays to rounding (Chen, Goodfellow and Shlens 2016,
    Net2Net). What a neuron sent itself each sends itself: a memory of its own.

    Parts of equal size would get the same gradient for ever. So would parts in the same proportion
    at every reader: Adam, which divides a gradient by its size, would move them alike. So each
    reader divides what it reads in a proportion of its own.

    Parameters
    ----------
    net : RNN
        On a grid.
    factor : int
        How many times as many neurons along each side.
    spread : float
        Parts are proportional to 1 + spread u, u uniform between -1 and 1; from 0 (equal parts) to
        below 1 (so that no weight changes its sign).
    seed : int
        Of the proportions, which are the same for all members.

    Returns
    -------
    RNN
        Neuron i has become neurons i m, ..., i m + m - 1, with m = factor^dimension.

    Raises
    ------
    InputError
        If the network is not on a grid, or ``factor`` or ``spread`` is out of range.

    Examples
    --------
    >>> refine(RNN(1, 1, geometry.grid(2, 3), dt=100)).n_hidden
    24
    """
    if factor < 2 or not 0 <= spread < 1:
        raise InputError(
            f"a grid is refined by a factor of at least 2 and a spread from 0 to below 1, got "
            f"{factor} and {spread}"
        )
    shape = grid_shape(net)
    parts, n = factor ** len(shape), net.n_hidden
    rng = np.random.default_rng(seed)

    def divide(
        weight: Float[Tensor, "member reader source"], readers: int
    ) -> Float[Tensor, "member reader finer"]:
        """(member, reader, source) to (member, reader, source of the finer grid)."""
        u = torch.from_numpy(rng.uniform(-1, 1, (readers, n, parts)))
        share = 1 + spread * u
        share = (share / share.sum(2, keepdim=True)).to(weight)
        return (weight[..., None] * share).flatten(2)

    inputs, recurrent, bias, readout, out_bias = (p.detach() for p in net.parameters())
    gates = recurrent.shape[1] // n
    kept = recurrent.unflatten(1, (gates, n)).diagonal(dim1=2, dim2=3)  # (member, gate, unit)
    others = recurrent.unflatten(1, (gates, n)) - torch.diag_embed(kept)
    finer = divide(others.flatten(1, 2).repeat_interleave(parts, 1), gates * n * parts)
    own = torch.diag_embed(kept.repeat_interleave(parts, 2)).flatten(1, 2)
    result = _like(net, tuple(factor * side for side in shape))
    _fill(
        result,
        w_in=inputs.repeat_interleave(parts, 1),
        w_rec=finer + own,
        b_rec=bias.repeat_interleave(parts, 1),
        w_out=divide(readout, readout.shape[1]),
        b_out=out_bias,
    )
    result.anatomy.move("hidden", _in_cells(net.anatomy.places("hidden"), shape, factor))
    return result


def _in_cells(
    places: Int[Tensor, "member unit"], shape: tuple[int, ...], factor: int
) -> Int[Tensor, "member finer"]:
    """Sites of the finer grid in the cell of each coarse site, factor^dimension for each."""
    cell = np.stack(np.unravel_index(places.cpu().numpy(), shape))  # (dimension, member, unit)
    step = np.indices((factor,) * len(shape)).reshape(len(shape), 1, 1, -1)
    finer = tuple(factor * side for side in shape)
    site = np.ravel_multi_index(tuple(factor * cell[..., None] + step), finer)
    return torch.from_numpy(site.reshape(len(site), -1)).to(places)


@torch.no_grad()
def merge(
    net: RNN,
    groups: Int[np.ndarray, " unit"],
    moment: Float[Tensor, "unit unit"],
    shape: tuple[int, ...],
) -> RNN:
    """A smaller network, each of whose neurons does for a group of neurons what it can.

    The merged neuron of a group g stands for their weighted mean H_g = sum of e_i h_i. Its input
    weights and bias are the same mean of theirs; the weights e, which sum to 1, are proportional
    to the leading eigenvector of the group's second moment, so that neurons count by how much of
    the group's activity they carry. Whoever read a neuron j reads its best linear reconstruction:
    from its own merged neuron by least squares, and what that leaves from all merged neurons by
    least squares with a small ridge. Copies of one neuron are so merged exactly, for every cell
    and activation; for others, a mean of activities is not what a neuron with mean inputs does.

    Merged neurons go to the sites of the coarser grid nearest to the centroids of their groups, by
    a linear assignment of least summed squared distance.

    Parameters
    ----------
    net : RNN
        Of one member.
    groups : (unit,) int
        From 0 to the number of sites of the coarser grid; -1 for neurons that belong to none, whose
        activity is still reconstructed for their readers.
    moment : (unit, unit) float64
        Mean of h_i h_j over steps and trials.
    shape : tuple of int
        Of the coarser grid.

    Returns
    -------
    RNN
        Merged neuron g is its neuron g.

    Raises
    ------
    InputError
        If the network has several members, or not every group has a neuron.

    Examples
    --------
    >>> net = RNN(1, 1, geometry.grid(2, 2), dt=100)
    >>> merge(net, np.array([0, 0, 1, 1]), torch.eye(4), (1, 2)).n_hidden
    2
    """
    n, total = net.n_hidden, math.prod(shape)
    if net.members != 1 or groups.shape != (n,):
        raise InputError(f"merging takes one network and a group for each of its {n} neurons")
    if set(groups[groups >= 0].tolist()) != set(range(total)):
        raise InputError(f"merging to {total} neurons takes groups 0 to {total - 1}, none empty")
    moment = moment.double().cpu()
    mean, stands = _groupwise(groups, moment, total)
    together = mean @ moment @ mean.T  # of merged neurons
    left = moment @ mean.T - stands @ together
    ridge = _RIDGE * together.diagonal().max().clamp(min=torch.finfo(torch.float64).tiny)
    stands += torch.linalg.solve(together + ridge * torch.eye(total).double(), left.T).T

    inputs, recurrent, bias, readout, out_bias = (p[0].double().cpu() for p in net.parameters())
    gates = len(recurrent) // n

    def averaged(value: Tensor) -> Tensor:
        return (mean @ value.view(gates, n, -1)).view(gates * total, *value.shape[1:])

    result = _like(net, shape)
    _fill(
        result,
        w_in=averaged(inputs),
        w_rec=averaged(recurrent @ stands),
        b_rec=averaged(bias),
        w_out=readout @ stands,
        b_out=out_bias,
    )
    place = net.anatomy.positions("hidden")[0].cpu().numpy()
    belongs = groups[:, None] == np.arange(total)
    centroid = belongs.T @ place / belongs.sum(0)[:, None]
    away = cdist(centroid, geometry.grid(*shape).numpy(), "sqeuclidean")
    site = torch.from_numpy(linear_sum_assignment(away)[1])
    result.anatomy.move("hidden", site[None].to(result.anatomy.places("hidden")))
    return result


def _groupwise(
    groups: Int[np.ndarray, " unit"], moment: Float[Tensor, "unit unit"], total: int
) -> tuple[Float[Tensor, "group unit"], Float[Tensor, "unit group"]]:
    """Weights e of each group's mean, and what the mean says of each unit."""
    label = torch.from_numpy(groups)
    belongs = label == torch.arange(total)[:, None]  # (group, unit)
    among = moment * (label[:, None] == label)
    weight = belongs * moment.diagonal().sqrt()
    for _ in range(_ITERATIONS):  # towards the leading eigenvector, of all groups at once
        weight = torch.nn.functional.normalize(weight @ among, dim=1)
    weight = weight.clamp(min=0)
    silent = weight.sum(1) == 0
    weight = torch.where(silent[:, None], belongs.to(weight), weight)
    mean = weight / weight.sum(1, keepdim=True)
    size = (mean @ moment * mean).sum(1)  # mean square of every merged neuron
    slope = (moment @ mean.T) / torch.where(size > 0, size, 1)
    slope = torch.where(size > 0, slope, 1.0)
    return mean, torch.where(belongs.T, slope, 0.0)


def _like(net: RNN, shape: tuple[int, ...]) -> RNN:
    """A network of the same kind on another grid."""
    value = net.get_parameter("w_rec")
    return RNN(
        net.w_in.shape[2],
        net.w_out.shape[1],
        geometry.grid(*shape),
        dt=net.dt,
        spec=net.spec,
        distance=net.anatomy.distance,
        members=net.members,
        dtype=value.dtype,
    ).to(value.device)


def _fill(net: RNN, **values: Tensor) -> None:
    for name, value in values.items():
        net.get_parameter(name).copy_(value)
