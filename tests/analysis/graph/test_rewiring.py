import itertools

import networkx as nx
import numpy as np
import pytest
import scipy.stats

from brainrnn.analysis.graph.rewiring import rewired, scattered


def adjacency(edges, nodes):
    matrix = np.zeros((nodes, nodes), int)
    np.add.at(matrix, tuple(np.asarray(edges).T), 1)
    return matrix + matrix.T


def some_graph(nodes=20, density=0.3, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack(np.nonzero(np.triu(rng.random((nodes, nodes)) < density, 1)), axis=1)


@pytest.mark.parametrize("density", [0.1, 0.5, 0.9])
def test_degrees_stay_and_graphs_stay_simple(density):
    edges = some_graph(density=density)
    degree = adjacency(edges, 20).sum(0)
    graphs = rewired(edges, 20, 15, np.random.default_rng(1))
    for graph in graphs:
        matrix = adjacency(graph, 20)
        assert matrix.max() == 1
        assert not matrix.diagonal().any()
        np.testing.assert_array_equal(matrix.sum(0), degree)
    assert len({adjacency(g, 20).tobytes() for g in graphs}) > 10


def test_all_graphs_of_the_same_degrees_are_equally_likely():
    """Five nodes of degrees 3, 2, 2, 2, 1 and 2, 2, 2, 2, 2 have few enough to count them.

    So have those of the graph in which the first one's gaps are edges, with one edge more.
    """
    pairs = list(itertools.combinations(range(5), 2))
    some = [(0, 1), (0, 2), (0, 3), (1, 2), (3, 4)]
    most = [pair for pair in pairs if pair not in some[1:]]
    for start in (some, [(i, (i + 1) % 5) for i in range(5)], most):
        degree = adjacency(start, 5).sum(0)
        possible = [
            frozenset(g)
            for g in itertools.combinations(pairs, len(start))
            if (adjacency(g, 5).sum(0) == degree).all()
        ]
        n = 4000
        graphs = np.sort(rewired(np.array(start), 5, n, np.random.default_rng(0), exchanges=12), -1)
        found = [frozenset(map(tuple, g.tolist())) for g in graphs]
        counts = [found.count(g) for g in possible]
        assert sum(counts) == n
        assert len(possible) >= 5
        assert scipy.stats.chisquare(counts).pvalue > 1e-3


def test_clustering_becomes_that_of_networkx_rewiring():
    graph = nx.watts_strogatz_graph(40, 6, 0.1, seed=0)
    edges = np.array(graph.edges)
    expected = []
    for seed in range(60):
        other = graph.copy()
        nx.double_edge_swap(other, nswap=600, max_tries=20_000, seed=seed)
        expected.append(nx.average_clustering(other))
    found = [
        nx.average_clustering(nx.from_numpy_array(adjacency(g, 40)))
        for g in rewired(edges, 40, 60, np.random.default_rng(0))
    ]
    assert np.mean(expected) < 0.5 * nx.average_clustering(graph)
    assert scipy.stats.ttest_ind(found, expected).pvalue > 1e-3


@pytest.mark.parametrize("edges", [np.empty((0, 2), int), np.array([[0, 1]])])
def test_nothing_to_exchange(edges):
    graphs = rewired(edges, 3, 4, np.random.default_rng(0))
    assert graphs.shape == (4, *edges.shape)
    assert (graphs == edges).all()


def test_scattered_graphs_have_as_many_edges_anywhere():
    edges = some_graph()
    graphs = scattered(edges, 20, 200, np.random.default_rng(0))
    total = sum(adjacency(g, 20) for g in graphs)
    assert all(adjacency(g, 20).max() == 1 for g in graphs)
    expected = 200 * len(edges) / 190
    upper = total[np.triu_indices(20, 1)]
    assert upper.mean() == pytest.approx(expected)
    assert scipy.stats.chisquare(upper).pvalue > 1e-3
