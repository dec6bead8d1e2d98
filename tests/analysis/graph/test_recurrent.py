import networkx as nx
import numpy as np
import pytest
import torch
import xarray as xr

from brainrnn.analysis import graph_test
from brainrnn.analysis.graph.recurrent import NULLS, live
from tests.analysis.refused import refused


def lattice(n=60, seed=0):
    """Weights of neurons on a ring that connect to those nearby, and a few others."""
    rng = np.random.default_rng(seed)
    gap = np.abs(np.arange(n)[:, None] - np.arange(n))
    near = np.minimum(gap, n - gap) <= 4
    weight = rng.normal(size=(n, n)) * (near | (rng.random((n, n)) < 0.02))
    np.fill_diagonal(weight, 50)  # of neurons with themselves, which do not count
    return weight


@pytest.mark.parametrize("null", ["degree", "density"])
def test_a_ring_is_a_modular_small_world(null):
    test = graph_test(lattice(), null=null, n=40)
    assert list(test.statistic.values) == ["modularity", "clustering", "path_length", "small_world"]
    assert (test.p.sel(statistic=["modularity", "clustering", "small_world"]) == 1 / 41).all()
    assert float(test.observed.sel(statistic="small_world")) > 1.5
    assert float(test.null_mean.sel(statistic="small_world")) == pytest.approx(1, abs=0.02)


def test_what_is_observed_is_what_networkx_says():
    weight = lattice()
    test = graph_test(weight, threshold=0.1, n=3)
    size = np.abs(weight)
    np.fill_diagonal(size, 0)
    size[size <= 0.1 * size.max()] = 0
    graph = nx.from_numpy_array(size + size.T)
    groups = [set(np.flatnonzero(test.community == k)) for k in np.unique(test.community)]
    observed = test.observed.to_series()
    q = nx.community.modularity(graph, groups, weight="weight")
    assert observed["modularity"] == pytest.approx(q)
    assert observed["clustering"] == pytest.approx(nx.average_clustering(graph), rel=1e-6)
    assert observed["path_length"] == pytest.approx(1 / nx.global_efficiency(graph))


def test_random_graphs_are_nothing_special():
    p = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        weight = rng.normal(size=(30, 30)) * (rng.random((30, 30)) < 0.15)
        p.append(graph_test(weight, threshold=0, n=19, seed=seed).p.values)
    mean = np.mean(p, axis=0)
    np.testing.assert_allclose(mean, 0.5, atol=4 * np.sqrt(1 / 12 / 40))


def test_one_seed_gives_one_result():
    one, again, other = (graph_test(lattice(), n=4, seed=s) for s in (1, 1, 2))
    assert one.identical(again)
    assert not one.null.equals(other.null)


def test_live_connections_are_counted_from_the_strongest():
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(9, 9)) ** 3
    np.fill_diagonal(weight, 0)
    largest = np.abs(weight).max()
    np.testing.assert_array_equal(live(weight, 0.2), np.abs(weight) > 0.2 * largest)


def test_networks_without_connections():
    for weight in (np.zeros((4, 4)), np.eye(4)):
        test = graph_test(weight, n=3)
        assert np.isnan(test.p.sel(statistic=["modularity", "small_world"])).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "at least 1 random graph"),
        ({"threshold": 1}, "fraction of the largest weight"),
        ({"null": "degrees"}, "unknown null 'degrees': did you mean 'degree'"),
    ],
)
def test_bad_options(options, message):
    with refused(message):
        graph_test(np.ones((3, 3)), **options)


@pytest.mark.parametrize("null", ["degree", "density"])
def test_random_graphs_have_as_many_edges_as_the_graph(null):
    weight = lattice()
    test = graph_test(weight, null=null, n=3)
    edge = live(weight)
    edges = int((edge | edge.T).sum()) // 2
    assert test.attrs["edges"] == edges
    assert test.attrs["density"] == pytest.approx(nx.density(nx.gnm_random_graph(60, edges)))
    size = np.abs(np.where(edge, weight, 0))
    rng = np.random.default_rng(0)
    pairs = np.stack(np.nonzero(np.triu(size + size.T, 1)), axis=1)
    for graph in NULLS[null](pairs, 60, 3, rng):
        assert len(np.unique(np.sort(graph), axis=0)) == edges


def test_weights_of_any_kind_of_array():
    weight = lattice().astype(np.float32)
    one = graph_test(weight, n=3)
    for same in (torch.from_numpy(weight), xr.DataArray(weight, dims=("post", "pre"))):
        assert graph_test(same, n=3).identical(one)


@pytest.mark.parametrize(
    ("weight", "message"),
    [(np.ones((3, 4)), r"square, got the shape \(3, 4\)"), (np.full((3, 3), np.nan), "finite")],
)
def test_what_is_no_graph(weight, message):
    with refused(message):
        graph_test(weight)
