"""Exchanges with neurons nearby, against the whole cost of every exchange."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import brainrnn as br
from brainrnn.anatomy.growth import nearest_sites
from brainrnn.errors import InputError
from brainrnn.wiring_cost.nearby import Edges, _way_back, best_exchanges, nearby_exchanges
from brainrnn.wiring_cost.strength import magnitudes
from brainrnn.wiring_cost.swap import _edges

SPARSE = {"connections": "sparse", "growth": {"partners": 5, "reach": 0.4}}


def network(sites, *, seed=0, members=1, distance="l2", **spec):
    net = br.RNN(
        2, 3, sites, dt=100, members=members, distance=distance, spec=br.RNNSpec(**spec)
    ).double()
    rng = np.random.default_rng(seed)
    for value in net.parameters():
        value.data.copy_(torch.from_numpy(rng.standard_normal(value.shape)))
    places = np.stack([rng.permutation(len(sites)) for _ in range(members)])
    net.anatomy.move("hidden", torch.from_numpy(places))
    return net


def cost_of(net, spec):
    return br.connection_cost(net, spec).detach().double()


def exchanged(net, i, j):
    places = net.anatomy.places("hidden").clone()
    places[0, [i, j]] = places[0, [j, i]]
    return places


@pytest.mark.parametrize(
    "spec", [{}, SPARSE, SPARSE | {"cell": "gru"}], ids=["dense", "sparse", "gru"]
)
@pytest.mark.parametrize(
    ("sites", "distance"), [(br.grid(4, 5), "l1"), (br.sphere(18), "great_circle")]
)
def test_every_change_is_that_of_the_whole_cost(spec, sites, distance):
    net, cost = network(sites, distance=distance, **spec), br.CostSpec(locality=1.7, offset=0.3)
    anatomy, n = net.anatomy, len(sites)
    near = nearest_sites(anatomy, "hidden", 6)
    edges = _edges(net, magnitudes(net), cost, "hidden", 0)
    between = lambda a, b: anatomy.between_sites("hidden", a, "hidden", b)  # noqa: E731
    places = anatomy.places("hidden")[0]
    change, partner = best_exchanges(edges, near, _way_back(near), between, places)
    before, occupant = cost_of(net, cost), places.argsort()
    start = anatomy.places("hidden").clone()
    for i in range(n):
        found = {}
        for site in near[places[i]].tolist():
            if int(places[i]) in near[site].tolist():  # each is near the other
                j = int(occupant[site])
                anatomy.move("hidden", exchanged(net, i, j))
                found[j] = float(cost_of(net, cost) - before)
                anatomy.move("hidden", start)
        if not found:
            assert change[i] == torch.inf
            continue
        assert float(change[i]) == pytest.approx(min(found.values()), abs=1e-9)
        assert found[int(partner[i])] == pytest.approx(float(change[i]), abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 999),
    near=st.integers(1, 15),
    algorithm=st.sampled_from(["greedy", "descent"]),
    top_k=st.sampled_from([None, 1, 7]),
    spec=st.sampled_from([{}, SPARSE, SPARSE | {"cell": "gru"}]),
)
def test_the_cost_never_rises_and_no_output_changes(seed, near, algorithm, top_k, spec):
    net = network(br.grid(4, 4), seed=seed, members=2, **spec)
    cost = br.CostSpec(strength=(1e-3, 0.0), locality=2.0)
    swap = br.SwapSpec(algorithm=algorithm, near=near, top_k=top_k)
    x = torch.ones(6, 3, 2, dtype=torch.float64)
    outputs, before, places = net(x), cost_of(net, cost), net.anatomy.places("hidden").clone()
    moves = br.relocate(net, cost, swap)
    after = cost_of(net, cost)
    assert torch.equal(net(x), outputs)
    assert torch.equal((net.anatomy.places("hidden") != places).sum(1), moves)
    assert after[0] < before[0] if moves[0] else after[0] == before[0]
    assert moves[1] == 0  # it pays nothing
    if algorithm == "descent" and top_k is None:
        assert int(br.relocate(net, cost, swap).sum()) == 0


def test_of_all_sites_it_finds_about_what_the_exact_search_finds():
    cost = br.CostSpec(locality=1.0, offset=0.0)
    shares = []
    for seed in range(5):
        nets = [network(br.grid(8, 8), seed=seed, **SPARSE) for _ in range(2)]
        before = cost_of(nets[0], cost)
        for net, near in zip(nets, (None, 63), strict=True):
            for _ in range(30):
                br.relocate(net, cost, br.SwapSpec(near=near))
        exact, nearby = (float((cost_of(net, cost) / before)[0]) for net in nets)
        shares.append((1 - nearby) / (1 - exact))
    assert np.mean(shares) > 0.95


def test_of_two_who_want_one_the_first_in_order_gets_it():
    """Three neurons on a line; the middle one is wanted by both others."""
    line = br.line(3)
    between = lambda a, b: (line[a] - line[b]).abs()[..., 0]  # noqa: E731
    edges = Edges.of(torch.tensor([0]), torch.tensor([2]), torch.ones(1, dtype=torch.float64))
    near = torch.tensor([[1, 2], [0, 2], [1, 0]])
    places = torch.arange(3)
    for order, expected in (([0, 1, 2], [1, 0, 2]), ([2, 1, 0], [0, 2, 1])):
        found = nearby_exchanges(edges, near, between, places, torch.tensor(order), repeat=False)
        assert found.tolist() == expected


def test_what_cannot_look_nearby_is_refused():
    net = br.MLP.on_lines(3, 2, br.MLPSpec(hidden=(4,)))
    with pytest.raises(InputError, match=r"swap\.near is for populations that are wired to them"):
        br.relocate(net, br.CostSpec(), br.SwapSpec(near=2))
    rnn = network(br.grid(3, 3))
    with pytest.raises(InputError, match="assignment looks at all sites"):
        br.relocate(rnn, br.CostSpec(), br.SwapSpec(near=2, algorithm="assignment"))


def test_large_sparse_networks_look_nearby_by_themselves(monkeypatch):
    monkeypatch.setattr("brainrnn.wiring_cost.swap._EXACT", 10)
    monkeypatch.setattr("brainrnn.wiring_cost.swap._NEAR", 4)
    nets = [network(br.grid(4, 4), **SPARSE) for _ in range(2)]
    for net, near in zip(nets, (None, 4), strict=True):
        br.relocate(net, br.CostSpec(), br.SwapSpec(near=near))
    assert torch.equal(*(net.anatomy.places("hidden") for net in nets))
    dense = network(br.grid(4, 4))
    other = network(br.grid(4, 4))
    br.relocate(dense, br.CostSpec(), br.SwapSpec())
    br.relocate(other, br.CostSpec(), br.SwapSpec(near=4))
    assert not torch.equal(dense.anatomy.places("hidden"), other.anatomy.places("hidden"))
