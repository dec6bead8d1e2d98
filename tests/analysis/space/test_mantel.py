import time

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics.pairwise import cosine_similarity

from brainrnn.analysis import mantel, permutation_test, similarity
from tests.analysis.refused import refused


def relations(n=20, zeros=0.0, seed=0):
    rng = np.random.default_rng(seed)
    place = rng.random((n, 2))
    dense = squareform(pdist(place))
    sparse = squareform(rng.normal(size=n * (n - 1) // 2) * (rng.random(n * (n - 1) // 2) >= zeros))
    return dense, sparse, place


def by_hand(one, other, order):
    pairs = [(i, j) for i in range(len(one)) for j in range(i)]
    a = [one[i, j] for i, j in pairs]
    b = [other[order[i], order[j]] for i, j in pairs]
    return scipy.stats.pearsonr(a, b)[0]


@pytest.mark.parametrize("zeros", [0, 0.9])
def test_against_loops_whichever_is_sparse_and_whatever_the_diagonal(zeros):
    dense, sparse, _ = relations(zeros=zeros)
    filled = sparse + 7 * np.eye(20)
    orders = np.stack([np.random.default_rng(i).permutation(20) for i in range(10)])
    orders[0] = np.arange(20)
    back = orders.argsort(1)  # whichever of both is moved, places and neurons stay the same pairs
    expected = [by_hand(dense, sparse, order) for order in orders]
    for one, other in ((dense, filled), (filled, dense)):
        some = [mantel(one, other)(torch.from_numpy(o)).numpy() for o in (orders, back)]
        assert min(np.abs(found - expected).max() for found in some) < 1e-12
        assert some[0][0] == pytest.approx(expected[0])


def test_the_null_is_that_of_all_orders():
    """Mean and spread of the null of five neurons, from all 120 orders."""
    from itertools import permutations

    dense, sparse, _ = relations(5)
    exact = [by_hand(dense, sparse, order) for order in permutations(range(5))]
    test = permutation_test({"r": mantel(dense, sparse)}, np.arange(5), n=20_000).squeeze()
    assert float(test.null_mean) == pytest.approx(np.mean(exact), abs=0.01)
    assert float(test.null_sd) == pytest.approx(np.std(exact), rel=0.02)
    below = np.mean(np.array(exact) <= exact[0] + 1e-9)
    assert test.p.item() == pytest.approx(below, abs=0.015)


def test_similarity_is_the_cosine():
    variance = np.random.default_rng(0).gamma(0.5, size=(9, 6))
    variance[3] = 0
    found = similarity(variance)
    np.testing.assert_allclose(found, cosine_similarity(variance), atol=1e-12)
    scaled = variance * np.random.default_rng(1).gamma(1, size=(9, 1))
    np.testing.assert_allclose(similarity(scaled), found, atol=1e-12)


def test_relations_that_do_not_vary_have_no_correlation():
    dense, _, _ = relations(6)
    for flat in (np.zeros((6, 6)), np.ones((6, 6))):
        for pair in ((dense, flat), (flat, dense)):
            assert mantel(*pair)(torch.arange(6)[None]).isnan().all()
    for n in (1, 2):
        assert mantel(np.zeros((n, n)), np.zeros((n, n)))(torch.arange(n)[None]).isnan().all()


@pytest.mark.parametrize(
    ("one", "other"),
    [(np.ones((3, 3)), np.ones((4, 4))), (np.triu(np.ones((3, 3))), np.ones((3, 3)))],
)
def test_matrices_that_are_no_relations(one, other):
    with refused("two symmetric matrices of one size"):
        mantel(one, other)


@given(
    angle=st.floats(0, 6.3), shift=st.floats(-5, 5), scale=st.floats(0.1, 10),
    order=st.permutations(range(15)),
)  # fmt: skip
def test_moving_turning_scaling_and_renumbering_change_nothing(angle, shift, scale, order):
    _, sparse, place = relations(15, zeros=0.5)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = squareform(pdist(scale * place @ turn + shift))
    itself = torch.arange(15)[None]
    expected = mantel(squareform(pdist(place)), sparse)(itself)
    again = mantel(moved[np.ix_(order, order)], sparse[np.ix_(order, order)])(itself)
    np.testing.assert_allclose(again, expected, rtol=1e-7, atol=1e-9)


def test_p_values_of_unrelated_features_are_uniform_and_related_ones_are_found():
    rng = np.random.default_rng(0)
    place = rng.random((30, 2))
    distance, p = squareform(pdist(place)), []
    for i in range(200):
        alike = similarity(rng.gamma(0.5, size=(30, 5)))
        test = permutation_test({"r": mantel(distance, alike)}, np.arange(30), n=99, seed=i)
        p.append(test.p.item())
    assert scipy.stats.kstest(p, "uniform").pvalue > 0.01
    tuned = np.exp(-np.abs(place[:, :1] - np.linspace(0, 1, 5)) * 2) + rng.random((30, 5))
    test = permutation_test({"r": mantel(distance, similarity(tuned))}, np.arange(30), n=999)
    assert test.p.item() == 0.001


def test_ten_thousand_permutations_of_150_neurons_take_about_a_second():
    dense, sparse, _ = relations(150)
    start = time.process_time()
    permutation_test({"r": mantel(dense, sparse)}, np.arange(150), n=10_000)
    assert time.process_time() - start < 4
