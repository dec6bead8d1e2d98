"""Which neurons lesions take: contiguous regions, a module's place, shuffles inside strata."""

import numpy as np
import pytest
import xarray as xr

from brainrnn.anatomy import geometry
from brainrnn.study.lesion_sets import around, lesion_sets, regions, shuffled


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


def test_the_place_of_a_module_of_one_neuron_is_its_own():
    place = np.array([[0.1, 0.1], [0.9, 0.9], [0.5, 0.6]])
    found = around(place, np.array([0, 1, 2]), 3)
    np.testing.assert_array_equal(found, np.eye(3, dtype=bool))


def analysed(seed=0):
    """An analysis of 16 neurons, 12 of them active, in three modules."""
    rng = np.random.default_rng(seed)
    active = np.arange(16) % 4 != 3
    return xr.Dataset(
        {
            "active": ("unit", active),
            "position": (("unit", "space"), rng.random((16, 2))),
            "module": ("unit", np.where(active, np.arange(16) % 3, -1)),
            "clusters": 3,
            "task_variance": (("unit", "task"), rng.random((16, 4))),
        }
    )


def test_every_kind_of_lesion_has_its_sets():
    brain = analysed()
    table, neurons = lesion_sets(brain, draws=20, strata=3, rng=np.random.default_rng(1))
    counts = table.groupby(["kind", "null"], sort=False).size().to_dict()
    assert counts == {
        ("intact", "observed"): 1,
        ("all", "observed"): 1,
        ("module", "observed"): 3,
        ("around", "observed"): 3,
        ("region", "observed"): 3,
        ("module", "random"): 60,
        ("module", "matched"): 60,
        ("region", "random"): 60,
    }
    assert neurons.dtype == bool
    size = dict(zip(table.index, neurons.sum(1), strict=True))
    assert (size[0], size[1]) == (0, 16)
    module = brain.module.values
    for row, found in zip(table.itertuples(), neurons, strict=True):
        if row.kind == "module":
            assert found.sum() == (module == row.lesion).sum()
        if row.kind in ("module", "around", "region"):
            assert not found[~brain.active.values].any()
        if (row.kind, row.null) == ("module", "observed"):
            np.testing.assert_array_equal(found, module == row.lesion)


def test_matched_sets_have_as_many_neurons_of_every_level_of_activity():
    brain = analysed()
    table, neurons = lesion_sets(brain, draws=50, strata=3, rng=np.random.default_rng(1))
    total = np.where(brain.active, brain.task_variance.sum("task"), -1)
    level = np.full(16, -1)
    level[total.argsort()[4:]] = np.arange(12) // 4
    kinds = table.kind + " " + table.null
    own = {row.lesion: neurons[row.Index] for row in table[kinds == "module observed"].itertuples()}
    for row in table[kinds == "module matched"].itertuples():
        for stratum in range(3):
            inside = level == stratum
            assert neurons[row.Index][inside].sum() == own[row.lesion][inside].sum()
    for lesion, module in own.items():
        drawn = neurons[(kinds == "module matched") & (table.lesion == lesion)]
        assert len(np.unique(drawn, axis=0)) > 10
        assert (drawn != module).any(1).mean() > 0.5
    free = neurons[kinds == "module random"]
    assert any(found[level == 0].sum() > 2 for found in free)  # which matching never does
