"""Does the test of a map say what is true? Random maps, planted maps, checkerboards."""

import numpy as np
import pytest
import scipy.stats

from brainrnn.analysis import cluster_size, fraction_isolated, neighbours, permutation_test
from brainrnn.anatomy.geometry import grid


def map_test(places, labels, kind="8", sites=None, **options):
    return permutation_test(
        {
            "isolated": fraction_isolated(neighbours(places, kind, sites=sites)),
            "cluster_size": cluster_size(places),
        },
        labels,
        **options,
    )


def test_p_values_of_random_maps_are_uniform():
    """Of the cluster size exactly; of the isolated fraction, which has many ties, from above."""
    rng = np.random.default_rng(0)
    sites, n, maps = grid(9, 9).numpy(), 199, 400
    p = np.empty((maps, 2))
    for i in range(maps):
        active = rng.random(81) < 0.7
        labels = rng.integers(0, 6, active.sum())
        p[i] = map_test(sites[active], labels, sites=sites, n=n, seed=i).p
    assert scipy.stats.kstest(p[:, 1], "uniform").pvalue > 0.01
    for level in (0.01, 0.05, 0.1, 0.25, 0.5):
        error = 3 * np.sqrt(level * (1 - level) / maps)
        assert (p[:, 0] <= level).mean() <= level + error
        assert (p[:, 1] <= level).mean() == pytest.approx(level, abs=error)
    assert 0.5 < p[:, 0].mean() < 0.65  # valid, and not by never rejecting


def test_a_planted_map_is_found_even_when_a_third_of_it_is_noise():
    places = grid(12, 12).numpy()
    row, column = np.indices((12, 12)).reshape(2, -1) // 4
    planted = 3 * row + column
    rng = np.random.default_rng(0)
    noisy = np.where(rng.random(144) < 0.33, rng.integers(0, 9, 144), planted)
    for labels in (planted, noisy):
        test = map_test(places, labels, n=999)
        assert test.p.values.tolist() == [0.001, 0.001]
        assert (test.z < -4).all()


@pytest.mark.parametrize("kind", ["4", "8"])
def test_a_checkerboard_is_more_isolated_than_chance(kind):
    places = grid(10, 10).numpy()
    row, column = np.indices((10, 10)).reshape(2, -1)
    # No neuron has a neighbour of its own colour: two colours do for 4 neighbours, 8 need four.
    labels = (row + column) % 2 if kind == "4" else 2 * (row % 2) + column % 2
    test = map_test(places, labels, kind, n=999).sel(statistic="isolated")
    assert float(test.observed) == 1
    assert float(test.p) == 1
    assert float(test.z) > 4
