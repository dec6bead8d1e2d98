"""Exchanges against a plain pass that computes the whole cost of every arrangement it tries."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import quadratic_assignment

from brainrnn.wiring_cost import arrange


def whole_cost(fixed, inside, distance, places):
    """Of one member, float."""
    cost = 0.0
    if fixed is not None:
        cost += float(fixed[torch.arange(len(places)), places].sum())
    if inside is not None:
        cost += float((inside * distance[places][:, places]).sum()) / 2
    return cost


def exchanged(places, i, j):
    places = places.clone()
    places[i], places[j] = places[j].item(), places[i].item()
    return places


def plain_pass(fixed, inside, distance, places, order, size):
    """Each takes the partner, among its block of some size, that makes the whole cheapest."""
    for i in order.tolist():
        block = range(i // size * size, (i // size + 1) * size)
        now = whole_cost(fixed, inside, distance, places)
        costs = [whole_cost(fixed, inside, distance, exchanged(places, i, j)) for j in block]
        least = min(costs)
        if least < now - 1e-11 * now:
            places = exchanged(places, i, block[costs.index(least)])
    return places


def plain_exchanges(fixed, inside, distance, places, order, blocks, repeat):
    """Of one member."""
    n = len(places)
    size = n // blocks
    while True:
        before = places
        places = plain_pass(fixed, inside, distance, places, order, size)
        for b in range(blocks if blocks > 1 else 0):
            tried = []
            for c in range(blocks):
                other = places.clone()
                mine, theirs = slice(b * size, (b + 1) * size), slice(c * size, (c + 1) * size)
                slots = places[b * size] // size, places[c * size] // size
                other[theirs] = places[theirs] % size + slots[0] * size
                other[mine] = places[mine] % size + slots[1] * size
                tried.append(other)
            costs = [whole_cost(fixed, inside, distance, other) for other in tried]
            now = whole_cost(fixed, inside, distance, places)
            if min(costs) < now - 1e-11 * now:
                places = tried[costs.index(min(costs))]
        if not repeat or torch.equal(places, before):
            return places


def problem(seed, members, n, *, wired, outside, silent, density, blocks=1, k=None):
    """Random sites (so that no two exchanges gain the same), weights, places and order."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape):
        return torch.rand(*shape, generator=generator, dtype=torch.float64)

    def shuffled(count):
        return torch.randperm(count, generator=generator)

    sites = random(n, 2)
    distance = (sites[:, None] - sites).square().sum(2).sqrt()
    alive = random(members, n, 1) >= silent
    fixed = random(members, n, n) * alive if outside else None
    inside = None
    if wired:
        half = random(members, n, n) * (random(members, n, n) < density) * alive * alive.mT
        inside = half + half.mT
        inside.diagonal(dim1=1, dim2=2).zero_()
    size = n // blocks
    places = torch.stack(
        [
            torch.cat([slot * size + shuffled(size) for slot in shuffled(blocks)])
            for _ in range(members)
        ]
    )
    order = torch.stack([shuffled(n)[:k] for _ in range(members)])
    return fixed, inside, distance, places, order


def expected(fixed, inside, distance, places, order, blocks, repeat):
    return torch.stack(
        [
            plain_exchanges(
                None if fixed is None else fixed[m],
                None if inside is None else inside[m],
                distance,
                places[m],
                order[m],
                blocks,
                repeat,
            )
            for m in range(len(places))
        ]
    )


@pytest.mark.parametrize("on_host", [True, False])
@settings(max_examples=60)
@given(data=st.data())
def test_populations_wired_to_themselves_exchange_as_one_by_one(on_host, data):
    given_problem = problem(
        data.draw(st.integers(0, 10**6)),
        data.draw(st.integers(1, 3)),
        data.draw(st.integers(2, 10)),
        wired=True,
        outside=data.draw(st.booleans()),
        silent=data.draw(st.sampled_from([0.0, 0.6, 1.0])),
        density=data.draw(st.sampled_from([0.3, 1.0])),
        k=data.draw(st.sampled_from([None, 1, 4])),
    )
    repeat = data.draw(st.booleans())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrange, "_on_host", lambda tensor: on_host)
        patch.setattr(arrange, "_PENDING", data.draw(st.sampled_from([1, 2, 3, 64])))
        patch.setattr(arrange, "_LOOKAHEAD", data.draw(st.sampled_from([1, 2, 64])))
        places = arrange.exchanges(*given_problem, 1, repeat=repeat)
    assert torch.equal(places, expected(*given_problem, 1, repeat))


@pytest.mark.parametrize("on_host", [True, False])
@settings(max_examples=60)
@given(data=st.data())
def test_other_populations_exchange_as_one_by_one(on_host, data):
    blocks = data.draw(st.sampled_from([1, 2, 3]))
    given_problem = problem(
        data.draw(st.integers(0, 10**6)),
        data.draw(st.integers(1, 3)),
        blocks * data.draw(st.integers(1, 4)),
        wired=False,
        outside=True,
        silent=data.draw(st.sampled_from([0.0, 0.6, 1.0])),
        density=1.0,
        blocks=blocks,
        k=data.draw(st.sampled_from([None, 1, 4])),
    )
    repeat = data.draw(st.booleans())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrange, "_on_host", lambda tensor: on_host)
        places = arrange.exchanges(*given_problem, blocks, repeat=repeat)
    assert torch.equal(places, expected(*given_problem, blocks, repeat))


@pytest.mark.parametrize("silent", [0.0, 0.7])
def test_many_exchanges_end_on_the_host_as_on_a_device(monkeypatch, silent):
    # More than wait at once, so that sums are made several times; and long looks ahead.
    given_problem = problem(7, 2, 100, wired=True, outside=False, silent=silent, density=0.3)
    host = arrange.exchanges(*given_problem, 1, repeat=False)
    monkeypatch.setattr(arrange, "_on_host", lambda tensor: False)
    assert torch.equal(arrange.exchanges(*given_problem, 1, repeat=False), host)


@pytest.mark.parametrize(("wired", "outside"), [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("blocks", [1, 3])
def test_a_pass_on_a_device_never_waits_for_it(wired, outside, blocks):
    # Tensors without data cannot be looked at: whatever would bring a value to the host fails.
    fixed, inside, distance, places, order = problem(
        0, 2, 6, wired=wired and blocks == 1, outside=outside or blocks > 1, silent=0.0, density=1.0
    )
    problem_on_device = [None if t is None else t.to("meta") for t in (fixed, inside)]
    rest = [t.to("meta") for t in (distance, places, order)]
    moved = arrange.exchanges(*problem_on_device, *rest, blocks, repeat=False)
    assert moved.shape == places.shape
    with pytest.raises((RuntimeError, NotImplementedError)):
        bool(moved.any())


def test_what_is_given_stays_as_it_is():
    for wired in (True, False):
        given_problem = problem(1, 2, 8, wired=wired, outside=True, silent=0.0, density=1.0)
        before = [None if value is None else value.clone() for value in given_problem]
        assert not torch.equal(arrange.exchanges(*given_problem, 1, repeat=True), given_problem[3])
        for value, old in zip(given_problem, before, strict=True):
            assert value is None or torch.equal(value, old)


def test_a_price_is_the_whole_cost():
    for outside in (False, True):
        fixed, inside, distance, places, _ = problem(
            2, 5, 7, wired=True, outside=outside, silent=0.0, density=0.5
        )
        priced = arrange._price(fixed, inside, distance, places)
        for m, price in enumerate(priced.tolist()):
            around = fixed[m] if outside else None
            assert price == pytest.approx(whole_cost(around, inside[m], distance, places[m]))


@pytest.mark.parametrize(("outside", "found"), [(False, 41), (True, 52)])
def test_a_cheap_arrangement_is_mostly_the_cheapest(outside, found):
    """Of six neurons, whose arrangements can all be priced: in so many networks of sixty."""
    n = 6
    fixed, inside, distance, places, order = problem(
        3, 60, n, wired=True, outside=outside, silent=0.0, density=1.0
    )
    every = torch.tensor(list(itertools.permutations(range(n))))
    between = distance[every[:, :, None], every[:, None, :]]
    cheap = arrange.quadratic_assignment(fixed, inside, distance, places, order)
    ratio = []
    for m in range(60):
        around = fixed[m] if outside else torch.zeros(n, n, dtype=torch.float64)
        costs = around[torch.arange(n), every].sum(1) + (inside[m] * between).sum((1, 2)) / 2
        ratio.append(whole_cost(around, inside[m], distance, cheap[m]) / float(costs.min()))
    assert sum(one < 1 + 1e-9 for one in ratio) >= found
    assert min(ratio) > 1 - 1e-9
    assert max(ratio) < 1.1


def test_the_relaxation_is_scipys(monkeypatch):
    monkeypatch.setattr(arrange, "_RELAXED", 1e-7)
    _, inside, distance, _, _ = problem(4, 20, 12, wired=True, outside=False, silent=0, density=0.5)
    options = {"maxiter": arrange._RELAXATION_STEPS, "tol": 1e-6}
    for one in inside:
        alone = torch.zeros_like(one)
        theirs = quadratic_assignment(one.numpy(), distance.numpy(), options=options).col_ind
        assert arrange._relaxation(alone, one, distance).tolist() == theirs.tolist()


def test_neurons_that_would_gain_nothing_stay():
    """In a linear assignment too, which may know another arrangement of the same cost."""
    places = torch.stack([torch.randperm(6) for _ in range(8)])
    for level in (0.0, 1.0, 1e9):
        same = torch.full((8, 6, 6), level, dtype=torch.float64)
        for blocks in (1, 2):
            here = places if blocks == 1 else torch.arange(6).expand(8, 6)
            assert torch.equal(arrange.linear_assignment(same, here, blocks), here)


@pytest.mark.parametrize("on_host", [True, False])
@pytest.mark.parametrize("wired", [True, False])
def test_a_member_is_exchanged_as_it_would_be_alone_whatever_others_cost(
    on_host, wired, monkeypatch
):
    """What counts as round-off is a share of a member's own cost."""
    monkeypatch.setattr(arrange, "_on_host", lambda tensor: on_host)
    fixed, inside, distance, places, order = problem(
        5, 3, 8, wired=wired, outside=not wired, silent=0.0, density=1.0
    )
    usual = arrange.exchanges(fixed, inside, distance, places, order, 1, repeat=True)
    assert not torch.equal(usual, places)
    scale = torch.tensor([1e-9, 1.0, 1e9], dtype=torch.float64)[:, None, None]
    fixed, inside = (None if cost is None else cost * scale for cost in (fixed, inside))
    scaled = arrange.exchanges(fixed, inside, distance, places, order, 1, repeat=True)
    assert torch.equal(scaled, usual)
