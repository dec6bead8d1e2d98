"""Brain-inspired modular training: a connection cost, and neurons that swap places."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.optim import Optimizer

from brainrnn.anatomy.placed import Trainable
from brainrnn.config import NonNegative
from brainrnn.errors import InputError
from brainrnn.wiring_cost.cost import CostSpec, connection_cost, cost_coefficients
from brainrnn.wiring_cost.proximal import soft_threshold, step_threshold
from brainrnn.wiring_cost.swap import SwapSpec, relocate


class BIMT(CostSpec):
    """L1 + local + swap, with a strength that ramps up while the network learns.

    Its ablations are settings of it: ``strength=0`` is no penalty, ``locality=0`` plain L1,
    ``swap=SwapSpec(algorithm="none")`` no swaps ("Seeing Is Believing", Section 2).

    >>> l1 = BIMT(locality=0.0, swap=SwapSpec(algorithm="none"))
    """

    schedule: tuple[tuple[Annotated[float, Field(ge=0, le=1)], NonNegative], ...] = Field(
        ((0.0, 0.05), (0.5, 1.0)),
        description="[fraction of training, factor on lambda] pairs",
    )
    interpolation: Literal["constant", "linear"] = Field(
        "linear", description="how lambda goes from one pair of the schedule to the next"
    )
    swap: SwapSpec = SwapSpec()

    def penalty(self, net: Trainable, *, progress: float = 1.0) -> Float[Tensor, ""]:
        """What to add to the loss, lambda times the connection cost of all members; Eq. 4.

        0 with ``form="proximal"``, whose cost is paid in :meth:`after_step`.
        """
        if self.form == "proximal" or not self.factor(progress):
            return net.anchor().new_zeros(())
        return (connection_cost(net, self, progress) * self.strengths(net, progress)).sum()

    def add_gradient(self, net: Trainable, *, progress: float = 1.0) -> None:
        """Add the gradient of :meth:`penalty` to that of the parameters.

        For training loops of others, whose loss is out of reach. Nothing with ``form="proximal"``.
        """
        penalty = self.penalty(net, progress=progress)
        if penalty.requires_grad:
            # Not penalty.backward(): data parallelism counts every gradient that arrives that way.
            parameters = [p for p in net.parameters() if p.requires_grad]
            gradients = torch.autograd.grad(penalty, parameters, allow_unused=True)
            for parameter, gradient in zip(parameters, gradients, strict=True):
                if gradient is not None:
                    before = parameter.grad
                    # In this order, as PyTorch adds a sparse tensor to a dense one alone.
                    parameter.grad = gradient if before is None else gradient + before

    @torch.no_grad()
    def after_step(
        self, net: Trainable, optimizer: Optimizer, *, step: int, progress: float = 1.0
    ) -> int:
        """Shrink the weights with ``form="proximal"``; let neurons swap if step is a multiple.

        Parameters
        ----------
        net : Placed
        optimizer : torch.optim.Optimizer
            It has just taken its step: SGD, Adam or AdamW, if the form is proximal.
        step : int
            Steps so far, from 1; neurons swap at multiples of ``swap.every``.
        progress : float
            Fraction of training that is done.

        Returns
        -------
        int
            Neurons that have moved, over all members.

        Raises
        ------
        InputError
            If no proximal step is known for the optimizer, it does not train a wired parameter, or
            a wired parameter is computed from others.
        """
        factor = self.factor(progress)
        if not factor:
            return 0
        if self.form == "proximal":
            self._shrink(net, optimizer, factor, progress)
        return int(relocate(net, self, self.swap).sum()) if step % self.swap.every == 0 else 0

    def _shrink(self, net: Trainable, optimizer: Optimizer, factor: float, progress: float) -> None:
        strengths = self.strengths(net)
        optimizer = _innermost(optimizer)
        for name, cost in cost_coefficients(net, self, progress).items():
            parameter = net.parameter(name)
            if parameter.requires_grad:  # a frozen one pays, and stays
                weight = strengths.view(-1, *[1] * len(net.anatomy.wiring[name])) * cost
                price = net.spread(name, weight)
                threshold = step_threshold(optimizer, parameter, price, factor=factor)
                soft_threshold(parameter.data, threshold.to(parameter.dtype))


def _innermost(optimizer: Optimizer) -> Optimizer:
    """The PyTorch optimizer inside the wrappers of Lightning and Accelerate."""
    inner = getattr(optimizer, "optimizer", None)
    if isinstance(inner, Optimizer):
        return _innermost(inner)
    if not isinstance(optimizer, Optimizer):
        raise InputError(
            f"optimizer must be one of torch.optim, got {type(optimizer).__name__}: write "
            "placed.after_step(optimizer, method, progress=...)"
        )
    return optimizer
