"""Which neurons lesions take: contiguous regions, a module's place, shuffles inside strata."""

import numpy as np
import pytest

from brainrnn.anatomy import geometry
from brainrnn.study.lesion_sets import around, regions, shuffled


@pytest.mark.parametrize(("n", "count"), [(1, 10), (3, 10), (4, 36), (5, 33), (8, 5)])
def test_regions_are_contiguous_and_of_equal_number(n, count):
    place = geometry.grid(6, 6).numpy()
    place = place[np.random.default_rng(0).permutation(36)[:count]]
    sizes = np.bincount(regions(place, n), minlength=n)
    assert sizes.sum() == count
    assert np.ptp(sizes) <= 1
    if (n, count) == (4, 36):
        for region in range(4):  # quadrants
            inside = place[regions(place, 4) == region]
            assert (np.ptp(inside, axis=0) < 0.5).all()


def test_the_place_of_a_module_holds_the_neurons_nearest_to_its_centroid():
    rng = np.random.default_rng(0)
    place, module = rng.random((20, 2)), rng.integers(3, size=20)
    found = around(place, module, 3)
    for k in range(3):
        distance = np.linalg.norm(place - place[module == k].mean(0), axis=1)
        assert set(np.flatnonzero(found[k])) == set(distance.argsort()[: (module == k).sum()])


def test_shuffles_stay_in_their_strata_and_are_uniform():
    labels, stratum = np.array([0, 1, 2, 0, 1, 1]), np.array([0, 1, 0, 1, 0, 1])
    draws = shuffled(labels, stratum, 4000, np.random.default_rng(0))
    for s in range(2):
        inside = stratum == s
        np.testing.assert_array_equal(
            np.sort(draws[:, inside], 1), np.tile(np.sort(labels[inside]), (4000, 1))
        )
    # Neurons 0, 2 and 4 share the labels 0, 2 and 1: six orders, each as likely.
    orders = np.unique(draws[:, [0, 2, 4]], axis=0, return_counts=True)[1]
    assert len(orders) == 6
    assert np.abs(orders - 4000 / 6).max() < 4 * np.sqrt(4000 / 6)
