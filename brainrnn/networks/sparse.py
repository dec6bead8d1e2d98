"""Recurrent networks in which each neuron hears few others: time and memory grow with connections.

States are (source, trial), so that what a neuron hears is a weighted sum of whole rows. Forward and
backward, that is PyTorch's embedding bag; the gradient of the weights is a product that is sampled
where there are connections. Both have kernels for processors and for GPUs.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import embedding_bag, softplus

from brainrnn.networks.recurrence import Activation

_ACTIVATIONS = {"relu": torch.relu, "softplus": softplus, "tanh": torch.tanh}
_AT_ONCE = 1 << 22  # numbers in memory at a time, where there is no kernel


class Wires(NamedTuple):
    """Which neuron hears which, in both directions, of all members one after the other.

    Attributes
    ----------
    heard : (row, partner)
        Source of every connection.
    by_source : (entry,)
        The connections, in the order of their sources.
    hearers : (entry,)
        Row of each of these.
    starts : (source,)
        The first of these of every source.
    """

    heard: Int[Tensor, "row partner"]
    by_source: Int[Tensor, " entry"]
    hearers: Int[Tensor, " entry"]
    starts: Int[Tensor, " source"]


def wires(partners: Int[Tensor, "member out partner"], n: int) -> Wires:
    """Connections of all members as those of one network, of ``n`` sources in each member."""
    members, out, k = partners.shape
    first = torch.arange(members, device=partners.device)[:, None, None] * n
    heard = (partners + first).view(members * out, k)
    ranked, by_source = heard.flatten().sort(stable=True)
    sources = torch.arange(members * n, device=heard.device, dtype=ranked.dtype)
    starts = torch.searchsorted(ranked, sources)
    size = torch.int32 if max(heard.numel(), members * n) < 2**31 else torch.int64
    return Wires(heard.to(size), by_source, (by_source // k).to(size), starts.to(size))


class _Heard(torch.autograd.Function):
    """What every row hears: the sum over its partners of weight times state."""

    @staticmethod
    def forward(
        ctx: Any,
        weight: Float[Tensor, "row partner"],
        state: Float[Tensor, "source trial"],
        wiring: Wires,
        weight_by_source: Float[Tensor, " entry"],
    ) -> Float[Tensor, "row trial"]:
        ctx.save_for_backward(state, weight_by_source)
        ctx.wiring = wiring
        return embedding_bag(wiring.heard, state, per_sample_weights=weight, mode="sum")

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        state, weight_by_source = ctx.saved_tensors
        wiring, grad = ctx.wiring, grad.contiguous()
        back = embedding_bag(
            wiring.hearers,
            grad,
            wiring.starts,
            per_sample_weights=weight_by_source,
            mode="sum",
        )
        return sampled_product(wiring.heard, grad, state), back, None, None


def sampled_product(
    heard: Int[Tensor, "row partner"],
    rows: Float[Tensor, "row trial"],
    sources: Float[Tensor, "source trial"],
) -> Float[Tensor, "row partner"]:
    """Product of each row with the sources that it hears, summed over trials.

    Parameters
    ----------
    heard : (row, partner)
    rows : (row, trial)
    sources : (source, trial)

    Returns
    -------
    (row, partner)

    Examples
    --------
    >>> rows, sources = torch.eye(2), torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> sampled_product(torch.tensor([[1], [0]], dtype=torch.int32), rows, sources).tolist()
    [[3.0], [2.0]]
    """
    if not _KERNEL:
        return _gathered_product(heard, rows, sources)
    n, k = heard.shape
    ends = torch.arange(0, n * k + 1, k, dtype=heard.dtype, device=heard.device)
    pattern = torch.sparse_csr_tensor(
        ends, heard.flatten(), rows.new_zeros(n * k), (n, len(sources)), check_invariants=False
    )
    return torch.sparse.sampled_addmm(pattern, rows, sources.mT, beta=0.0).values().view(n, k)


def _gathered_product(heard: Tensor, rows: Tensor, sources: Tensor) -> Tensor:
    """The same where PyTorch was built without that kernel."""
    size = max(1, _AT_ONCE // max(1, heard.shape[1] * rows.shape[1]))
    parts = zip(heard.long().split(size), rows.split(size), strict=True)
    return torch.cat([torch.einsum("rpt,rt->rp", sources[h], row) for h, row in parts])


def _has_kernel() -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch says once that its sparse tensors are new
            pattern = torch.eye(1).to_sparse_csr()
            torch.sparse.sampled_addmm(pattern, torch.eye(1), torch.eye(1))
    except RuntimeError:
        return False
    return True


_KERNEL = _has_kernel()


def sparse_leaky_recurrence(
    drive: Float[Tensor, "member unit row"],
    weight: Float[Tensor, "member unit partner"],
    wiring: Wires,
    *,
    alpha: float,
    activation: Activation,
    sizes: list[int],
) -> Float[Tensor, "member unit row"]:
    """States of leaky units for packed trials, differentiable once.

    h_t = (1 - alpha) h_{t-1} + alpha f(W h_{t-1} + drive_t), as in
    :func:`brainrnn.networks.recurrence.leaky_network`.

    Parameters
    ----------
    drive : (member, unit, row)
        What reaches the units but for what they hear from each other.
    weight : (member, unit, partner)
    wiring : Wires
    alpha : float
    activation : "relu", "softplus" or "tanh"
    sizes : list of int
        Number of trials still going on at each step, not rising; sums to the number of rows.

    Returns
    -------
    (member, unit, row)
    """
    hears, act = _heard(weight, wiring), _ACTIVATIONS[activation]
    states: list[Tensor] = []
    for now in drive.split(sizes, dim=2):  # the way back is one step for all parts
        if not states:
            states.append(act(now) * alpha)
        else:
            before = _going_on(states[-1], now.shape[2])
            states.append(torch.lerp(before, act(now + hears(before)), alpha))
    return torch.cat(states, dim=2)


def sparse_gru_recurrence(
    drive: Float[Tensor, "member gates row"],
    weight: Float[Tensor, "member gates partner"],
    bias: Float[Tensor, "member gates"],
    wiring: Wires,
    *,
    sizes: list[int],
) -> Float[Tensor, "member unit row"]:
    """States of gated recurrent units, as in :func:`brainrnn.networks.recurrence.gru_recurrence`.

    Parameters
    ----------
    drive : (member, 3 unit, row)
    weight : (member, 3 unit, partner)
    bias : (member, 3 unit)
    wiring : Wires
    sizes : list of int

    Returns
    -------
    (member, unit, row)
    """
    hears = _heard(weight, wiring)
    state = drive.new_zeros(len(drive), drive.shape[1] // 3, sizes[0])
    states = []
    for now in drive.split(sizes, dim=2):
        state = _going_on(state, now.shape[2])
        x_r, x_z, x_n = now.chunk(3, dim=1)
        h_r, h_z, h_n = (hears(state) + bias[..., None]).chunk(3, dim=1)
        reset, update = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
        state = torch.lerp(torch.tanh(x_n + reset * h_n), state, update)
        states.append(state)
    return torch.cat(states, dim=2)


def _going_on(state: Float[Tensor, "member unit trial"], n: int) -> Float[Tensor, "member unit n"]:
    """States of the trials that have not ended."""
    return state if state.shape[2] == n else state[..., :n]


def _heard(weight: Float[Tensor, "member out partner"], wiring: Wires) -> Any:
    """A function from states (member, unit, trial) to what is heard, (member, out, trial)."""
    flat = weight.flatten(0, 1).contiguous()
    by_source = flat.detach().flatten()[wiring.by_source]

    def hears(state: Float[Tensor, "member unit trial"]) -> Float[Tensor, "member out trial"]:
        heard = _Heard.apply(flat, state.flatten(0, 1).contiguous(), wiring, by_source)
        return heard.unflatten(0, weight.shape[:2])

    return hears
