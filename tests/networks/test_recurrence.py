"""Leaving sleeping units out of a leaky network, against the plain loop over all of them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import brainrnn as br
from brainrnn.networks import recurrence
from brainrnn.networks.recurrence import LeakyNetwork, awake_units, leaky_network
from brainrnn.training.loop import Trainer, TrainingSpec
from tasks import cog20
from tests.networks.test_rnn import INPUTS, LENGTHS, gradients, network, stepwise

N = 12  # units of `network`


def put_to_sleep(net, asleep):
    """Take every input from some units, (member, unit) bool, but their own; biases are <= 0."""
    asleep = torch.as_tensor(asleep)
    with torch.no_grad():
        own = net.w_rec.diagonal(dim1=1, dim2=2).clone()
        net.w_rec.masked_fill_(asleep[:, :, None], 0)
        net.w_rec.diagonal(dim1=1, dim2=2).copy_(own)
        net.w_in.masked_fill_(asleep[:, :, None], 0)
        net.b_rec.copy_(-torch.linspace(0, 1, N).double().expand_as(net.b_rec))
    return net


def first(*counts):
    """The first few units of every member."""
    return torch.arange(N) < torch.tensor(counts)[:, None]


def stepwise_states(net):
    """States of the plain loop, read out by the identity."""
    w_out = torch.eye(net.n_hidden).double().expand(net.members, -1, -1)

    class Readout:
        members, n_hidden, spec, alpha = net.members, net.n_hidden, net.spec, net.alpha
        w_in, w_rec, b_rec = net.w_in, net.w_rec, net.b_rec
        b_out = torch.zeros(net.members, net.n_hidden).double()

    Readout.w_out = w_out
    return stepwise(Readout)


def assert_same_as_the_loop(net):
    fast, states = net.activity(INPUTS, LENGTHS)
    plain, expected = stepwise(net), stepwise_states(net)
    assert torch.allclose(fast, plain, rtol=0, atol=1e-12)
    assert torch.allclose(states, expected, rtol=0, atol=1e-12)
    for a, b in zip(gradients(net, fast), gradients(net, plain), strict=True):
        assert torch.allclose(a, b, rtol=1e-9, atol=1e-9)
    weights = torch.linspace(-1, 2, states.numel()).double().view_as(states)
    recurrent = [net.w_in, net.w_rec, net.b_rec]
    _, states = net.activity(INPUTS, LENGTHS)
    ours = torch.autograd.grad((weights * states).sum(), recurrent)
    theirs = torch.autograd.grad((weights * expected).sum(), recurrent)
    for a, b in zip(ours, theirs, strict=True):
        assert torch.allclose(a, b, rtol=1e-9, atol=1e-9)


def awake(net):
    return awake_units(net.w_in, net.w_rec, net.b_rec)


@pytest.fixture
def computed(monkeypatch):
    """Numbers of units that were really computed."""
    sizes = []
    apply = LeakyNetwork.apply

    def watched(*args):
        sizes.append(args[3].shape[1])
        return apply(*args)

    monkeypatch.setattr(LeakyNetwork, "apply", watched)
    return sizes


@pytest.mark.parametrize("tau", [100.0, 250.0])
@pytest.mark.parametrize(
    ("counts", "k"),
    [((5, 5), 7), ((9, 4), 8), ((3, 12), 9), ((12, 11), 1), ((12, 12), 1), ((0, 12), N)],
)
def test_outputs_states_and_gradients_are_those_of_all_units(counts, k, tau, computed):
    net = put_to_sleep(network(tau=tau), first(*counts))
    assert_same_as_the_loop(net)
    assert set(computed) == {k}
    index = awake(net)
    if k == N:
        assert index is None
    else:
        assert index.shape == (2, k)
        assert bool((index.diff(dim=1) > 0).all())


@pytest.mark.parametrize("tau", [100.0, 250.0])
@settings(max_examples=12)
@given(
    asleep=st.lists(st.lists(st.booleans(), min_size=N, max_size=N), min_size=2, max_size=2),
    seed=st.integers(0, 100),
)
def test_any_units_may_sleep(tau, asleep, seed):
    net = put_to_sleep(network(tau=tau, seed=seed), asleep)
    index, asleep = awake(net), torch.tensor(asleep)
    most = int((~asleep).sum(1).max())
    if index is None:
        assert most >= 0.9 * N
    else:
        assert index.shape[1] == max(most, 1)
        for member, units in enumerate(index.tolist()):
            assert set(units) >= set((~asleep[member]).nonzero()[:, 0].tolist())
            assert len(set(units)) == len(units)
    outputs = net(INPUTS, LENGTHS)
    plain = stepwise(net)
    assert torch.allclose(outputs, plain, rtol=0, atol=1e-12)
    for a, b in zip(gradients(net, outputs), gradients(net, plain), strict=True):
        assert torch.allclose(a, b, rtol=1e-9, atol=1e-9)


def test_nothing_is_left_out_where_all_are_awake(computed):
    net = network()
    assert awake(net) is None
    assert_same_as_the_loop(net)
    assert set(computed) == {N}


WAKING = {
    "its own weight": (lambda net: net.w_rec[0, 2, 2].fill_(3.0), False),
    "no bias": (lambda net: net.b_rec[0, 2].fill_(0.0), False),
    "weights to others": (lambda net: net.w_rec[0, 8:, 2].fill_(3.0), False),
    "a bias": (lambda net: net.b_rec[0, 2].fill_(1e-3), True),
    "an input": (lambda net: net.w_in[0, 2, 1].fill_(-0.7), True),
    "another unit": (lambda net: net.w_rec[0, 2, 9].fill_(0.7), True),
    "a sleeping unit": (lambda net: net.w_rec[0, 2, 1].fill_(0.7), True),
}


@pytest.mark.parametrize("tau", [100.0, 250.0])
@pytest.mark.parametrize("what", WAKING)
def test_what_keeps_a_unit_awake(what, tau):
    change, stays = WAKING[what]
    net = put_to_sleep(network(tau=tau), first(6, 6))
    with torch.no_grad():
        change(net)
    index = awake(net)
    assert (2 in index[0].tolist()) is stays
    assert index.shape[1] == 6 + stays
    assert set(range(6, N)) <= set(index[1].tolist())
    assert_same_as_the_loop(net)


def test_members_without_a_sleeper_keep_all_their_units():
    net = put_to_sleep(network(members=3), first(6, 8, 5))
    index = awake(net)
    assert index.shape == (3, 7)
    assert index[2].tolist() == [5, 6, 7, 8, 9, 10, 11]
    for member, count in enumerate((6, 8, 5)):
        assert set(range(count, N)) <= set(index[member].tolist())


@pytest.mark.parametrize("activation", ["softplus", "tanh"])
def test_only_relu_units_sleep(activation, computed):
    net = put_to_sleep(network(activation=activation), first(8, 8))
    assert_same_as_the_loop(net)
    assert set(computed) == {N}


def test_private_noise_wakes_everyone(computed):
    net = put_to_sleep(network(noise=0.5), first(8, 9))
    _, states = net.activity(INPUTS, LENGTHS, generator=torch.Generator().manual_seed(2))
    assert computed == [N]
    assert bool(states[:, :, :, 0].any())  # a bias of 0, and noise above it
    _, quiet = net.activity(INPUTS, LENGTHS)
    assert computed == [N, 4]
    assert not bool(quiet[0, :, :, :8].any())
    assert bool(quiet[0, :, :, 8:].any())


def test_gradients_of_inputs_pass_what_sleeps():
    net = put_to_sleep(network(), first(7, 9))
    rows = INPUTS.flatten(0, 1).clone().requires_grad_()
    weights = (net.w_in, net.w_rec, net.b_rec, net.w_out, net.b_out)
    options = {"alpha": 0.4, "activation": "relu", "sizes": [5] * 7}
    fast = leaky_network(rows, None, *weights, **options)
    whole = LeakyNetwork.apply(rows, None, *weights, *options.values())
    ours, theirs = (
        torch.autograd.grad(outputs.sin().sum() + states.cos().sum(), rows)[0]
        for outputs, states in (fast, whole)
    )
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-12)
    assert bool(ours.any())


@pytest.mark.parametrize("tau", [100.0, 200.0])
def test_training_is_the_same_with_all_units_computed(tau, monkeypatch, computed):
    suite = cog20(names=["go", "dm1", "dms"])
    method = br.BIMT(
        strength=(0.004, 0.01),
        form="proximal",
        schedule=((0.0, 1.0),),
        swap=br.SwapSpec(algorithm="none"),
    )
    spec = TrainingSpec(steps=40, batch=16, learning_rate=0.01, evaluation_trials=2)
    nets, rows = [], []
    for leave_out in (True, False):
        if not leave_out:
            monkeypatch.setattr(recurrence, "awake_units", lambda *weights: None)
        net = br.RNN.for_suite(
            suite, sites=br.grid(5, 5), members=2, tau=tau, dtype=torch.float64, seed=1
        )
        with torch.no_grad():  # some sleep from the start, and others fall asleep
            net.w_in[:, :6] = 0
            net.w_rec[:, :6] = torch.eye(25)[:6]
        before = len(computed)
        trainer = Trainer(net, suite, method, spec)
        rows.append([row for record in trainer.records() for row in record.metrics])
        sizes = np.array(computed[before:])
        if leave_out:
            assert sizes.min() < sizes[0] < 25
        else:
            assert set(sizes) == {25}
        nets.append(net)
    one, two = nets
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-9)
    for a, b in zip(*rows, strict=True):
        assert a == pytest.approx(b, rel=1e-9, nan_ok=True)
    assert rows[0][-2]["loss"] < 0.97 * rows[0][0]["loss"]
