import networkx as nx
import numpy as np
import pytest

from brainrnn.analysis.activity.clustering import by_size
from brainrnn.analysis.graph.greedy import greedy_communities


def random_graphs(n, nodes, density, seed=0):
    rng = np.random.default_rng(seed)
    size = np.triu(rng.exponential(size=(n, nodes, nodes)) ** 2, 1)
    size *= rng.random(size.shape) < density
    return size + size.transpose(0, 2, 1)


@pytest.mark.parametrize(("nodes", "density"), [(12, 0.3), (40, 0.1), (30, 1.0)])
def test_against_networkx(nodes, density):
    """Its search, on graphs whose weights make no ties; every Q is that of its communities."""
    graphs = random_graphs(8, nodes, density)
    label, q = greedy_communities(graphs)
    for one, found, value in zip(graphs, label, q, strict=True):
        graph = nx.from_numpy_array(one)
        expected = nx.community.greedy_modularity_communities(graph, weight="weight")
        groups = [set(np.flatnonzero(found == k)) for k in range(found.max() + 1)]
        assert set(map(frozenset, groups)) == set(expected)
        assert value == pytest.approx(nx.community.modularity(graph, groups, weight="weight"))


def test_graphs_do_not_touch_and_cliques_are_communities():
    cliques = np.kron(np.eye(3), np.ones((4, 4))) - np.eye(12)
    graphs = np.stack([random_graphs(1, 12, 0.5)[0], cliques, np.zeros((12, 12))])
    label, q = greedy_communities(graphs)
    for i in range(3):
        alone = greedy_communities(graphs[i : i + 1])
        np.testing.assert_array_equal(alone[0][0], label[i])
        np.testing.assert_equal(alone[1][0], q[i])
    assert label[1].tolist() == np.repeat([0, 1, 2], 4).tolist()
    assert q[1] == pytest.approx(2 / 3)
    assert label[2].tolist() == list(range(12))  # without edges everyone stays alone
    assert np.isnan(q[2])


def test_numbering_by_size():
    assert by_size(np.array([5, 2, 2, 7, 7, 9])).tolist() == [2, 0, 0, 1, 1, 3]
