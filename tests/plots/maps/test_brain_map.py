import time

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.art3d import Line3DCollection

from brainrnn.anatomy.geometry import grid
from brainrnn.plots import plot_map, save_figure
from brainrnn.plots.maps.brain_map import connection_lines
from brainrnn.plots.maps.legend import characteristic_tasks
from brainrnn.plots.style import NEGATIVE, POSITIVE, module_colours
from tests.analysis.synthetic import brain_dataset


@pytest.fixture(scope="module")
def brain():
    return brain_dataset()


def only(ax, kind):
    return [c for c in ax.collections if isinstance(c, kind)]


def with_weights(brain, weight):
    return brain.assign(weight=(("member", "unit", "source"), weight[None].astype("f4")))


def test_every_visible_connection_is_one_line_from_source_to_unit():
    rng = np.random.default_rng(0)
    place, weight = rng.random((12, 2)), rng.normal(size=(12, 12)) ** 3
    segments, strength = connection_lines(place, weight, 1000)
    off = [(u, s) for u in range(12) for s in range(12) if u != s]
    largest = max(abs(weight[u, s]) for u, s in off)
    expected = sorted(
        (abs(weight[u, s]) / largest, weight[u, s] / largest, *place[s], *place[u])
        for u, s in off
        if abs(weight[u, s]) >= 0.02 * largest
    )
    assert 0 < len(expected) < len(off)
    np.testing.assert_allclose(strength, [row[1] for row in expected])
    np.testing.assert_allclose(segments.reshape(-1, 4), [row[2:] for row in expected])
    strongest, _ = connection_lines(place, weight, 5)
    np.testing.assert_array_equal(strongest, segments[-5:])
    assert len(connection_lines(place, weight, 0)[0]) == 0


def test_the_picture_has_the_lines_in_their_colours_thicker_when_stronger(brain):
    weight = np.zeros((64, 64))
    weight[20, 21], weight[21, 20], weight[30, 40], weight[5, 5] = 1.0, -0.5, 0.001, 9
    (lines,) = only(plot_map(with_weights(brain, weight)).axes[0], LineCollection)
    assert len(lines.get_segments()) == 2  # no self-connection, none too weak to see
    np.testing.assert_allclose(lines.get_colors()[:, :3], [to_rgb(NEGATIVE), to_rgb(POSITIVE)])
    weak, strong = lines.get_linewidths()
    assert strong > 1.5 * weak
    assert lines.get_colors()[1, 3] > 1.5 * lines.get_colors()[0, 3]


def test_neurons_have_their_places_and_the_colours_of_their_modules(brain):
    inactive, active = only(plot_map(brain).axes[0], PathCollection)
    live = brain.active.values[0]
    place, module = brain.position.values[0], brain.module.values[0]
    np.testing.assert_array_equal(active.get_offsets(), place[live])
    np.testing.assert_array_equal(inactive.get_offsets(), place[~live])
    np.testing.assert_allclose(active.get_facecolors()[:, :3], module_colours(module[live]))
    assert active.get_sizes().min() > 3 * inactive.get_sizes().max()
    total = brain.task_variance.sum("task").values[0, live]
    assert np.argmax(active.get_sizes()) == np.argmax(total)


def test_discs_on_a_grid_do_not_touch(brain):
    figure = plot_map(brain)
    figure.draw_without_rendering()
    ax = figure.axes[0]
    pixels = ax.transData.transform(brain.position.values[0])
    gaps = np.linalg.norm(pixels[:, None] - pixels, axis=-1)
    spacing = gaps[gaps > 1].min() * 72 / figure.dpi  # points
    widest = np.sqrt(max(c.get_sizes().max() for c in only(ax, PathCollection)))
    assert 0.5 * spacing < widest < spacing


def test_legend_and_title_say_what_the_modules_are_and_how_sure(brain):
    ax = plot_map(brain).axes[0]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    one = brain.isel(member=0)
    tasks = characteristic_tasks(one, one.active.values)
    size = np.bincount(brain.module.values[brain.active.values])
    for k in range(4):
        assert labels[k] == f"{k} ({size[k]}): {', '.join(tasks[k])}"
    assert "36 of 64 neurons active, 4 modules, accuracy 1.000" in ax.get_title(loc="left")
    assert "isolated neurons p = 0.005, cluster size p = 0.005" in ax.get_title(loc="left")


def test_characteristic_tasks_are_those_in_which_the_module_stands_out(brain):
    one = brain.isel(member=0)
    for k, tasks in characteristic_tasks(one, one.active.values, most=1).items():
        mean = one.task_variance[one.module.values == k].mean("unit")
        assert tasks == [str(mean.task[int(mean.argmax("task"))].values)]


def test_three_dimensions_and_one():
    cube = plot_map(brain_dataset((4, 4, 4))).axes[0]
    (lines,) = only(cube, Line3DCollection)
    assert cube.name == "3d"
    assert len(lines.get_linewidths()) > 100
    line = brain_dataset((4, 16)).isel(space=[0])
    offsets = np.concatenate(
        [c.get_offsets() for c in only(plot_map(line).axes[0], PathCollection)]
    )
    assert (offsets[:, 1] == 0).all()


def test_it_draws_into_axes_it_is_given():
    figure = Figure()
    ax = figure.subplots(1, 2)[1]
    both = brain_dataset(members=2)
    assert plot_map(both, member=1, ax=ax) is figure
    assert "accuracy 0.000" in ax.get_title(loc="left")
    assert not figure.axes[0].collections


def test_a_full_network_of_400_neurons_is_drawn_fast(tmp_path):
    places = grid(20, 20).numpy()
    small = brain_dataset((4, 4)).isel(member=0)
    rng = np.random.default_rng(0)
    brain = xr.Dataset(
        {
            "position": (("unit", "space"), places),
            "weight": (("unit", "source"), rng.normal(size=(400, 400))),
            "active": ("unit", np.full(400, True)),
            "module": ("unit", rng.integers(0, 30, 400)),
            "task_variance": (("unit", "task"), rng.random((400, 4))),
            "clusters": 30,
            "accuracy": small.accuracy,
            "p": small.p,
        }
    ).expand_dims("member")
    start = time.process_time()
    figure = plot_map(brain, max_lines=160_000)
    figure.draw_without_rendering()
    ours = time.process_time() - start
    (lines,) = only(figure.axes[0], LineCollection)
    assert len(lines.get_segments()) > 140_000
    start = time.process_time()
    bare = Figure()
    bare.subplots().add_collection(LineCollection(lines.get_segments()))
    bare.draw_without_rendering()
    assert ours < 4 * (time.process_time() - start)
    (path,) = save_figure(plot_map(brain), tmp_path / "map", ("svg",))
    assert path.stat().st_size < 3e6  # lines are kept as pixels


def test_thirty_modules_have_thirty_colours():
    colours = module_colours(np.arange(30))
    assert len({tuple(c) for c in colours}) == 30
    np.testing.assert_array_equal(module_colours(30), colours[0])
    assert np.ptp(module_colours(-1)) < 0.1  # grey


def test_no_figure_is_left_open(brain):
    plot_map(brain)
    assert plt.get_fignums() == []
