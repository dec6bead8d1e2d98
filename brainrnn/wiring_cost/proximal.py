"""The proximal step: a soft threshold in the optimizer's own metric, which makes exact zeros.

An optimizer that divides the gradient of each weight by a number of its own (Adam by sqrt(v))
takes a step of size eta for it. The proximal operator of sum price |w| in that metric is

    w <- sign(w) max(|w| - eta price, 0).

"Proximal Algorithms", Parikh and Boyd, Foundations and Trends in Optimization 2014, Section 6.5.2.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer

from brainrnn.errors import InputError


def soft_threshold(values: Float[Tensor, "*entry"], threshold: Float[Tensor, "*entry"]) -> None:
    """Move every value towards 0 by its threshold, in place, and stop at 0.

    w <- sign(w) max(|w| - threshold, 0).

    Parameters
    ----------
    values : (...) tensor
    threshold : (...) tensor
        Not negative.

    Examples
    --------
    >>> w = torch.tensor([0.5, -0.2, 0.05])
    >>> soft_threshold(w, torch.full((3,), 0.1))
    >>> w
    tensor([ 0.4000, -0.1000,  0.0000])
    """
    values -= torch.minimum(torch.maximum(values, -threshold), threshold)


def step_threshold(
    optimizer: Optimizer,
    parameter: Float[Tensor, "*entry"],
    price: Float[Tensor, "*#entry"],
    *,
    factor: float = 1.0,
    step: int | None = None,
) -> Float[Tensor, "*entry"]:
    """Threshold of every entry of a parameter after a step of its optimizer: eta factor price.

    eta = rate for SGD, and rate / (sqrt(v / (1 - beta2^step)) + eps) for Adam and AdamW, where v is
    the running mean of the squared gradient.

    Parameters
    ----------
    optimizer : torch.optim.SGD, Adam or AdamW
        It has just taken its step.
    parameter : (...) tensor
        One that it trains.
    price : (...) tensor
        Cost of a unit of |w|, broadcast to the parameter.
    factor : float
        On all prices.
    step : int, optional
        Steps that the optimizer has taken for this parameter; it is asked if not given, for which
        a GPU has to be waited for if the optimizer counts there.

    Returns
    -------
    (...) tensor
        Of the parameter's shape; 0 where the optimizer has taken no step yet.

    Raises
    ------
    InputError
        If the step size of this optimizer is not known.

    Examples
    --------
    >>> w = torch.nn.Parameter(torch.tensor([0.5, -0.2]))
    >>> optimizer = torch.optim.SGD([w], lr=0.1)
    >>> step_threshold(optimizer, w, torch.tensor(2.0))
    tensor([0.2000, 0.2000])
    """
    group = _group(optimizer, parameter)
    rate = factor * group["lr"]
    if isinstance(optimizer, SGD):
        return (price * rate).expand_as(parameter)
    if not isinstance(optimizer, (Adam, AdamW)):
        raise InputError(
            f"no proximal step is known for {type(optimizer).__name__}: use SGD, Adam or AdamW of "
            'torch.optim, or form="subgradient"'
        )
    state = optimizer.state.get(parameter)
    if not state:
        return torch.zeros_like(parameter)
    correction = math.sqrt(1 - group["betas"][1] ** (int(state["step"]) if step is None else step))
    second_moment = state["max_exp_avg_sq" if group["amsgrad"] else "exp_avg_sq"]
    scale = second_moment.sqrt().add_(group["eps"] * correction)
    return torch.div(price, scale, out=scale).mul_(rate * correction)


def _group(optimizer: Optimizer, parameter: Tensor) -> dict:
    """Settings of the optimizer for one of its parameters."""
    for group in optimizer.param_groups:
        if any(parameter is other for other in group["params"]):
            return group
    raise InputError(
        f"a parameter {tuple(parameter.shape)} is not trained by this optimizer: give it to the "
        "optimizer, or leave it out of the wiring"
    )
