import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from brainrnn.analysis import component_size, join_count, neighbours, permutation_test
from brainrnn.anatomy.geometry import grid
from tests.analysis.space.test_isolated import active_part, are_neighbours


def graph_by_hand(places, labels, kind, step):
    """Neighbours of the same module, joined; and the number of all pairs of neighbours."""
    graph = nx.empty_graph(len(places))
    pairs = 0
    for i in range(len(places)):
        for j in range(i):
            if are_neighbours(places[i], places[j], kind, step):
                pairs += 1
                if labels[i] == labels[j]:
                    graph.add_edge(i, j)
    return graph, pairs


def all_three(table, labels):
    return [
        f(torch.from_numpy(np.atleast_2d(labels))).tolist()
        for f in (join_count(table), component_size(table), component_size(table, largest=True))
    ]


@pytest.mark.parametrize("shape", [(9,), (7, 7), (4, 3, 3)])
@pytest.mark.parametrize("kind", ["4", "8", 2.0])
def test_against_networkx(shape, kind):
    sites, places, rng = active_part(shape)
    table = neighbours(places, kind, sites=sites)
    labels = rng.integers(0, 3, (20, len(places)))
    joins, mean, largest = all_three(table, labels)
    for i, row in enumerate(labels):
        graph, pairs = graph_by_hand(places, row, kind, 1 / max(shape))
        sizes = [len(c) for c in nx.connected_components(graph)]
        assert joins[i] == pytest.approx(graph.number_of_edges() / pairs)
        assert mean[i] == pytest.approx(np.mean(sizes))
        assert largest[i] == max(sizes)


def test_a_spiral_is_one_patch_however_long_the_way():
    rows = ["#######", "......#", "#####.#", "#...#.#", "#.#.#.#", "#.###.#", "#.....#", "#######"]
    spiral = np.array([[c == "#" for c in row] for row in rows]).astype(int)
    table = neighbours(grid(*spiral.shape).numpy(), "4")
    joins, mean, largest = all_three(table, spiral.ravel())
    graph = nx.grid_2d_graph(*spiral.shape)
    alike = [(a, b) for a, b in graph.edges if spiral[a] == spiral[b]]
    patches = [len(c) for c in nx.connected_components(graph.edge_subgraph(alike))]
    assert sum(patches) == spiral.size
    assert joins == [pytest.approx(len(alike) / graph.number_of_edges())]
    assert (mean, largest) == ([pytest.approx(np.mean(patches))], [max(patches)])


def test_one_module_is_one_patch_and_a_checkerboard_has_none():
    table = neighbours(grid(6, 6).numpy(), "4")
    row, column = np.indices((6, 6)).reshape(2, -1)
    assert all_three(table, np.zeros(36, int)) == [[1], [36], [36]]
    assert all_three(table, (row + column) % 2) == [[0], [1], [1]]


def test_neurons_far_apart():
    table = neighbours(np.array([[0.0], [5.0], [9.0]]), 1.0, sites=np.arange(10.0)[:, None])
    joins, mean, largest = all_three(table, np.zeros(3, int))
    assert np.isnan(joins)
    assert (mean, largest) == ([1], [1])


@given(
    labels=st.lists(st.integers(0, 3), min_size=25, max_size=25).map(np.array),
    names=st.permutations(range(4)),
    order=st.permutations(range(25)),
)
def test_neither_names_nor_the_order_of_neurons_matter(labels, names, order):
    places = grid(5, 5).numpy()
    expected = all_three(neighbours(places, "8"), labels)
    assert all_three(neighbours(places, "8"), np.array(names)[labels]) == expected
    again = all_three(neighbours(places[order], "8", sites=places), labels[order])
    np.testing.assert_allclose(again, expected, rtol=1e-12)


def test_a_planted_map_has_larger_patches_than_chance_and_so_has_none_of_its_shuffles():
    places = grid(12, 12).numpy()
    row, column = np.indices((12, 12)).reshape(2, -1) // 4
    table = neighbours(places, "8")
    statistics = {
        "joins": join_count(table),
        "mean": component_size(table),
        "largest": component_size(table, largest=True),
    }
    rng = np.random.default_rng(0)
    planted = np.where(rng.random(144) < 0.33, rng.integers(0, 9, 144), 3 * row + column)
    found = permutation_test(statistics, planted, n=999, alternative="greater")
    assert found.p.values.tolist() == [0.001] * 3
    p = [
        permutation_test(
            statistics, rng.permutation(planted), n=99, seed=i, alternative="greater"
        ).p.values
        for i in range(100)
    ]
    for level in (0.05, 0.25):  # many ties: valid from above
        assert (np.array(p) <= level).mean(0).max() <= level + 3 * np.sqrt(
            level * (1 - level) / 100
        )
