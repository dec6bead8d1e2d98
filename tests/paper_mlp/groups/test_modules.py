"""Modules of the input layer, and what remains of them in another network."""

import networkx as nx
import numpy as np
import pytest
import torch

import brainrnn as br
from brainrnn.analysis.graph.live import active_neurons, live_connections
from paper_mlp.groups.embedding import active_embedding, normalised
from paper_mlp.groups.modules import compare_modules, embedding_modules, module_name
from tests.paper_mlp.groups.constructed import together, trees

RNG = np.random.default_rng(0)


def test_trees_are_modules_numbered_from_the_left():
    net = trees(RNG.standard_normal((7, 5)), [[5, 6], [0, 2], [3]])
    assert embedding_modules(net).tolist() == [[0, -1, 0, 1, -1, 2, 2]]
    net.anatomy.move("input", torch.tensor([[6, 0, 5, 1, 2, 3, 4]]))
    assert embedding_modules(net).tolist() == [[2, -1, 2, 0, -1, 1, 1]]


def test_a_connection_between_trees_joins_modules_if_it_is_live():
    for weight, joined in [(0.04, False), (0.06, True)]:
        for layer, row, column in [("fc0", 0, 2), ("fc1", 1, 0)]:
            net = trees(np.ones((3, 5)), [[0, 1], [2]])
            net.get_parameter(f"{layer}.weight").data[0, row, column] = weight
            expected = [0, 0, 0] if joined else [0, 0, 1]
            assert embedding_modules(net)[0].tolist() == expected
    net = trees(np.ones((3, 5)), [[0, 1], [2]])
    net.fc1.weight.data[0, 2, :2] = 1  # they meet in a neuron that leads nowhere
    assert embedding_modules(net)[0].tolist() == [0, 0, 1]


def test_a_neuron_with_a_negligible_embedding_neither_belongs_nor_joins():
    values = np.ones((4, 5))
    values[1] = 0.04
    net = trees(values, [[0, 1], [2, 1], [3]])
    assert embedding_modules(net)[0].tolist() == [0, -1, 1, 2]
    values[1] = 0.06
    assert embedding_modules(trees(values, [[0, 1], [2, 1], [3]]))[0].tolist() == [0, 0, 0, 1]


def test_modules_are_components_of_the_graph_below_the_output():
    """Against networkx, on random sparse networks with two hidden layers and shuffled places."""
    spec = br.MLPSpec(hidden=(9, 8), embedding=10)
    net = br.MLP.on_lines(6, 6, spec, tokens=True, members=30, seed=1)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for layer in (net.fc0, net.fc1, net.fc2):
            layer.weight *= torch.rand(layer.weight.shape, generator=generator) < 0.07
    order = [torch.randperm(10, generator=generator) for _ in range(30)]
    net.anatomy.move("input", torch.stack(order))
    live, active = live_connections(net), active_neurons(net)
    found = embedding_modules(net)
    several = 0
    for m in range(30):
        graph = nx.Graph()
        graph.add_nodes_from(("input", i) for i in active["input"][m].nonzero().flatten().tolist())
        for h, i in live["fc0.weight"][m].nonzero().tolist():
            if active["h1"][m, h] and active["input"][m, i % 10]:
                graph.add_edge(("input", i % 10), ("h1", h))
        for k, h in live["fc1.weight"][m].nonzero().tolist():
            if active["h2"][m, k] and active["h1"][m, h]:
                graph.add_edge(("h1", h), ("h2", k))
        expected = {
            frozenset(i for kind, i in part if kind == "input")
            for part in nx.connected_components(graph)
        } - {frozenset()}
        groups = {frozenset(np.flatnonzero(found[m] == k)) for k in range(found[m].max() + 1)}
        assert groups == expected
        several += len(groups) > 1
        centres = [
            order[m][list(np.flatnonzero(found[m] == k))].double().mean()
            for k in range(len(groups))
        ]
        assert centres == sorted(centres)
    assert several >= 3


def test_a_silent_network_has_no_module():
    net = trees(np.ones((3, 5)), [[0, 1, 2]])
    net.fc2.weight.data.zero_()
    assert (embedding_modules(net) == -1).all()


def test_modules_need_tokens():
    with pytest.raises(br.InputError, match="tokens"):
        embedding_modules(br.MLP.on_lines(3, 2))


def test_names_of_modules():
    assert [module_name(i) for i in (0, 2, 25, 26, 27, 26 * 27)] == [
        "A",
        "C",
        "Z",
        "AA",
        "AB",
        "AAA",
    ]


def test_comparison_counts_modules_and_shared_sites():
    values = RNG.standard_normal((6, 5))
    base = trees(values, [[0, 1], [4, 5]])
    same, other, silent = (
        trees(values, [[0, 1], [4, 5]]),
        trees(values, [[0, 1, 2], []]),
        base.select(0),
    )
    silent.fc2.weight.data.zero_()
    moved = base.select(0)
    moved.anatomy.move("input", torch.tensor([[2, 3, 0, 1, 4, 5]]))
    table = compare_modules(base, together(same, other, moved, silent))
    assert table.base_modules.tolist() == [2, 2, 2, 2]
    assert table.modules.tolist() == [2, 1, 2, 0]
    assert table.input.tolist() == [1, 2 / 5, 2 / 6, 0]
    assert table.h1.tolist() == [1, 1 / 2, 1, 0]
    assert list(table.columns) == ["base_modules", "modules", "input", "h1", "h2"]
    assert compare_modules(silent, silent).input.isna().all()
    pairs = compare_modules(together(base, other), together(other, other))
    assert pairs.base_modules.tolist() == [2, 1]
    assert pairs.input.tolist() == [2 / 5, 1]


def test_comparison_needs_matching_networks():
    one, two = trees(np.ones((3, 5)), [[0]]), trees(np.ones((4, 5)), [[0]])
    with pytest.raises(br.InputError, match="cannot compare"):
        compare_modules(one, two)
    with pytest.raises(br.InputError, match="cannot compare"):
        compare_modules(together(one, one), one)


def test_active_embedding_is_in_site_order_and_numbered_from_one():
    values = RNG.standard_normal((4, 5))
    net = trees(values, [[0], [3, 2]])
    net.anatomy.move("input", torch.tensor([[3, 2, 0, 1]]))
    embedding = active_embedding(net)
    assert embedding.neuron.values.tolist() == [2, 3, 0]
    assert embedding.site.values.tolist() == [1, 2, 4]
    np.testing.assert_array_equal(embedding.values, values[[2, 3, 0]])
    scaled = normalised(embedding)
    np.testing.assert_allclose(abs(scaled).max("token"), 1)
    np.testing.assert_allclose(scaled[0], values[2] / np.abs(values[2]).max())


def test_active_embedding_refuses_what_is_not_there():
    net = trees(np.ones((2, 5)), [[0, 1]])
    with pytest.raises(br.InputError, match="network 1 does not exist"):
        active_embedding(net, 1)
    with pytest.raises(br.InputError, match="tokens"):
        active_embedding(br.MLP.on_lines(3, 2))
