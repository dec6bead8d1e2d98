"""A stack of fully connected layers and its hand-written backward pass.

    x_{l+1} = W_l h_l + b_l,   h_l = f(x_l)

For many small networks side by side a step is mostly overhead: one node of the graph instead of a
dozen, and derivatives in place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

Activation = Literal["silu", "relu", "tanh", "gelu"]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": functional.silu,
    "relu": functional.relu,
    "tanh": torch.tanh,
    "gelu": functional.gelu,
}

_aten = torch.ops.aten
# Derivative times a gradient g, in place, from x and h = f(x).
_BACKWARD: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "silu": lambda g, x, h: _aten.silu_backward.grad_input(g, x, grad_input=g),
    "relu": lambda g, x, h: _aten.threshold_backward.grad_input(g, h, 0.0, grad_input=g),
    "tanh": lambda g, x, h: _aten.tanh_backward.grad_input(g, h, grad_input=g),
    "gelu": lambda g, x, h: _aten.gelu_backward.grad_input(g, x, grad_input=g),
}


@dataclass(frozen=True)
class Passed:
    """What a pass through a stack of layers leaves behind: its outputs, and all for the way back.

    Behind the first layer units come before rows, (member, unit, row): rows are many and units
    few, and the longer axis is the faster one to run along.
    """

    outputs: Float[Tensor, "member row unit"]
    before: Sequence[Tensor]  # x of every layer
    after: Sequence[Tensor]  # h of every layer
    weights: Sequence[Tensor]

    @classmethod
    def forward(
        cls, state: Tensor, activation: Activation, parameters: Sequence[Tensor], *, activated: bool
    ) -> Passed:
        """Run through the layers; see :func:`through_layers`."""
        before, after = [], []
        weights, biases = parameters[::2], parameters[1::2]
        for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            before.append(state)
            after.append(state if activated and i == 0 else ACTIVATIONS[activation](state))
            columns = after[i] if i else after[i].mT
            state = torch.baddbmm(bias[:, :, None], weight, columns)
        return cls(state.mT, before, after, weights)

    def backward(
        self, grad: Tensor, activation: Activation, *, entrance: bool, activated: bool
    ) -> tuple[Tensor | None, list[Tensor]]:
        """Gradients of what entered, if asked for, and of all parameters, from that of outputs."""
        derivative = _BACKWARD[activation]
        before, after = self.before, self.after
        gradients: list[Tensor] = []
        grad = grad.mT
        for i in reversed(range(len(before))):
            gradients[:0] = torch.bmm(grad, after[i].mT if i else after[i]), grad.sum(2)
            if i:
                grad = derivative(torch.bmm(self.weights[i].mT, grad), before[i], after[i])
        if not entrance:
            return None, gradients
        grad = torch.bmm(grad.mT, self.weights[0])
        return grad if activated else derivative(grad, before[0], after[0]), gradients


class Layers(torch.autograd.Function):
    """Outputs of a stack of layers; see :func:`through_layers`."""

    @staticmethod
    def forward(
        ctx: Any, state: Tensor, activation: Activation, activated: bool, *parameters: Tensor
    ) -> Tensor:
        """Run through the layers."""
        passed = Passed.forward(state, activation, parameters, activated=activated)
        ctx.save_for_backward(*passed.before, *passed.after, *passed.weights)
        ctx.activation, ctx.activated = activation, activated
        return passed.outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        """Backpropagate."""
        n = len(ctx.saved_tensors) // 3
        passed = Passed(grad, *(ctx.saved_tensors[i * n : (i + 1) * n] for i in range(3)))
        entrance, gradients = passed.backward(
            grad,
            ctx.activation,
            entrance=ctx.needs_input_grad[0],
            activated=ctx.activated,
        )
        return entrance, None, None, *gradients


def through_layers(
    state: Float[Tensor, "member row source"],
    activation: Activation,
    parameters: Sequence[Tensor],
    *,
    activated: bool,
) -> Float[Tensor, "member row unit"]:
    """Outputs of the last layer, differentiable once.

    Parameters
    ----------
    state : (member, row, source)
        What enters the first of these layers: x, or h = f(x) if ``activated``.
    activation : "silu", "relu", "tanh" or "gelu"
        f of every layer.
    parameters : sequence of Tensor
        Weight (member, out, source) and bias (member, out) of every layer in turn.
    activated : bool
        Whether f has been applied to ``state``.

    Examples
    --------
    >>> weight, bias = torch.ones(1, 2, 3), torch.zeros(1, 2)
    >>> through_layers(torch.ones(1, 4, 3), "relu", [weight, bias], activated=False).shape
    torch.Size([1, 4, 2])
    """
    return Layers.apply(state, activation, activated, *parameters)
