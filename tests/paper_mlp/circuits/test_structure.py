from dataclasses import replace
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
import torch

from brainrnn.errors import InputError
from brainrnn.networks import MLP
from brainrnn.task import Examples
from paper_mlp.circuits.quantities import quantity_correlations
from paper_mlp.circuits.structure import (
    hidden_count,
    no_cross_path,
    one_input_each,
    one_neuron_carries,
    only_one_neuron_carries,
    only_three_squares,
    six_neurons,
    three_squares,
    two_modules,
)
from tasks import formulas, two_moons
from tests.paper_mlp.circuits.handmade import (
    connect,
    distance_network,
    empty,
    evaluate,
    live_graph,
    products_network,
    squares_network,
)

PRODUCTS, INDEPENDENCE = formulas(["products"]), formulas(["independence"])
SHARING, COMPOSITION, MOONS = formulas(["sharing"]), formulas(["composition"]), two_moons()


def random_networks(members: int, modules: list[list[list[int]]], seed: int) -> MLP:
    """Modular networks with a few connections added and a few taken away."""
    rng = np.random.default_rng(seed)
    net = empty(*[len(of) for of in modules], members=members)
    with torch.no_grad():
        for i, (source, target) in enumerate(pairwise(map(np.array, modules))):
            same = (target[:, None, :] & source[None, :, :]).any(2)
            shape = (members, *same.shape)
            keep = np.where(same, rng.random(shape) < 0.75, rng.random(shape) < 0.01)
            strong = rng.choice([-1, 1], shape) * rng.uniform(0.2, 1, shape)
            weight = np.where(keep, strong, rng.uniform(-0.005, 0.005, shape))
            net.get_parameter(f"fc{i}.weight").copy_(torch.from_numpy(weight))
    return net


def is_modular(net: MLP, member: int) -> bool:
    """The definition of two parallel modules, as graph theory."""
    graph = live_graph(net, member)
    inputs, outputs = ([(i, j) for j in range(n)] for i, n in ((0, 4), (net.depth, 2)))
    if any(not nx.has_path(graph, a, b) for a in inputs for b in outputs):
        return False
    reached = set.union(*(nx.descendants(graph, node) for node in inputs))
    leading = set.union(*(nx.ancestors(graph, node) for node in outputs))
    hidden = (reached & leading) - set(outputs)
    parts = nx.connected_components(graph.subgraph(hidden | set(inputs)).to_undirected())
    return sorted(sorted(j for i, j in part if i == 0) for part in parts) == [[0, 3], [1, 2]]


def test_two_modules_are_two_connected_parts_below_the_outputs():
    one, two, both = [True, False], [False, True], [True, True]
    modules = [[one, two, two, one], [one] * 3 + [two] * 3, [one] * 2 + [two] * 2, [both] * 2]
    net = random_networks(400, modules, seed=0)
    expected = [is_modular(net, member) for member in range(400)]
    np.testing.assert_array_equal(two_modules(net, PRODUCTS), expected)
    assert 40 < sum(expected) < 360


def test_a_cross_path_is_a_path_of_the_graph():
    one, two = [True, False], [False, True]
    modules = [[one, two, one, two], [one] * 3 + [two] * 3, [one] * 2 + [two] * 2, [two, one]]
    net = random_networks(400, modules, seed=1)
    expected = []
    for member in range(400):
        graph = live_graph(net, member)
        paths = {
            (i, o): any(nx.all_simple_paths(graph, (0, i), (3, o)))
            for i in range(4)
            for o in range(2)
        }
        expected.append(all(there == (i % 2 != o) for (i, o), there in paths.items()))
    np.testing.assert_array_equal(no_cross_path(net, INDEPENDENCE), expected)
    assert 40 < sum(expected) < 360


def test_the_modules_made_by_hand_compute_the_products():
    net = products_network()
    error = evaluate(net, PRODUCTS.test.inputs) - PRODUCTS.test.targets.numpy()
    assert abs(error).max() < 0.1
    assert two_modules(net, PRODUCTS).tolist() == [True]


@pytest.mark.parametrize(
    ("layer", "weights", "expected"),
    [
        (0, {(4, 0): 0.4}, False),  # x1 enters the other module
        (1, {(1, 0): 3.0}, False),  # a neuron of one module feeds the other
        (1, {(1, 0): 0.1}, True),  # too weak to be live
        (0, {(k, 3): 0.0 for k in range(4)}, False),  # x4 is not used
        (2, {(0, 1): 0.0}, False),  # one output uses one product only
        (1, {(3, 0): 3.0, (3, 4): 3.0}, True),  # joined where nothing leads on
        (2, {(0, 3): 1.0}, True),  # a constant
    ],
)
def test_modules_with_one_change(layer, weights, expected):
    net = connect(products_network(), layer, weights)
    assert two_modules(net, PRODUCTS).tolist() == [expected]


def test_an_additive_network_has_no_two_modules():
    net = empty(4, 4, 4, 2)
    for layer in (0, 1):
        connect(net, layer, {(i, i): 1.0 for i in range(4)})
    connect(net, 2, {(o, i): 1.0 for o in range(2) for i in range(4)})
    assert two_modules(net, PRODUCTS).tolist() == [False]


def test_the_squares_made_by_hand():
    net = squares_network()
    error = evaluate(net, SHARING.test.inputs) - SHARING.test.targets.numpy()
    assert abs(error).max() < 0.15
    assert three_squares(net, SHARING).tolist() == [True]
    assert only_three_squares(net, SHARING).tolist() == [True]
    assert one_input_each(net, SHARING).tolist() == [True]
    with torch.no_grad():
        for value in net.parameters():
            value.zero_()
    assert one_input_each(net, SHARING).tolist() == [False]


@pytest.mark.parametrize(
    ("layer", "weights", "expected"),
    [
        (1, {(0, 1): 0.0}, (False, False, True)),  # a half of the square
        (1, {(3, 0): 3.0, (3, 1): 3.0}, (True, True, True)),  # a fourth neuron leads nowhere
        (2, {(0, 2): 0.0, (1, 2): 0.0, (2, 2): 0.0}, (False, False, False)),  # no x3
        (1, {(0, 2): 3.0, (0, 3): 3.0}, (False, False, False)),  # x1^2 + x2^2 in a neuron
    ],
)
def test_squares_with_one_change(layer, weights, expected):
    net = connect(squares_network(), layer, weights)
    checks = three_squares, only_three_squares, one_input_each
    assert tuple(bool(check(net, SHARING)[0]) for check in checks) == expected


def test_squares_must_have_neurons_of_their_own():
    x = SHARING.test.inputs.clone()
    x[:, 1] = 0.99 * x[:, 0] + 0.01 * x[:, 1]  # x1^2 and x2^2 are nearly the same
    task = replace(SHARING, test=Examples(x, SHARING.test.targets))
    assert three_squares(squares_network(), task).tolist() == [True]
    without = connect(squares_network(), 2, {(1, 1): 0.0, (2, 1): 0.0})
    assert quantity_correlations(without, task).sel(quantity="$x_2^2$")[0, 0] > 0.95
    assert three_squares(without, task).tolist() == [False]


def test_a_fourth_neuron_in_use():
    net = connect(squares_network(), 1, {(3, 0): 3.0, (3, 2): 1.0})
    connect(net, 2, {(2, 3): 0.1})
    assert three_squares(net, SHARING).tolist() == [True]
    assert only_three_squares(net, SHARING).tolist() == [False]
    assert one_input_each(net, SHARING).tolist() == [False]


def test_i_is_the_square_of_the_target():
    net = distance_network()
    correlation = quantity_correlations(net, COMPOSITION)
    activity = net.layers(COMPOSITION.test.inputs)["h3"][0].detach().numpy()
    expected = np.corrcoef(activity[:, 1], COMPOSITION.test.targets[:, 0] ** 2)[0, 1]
    np.testing.assert_allclose(correlation.values[0, :, 0], [0, expected], atol=1e-12)
    assert expected > 0.99
    assert one_neuron_carries(net, COMPOSITION).tolist() == [True]
    assert only_one_neuron_carries(net, COMPOSITION).tolist() == [True]


def test_a_second_neuron_beside_i():
    net = connect(connect(distance_network(), 2, {(0, 0): 1.0}), 3, {(0, 0): 1.0})
    assert one_neuron_carries(net, COMPOSITION).tolist() == [True]
    assert only_one_neuron_carries(net, COMPOSITION).tolist() == [False]


def test_half_of_i_is_not_i():
    net = connect(distance_network(), 0, {(2, 2): 0.0, (2, 3): 0.0, (3, 2): 0.0, (3, 3): 0.0})
    assert one_neuron_carries(net, COMPOSITION).tolist() == [False]


def test_negative_correlations_count():
    net = connect(distance_network(), 2, {(1, 0): -0.2}, {1: 4.0})
    assert quantity_correlations(net, COMPOSITION).values[0, 1, 0] < -0.95
    assert one_neuron_carries(net, COMPOSITION).tolist() == [True]


def test_six_neurons_are_counted_over_all_hidden_layers():
    net = empty(2, 20, 20, 2, members=3)
    connect(net, 0, {(i, i % 2): 1.0 for i in range(4)})
    connect(net, 1, {(0, 0): 1.0, (0, 1): 1.0, (9, 2): 1.0, (9, 3): 1.0, (5, 3): 1.0})
    connect(net, 2, {(1, 0): 1.0, (1, 9): 1.0})
    with torch.no_grad():
        net.get_parameter("fc2.weight")[1, 0, 5] = 1  # one more leads to an output
        net.get_parameter("fc1.weight")[2, 0, 0] = 0  # one less does
    assert hidden_count(net).tolist() == [6, 7, 5]
    assert six_neurons(net, MOONS).tolist() == [True, False, False]


@pytest.mark.parametrize(
    "check",
    [two_modules, no_cross_path, three_squares, one_input_each, one_neuron_carries, six_neurons],
)
def test_a_check_of_another_task(check):
    with pytest.raises(InputError, match="networks trained on"):
        check(empty(2, 3, 2), formulas(["products"]) if check is not two_modules else MOONS)


def test_quantities_that_are_not_there():
    with pytest.raises(InputError, match="no intermediate quantities"):
        quantity_correlations(products_network(), PRODUCTS)
    with pytest.raises(InputError, match="train a deeper one"):
        quantity_correlations(empty(4, 3, 1), COMPOSITION)
