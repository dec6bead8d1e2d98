"""The recurrence of a leaky network and its hand-written backward pass through time.

    h_t = (1 - alpha) h_{t-1} + alpha f(W h_{t-1} + drive_t),   h_{-1} = 0

Trials are packed: rows run over time, then over the trials still going on at that time, longest
trial first, so nothing is computed after a trial's end. One matrix product over all rows gives
each weight gradient, where automatic differentiation would add up one product per step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Activation = Literal["relu", "softplus", "tanh"]

# Each activation in place, and its derivative times a gradient, in place, from the rate r = f(a).
_FORWARD: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu_,
    "softplus": lambda a: a.copy_(torch.nn.functional.softplus(a)),
    "tanh": torch.tanh_,
}
_BACKWARD: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "relu": lambda g, r: g.mul_(r > 0),
    "softplus": lambda g, r: g.mul_(-torch.expm1(-r)),
    "tanh": lambda g, r: g.mul_(1 - r * r),
}


class LeakyRecurrence(torch.autograd.Function):
    """States of a leaky recurrent population for packed trials; see :func:`leaky_recurrence`."""

    @staticmethod
    def forward(
        ctx: Any, drive: Tensor, w_rec: Tensor, alpha: float, activation: str, sizes: list[int]
    ) -> Tensor:
        """Run the recurrence over time."""
        activate = _FORWARD[activation]
        states = torch.empty_like(drive)
        rates = states if alpha == 1 else torch.empty_like(drive)
        transposed = w_rec.mT
        start, previous = 0, None
        for n in sizes:
            now = slice(start, start + n)
            rate = rates[:, now]
            if previous is None:
                activate(rate.copy_(drive[:, now]))
                if alpha != 1:
                    torch.mul(rate, alpha, out=states[:, now])
            else:
                before = states[:, previous : previous + n]
                activate(torch.baddbmm(drive[:, now], before, transposed, out=rate))
                if alpha != 1:
                    torch.lerp(before, rate, alpha, out=states[:, now])
            start, previous = start + n, start
        ctx.save_for_backward(states, rates, w_rec)
        ctx.alpha, ctx.activation, ctx.sizes = alpha, activation, sizes
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        """Backpropagate through time."""
        states, rates, w_rec = ctx.saved_tensors
        alpha, sizes = ctx.alpha, ctx.sizes
        derivative = _BACKWARD[ctx.activation]
        drive_grad = torch.empty_like(grad)
        end, carry = grad.shape[1], None
        for t in reversed(range(len(sizes))):
            now = slice(end - sizes[t], end)
            inner = drive_grad[:, now].copy_(grad[:, now])
            if carry is not None:
                inner[:, : carry.shape[1]] += carry
            kept = inner * (1 - alpha) if alpha != 1 else None
            derivative(inner.mul_(alpha) if alpha != 1 else inner, rates[:, now])
            if t:
                carry = torch.bmm(inner, w_rec)
                if kept is not None:
                    carry += kept
            end -= sizes[t]
        later = slice(sizes[0], None)
        before = states[:, _previous_rows(sizes, states.device)]
        return drive_grad, torch.bmm(drive_grad[:, later].mT, before), None, None, None


def _previous_rows(sizes: list[int], device: torch.device) -> Tensor:
    """Row of the same trial one step earlier, for every row after the first step."""
    if len(sizes) < 2:
        return torch.empty(0, dtype=torch.int64, device=device)
    counts = torch.tensor(sizes)
    starts = counts.cumsum(0) - counts
    shift = (counts[:-1]).repeat_interleave(counts[1:])
    return (torch.arange(int(starts[1]), int(counts.sum())) - shift).to(device)


def leaky_recurrence(
    drive: Tensor, w_rec: Tensor, *, alpha: float, activation: Activation, sizes: list[int]
) -> Tensor:
    """States h of every packed row, (member, row, unit), differentiable.

    Parameters
    ----------
    drive : (member, row, unit)
        Input, bias and noise of every row: all that enters beside the recurrent product.
    w_rec : (member, unit, source)
    alpha : float
        dt / tau, in (0, 1].
    activation : "relu", "softplus" or "tanh"
    sizes : list of int
        Number of trials still going on at each step, not rising; sums to the number of rows.
    """
    return LeakyRecurrence.apply(drive, w_rec, alpha, activation, sizes)


def gru_recurrence(drive: Tensor, w_rec: Tensor, b_rec: Tensor, *, sizes: list[int]) -> Tensor:
    """States of gated recurrent units for packed trials, (member, row, unit), differentiable.

    Gates in the order reset, update, candidate, as in ``torch.nn.GRU``:
    r = s(x_r + W_r h + b_r), z = s(x_z + W_z h + b_z), n = tanh(x_n + r (W_n h + b_n)),
    h' = (1 - z) n + z h.

    Parameters
    ----------
    drive : (member, row, 3 unit)
        Input to each gate, with noise if any.
    w_rec : (member, 3 unit, source)
    b_rec : (member, 3 unit)
    sizes : list of int
        Number of trials still going on at each step, not rising.
    """
    members, _, n_hidden = w_rec.shape
    state = drive.new_zeros(members, sizes[0], n_hidden)
    states = []
    start = 0
    for n in sizes:
        state = state[:, :n]
        x_r, x_z, x_n = drive[:, start : start + n].chunk(3, dim=2)
        h_r, h_z, h_n = torch.baddbmm(b_rec[:, None], state, w_rec.mT).chunk(3, dim=2)
        reset, update = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
        state = torch.lerp(torch.tanh(x_n + reset * h_n), state, update)
        states.append(state)
        start += n
    return torch.cat(states, dim=1)
