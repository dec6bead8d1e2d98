import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from brainrnn.analysis import morans_i, neighbours, permutation_test
from brainrnn.anatomy.geometry import grid, line
from tests.analysis.space.test_isolated import active_part, are_neighbours


def by_hand(places, values, kind, step):
    n, z = len(places), values - values.mean()
    cross = joins = 0.0
    for i in range(n):
        for j in range(n):
            if i != j and are_neighbours(places[i], places[j], kind, step):
                joins += 1
                cross += z[i] * z[j]
    return n / joins * cross / sum(z**2)


@pytest.mark.parametrize("shape", [(9,), (6, 6)])
@pytest.mark.parametrize("kind", ["4", "8"])
def test_against_loops_all_features_at_once(shape, kind):
    sites, places, rng = active_part(shape)
    values = rng.normal(size=(len(places), 4))
    orders = np.stack([rng.permutation(len(places)) for _ in range(5)])
    found = morans_i(neighbours(places, kind, sites=sites), values)(torch.from_numpy(orders))
    expected = [[by_hand(places, x, kind, 1 / max(shape)) for x in values[o].T] for o in orders]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_hand_computed_cases():
    itself = torch.arange(4)[None]
    table = neighbours(line(4).numpy(), "4")
    # 1 1 0 0 on a line: z = +-1/2, six joins of which four are alike: 4/6 * (4 - 2)/4 / 1
    assert morans_i(table, np.array([[1], [1], [0], [0]]))(itself).item() == pytest.approx(1 / 3)
    assert morans_i(table, np.array([[1], [0], [1], [0]]))(itself).item() == pytest.approx(-1)


def test_the_null_has_the_moments_that_are_known():
    """Mean -1 / (n - 1), and the variance under randomisation (Cliff and Ord 1981)."""
    places = grid(6, 6).numpy()
    table = neighbours(places, "4")
    x = np.random.default_rng(0).exponential(size=36)
    n, w = 36, np.zeros((36, 36))
    for i, row in enumerate(table.tolist()):
        w[i, [j for j in row if j >= 0]] = 1
    s0, s1, s2 = w.sum(), 0.5 * ((w + w.T) ** 2).sum(), ((w.sum(0) + w.sum(1)) ** 2).sum()
    z = x - x.mean()
    kurtosis = (z**4).mean() / (z**2).mean() ** 2
    first = n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * s0**2)
    second = kurtosis * ((n**2 - n) * s1 - 2 * n * s2 + 6 * s0**2)
    variance = (first - second) / ((n - 1) * (n - 2) * (n - 3) * s0**2) - 1 / (n - 1) ** 2
    test = permutation_test({("i",): morans_i(table, x[:, None])}, np.arange(36), n=20_000)
    assert test.null_mean.item() == pytest.approx(-1 / 35, abs=4 * np.sqrt(variance / 20_000))
    assert test.null_sd.item() == pytest.approx(np.sqrt(variance), rel=0.02)


def test_features_that_do_not_vary_and_neurons_without_neighbours():
    table = neighbours(grid(3, 3).numpy(), "4")
    values = np.stack([np.full(9, 0.3), np.arange(9.0)], axis=1)
    test = permutation_test(
        {("flat", "slope"): morans_i(table, values)}, np.arange(9), n=99, alternative="greater"
    )
    assert np.isnan(test.sel(statistic="flat")[["observed", "z", "p"]].to_array()).all()
    assert float(test.p.sel(statistic="slope")) < 0.05
    apart = neighbours(np.array([[0.0], [5.0]]), 1.0, sites=np.arange(6.0)[:, None])
    assert morans_i(apart, np.array([[0.0], [1.0]]))(torch.arange(2)[None]).isnan().all()


@given(
    values=st.lists(st.integers(-9, 9), min_size=16, max_size=16).map(np.array),
    scale=st.floats(0.1, 10),
    shift=st.floats(-10, 10),
    order=st.permutations(range(16)),
)
def test_units_and_the_order_of_neurons_do_not_matter(values, scale, shift, order):
    places, itself = grid(4, 4).numpy(), torch.arange(16)[None]
    expected = morans_i(neighbours(places, "8"), values[:, None])(itself)
    table = neighbours(places[order], "8", sites=places)
    again = morans_i(table, scale * values[order, None] + shift)(itself)
    np.testing.assert_allclose(again, expected, rtol=1e-6, atol=1e-9)


def test_p_values_of_random_features_are_uniform_and_a_gradient_is_found():
    rng = np.random.default_rng(0)
    table = neighbours(grid(7, 7).numpy(), "8")
    features = rng.exponential(size=(49, 400))  # as many tests as features
    names = tuple(map(str, range(400)))
    test = permutation_test(
        {names: morans_i(table, features)}, np.arange(49), n=199, alternative="greater"
    )
    for level in (0.01, 0.05, 0.25, 0.5):
        error = 3 * np.sqrt(level * (1 - level) / 400)
        assert float((test.p <= level).mean()) == pytest.approx(level, abs=error)
    noisy = grid(7, 7).numpy()[:, :1] + 0.5 * rng.random((49, 1))
    found = permutation_test(
        {("i",): morans_i(table, noisy)}, np.arange(49), n=999, alternative="greater"
    )
    assert found.p.item() == 0.001
