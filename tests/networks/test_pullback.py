"""Outputs and the way back of their gradient, against automatic differentiation of `respond`."""

import numpy as np
import pytest
import torch

from brainrnn.anatomy import geometry
from brainrnn.networks import MLP, RNN, MLPSpec, Transformer, TransformerSpec
from brainrnn.task import Examples
from tasks import cog20

SIDE_BY_SIDE = {"members": 3, "seed": 2, "dtype": torch.float64}
SUITE = cog20(names=["go", "dm1", "dms"])


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double()


def examples(inputs):
    return Examples(inputs, torch.zeros(len(inputs), 4))


def vectors(activation):
    spec = MLPSpec(hidden=(7, 6), activation=activation)
    return MLP.on_lines(5, 4, spec, **SIDE_BY_SIDE), examples(drawn(9, 5))


def tokens(positions):
    spec = MLPSpec(hidden=(7, 6), embedding=3)
    net = MLP.on_lines(5, 4, spec, tokens=True, positions=positions, **SIDE_BY_SIDE)
    inputs = torch.randint(5, (9, positions), generator=torch.Generator().manual_seed(0))
    return net, examples(inputs)


def transformer():
    spec = TransformerSpec(layers=2, heads=2, width=6)
    return Transformer(3, 4, spec, **SIDE_BY_SIDE), examples(drawn(5, 4, 3))


def recurrent(**options):
    net = RNN.for_suite(SUITE, sites=geometry.grid(3, 4), **SIDE_BY_SIDE, **options)
    return net, SUITE.sample(8, np.random.default_rng(0))


def asleep():
    """A leaky network of which only half the units can be active."""
    net, trials = recurrent()
    with torch.no_grad():
        net.w_in[:, ::2] = 0
        net.w_rec[:, ::2] = 0
    return net, trials


CASES = {
    "mlp": lambda: vectors("silu"),
    "relu mlp": lambda: vectors("relu"),
    "tokens": lambda: tokens(2),
    "one token": lambda: tokens(1),
    "transformer": transformer,
    "leaky": recurrent,
    "slow leaky": lambda: recurrent(tau=250.0, activation="softplus"),
    "half asleep": asleep,
    "noisy": lambda: recurrent(noise=0.3),
    "gru": lambda: recurrent(cell="gru"),
    "noisy gru": lambda: recurrent(cell="gru", noise=0.3),
}


@pytest.mark.parametrize("case", CASES)
def test_outputs_and_pulled_back_gradients_are_those_of_respond(case):
    net, batch = CASES[case]()
    expected = net.respond(batch, generator=torch.Generator().manual_seed(7))
    outputs, pullback = net.pullback(batch, generator=torch.Generator().manual_seed(7))
    assert outputs.shape == expected.shape
    assert torch.equal(outputs, expected)
    assert not outputs.requires_grad
    slope = drawn(*outputs.shape, seed=4)
    theirs = torch.autograd.grad(expected, list(net.parameters()), slope)
    ours = pullback(slope)
    for (name, value), a, b in zip(net.named_parameters(), ours, theirs, strict=True):
        assert a.shape == value.shape
        assert torch.allclose(a, b, rtol=1e-9, atol=1e-9), name
        assert bool(a.any())
        assert not a.requires_grad
        assert value.grad is None


@pytest.mark.parametrize("case", ["mlp", "tokens", "leaky", "transformer"])
def test_a_gradient_may_lie_anyhow_in_memory(case):
    net, batch = CASES[case]()
    slope = None
    for lay in (lambda g: g, lambda g: g.mT.contiguous().mT, lambda g: g[:, :1, ..., :1] * 0 + 1):
        outputs, pullback = net.pullback(batch)
        slope = drawn(*outputs.shape, seed=4) if slope is None else slope
        laid = lay(slope).expand_as(slope)
        ours = pullback(laid)
        theirs = torch.autograd.grad(net.respond(batch), list(net.parameters()), laid.clone())
        for a, b in zip(ours, theirs, strict=True):
            assert torch.allclose(a, b, rtol=1e-9, atol=1e-9)


def test_a_token_without_a_part_gets_zeros():
    net, batch = tokens(2)
    few = Examples(batch.inputs[:1], batch.targets[:1])
    outputs, pullback = net.pullback(few)
    names = [name for name, _ in net.named_parameters()]
    slopes = dict(zip(names, pullback(torch.ones_like(outputs)), strict=True))["embedding"]
    for member in slopes:
        assert set(member.any(1).nonzero()[:, 0].tolist()) == set(few.inputs[0].tolist())
