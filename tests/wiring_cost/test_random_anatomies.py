"""Cost and swaps on random anatomies: what holds of every network, whoever wires it."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from brainrnn.wiring_cost.cost import connection_cost
from brainrnn.wiring_cost.strength import live_neurons
from brainrnn.wiring_cost.swap import importance, relocate, site_costs
from tests import anatomies
from tests.wiring_cost.test_swap import exchanged_cost

EXACT = 1e-12  # of a whole cost: what is left of float64 after a sum


def places_of(net):
    return {name: net.anatomy.places(name).clone() for name in net.anatomy.populations}


def value_of(setting, member):
    return setting[member] if isinstance(setting, tuple) else setting


def scored(spec, swap):
    """The cost that a relocation may not raise."""
    if swap.locality is None:
        return spec
    return spec.model_copy(update={"locality": swap.locality, "parameter_locality": {}})


@settings(max_examples=40)
@given(data=st.data())
def test_cost_is_a_sum_over_all_connections(data):
    net = data.draw(anatomies.wired_networks())
    spec = data.draw(anatomies.prices(net))
    found = connection_cost(net, spec).detach()
    for m in range(net.members):
        total = 0.0
        for name, value in net.named_parameters():
            axes = net.anatomy.wiring[name]
            factor = spec.parameter_strength.get(name, 1.0)
            factor /= value[m].numel() if spec.reduction == "mean" else 1
            locality = value_of(spec.locality, m) * spec.parameter_locality.get(name, 1.0)
            if value.ndim == 2:
                total += factor * spec.offset * value[m].abs().sum().item() * (spec.biases_from < 1)
                continue
            for i, j in itertools.product(*map(range, value.shape[1:])):
                price = spec.offset
                if axes[0].population and axes[1].population:
                    rows, columns = (net.anatomy.places(axis.population)[m] for axis in axes)
                    between = net.anatomy.site_distances(axes[0].population, axes[1].population)
                    price += locality * float(
                        between[rows[i % len(rows)], columns[j % len(columns)]]
                    )
                total += factor * price * abs(value[m, i, j].item())
        assert float(found[m]) == pytest.approx(total, rel=EXACT)


@settings(max_examples=50)
@given(data=st.data())
def test_the_gain_of_an_exchange_is_what_the_whole_cost_falls_by(data):
    net = data.draw(anatomies.wired_networks())
    spec = data.draw(anatomies.prices(net))
    name = data.draw(st.sampled_from(sorted(net.anatomy.populations)))
    population = net.anatomy.populations[name]
    size = len(population) // population.blocks
    block = size * data.draw(st.integers(0, population.blocks - 1))
    i, j = (block + data.draw(st.integers(0, size - 1)) for _ in range(2))
    costs, inside = site_costs(net, spec, name)
    distance, places = net.anatomy.site_distances(name, name), net.anatomy.places(name)
    before = connection_cost(net, spec).detach()
    predicted = []
    for m in range(net.members):
        p, q = places[m, i], places[m, j]
        c = costs[m]
        change = c[i, q] + c[j, p] - c[i, p] - c[j, q] + 2 * inside[m, i, j] * distance[p, q]
        predicted.append(float(change) if i != j else 0.0)
    found = exchanged_cost(net, spec, name, i, j) - before
    assert found.tolist() == pytest.approx(predicted, abs=1e-10)


@settings(max_examples=50)
@given(data=st.data())
def test_no_sequence_of_swaps_changes_a_weight_or_raises_the_cost(data):
    net = data.draw(anatomies.wired_networks())
    weights = {name: value.detach().clone() for name, value in net.named_parameters()}
    for swap in data.draw(st.lists(anatomies.swaps, min_size=1, max_size=4)):
        spec = data.draw(anatomies.prices(net))
        price, start = scored(spec, swap), places_of(net)
        before = connection_cost(net, price)
        moves = relocate(net, spec, swap)
        after = connection_cost(net, price)
        assert bool((after <= before * (1 + EXACT)).all())
        moved = torch.zeros_like(moves)
        for name, population in net.anatomy.populations.items():
            now = net.anatomy.places(name)
            net.anatomy.move(name, now)  # which refuses what is no arrangement, and torn blocks
            moved += (now != start[name]).sum(1)
            assert population.movable or torch.equal(now, start[name])
        assert torch.equal(moves, moved)
        for m in range(net.members):
            pays = value_of(spec.strength, m) > 0 and value_of(price.locality, m) > 0
            assert pays or not moves[m]
            assert not moves[m] or after[m] < before[m]
    for name, value in net.named_parameters():
        assert torch.equal(value, weights[name])


@settings(max_examples=40)
@given(data=st.data(), seed=anatomies.seeds)
def test_numbers_of_neurons_mean_nothing(data, seed):
    net = data.draw(anatomies.wired_networks())
    spec = data.draw(anatomies.prices(net))
    order = anatomies.orders(net, seed, whole=True)

    def seen():
        by_site = [net.anatomy.in_site_order(name, value) for name, value in net.named_parameters()]
        of_neurons = {
            name: (importance(net, name), live_neurons(net, name))
            for name in net.anatomy.populations
        }
        return connection_cost(net, spec).detach(), by_site, of_neurons

    cost, by_site, of_neurons = seen()
    anatomies.renumber(net, order)
    again, by_site_again, of_neurons_again = seen()
    assert again.tolist() == pytest.approx(cost.tolist(), rel=EXACT)
    for one, two in zip(by_site, by_site_again, strict=True):
        assert torch.equal(one, two)
    for name, of in order.items():
        scores, live = of_neurons[name]
        scores_again, live_again = of_neurons_again[name]
        assert torch.allclose(scores_again, scores[:, of], rtol=EXACT, atol=0)
        assert torch.equal(live_again, live[:, of])


@settings(max_examples=40)
@given(data=st.data(), swap=anatomies.swaps, seed=anatomies.seeds)
def test_swaps_do_not_depend_on_the_numbers_of_neurons(data, swap, seed):
    """Where no two exchanges gain the same; among equals the lower number is taken.

    Blocks look for partners in the order of their numbers, which are kept.
    """
    net = data.draw(anatomies.wired_networks(irregular=True, sparse=False))
    spec = data.draw(anatomies.prices(net, positive=True))
    start, order = places_of(net), anatomies.orders(net, seed, whole=False)
    relocate(net, spec, swap)
    expected = places_of(net)
    for name, places in start.items():
        net.anatomy.move(name, places)
    anatomies.renumber(net, order)
    relocate(net, spec, swap)
    for name, of in order.items():
        assert torch.equal(net.anatomy.places(name), expected[name][:, of])


@settings(max_examples=40)
@given(data=st.data(), swap=anatomies.swaps)
def test_members_are_arranged_as_each_would_be_alone(data, swap):
    net = data.draw(anatomies.wired_networks(irregular=True, sparse=False))
    spec = data.draw(anatomies.prices(net))
    alone = [net.select(m) for m in range(net.members)]
    relocate(net, spec, swap)
    for m, one in enumerate(alone):
        own = {what: value_of(getattr(spec, what), m) for what in ("strength", "locality")}
        relocate(one, spec.model_copy(update=own), swap)
        for name in net.anatomy.populations:
            assert torch.equal(one.anatomy.places(name)[0], net.anatomy.places(name)[m])
