import pytest
import torch
from torch import nn

from brainrnn.errors import InputError
from brainrnn.wiring_cost.proximal import soft_threshold, step_threshold

OPTIMIZERS = {
    "sgd": lambda w: torch.optim.SGD([w], lr=0.03),
    "momentum": lambda w: torch.optim.SGD([w], lr=0.03, momentum=0.9),
    "adam": lambda w: torch.optim.Adam([w], lr=0.03, betas=(0.8, 0.95), eps=1e-3),
    "amsgrad": lambda w: torch.optim.Adam([w], lr=0.03, betas=(0.9, 0.6), amsgrad=True),
    "adamw": lambda w: torch.optim.AdamW([w], lr=0.03, weight_decay=0.0),
}


def stepped(name, steps=4):
    """A weight after some steps of an optimizer, and the gradients it has seen."""
    torch.manual_seed(0)
    weight = nn.Parameter(torch.randn(5, 3, dtype=torch.float64))
    optimizer = OPTIMIZERS[name](weight)
    gradients = []
    for _ in range(steps):
        weight.grad = torch.randn_like(weight)
        gradients.append(weight.grad)
        optimizer.step()
    return weight, optimizer, gradients


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_threshold_is_price_times_step_size(name):
    weight, optimizer, gradients = stepped(name)
    if isinstance(optimizer, torch.optim.SGD):
        eta = torch.full_like(weight, 0.03)
    else:
        group = optimizer.param_groups[0]
        beta, peak = group["betas"][1], torch.zeros_like(weight)
        v = torch.zeros_like(weight)
        for gradient in gradients:
            v = beta * v + (1 - beta) * gradient**2
            peak = torch.maximum(peak, v)
        used = peak if group["amsgrad"] else v
        if name == "amsgrad":
            assert (peak > v).any()  # so that it matters which is used
        eta = 0.03 / ((used / (1 - beta ** len(gradients))).sqrt() + group["eps"])
    price = torch.rand(5, 3, dtype=torch.float64)
    threshold = step_threshold(optimizer, weight, price, factor=2.0)
    torch.testing.assert_close(threshold, 2 * eta * price)
    for state in optimizer.state.values():  # which is not asked
        state["step"] = None
    asked = step_threshold(optimizer, weight, price, factor=2.0, step=len(gradients))
    assert torch.equal(threshold, asked)


def test_the_soft_threshold_minimises_distance_and_price():
    """Against every number on a fine grid: argmin (x - w)^2 / (2 eta) + price |x|."""
    grid = torch.linspace(-2, 2, 40_001, dtype=torch.float64)
    weights = torch.tensor([1.5, 0.3, 0.0, -0.2, -0.9], dtype=torch.float64)
    eta, price = 0.5, 0.8
    objective = (grid - weights[:, None]) ** 2 / (2 * eta) + price * grid.abs()
    best = grid[objective.argmin(1)]
    soft_threshold(weights, torch.full_like(weights, eta * price))
    torch.testing.assert_close(weights, best, atol=1e-4, rtol=0)
    assert (weights == 0).tolist() == [False, True, True, True, False]


def test_one_price_serves_a_whole_parameter():
    weight, optimizer, _ = stepped("adam")
    one = step_threshold(optimizer, weight, torch.tensor(0.1, dtype=torch.float64))
    each = step_threshold(optimizer, weight, torch.full_like(weight, 0.1))
    assert one.shape == weight.shape
    assert torch.equal(one, each)


def test_before_the_first_step_nothing_shrinks():
    weight = nn.Parameter(torch.ones(3))
    optimizer = torch.optim.Adam([weight])
    assert step_threshold(optimizer, weight, torch.tensor(1.0)).tolist() == [0, 0, 0]
    assert not optimizer.state  # asking leaves no trace


def test_an_optimizer_of_unknown_steps_is_one_line():
    weight = nn.Parameter(torch.ones(3))
    with pytest.raises(InputError, match="RMSprop: use SGD, Adam or AdamW"):
        step_threshold(torch.optim.RMSprop([weight]), weight, torch.tensor(1.0))
    with pytest.raises(InputError, match="not trained by this optimizer"):
        step_threshold(torch.optim.SGD([nn.Parameter(torch.ones(3))]), weight, torch.tensor(1.0))
