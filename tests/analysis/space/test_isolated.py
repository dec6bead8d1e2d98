import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from brainrnn.analysis import cluster_size, fraction_isolated, neighbours
from brainrnn.anatomy.geometry import grid, line, ring
from brainrnn.errors import InputError

SHAPES = [(7,), (5, 5), (3, 6), (3, 4, 2)]
KINDS = ["4", "8", 1.0, 1.5, 2.3]


def are_neighbours(a, b, kind, step):
    gap = [abs(x - y) / step for x, y in zip(a, b, strict=True)]
    if kind == "4":
        return sum(gap) < 1.01
    if kind == "8":
        return max(gap) < 1.01
    return math.sqrt(sum(g * g for g in gap)) < kind + 0.001


def isolated_by_hand(places, labels, kind, step):
    lonely = 0
    for i in range(len(places)):
        lonely += not any(
            j != i and labels[i] == labels[j] and are_neighbours(places[i], places[j], kind, step)
            for j in range(len(places))
        )
    return lonely / len(places)


def size_by_hand(places, labels):
    sizes = []
    for k in sorted(set(labels)):
        members = [p for p, label in zip(places, labels, strict=True) if label == k]
        centre = [sum(axis) / len(members) for axis in zip(*members, strict=True)]
        sizes.append(sum(math.dist(p, centre) for p in members) / len(members))
    return sum(sizes) / len(sizes)


def active_part(shape, seed=0):
    sites = grid(*shape).numpy()
    rng = np.random.default_rng(seed)
    return sites, sites[rng.random(len(sites)) < 0.6], rng


@pytest.mark.parametrize(("shape", "kind"), list(itertools.product(SHAPES, KINDS)))
def test_neighbours_against_all_pairs(shape, kind):
    sites, places, _ = active_part(shape)
    table = neighbours(places, kind, sites=sites)
    for i, row in enumerate(table.tolist()):
        expected = [
            j
            for j in range(len(places))
            if j != i and are_neighbours(places[i], places[j], kind, 1 / max(shape))
        ]
        assert [j for j in row if j >= 0] == expected


@pytest.mark.parametrize(
    ("shape", "four", "eight"), [((9,), 2, 2), ((5, 5), 4, 8), ((3, 3, 3), 6, 26)]
)
def test_number_of_neighbours_in_the_middle(shape, four, eight):
    sites = grid(*shape).numpy()
    middle = len(sites) // 2
    for kind, number in (("4", four), ("8", eight)):
        assert (neighbours(sites, kind)[middle] >= 0).sum() == number


@pytest.mark.parametrize(("shape", "kind"), list(itertools.product(SHAPES, ["4", "8", 1.5])))
def test_fraction_isolated_against_loops(shape, kind):
    sites, places, rng = active_part(shape)
    labels = rng.integers(0, 4, (6, len(places)))
    found = fraction_isolated(neighbours(places, kind, sites=sites))(torch.from_numpy(labels))
    expected = [isolated_by_hand(places, row, kind, 1 / max(shape)) for row in labels]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_cluster_size_against_loops(shape):
    _, places, rng = active_part(shape)
    labels = rng.integers(0, 3, (6, len(places)))
    found = cluster_size(places)(torch.from_numpy(labels))
    np.testing.assert_allclose(found, [size_by_hand(places, row) for row in labels], rtol=1e-12)


def test_neurons_without_neighbours_are_isolated():
    places = line(9).numpy()[[0, 4, 8]]
    statistic = fraction_isolated(neighbours(places, "8", sites=line(9).numpy()))
    assert statistic(torch.zeros(1, 3, dtype=torch.int8)).tolist() == [1.0]


def test_a_radius_serves_sites_that_are_not_a_grid():
    table = neighbours(ring(12).numpy(), 1.0)
    assert sorted(table[5].tolist()) == [4, 6]
    with pytest.raises(InputError, match="regular grid"):
        neighbours(ring(12).numpy(), "8")


@pytest.mark.parametrize("kind", ["6", "", 0, -1.5, float("nan")])
def test_unknown_neighbourhoods(kind):
    with pytest.raises(InputError, match="use '4', '8' or a radius above 0"):
        neighbours(grid(3, 3).numpy(), kind)


maps = (
    st.integers(2, 5)
    .flatmap(lambda k: st.lists(st.integers(0, k), min_size=16, max_size=16))
    .map(np.array)
)
PLACES = grid(4, 4).numpy()


def both(places, labels, sites=None):
    labels = torch.from_numpy(np.unique(labels, return_inverse=True)[1])[None]
    table = neighbours(places, "8", sites=sites)
    return float(fraction_isolated(table)(labels)), float(cluster_size(places)(labels))


@given(labels=maps, seed=st.integers(0, 99))
def test_names_of_modules_do_not_matter(labels, seed):
    other = np.random.default_rng(seed).permutation(10)[labels]
    np.testing.assert_allclose(both(PLACES, other), both(PLACES, labels), rtol=1e-12)


@given(labels=maps, seed=st.integers(0, 99))
def test_order_of_neurons_does_not_matter(labels, seed):
    order = np.random.default_rng(seed).permutation(16)
    np.testing.assert_allclose(both(PLACES[order], labels[order]), both(PLACES, labels), rtol=1e-12)


@given(labels=maps, scale=st.floats(0.01, 100), shift=st.floats(-10, 10))
def test_moving_changes_nothing_and_scaling_scales_the_size(labels, scale, shift):
    isolated, size = both(PLACES, labels)
    np.testing.assert_allclose(
        both(scale * PLACES + shift, labels), (isolated, scale * size), rtol=1e-6, atol=1e-9
    )
