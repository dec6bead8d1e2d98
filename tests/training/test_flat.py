"""One buffer under all parameters: numbers stay, and every view shows every change."""

import numpy as np
import pytest
import torch

import brainrnn as br
from brainrnn.task import Examples
from brainrnn.training.flat import FlatParameters, shared
from tasks import cog20
from tests.placed import Wired

SUITE = cog20(names=["go", "dm1"])


def perceptron(members=4):
    spec = br.MLPSpec(hidden=(6, 5))
    return br.MLP.on_lines(3, 2, spec, members=members, seed=3, dtype=torch.float64)


def recurrent(members=4):
    return br.RNN.for_suite(SUITE, sites=br.grid(3, 3), members=members, dtype=torch.float64)


def examples(n=7):
    inputs = torch.randn(n, 3, generator=torch.Generator().manual_seed(1)).double()
    return Examples(inputs, torch.zeros(n, 2))


NETWORKS = {"mlp": perceptron, "rnn": recurrent, "every wiring": lambda: Wired(members=4)}


@pytest.fixture(params=NETWORKS)
def net(request):
    return NETWORKS[request.param]()


def test_numbers_stay_and_lie_one_after_the_other(net):
    before = {name: value.clone() for name, value in net.state_dict().items()}
    identities = [id(p) for p in net.parameters()]
    flat = FlatParameters(net)
    assert [id(p) for p in net.parameters()] == identities
    assert list(net.state_dict()) == list(before)
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name])
        assert value.shape == before[name].shape
    rows = [torch.cat([p[m].flatten() for p in net.parameters()]) for m in range(net.members)]
    assert torch.equal(flat.values, torch.stack(rows))
    assert flat.values.requires_grad
    assert flat.values.grad is flat.gradient
    assert flat.gradient.shape == flat.values.shape
    assert not bool(flat.gradient.any())


def test_changes_are_seen_both_ways(net):
    flat = FlatParameters(net)
    with torch.no_grad():
        flat.values.copy_(torch.arange(flat.values.numel()).view_as(flat.values))
    start = 0
    for value in net.parameters():
        stop = start + value[0].numel()
        assert torch.equal(value.flatten(1), flat.values[:, start:stop])
        with torch.no_grad():
            value[1].fill_(-3.5)
        assert bool((flat.values[1, start:stop] == -3.5).all())
        assert not bool((flat.values[0, start:stop] == -3.5).any())
        start = stop
    assert start == flat.values.shape[1]


def test_a_loaded_state_arrives_in_the_buffer(net):
    state = {name: value.clone() for name, value in net.state_dict().items()}
    flat = FlatParameters(net)
    before = flat.values.detach().clone()
    with torch.no_grad():
        flat.values.zero_()
    assert not any(bool(value.any()) for value in net.parameters())
    net.load_state_dict(state)
    assert torch.equal(flat.values, before)


def test_split_and_join_are_inverse(net):
    flat = FlatParameters(net)
    row = torch.randn(flat.values.shape, generator=torch.Generator().manual_seed(5)).double()
    parts = flat.split(row)
    assert {name: part.shape for name, part in parts.items()} == {
        name: value.shape for name, value in net.named_parameters()
    }
    assert torch.equal(flat.join(parts), row)
    for part in parts.values():
        part.add_(1.0)  # of the same memory
    assert torch.equal(flat.join(parts), row)


def test_joining_broadcasts_and_leaves_zeros():
    net = recurrent()
    flat = FlatParameters(net)
    own = torch.arange(4.0).double()[:, None, None]
    joined = flat.split(flat.join({"w_rec": torch.tensor(2.5), "w_in": own}))
    assert bool((joined["w_rec"] == 2.5).all())
    assert torch.equal(joined["w_in"], own.expand_as(net.w_in))
    for name in ("b_rec", "w_out", "b_out"):
        assert not bool(joined[name].any())


@pytest.mark.parametrize("members", [slice(None), slice(1, 3), slice(3, 9)])
def test_gradients_are_put_where_they_belong(net, members):
    flat = FlatParameters(net)
    generator = torch.Generator().manual_seed(6)
    slopes = [torch.randn(p.shape, generator=generator).double() for p in net.parameters()]
    # Laid out anyhow in memory.
    flat.gather(
        [g.mT.contiguous().mT[members] if g.ndim > 2 else g[members] for g in slopes], members
    )
    expected = torch.zeros_like(flat.values)
    expected[members] = torch.cat([g.flatten(1) for g in slopes], 1)[members]
    assert torch.equal(flat.gradient, expected)
    assert flat.values.grad is flat.gradient
    flat.gather([2 * g[members] for g in slopes], members)  # replaces, and does not add up
    assert torch.equal(flat.gradient, 2 * expected)


PARTS = [slice(0, 1), slice(1, 3), slice(3, 9)]


@pytest.mark.parametrize("flattened", [True, False])
@pytest.mark.parametrize("members", PARTS)
def test_a_part_computes_what_its_members_compute(members, flattened):
    net, batch = perceptron(), examples()
    if flattened:
        FlatParameters(net)
    part = shared(net, members)
    assert part.members == len(range(4)[members])
    assert net.members == 4
    expected, outputs = net.respond(batch)[members], part.respond(batch)
    assert torch.allclose(outputs, expected, rtol=0, atol=1e-12)
    ours = torch.autograd.grad(outputs.sin().sum(), list(part.parameters()))
    theirs = torch.autograd.grad(expected.sin().sum(), list(net.parameters()))
    for a, b in zip(ours, theirs, strict=True):
        assert torch.allclose(a, b[members], rtol=1e-9, atol=1e-9)


def test_a_recurrent_part_computes_what_its_members_compute():
    net = recurrent()
    trials = SUITE.sample(6, np.random.default_rng(0))
    for members in PARTS:
        outputs = shared(net, members).respond(trials)
        assert torch.allclose(outputs, net.respond(trials)[members], rtol=0, atol=1e-12)


@pytest.mark.parametrize("members", PARTS)
def test_parameters_are_shared_both_ways(net, members):
    flat = FlatParameters(net)
    part = shared(net, members)
    assert [name for name, _ in part.named_parameters()] == [
        name for name, _ in net.named_parameters()
    ]
    with torch.no_grad():
        flat.values.mul_(-2.0).add_(torch.arange(4.0).double()[:, None])
        for (name, own), value in zip(part.named_parameters(), net.parameters(), strict=True):
            assert own is not value
            assert torch.equal(own, value[members]), name
            own.fill_(7.0)
            assert bool((value[members] == 7.0).all())
    others = torch.ones(4, dtype=torch.bool)
    others[members] = False
    assert not bool((flat.values[others] == 7.0).all(1).any())
    assert bool((flat.values[members] == 7.0).all())


@pytest.mark.parametrize("members", PARTS)
def test_places_are_shared(members):
    net = Wired(members=4)
    part = shared(net, members)
    before = br.connection_cost(part, br.CostSpec())
    net.shuffle(3)
    for name in net.anatomy.populations:
        assert torch.equal(part.anatomy.places(name), net.anatomy.places(name)[members])
    assert not torch.equal(part.anatomy.places("h2")[0], torch.arange(9))
    part.anatomy.changed()  # lengths are remembered, and only who moves neurons forgets them
    cost = br.connection_cost(net, br.CostSpec())[members]
    after = br.connection_cost(part, br.CostSpec())
    assert torch.allclose(after, cost, rtol=1e-12)
    assert not torch.allclose(before, after, rtol=1e-6)
