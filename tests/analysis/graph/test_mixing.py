import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from brainrnn.analysis import participation, permutation_test, within_module_weight
from brainrnn.analysis.graph.mixing import strength

WEIGHT = np.random.default_rng(0).normal(size=(12, 12)) ** 3


def both(weight, labels):
    labels = torch.from_numpy(np.atleast_2d(labels))
    return [f(weight)(labels).numpy() for f in (within_module_weight, participation)]


def by_hand(weight, labels):
    n, within, total, coefficients = len(weight), 0.0, 0.0, []
    for i in range(n):
        to = dict.fromkeys(set(labels), 0.0)
        for j in range(n):
            if i != j:
                to[labels[j]] += abs(weight[i, j]) + abs(weight[j, i])
        within += to[labels[i]]
        total += sum(to.values())
        if sum(to.values()) > 0:
            coefficients.append(1 - sum((s / sum(to.values())) ** 2 for s in to.values()))
    return within / total, np.mean(coefficients)


@pytest.mark.parametrize("modules", [1, 3, 12])
def test_against_loops(modules):
    rng = np.random.default_rng(modules)
    labels = np.concatenate([np.arange(modules), rng.integers(0, modules, 12 - modules)])
    batch = np.stack([rng.permutation(labels) for _ in range(7)])
    weight = WEIGHT.copy()
    weight[4], weight[:, 4] = 0, 0  # a neuron without connections, but with one to itself
    weight[4, 4] = 9
    expected = [by_hand(weight, row.tolist()) for row in batch]
    np.testing.assert_allclose(np.transpose(both(weight, batch)), expected, rtol=1e-12, atol=1e-12)


def test_share_within_modules_is_networkx_coverage():
    graph = nx.karate_club_graph()
    clubs = np.array([graph.nodes[i]["club"] == "Officer" for i in graph]).astype(int)
    share, _ = both(np.triu(nx.to_numpy_array(graph, weight=None)), clubs)
    groups = [set(np.flatnonzero(clubs == c)) for c in (0, 1)]
    assert share == pytest.approx(nx.community.partition_quality(graph, groups)[0])


def test_two_cliques():
    cliques = np.kron(np.eye(2), np.ones((3, 3)))
    assert both(cliques, [0, 0, 0, 1, 1, 1]) == [1, pytest.approx(0)]
    assert both(cliques, [0, 1, 1, 0, 0, 1]) == [pytest.approx(1 / 3), pytest.approx(1 / 3)]


def test_a_network_without_connections():
    assert np.isnan(both(5 * np.eye(4), [0, 0, 1, 1])).all()
    test = permutation_test(
        {"share": within_module_weight(np.eye(4))}, [0, 0, 1, 1], n=9, alternative="greater"
    )
    assert np.isnan(test.p.values).all()  # no statistic, no evidence
    assert np.isnan(test.z.values).all()


@given(
    labels=st.lists(st.integers(0, 3), min_size=12, max_size=12).map(np.array),
    names=st.permutations(range(4)),
    order=st.permutations(range(12)),
    scale=st.floats(1e-3, 1e3),
)
def test_names_order_scale_sign_and_direction_do_not_matter(labels, names, order, scale):
    expected = both(WEIGHT, labels)
    changed = -scale * WEIGHT[np.ix_(order, order)].T
    np.testing.assert_allclose(
        both(changed, np.array(names)[labels[order]]), expected, rtol=1e-9, atol=1e-12
    )


def test_strength_is_symmetric_and_knows_no_self():
    size = strength(WEIGHT)
    assert size[2, 7] == size[7, 2] == abs(WEIGHT[2, 7]) + abs(WEIGHT[7, 2])
    assert not size.diagonal().any()


def test_planted_modules_are_found_and_random_ones_are_not():
    rng = np.random.default_rng(1)
    modules = np.repeat(np.arange(6), 12)
    weight = rng.exponential(size=(72, 72)) * (1 + 0.6 * (modules[:, None] == modules))
    statistics = {"share": within_module_weight(weight), "participation": participation(weight)}
    sides = {"share": "greater", "participation": "less"}
    found = permutation_test(statistics, modules, n=999, alternative=sides)
    assert found.p.values.tolist() == [0.001, 0.001]
    p = np.array(
        [
            permutation_test(
                statistics, rng.permutation(modules), n=99, seed=i, alternative=sides
            ).p.values
            for i in range(200)
        ]
    )
    for level in (0.05, 0.25, 0.5):
        error = 3.3 * np.sqrt(level * (1 - level) / len(p))
        np.testing.assert_allclose((p <= level).mean(0), level, atol=error)
