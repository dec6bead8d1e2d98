import itertools

import pytest
import torch
from torch import nn

from brainrnn.anatomy import geometry
from brainrnn.anatomy.populations import Anatomy, Population
from brainrnn.anatomy.wiring import Axis, parse_wiring
from brainrnn.errors import InputError
from brainrnn.wiring_cost.strength import count_live, live_neurons, wiring_strength
from tests.placed import WIRING, Wired


@pytest.mark.parametrize(
    ("pattern", "axes"),
    [
        ("h1 input", (Axis("h1"), Axis("input"))),
        ("h1", (Axis("h1"),)),
        ("_ hidden", (Axis(None), Axis("hidden"))),
        ("_ _", (Axis(None), Axis(None))),
        ("h1 (2 input)", (Axis("h1"), Axis("input", 2))),
        ("( 3  heads0 )   stream", (Axis("heads0", 3), Axis("stream"))),
    ],
)
def test_wiring_patterns(pattern, axes):
    assert parse_wiring(pattern) == axes


@pytest.mark.parametrize(
    "pattern", ["", "a b c", "(a) b", "(2 a", "2 a", "(0 a) b", "a-b", "_a", "(2 a)b"]
)
def test_patterns_that_cannot_be_read(pattern):
    with pytest.raises(InputError, match="cannot read the wiring pattern"):
        parse_wiring(pattern)


def test_lengths_equal_a_loop_over_connections():
    net = Wired()
    net.shuffle(1)
    anatomy = net.anatomy
    for name, value in net.named_parameters():
        axes = anatomy.wiring[name]
        length = anatomy.length(name)
        if len(axes) < 2 or None in (axes[0].population, axes[1].population):
            assert length is None
            continue
        assert length.shape == value.shape
        one, two = (anatomy.positions(axis.population) for axis in axes)
        for m, i, j in itertools.product(*(range(n) for n in value.shape)):
            a, b = one[m, i % one.shape[1]], two[m, j % two.shape[1]]
            assert length[m, i, j] == pytest.approx(float((a - b).norm()), abs=1e-12)


def test_site_order_puts_each_neuron_at_its_site():
    net = Wired()
    net.shuffle(2)
    places = net.anatomy.places("h2")
    ordered = net.anatomy.in_site_order("rec", net.rec)
    gru = net.anatomy.in_site_order("gru", net.gru)
    bias = net.anatomy.in_site_order("bias", net.bias)
    for m in range(2):
        for i, j in itertools.product(range(9), range(9)):
            assert ordered[m, places[m, i], places[m, j]] == net.rec[m, i, j]
            assert gru[m, 9 + places[m, i], places[m, j]] == net.gru[m, 9 + i, j]
        for i in range(6):
            assert bias[m, net.anatomy.places("h1")[m, i]] == net.bias[m, i]


def test_places_travel_with_the_state_dict():
    net, other = Wired(), Wired()
    net.shuffle(3)
    assert not torch.equal(other.anatomy.length("rec"), net.anatomy.length("rec"))
    other.load_state_dict(net.state_dict())
    assert torch.equal(other.anatomy.places("heads"), net.anatomy.places("heads"))
    assert torch.equal(other.anatomy.length("rec"), net.anatomy.length("rec"))


def test_moves_that_are_not_arrangements_are_refused():
    anatomy = Wired().anatomy
    doubled = anatomy.places("h2").clone()
    doubled[0, 0] = 1
    with pytest.raises(InputError, match="one neuron on each"):
        anatomy.move("h2", doubled)
    torn = anatomy.places("heads").clone()
    torn[:, [0, 4]] = torn[:, [4, 0]]
    with pytest.raises(InputError, match="tear a block"):
        anatomy.move("heads", torn)


def build(populations=None, wiring=None, **options):
    return Anatomy(populations or [Population("h", geometry.grid(2, 2))], wiring or {}, **options)


def test_mistakes_in_the_description_are_named():
    h = Population("h", geometry.grid(2, 2))
    with pytest.raises(InputError, match="two populations are named 'h'"):
        build([h, h])
    with pytest.raises(InputError, match="did you mean 'hidden'"):
        build([Population("hidden", geometry.grid(2, 2))], {"w": "hiden _"})
    with pytest.raises(InputError, match="2 dimensions"):
        build([h, Population("x", geometry.line(3))], {"w": "h x"})
    with pytest.raises(InputError, match="blocks"):
        build([Population("h", geometry.grid(2, 2), blocks=2)], {"w": "h h"})
    with pytest.raises(InputError, match="equal blocks"):
        Population("h", geometry.grid(3, 3), blocks=2)
    with pytest.raises(InputError, match="members"):
        build(members=0)


def test_parameters_must_fit_their_wiring():
    anatomy = build(wiring={"w": "h h"}, members=2)
    with pytest.raises(InputError, match=r"expects the shape \(2, 4, 4\), got \(2, 4, 5\)"):
        anatomy.bind([("w", torch.zeros(2, 4, 5))])
    with pytest.raises(InputError, match="'v' has no wiring"):
        anatomy.bind([("w", torch.zeros(2, 4, 4)), ("v", torch.zeros(2, 4))])
    with pytest.raises(InputError, match="no such parameter"):
        anatomy.bind([])


@pytest.mark.parametrize(
    ("distance", "message"),
    [
        (lambda a, b: geometry.l2(a, b) + 1.0, "to itself"),
        (lambda a, b: geometry.l2(a, b) * torch.arange(4.0), "order"),
        (lambda a, b: -geometry.l2(a, b), "negative"),
        (lambda a, b: geometry.l2(a, b)[:1], "shape"),
    ],
)
def test_a_distance_that_is_none_is_refused(distance, message):
    with pytest.raises(InputError, match=message):
        build(wiring={"w": "h h"}, distance=distance).length("w")


def test_a_distance_of_ones_own():
    anatomy = build(wiring={"w": "h h"}, distance=lambda a, b: geometry.l2(a, b) ** 2)
    sites = geometry.grid(2, 2)
    assert torch.allclose(anatomy.length("w")[0], geometry.l2(sites, sites) ** 2)


def test_wiring_strength_equals_a_loop():
    net = Wired()
    incoming, outgoing = wiring_strength(net, "h2")
    rec, gru = net.rec.abs(), net.gru.abs().view(2, 3, 9, 9).sum(1)
    assert torch.allclose(incoming, net.up.abs().sum(2) + rec.sum(2) + gru.sum(2))
    assert torch.allclose(outgoing, net.read.abs().sum(1) + rec.sum(1) + gru.sum(1))


def test_a_neuron_lives_when_wired_on_both_sides():
    net = Wired({"up": "h2 h1", "read": "_ h2"}, members=1)
    with torch.no_grad():
        net.up[0, 3] = 0.0
        net.read[0, :, 5] = 1e-5
    live = live_neurons(net, "h2")[0]
    assert live.tolist() == [i not in (3, 5) for i in range(9)]
    assert bool(live_neurons(net, "h1").all())  # nothing comes in, so nothing is missing
    with torch.no_grad():
        net.read.zero_()
    assert not bool(live_neurons(net, "h2").any())
    assert count_live(net).tolist() == [0]


def test_every_parameter_of_the_fixture_is_a_leaf():
    assert set(dict(Wired().named_parameters())) == set(WIRING)
    assert all(isinstance(p, nn.Parameter) for p in Wired().parameters())


def test_a_distance_may_be_a_matrix_of_all_sites():
    """Its rows are the sites of the populations, one population after the other."""
    random = torch.rand(5, 5, dtype=torch.float64)
    matrix = (random + random.T).fill_diagonal_(0)
    populations = [Population("a", geometry.line(2)), Population("b", geometry.line(3))]
    anatomy = Anatomy(populations, {"w": "b a", "v": "b b"}, distance=matrix)
    assert torch.equal(anatomy.site_distances("b", "a"), matrix[2:, :2])
    assert torch.equal(anatomy.site_distances("b", "b"), matrix[2:, 2:])
    anatomy.move("a", torch.tensor([[1, 0]]))
    assert torch.equal(anatomy.length("w")[0], matrix[2:, :2].flip(1))
    with pytest.raises(InputError, match="must be 5 x 5"):
        Anatomy(populations, {"w": "b a"}, distance=matrix[:2, :2])
