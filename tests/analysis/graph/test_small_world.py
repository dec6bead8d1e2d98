import networkx as nx
import numpy as np
import pytest

from brainrnn.analysis.graph.small_world import clustering, path_length, small_worldness

GRAPHS = {
    "ring": nx.watts_strogatz_graph(24, 4, 0.2, seed=1),
    "random": nx.gnp_random_graph(24, 0.2, seed=2),
    "in pieces": nx.disjoint_union(nx.path_graph(12), nx.complete_graph(12)),
    "sparse": nx.gnp_random_graph(24, 0.05, seed=3),
}


def matrix(graph):
    return nx.to_numpy_array(graph) > 0


def test_clustering_and_path_length_against_networkx():
    stack = np.stack([matrix(g) for g in GRAPHS.values()])
    expected = [nx.average_clustering(g) for g in GRAPHS.values()]
    np.testing.assert_allclose(clustering(stack), expected, rtol=1e-6)
    expected = [1 / nx.global_efficiency(g) for g in GRAPHS.values()]
    np.testing.assert_allclose(path_length(stack), expected)


def test_a_complete_graph_and_an_empty_one():
    full, empty = ~np.eye(5, dtype=bool), np.zeros((5, 5), bool)
    assert (clustering(full), path_length(full)) == (1, 1)
    assert (clustering(empty), path_length(empty)) == (0, np.inf)


def test_sigma_is_above_one_in_a_small_world_and_one_in_a_random_graph():
    random = np.stack([matrix(nx.gnm_random_graph(100, 500, seed=i)) for i in range(20)])
    sigma, null = small_worldness(matrix(nx.watts_strogatz_graph(100, 10, 0.1, seed=0)), random)
    assert sigma > 3
    assert null.mean() == pytest.approx(1, abs=0.02)
    other = nx.gnm_random_graph(100, 500, seed=99)
    sigma, _ = small_worldness(matrix(other), random)
    c = np.mean([nx.average_clustering(nx.from_numpy_array(g)) for g in random])
    length = np.mean([1 / nx.global_efficiency(nx.from_numpy_array(g)) for g in random])
    by_hand = (nx.average_clustering(other) / c) / (1 / nx.global_efficiency(other) / length)
    assert sigma == pytest.approx(by_hand, rel=1e-6)
    assert sigma == pytest.approx(1, abs=0.15)


def test_without_triangles_in_random_graphs_it_is_not_defined():
    star = matrix(nx.star_graph(5))
    assert np.isnan(small_worldness(star, star[None])[0])
