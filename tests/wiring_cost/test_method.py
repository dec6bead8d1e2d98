"""The same method, on our networks and on anybody's: one computation."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

import brainrnn as br
from brainrnn.training import Trainer, TrainingSpec
from tasks import cog20, formulas

STEPS = 60


def trained(net, task, method, rate=3e-3):
    """Train by the package, with plain Adam and nothing else."""
    spec = TrainingSpec(
        steps=STEPS, batch=32, learning_rate=rate, decay="none", clip=0.0, evaluate_every=STEPS
    )
    trainer = Trainer(net, task, method, spec, seed=3)
    return [int(record.moves.sum()) for record in trainer.records()]


def trained_by_hand(placed, respond, task, method, rate=3e-3, optimizer=torch.optim.Adam):
    """A user's own loop."""
    optimizer = optimizer(placed.model.parameters(), lr=rate)
    rng, moves = np.random.default_rng([3, 1]), []
    for step in range(STEPS):
        batch = task.sample(32, rng)
        loss = task.loss(respond(batch)[None], batch).sum()
        loss = loss + placed.penalty(method, progress=step / STEPS)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        moves.append(placed.after_step(optimizer, method, progress=step / STEPS))
    return moves


@pytest.mark.parametrize("form", ["proximal", "subgradient"])
def test_a_perceptron_by_a_plain_loop_is_ours(form):
    task = formulas(["independence"])
    sites = [br.line(n) for n in (task.n_inputs, 12, 10, task.n_outputs)]
    method = br.BIMT(strength=1e-2, form=form, swap=br.SwapSpec(every=5))
    ours = br.MLP(sites, activation="tanh", dtype=torch.float64, seed=7)
    layers = [nn.Linear(len(a), len(b)).double() for a, b in pairwise(sites)]
    theirs = nn.Sequential(layers[0], nn.Tanh(), layers[1], nn.Tanh(), layers[2])
    for i, layer in enumerate(layers):
        layer.weight.data = ours.get_parameter(f"fc{i}.weight")[0].detach().clone()
        layer.bias.data = ours.get_parameter(f"fc{i}.bias")[0].detach().clone()
    names = ("input", "h1", "h2", "output")
    placed = br.place(theirs, dict(zip(names, sites, strict=True)), distance="l1")

    assert trained(ours, task, method) == trained_by_hand(
        placed, lambda batch: theirs(batch.inputs.double()), task, method
    )
    for i, layer in enumerate(layers):
        torch.testing.assert_close(
            layer.weight, ours.get_parameter(f"fc{i}.weight")[0], rtol=0, atol=1e-9
        )
        torch.testing.assert_close(
            layer.bias, ours.get_parameter(f"fc{i}.bias")[0], rtol=0, atol=1e-9
        )
    for mine, yours in zip(("input", "h1", "h2", "out"), names, strict=True):
        assert torch.equal(ours.anatomy.places(mine), placed.anatomy.places(yours))
    assert not torch.equal(ours.anatomy.places("h1")[0], torch.arange(12))
    torch.testing.assert_close(
        br.connection_cost(ours, method), br.connection_cost(placed, method), rtol=0, atol=1e-9
    )


class Recurrent(nn.Module):
    """A recurrent network as people write it."""

    def __init__(self, n_inputs, n_hidden, n_outputs):
        super().__init__()
        self.rnn = nn.RNN(n_inputs, n_hidden, nonlinearity="relu")
        self.readout = nn.Linear(n_hidden, n_outputs)

    def forward(self, inputs):
        return self.readout(self.rnn(inputs)[0])


@pytest.mark.parametrize("form", ["proximal", "subgradient"])
def test_a_recurrent_network_by_a_plain_loop_is_ours(form):
    suite = cog20(names=["go", "anti", "dm1"], dt=100)
    sites = br.grid(4, 5)
    method = br.BIMT(strength=1e-3, form=form, swap=br.SwapSpec(every=5))
    ours = br.RNN.for_suite(
        suite, sites=sites, tau=100, noise=0.0, activation="relu", dtype=torch.float64, seed=7
    )
    theirs = Recurrent(suite.n_inputs, 20, suite.n_outputs).double()
    pairs = {
        "w_in": theirs.rnn.weight_ih_l0,
        "w_rec": theirs.rnn.weight_hh_l0,
        "b_rec": theirs.rnn.bias_ih_l0,
        "w_out": theirs.readout.weight,
        "b_out": theirs.readout.bias,
    }
    for name, parameter in pairs.items():
        parameter.data = ours.get_parameter(name)[0].detach().clone()
    theirs.rnn.bias_hh_l0.data.zero_()
    theirs.rnn.bias_hh_l0.requires_grad_(False)  # ours has one bias
    placed = br.place(
        theirs,
        {"hidden": sites},
        {
            "rnn.weight_ih_l0": "hidden _",
            "rnn.weight_hh_l0": "hidden hidden",
            "rnn.bias_hh_l0": None,
            "readout.weight": "_ hidden",
        },
    )
    moves = trained(ours, suite, method)
    assert moves == trained_by_hand(
        placed, lambda batch: theirs(batch.inputs.double()), suite, method
    )
    assert sum(moves) > 0
    for name, parameter in pairs.items():
        torch.testing.assert_close(parameter, ours.get_parameter(name)[0], rtol=0, atol=1e-9)
    assert torch.equal(ours.anatomy.places("hidden"), placed.anatomy.places("hidden"))


def test_our_networks_take_the_same_method_in_a_users_loop():
    """PlacedNetwork is a placed module with a member axis."""
    net = br.MLP([br.line(3), br.line(5), br.line(2)], members=2, dtype=torch.float64)
    method = br.BIMT(strength=(1e-2, 0.0), locality=(1.0, 2.0), form="subgradient")
    expected = 1e-2 * br.connection_cost(net, method)[0]
    torch.testing.assert_close(method.penalty(net, progress=1.0), expected)
    method.penalty(net).backward()
    weight = net.get_parameter("fc0.weight")
    assert weight.grad[0].all()
    assert not weight.grad[1].any()


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        (torch.optim.SGD, {}),
        (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
        (torch.optim.Adam, {"betas": (0.8, 0.9), "eps": 1e-3}),
        (torch.optim.Adam, {"amsgrad": True}),
        (torch.optim.AdamW, {"weight_decay": 0.1}),
    ],
)
def test_proximal_step_is_the_argument_of_its_minimum(optimizer, options):
    """After the step u, w minimises price |w| + (w - u)^2 / (2 eta), eta the weight's own step."""
    torch.manual_seed(0)
    net = nn.Linear(4, 6).double()
    placed = br.place(net, {"b": br.line(6), "a": br.line(4)}, {"weight": "b a"})
    method = br.BIMT(strength=0.3, schedule=((0.0, 1.0),), swap=br.SwapSpec(algorithm="none"))
    adam = optimizer(net.parameters(), lr=0.05, **options)
    inputs = torch.randn(8, 4, dtype=torch.float64)
    seconds, v = [], torch.zeros(6, 4, dtype=torch.float64)
    for step in range(1, 4):
        adam.zero_grad()
        net(inputs).square().mean().backward()
        adam.step()
        u = net.weight.detach().clone()
        placed.after_step(adam, method)
        if optimizer is torch.optim.SGD:
            eta = torch.full_like(u, 0.05)
        else:
            beta, eps = options.get("betas", (0.9, 0.999))[1], options.get("eps", 1e-8)
            v = beta * v + (1 - beta) * net.weight.grad**2
            seconds.append(v)
            largest = torch.stack(seconds).amax(0) if options.get("amsgrad") else v
            eta = 0.05 / (largest.sqrt() / math.sqrt(1 - beta**step) + eps)
        distance = (br.line(6) - br.line(4).T).abs()
        price = 0.3 * (distance + 1.0)
        grid = torch.linspace(-1, 1, 4001, dtype=torch.float64)
        candidates = u.abs()[..., None] * grid
        objective = price[..., None] * candidates.abs() + (candidates - u[..., None]) ** 2 / (
            2 * eta[..., None]
        )
        best = candidates.gather(2, objective.argmin(2, keepdim=True))[..., 0]
        torch.testing.assert_close(net.weight.detach(), best, rtol=0, atol=1e-3)
    assert (net.weight == 0).any()


def test_an_optimizer_without_a_known_step_is_refused():
    net = nn.Linear(4, 6)
    placed = br.place(net, {"b": br.line(6)}, {"weight": "b _"})
    optimizer = torch.optim.RMSprop(net.parameters())
    with pytest.raises(br.InputError, match="RMSprop"):
        placed.after_step(optimizer, br.BIMT())
    with pytest.raises(br.InputError, match="not trained by this optimizer"):
        placed.after_step(torch.optim.SGD(nn.Linear(1, 1).parameters()), br.BIMT())
    free = br.BIMT(form="subgradient")
    assert placed.after_step(optimizer, free) == 0  # nothing to shrink, and no swap is due


def test_swaps_are_due_at_multiples():
    net = nn.Sequential(nn.Linear(4, 9), nn.Linear(9, 9), nn.Linear(9, 2))
    placed = br.place(net, br.grid(3, 3))
    method = br.BIMT(form="subgradient", swap=br.SwapSpec(every=3))
    optimizer = torch.optim.SGD(net.parameters())
    moves = [placed.after_step(optimizer, method) for _ in range(6)]
    assert moves[:2] == [0, 0]
    assert moves[2] > 0
    assert moves[3:5] == [0, 0]
