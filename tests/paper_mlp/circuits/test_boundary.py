from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from brainrnn.errors import InputError
from brainrnn.task import Examples
from paper_mlp.circuits.boundary import class_probability, plot_boundary, plot_evolution
from tasks import formulas, two_moons
from tests.paper_mlp.circuits.handmade import connect, empty, evaluate

MOONS = two_moons()


def slope(x1: float, x2: float):
    """A network whose log odds are about x1 and x2 times these; the bias makes σ straight."""
    net = connect(empty(2, 1, 2), 0, {(0, 0): x1, (0, 1): x2}, {0: 30.0})
    return connect(net, 1, {(1, 0): 1.0}, {1: -30.0})


def test_probabilities_are_the_softmax_at_every_grid_point():
    net = slope(1.0, -3.0)
    connect(net, 1, {(0, 0): 0.3})
    probability = class_probability(net.select(0, 0), MOONS, resolution=7)
    assert probability.dims == ("member", "x2", "x1")
    for i, x2 in enumerate(probability.x2.values):
        for j, x1 in enumerate(probability.x1.values):
            y = evaluate(net, [[x1, x2]])[0]
            expected = np.exp(y[1]) / np.exp(y).sum()
            np.testing.assert_allclose(probability[:, i, j], expected, rtol=1e-9)


def test_the_grid_holds_all_points_with_a_margin():
    far = replace(MOONS, train=Examples(1.5 * MOONS.train.inputs, MOONS.train.targets))
    grid = class_probability(slope(1, 0), far)
    for name, column in (("x1", 0), ("x2", 1)):
        points = np.concatenate([far.train.inputs, far.test.inputs])[:, column]
        assert grid[name][0] < points.min() - 0.05
        assert grid[name][-1] > points.max() + 0.05


def test_the_boundary_lies_where_the_classes_are_equally_likely():
    ax = plot_boundary(slope(2.0, -4.0), MOONS).axes[0]
    (image,) = ax.images
    shown = np.asarray(image.get_array())
    assert shown[0, -1] > 0.99  # the bottom right: x1 large, x2 small
    assert shown[-1, 0] < 0.01
    assert image.origin == "lower"
    contour = next(
        c for c in ax.collections if len(c.get_paths()) == 1 and not len(c.get_offsets()) > 1
    )
    vertices = contour.get_paths()[0].vertices
    np.testing.assert_allclose(2 * vertices[:, 0], 4 * vertices[:, 1], atol=1e-2)
    assert np.ptp(vertices[:, 0]) > 1


def test_points_have_the_colour_of_the_shade_of_their_class():
    ax = plot_boundary(slope(2.0, -4.0), MOONS).axes[0]
    scatters = [c for c in ax.collections if len(c.get_offsets()) > 1]
    for kind, scatter in enumerate(scatters):
        expected = MOONS.test.inputs[MOONS.test.targets == kind].numpy()
        np.testing.assert_allclose(np.asarray(scatter.get_offsets()), expected)
        shade = ax.images[0].get_cmap()(float(kind))[:3]
        np.testing.assert_allclose(scatter.get_facecolor()[0, :3], to_rgb(shade), atol=0.01)


def test_a_network_without_a_boundary_can_be_drawn():
    figure = plot_boundary(connect(empty(2, 3, 2), 1, {}, {0: 1.0}), MOONS)
    figure.draw_without_rendering()
    assert len(figure.axes[0].collections) == 2


def test_the_evolution_has_a_panel_for_each_snapshot():
    snapshots = [(0, slope(1, 0)), (500, slope(0, 1)), (2000, slope(1, -1))]
    axes = plot_evolution(snapshots, MOONS).axes
    assert [ax.get_title() for ax in axes] == ["step 0", "step 500", "step 2000"]
    for ax, (_, net) in zip(axes, snapshots, strict=True):
        np.testing.assert_allclose(ax.images[0].get_array(), class_probability(net, MOONS)[0])


def test_what_has_no_boundary_in_the_plane():
    with pytest.raises(InputError, match="two classes of points in the plane"):
        plot_boundary(empty(4, 3, 2), formulas(["products"]))
    with pytest.raises(InputError, match="network 1 does not exist"):
        plot_boundary(slope(1, 1), MOONS, 1)
    with pytest.raises(InputError, match="no snapshot"):
        plot_evolution([], MOONS)
