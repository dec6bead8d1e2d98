import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from brainrnn.anatomy import geometry as g
from brainrnn.errors import InputError


def test_grid_has_cell_centres_in_the_unit_square():
    sites = g.grid(2, 4)
    expected = [(x, y) for x in (0.125, 0.375) for y in (0.125, 0.375, 0.625, 0.875)]
    assert np.allclose(sites, expected)
    assert g.grid(3, 4, 5).shape == (60, 3)
    assert g.grid(7).shape == (7, 1)


def test_line_follows_the_paper_or_its_notebooks():
    assert np.allclose(g.line(4).squeeze(), [0.125, 0.375, 0.625, 0.875])
    assert np.allclose(g.line(4, centred=False).squeeze(), [0, 0.25, 0.5, 0.75])


def test_ring_is_equally_spaced_about_its_centre():
    sites = g.ring(10, radius=0.25)
    assert np.allclose((sites - 0.5).norm(dim=1), 0.25)
    steps = (sites - sites.roll(-1, 0)).norm(dim=1)
    assert np.allclose(steps, 2 * 0.25 * math.sin(math.pi / 10))


def test_sphere_is_nearly_uniform():
    sites = g.sphere(500, radius=2.0)
    assert np.allclose(sites.norm(dim=1), 2.0)
    assert sites.mean(0).norm() < 0.02
    nearest = g.l2(sites, sites).fill_diagonal_(torch.inf).min(1).values
    assert nearest.min() > 0.6 * nearest.max()


@pytest.mark.parametrize(("name", "metric"), [("l1", "cityblock"), ("l2", "euclidean")])
def test_flat_distances_equal_scipy(name, metric):
    a, b = g.grid(5, 7), g.ring(6)
    assert np.allclose(g.DISTANCES[name](a, b), cdist(a, b, metric), atol=1e-15)


@given(st.integers(1, 6), st.integers(1, 6), st.sampled_from([1, 2]))
def test_torus_distance_is_the_shortest_over_all_images(rows, columns, norm):
    period = [rows / max(rows, columns), columns / max(rows, columns)]
    sites = g.grid(rows, columns)
    images = [
        np.linalg.norm(
            sites.numpy()[:, None] - sites.numpy()[None] + np.array([i, j]) * period,
            ord=norm,
            axis=-1,
        )
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
    ]
    assert np.allclose(g.periodic(period, norm=norm)(sites, sites), np.min(images, axis=0))


def test_great_circle_is_the_angle_times_the_radius():
    sites = g.sphere(40, radius=3.0)
    cosine = (sites @ sites.T / 9).clamp(-1, 1)
    assert np.allclose(g.great_circle(sites, sites), 3 * torch.acos(cosine), atol=1e-6)
    with pytest.raises(InputError, match="sphere"):
        g.great_circle(g.grid(2, 2, 2), g.grid(2, 2, 2))


@pytest.mark.parametrize("name", ["l1", "l2", "periodic", "great_circle"])
def test_every_distance_is_a_metric(name):
    sites = g.sphere(30) if name == "great_circle" else g.grid(5, 6)
    d = g.DISTANCES[name](sites, sites)
    assert torch.equal(d.diagonal(), torch.zeros(30, dtype=d.dtype))
    assert torch.allclose(d, d.T)
    assert bool((d[:, :, None] <= d[:, None, :] + d.T[None] + 1e-12).all())


@pytest.mark.wrong_types
@pytest.mark.parametrize("bad", [0, -3, 2.5, True])
def test_sizes_that_are_not_whole_and_positive_are_refused(bad):
    for make in (g.line, g.ring, g.sphere, lambda n: g.grid(3, n)):
        with pytest.raises(InputError, match="whole number"):
            make(bad)


def test_bad_sites_and_names_are_refused():
    with pytest.raises(InputError, match="sites must be numbers"):
        g.as_sites([1.0, 2.0])
    with pytest.raises(InputError, match="finite"):
        g.as_sites([[math.nan, 0.0]])
    with pytest.raises(InputError, match="did you mean 'periodic'"):
        g.distance_function("periodc")
    with pytest.raises(InputError, match="positive"):
        g.periodic(0.0)


def apart(n: int) -> np.ndarray:
    """Distances between n sites that lie nowhere in particular."""
    random = np.random.default_rng(0).uniform(1, 2, (n, n))
    return np.triu(random, 1) + np.triu(random, 1).T


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy, np.ndarray.tolist])
def test_a_matrix_is_a_distance(kind):
    matrix = apart(5)
    distances = g.as_distances(kind(matrix), 5)
    assert distances.dtype == torch.float64
    assert np.array_equal(distances, matrix)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (apart(4), r"must be 5 x 5, a row and a column for every site, got the shape \(4, 4\)"),
        (apart(5)[:4], "got the shape"),
        (apart(5) + 1, "0 from a site to itself"),
        (np.triu(apart(5)), "must be symmetric"),
        (-apart(5), "negative"),
        (apart(5) * np.nan, "non-finite"),
        ([["a"] * 5] * 5, "must be 5 x 5"),
    ],
)
def test_a_matrix_that_is_no_distance_is_refused(matrix, message):
    with pytest.raises(InputError, match=message):
        g.as_distances(matrix, 5)
