import itertools

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import brainrnn as br
from brainrnn.analysis import (
    active_neurons,
    communities,
    connection_graph,
    live_connections,
    newman_modularity,
)
from brainrnn.anatomy.geometry import grid, line
from brainrnn.errors import InputError
from tests.placed import WIRING, Wired


def sparse_mlp(seed, *, tokens=None, members=2, sizes=(3, 4, 4, 2), density=0.3):
    """Weights of magnitude 1 or 0.01, and embeddings in which some columns are all small."""
    rng = np.random.default_rng(seed)
    net = br.MLP([line(n) for n in sizes], tokens=tokens, members=members)
    for name, value in net.named_parameters():
        shape = (members, 1, sizes[0]) if name == "embedding" else value.shape
        size = np.where(rng.random(shape) < density, 1.0, 0.01)
        sign = rng.choice([-1, 1], size=value.shape)
        value.data = torch.from_numpy(sign * size).float()
    return net


def active_by_hand(net, member, threshold=0.05):
    """Enumerate every path from an input to an output."""
    weights = [net.get_parameter(f"fc{i}.weight")[member].tolist() for i in range(net.depth)]
    live = []
    for w in weights:
        largest = max(abs(x) for row in w for x in row)
        live.append([[abs(x) > threshold * largest for x in row] for row in w])
    sizes = [len(weights[0][0]), *(len(w) for w in weights)]
    starts = range(sizes[0])
    if net.tokens:
        table = net.embedding[member].tolist()
        size = [max(abs(row[i]) for row in table) for i in range(len(table[0]))]
        starts = [i for i in starts if size[i % len(size)] > threshold * max(size)]
    found = [set() for _ in sizes]
    for path in itertools.product(starts, *(range(n) for n in sizes[1:])):
        if all(live[i][path[i + 1]][path[i]] for i in range(net.depth)):
            for layer, neuron in enumerate(path):
                found[layer].add(neuron)
    n = len(net.anatomy.populations["input"])
    found[0] = {i % n for i in found[0]}
    return dict(zip(net.anatomy.populations, found, strict=True))


@given(seed=st.integers(0, 10**6), tokens=st.sampled_from([None, 5]))
def test_active_neurons_are_those_on_a_live_path(seed, tokens):
    net = sparse_mlp(seed, tokens=tokens)
    active = active_neurons(net)
    assert list(active) == ["input", "h1", "h2", "out"]
    for member in range(2):
        expected = active_by_hand(net, member)
        found = {name: set(a[member].nonzero()[:, 0].tolist()) for name, a in active.items()}
        assert found == expected


def test_the_hand_drawn_cases_of_active_neurons():
    net = sparse_mlp(0, tokens=5, members=1, sizes=(2, 3, 2), density=0)
    for value in net.parameters():
        value.data.zero_()
    assert not any(a.any() for a in active_neurons(net).values())
    net.embedding.data[0, 3, 0] = -1.0
    net.embedding.data[0, :, 1] = 0.05  # negligible: not above 5 %
    net.fc0.weight.data[0, 0] = torch.tensor([0, 0, 1.0, 0])  # second token, neuron 0
    net.fc0.weight.data[0, 1] = torch.tensor([0, 1.0, 0, 0])  # first token, negligible neuron 1
    net.fc0.weight.data[0, 2] = torch.tensor([1.0, 0, 0, 0])  # leads nowhere
    net.fc1.weight.data[0, 1, :2] = 1.0
    active = {name: a[0].tolist() for name, a in active_neurons(net).items()}
    assert active == {
        "input": [True, False],
        "h1": [True, False, False],
        "out": [False, True],
    }
    assert active_neurons(net, threshold=0.04)["input"].all()


def test_live_connections_are_relative_to_the_parameter_and_the_member():
    net = Wired(sparse=0.3)
    live = live_connections(net, threshold=0.2)
    assert set(live) == {"fold", "up", "rec", "gru", "qkv", "proj"}
    for name, alive in live.items():
        for member in range(2):
            w = net.get_parameter(name)[member].detach().abs().numpy()
            np.testing.assert_array_equal(alive[member], w > 0.2 * w.max())
    net.up.data[1] = 0
    live = live_connections(net)
    assert live["up"][0].any()
    assert not live["up"][1].any()
    net.up.data[0] *= 1e-6  # a layer on its own scale
    assert torch.equal(live_connections(net)["up"], live["up"])


@pytest.mark.parametrize("threshold", [-0.1, 1.0, float("nan")])
def test_thresholds_that_are_no_fraction(threshold):
    with pytest.raises(InputError, match="at least 0 and below 1"):
        active_neurons(sparse_mlp(0), threshold=threshold)


def edges_by_hand(net, member):
    """Edges of the graph, one weight at a time."""
    edges = {}
    for name, (out, source) in (
        (name, axes) for name, axes in net.anatomy.wiring.items() if len(axes) == 2
    ):
        if out.population is None or source.population is None:
            continue
        n, k = (len(net.anatomy.populations[a.population]) for a in (out, source))
        for (i, j), w in np.ndenumerate(net.get_parameter(name)[member].detach().numpy()):
            ends = frozenset({(out.population, 0, i % n), (source.population, j // k, j % k)})
            if w != 0 and len(ends) == 2:
                edges[ends] = edges.get(ends, 0) + abs(w)
    return edges


@pytest.mark.parametrize(
    "net",
    [
        Wired(sparse=0.6),
        Wired({name: WIRING[name] for name in ("fold", "gru")}),
        sparse_mlp(1, tokens=5),
        br.RNN(3, 2, grid(3, 3), dt=20.0, cell="gru", members=2),
        br.RNN(3, 2, grid(3, 3), dt=20.0, members=2),
    ],
    ids=["every wiring", "two kinds of folds", "tokens", "gru", "leaky"],
)
def test_the_graph_holds_every_weight_between_two_neurons(net):
    for member in range(2):
        graph = connection_graph(net, member)
        edges = {frozenset(ends[:2]): ends[2] for ends in graph.edges(data="weight")}
        expected = edges_by_hand(net, member)
        assert edges.keys() == expected.keys()
        for ends, weight in expected.items():
            assert edges[ends] == pytest.approx(weight)


def test_every_neuron_is_a_node_and_only_source_folds_are_nodes_of_their_own():
    net = sparse_mlp(1, tokens=5)
    nodes = {("input", fold, i) for fold in range(2) for i in range(3)}
    nodes |= {("h1", 0, i) for i in range(4)} | {("h2", 0, i) for i in range(4)}
    assert set(connection_graph(net)) == nodes | {("out", 0, 0), ("out", 0, 1)}
    gated = br.RNN(3, 2, grid(2, 2), dt=20.0, cell="gru")
    assert set(connection_graph(gated)) == {("hidden", 0, i) for i in range(4)}
    for value in net.parameters():
        value.data.zero_()
    assert len(connection_graph(net)) == 16
    assert connection_graph(net).size() == 0


def test_swaps_do_not_change_the_graph():
    net = Wired()
    before = connection_graph(net, 1)
    net.shuffle(0)
    assert nx.utils.graphs_equal(before, connection_graph(net, 1))


@pytest.mark.parametrize("member", [-1, 2])
def test_a_network_that_does_not_exist(member):
    with pytest.raises(InputError, match="choose 0 to 1"):
        connection_graph(Wired(), member)


def modularity_by_hand(net, member, parts):
    """Sum over all pairs of neurons, from a dense matrix of edges."""
    nodes = sorted({node for part in parts for node in part})
    a = np.zeros((len(nodes), len(nodes)))
    for ends, weight in edges_by_hand(net, member).items():
        i, j = (nodes.index(node) for node in ends)
        a[i, j] = a[j, i] = weight
    part = np.array([[node in p for p in parts].index(True) for node in nodes])
    k, total = a.sum(1), a.sum()
    return ((a - np.outer(k, k) / total) * (part[:, None] == part)).sum() / total


@pytest.mark.parametrize(
    "net",
    [
        br.MLP.on_lines(4, 2, br.MLPSpec(hidden=(6, 6)), members=2),
        sparse_mlp(3, tokens=5),
        Wired(sparse=0.6),
    ],
    ids=["dense", "tokens", "every wiring"],
)
def test_modularity_is_newmans_sum_over_the_communities(net):
    q = newman_modularity(net)
    assert q.dims == ("member",)
    for member in range(2):
        parts = communities(net, member)
        graph = connection_graph(net, member)
        assert set.union(*map(set, parts)) == set(graph)
        assert sum(map(len, parts)) == len(graph)
        assert [len(p) for p in parts] == sorted((len(p) for p in parts), reverse=True)
        assert float(q[member]) == pytest.approx(modularity_by_hand(net, member, parts), abs=1e-12)


@pytest.mark.parametrize("blocks", [2, 4])
def test_equal_parts_that_do_not_meet(blocks):
    """Q of k disconnected parts with equal total weight is 1 - 1/k."""
    net = br.MLP([line(8), line(8), line(8)])
    n = 8 // blocks
    mask = torch.block_diag(*[torch.ones(n, n)] * blocks)
    for value in (net.fc0.weight, net.fc1.weight):
        value.data = -mask[None]
    assert set(communities(net)) == {
        frozenset((name, 0, n * block + i) for name in net.anatomy.populations for i in range(n))
        for block in range(blocks)
    }
    assert float(newman_modularity(net)[0]) == pytest.approx(1 - 1 / blocks)


def test_weak_connections_do_not_blur_the_modules():
    net = br.MLP([line(6), line(6), line(6)])
    own = torch.block_diag(torch.ones(3, 3), torch.ones(3, 3))
    for value in (net.fc0.weight, net.fc1.weight):
        value.data = (own + 0.01 * (1 - own))[None]
    assert len(communities(net)) == 2
    assert float(newman_modularity(net)[0]) == pytest.approx(1 / 1.01 - 0.5)


def test_modularity_where_there_is_nothing_to_divide():
    net = br.MLP.on_lines(3, 2, br.MLPSpec(hidden=(4,)), members=3)
    for value in net.parameters():
        value.data[0] = 0
    net.fc0.weight.data[1, 0, 0] = torch.nan
    assert np.isnan(newman_modularity(net)).values.tolist() == [True, True, False]
    net.double().fc0.weight.data[2] = 1e308
    assert np.isnan(newman_modularity(net)[2])
