"""A leaky network unrolled in time, and its hand-written backward pass.

    h_t = (1 - alpha) h_{t-1} + alpha f(W h_{t-1} + W_in x_t + b + noise_t),   h_{-1} = 0
    y_t = W_out h_t + b_out

Trials are packed: rows run over time, then over the trials still going on at that time, longest
trial first, so nothing is computed after a trial's end. One matrix product over all rows gives
each weight gradient, where automatic differentiation would add up one product per step; products
accumulate where their results belong, so that a step through time is a product and an activation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

Activation = Literal["relu", "softplus", "tanh"]

_MOST = 0.9  # share of units awake above which leaving out the others does not pay

_threshold_backward = torch.ops.aten.threshold_backward.grad_input

# Each activation in place; its derivative, from the rate r = f(a), times a gradient g, into out.
_FORWARD: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu_,
    "softplus": lambda a: a.copy_(torch.nn.functional.softplus(a)),
    "tanh": torch.tanh_,
}
_BACKWARD: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "relu": lambda g, r, out: _threshold_backward(g, r, 0.0, grad_input=out),
    "softplus": lambda g, r, out: torch.mul(g, -torch.expm1(-r), out=out),
    "tanh": lambda g, r, out: torch.ops.aten.tanh_backward.grad_input(g, r, grad_input=out),
}


class LeakyNetwork(torch.autograd.Function):
    """Outputs and states of a leaky recurrent network; see :func:`leaky_network`."""

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Float[Tensor, "row channel"],
        noise: Float[Tensor, "row _"] | None,
        w_in: Float[Tensor, "member unit channel"],
        w_rec: Float[Tensor, "member unit unit"],
        b_rec: Float[Tensor, "member unit"],
        w_out: Float[Tensor, "member output unit"],
        b_out: Float[Tensor, "member output"],
        alpha: float,
        activation: str,
        sizes: list[int],
    ) -> tuple[Float[Tensor, "member row output"], Float[Tensor, "member row unit"]]:
        """Run the recurrence over time."""
        activate = _FORWARD[activation]
        members = len(w_rec)
        rates = torch.baddbmm(b_rec[:, None], inputs.expand(members, -1, -1), w_in.mT)
        if noise is not None:
            rates += noise
        states = rates if alpha == 1 else torch.empty_like(rates)
        transposed = w_rec.mT
        before, start = states[:, :0], 0
        for n in sizes:
            now = slice(start, start + n)
            rate = rates[:, now]
            if start:
                rate.baddbmm_(before[:, :n], transposed)
            activate(rate)
            if alpha != 1:
                if start:
                    torch.lerp(before[:, :n], rate, alpha, out=states[:, now])
                else:
                    torch.mul(rate, alpha, out=states[:, now])
            before, start = states[:, now], start + n
        ctx.save_for_backward(inputs, w_in, w_rec, w_out, rates, states)
        ctx.alpha, ctx.activation, ctx.sizes = alpha, activation, sizes
        ctx.set_materialize_grads(False)
        return torch.baddbmm(b_out[:, None], states, w_out.mT), states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor | None, d_states: Tensor | None) -> tuple[Any, ...]:
        """Backpropagate through time."""
        inputs, w_in, w_rec, w_out, rates, states = ctx.saved_tensors
        alpha, sizes = ctx.alpha, ctx.sizes
        derivative = _BACKWARD[ctx.activation]
        # What reaches the state, row by row; times f', what reaches the input of f, but for alpha.
        if d_outputs is None:
            grad = torch.zeros_like(states) if d_states is None else d_states.clone()
        elif d_states is None:
            grad = torch.bmm(d_outputs, w_out)
        else:
            grad = torch.baddbmm(d_states, d_outputs, w_out)
        inner = grad if alpha == 1 else torch.empty_like(grad)
        end, later = grad.shape[1], slice(0, 0)
        for n in reversed(sizes):
            now = slice(end - n, end)
            going_on = later.stop - later.start
            if going_on:
                state = grad[:, end - n : end - n + going_on]
                state.baddbmm_(inner[:, later], w_rec, alpha=alpha)
                if alpha != 1:
                    state.add_(grad[:, later], alpha=1 - alpha)
            derivative(grad[:, now], rates[:, now], inner[:, now])
            later, end = now, end - n
        if alpha != 1:
            inner *= alpha
        before = states.index_select(1, _previous_rows(sizes, states.device))
        x = inputs.expand(len(grad), -1, -1)
        return (
            torch.bmm(inner, w_in).sum(0) if ctx.needs_input_grad[0] else None,
            inner.sum(0) if ctx.needs_input_grad[1] else None,
            torch.bmm(inner.mT, x),
            torch.bmm(inner[:, sizes[0] :].mT, before),
            inner.sum(1),
            None if d_outputs is None else torch.bmm(d_outputs.mT, states),
            None if d_outputs is None else d_outputs.sum(1),
            None,
            None,
            None,
        )


def _previous_rows(sizes: list[int], device: torch.device) -> Int[Tensor, " row"]:
    """Row of the same trial one step earlier, for every row after the first step."""
    if len(sizes) < 2:
        return torch.empty(0, dtype=torch.int64, device=device)
    counts = torch.tensor(sizes)
    starts = counts.cumsum(0) - counts
    shift = (counts[:-1]).repeat_interleave(counts[1:])
    return (torch.arange(int(starts[1]), int(counts.sum())) - shift).to(device)


def leaky_network(
    inputs: Float[Tensor, "row channel"],
    noise: Float[Tensor, "row unit"] | None,
    w_in: Float[Tensor, "member unit channel"],
    w_rec: Float[Tensor, "member unit unit"],
    b_rec: Float[Tensor, "member unit"],
    w_out: Float[Tensor, "member output unit"],
    b_out: Float[Tensor, "member output"],
    *,
    alpha: float,
    activation: Activation,
    sizes: list[int],
) -> tuple[Float[Tensor, "member row output"], Float[Tensor, "member row unit"]]:
    """Outputs y and states h of every packed row; both are differentiable, once.

    Parameters
    ----------
    inputs : (row, channel)
        The same for all members.
    noise : (row, unit), optional
        Private noise, the same for all members.
    w_in : (member, unit, channel)
    w_rec : (member, unit, source)
    b_rec : (member, unit)
    w_out : (member, output, unit)
    b_out : (member, output)
    alpha : float
        dt / tau, in (0, 1].
    activation : "relu", "softplus" or "tanh"
    sizes : list of int
        Number of trials still going on at each step, not rising; sums to the number of rows.

    Returns
    -------
    outputs : (member, row, output)
    states : (member, row, unit)

    Examples
    --------
    >>> one, zero = torch.ones(1, 1, 1), torch.zeros(1, 1)
    >>> y, h = leaky_network(  # one trial of two steps, one unit
    ...     torch.ones(2, 1), None, one, one, zero, one, zero,
    ...     alpha=0.5, activation="relu", sizes=[1, 1],
    ... )
    >>> h.flatten().tolist()
    [0.5, 1.0]
    """
    weights = (w_in, w_rec, b_rec, w_out, b_out)
    awake = None if noise is not None or activation != "relu" else awake_units(w_in, w_rec, b_rec)
    if awake is None:
        return LeakyNetwork.apply(inputs, noise, *weights, alpha, activation, sizes)
    # What sleeps adds nothing to any output or gradient: it takes no part, and gets zeros back.
    rows = awake[:, :, None]
    w_in = w_in.gather(1, rows.expand(-1, -1, w_in.shape[2]))
    w_rec = w_rec.gather(1, rows.expand(-1, -1, w_rec.shape[2]))
    w_rec = w_rec.gather(2, awake[:, None].expand(-1, awake.shape[1], -1))
    w_out = w_out.gather(2, awake[:, None].expand(-1, w_out.shape[1], -1))
    weights = (w_in, w_rec, b_rec.gather(1, awake), w_out, b_out)
    outputs, states = LeakyNetwork.apply(inputs, None, *weights, alpha, activation, sizes)
    everyone = states.new_zeros(*states.shape[:2], b_rec.shape[1])
    return outputs, everyone.scatter(2, awake[:, None].expand_as(states), states)


@torch.no_grad()
def awake_units(
    w_in: Float[Tensor, "member unit channel"],
    w_rec: Float[Tensor, "member unit unit"],
    b_rec: Float[Tensor, "member unit"],
) -> Int[Tensor, "member awake"] | None:
    """Relu units that can ever be active; None where most are.

    A unit that nothing drives, with no weight coming in but its own and no bias above 0, stays at
    rest in every trial: its state is exactly 0, and so are the gradients of all its weights.

    Returns
    -------
    (member, awake) int64 or None
        Indices of each member's units, rising, as many as in the member that has most; others fill
        up members with fewer.
    """
    if w_rec.device.type != "cpu":
        return None  # the number of units would have to be known on the host
    recurrent = w_rec.abs()
    recurrent.diagonal(dim1=1, dim2=2).zero_()
    driven = (w_in.abs().amax(2) > 0) | (recurrent.amax(2) > 0)
    asleep = ~driven & (b_rec <= 0)
    k = asleep.shape[1] - int(asleep.sum(1).min())
    if k > _MOST * asleep.shape[1]:
        return None
    return asleep.byte().argsort(dim=1, stable=True)[:, : max(k, 1)].sort(dim=1).values


def gru_recurrence(
    drive: Float[Tensor, "member row gates"],
    w_rec: Float[Tensor, "member gates unit"],
    b_rec: Float[Tensor, "member gates"],
    *,
    sizes: list[int],
) -> Float[Tensor, "member row unit"]:
    """States of gated recurrent units for packed trials, differentiable.

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

    Returns
    -------
    (member, row, unit)

    Examples
    --------
    >>> drive, weight, bias = torch.zeros(1, 3, 6), torch.zeros(1, 6, 2), torch.zeros(1, 6)
    >>> gru_recurrence(drive, weight, bias, sizes=[2, 1]).shape  # two trials, two units
    torch.Size([1, 3, 2])
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
