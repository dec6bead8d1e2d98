"""Pictures of what is small, silent, or only partly known; and on axes that a user brings."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.art3d import Line3DCollection

import brainrnn as br
from brainrnn.analysis import map_statistics
from brainrnn.anatomy.geometry import grid, line, ring, sphere
from brainrnn.errors import InputError
from brainrnn.plots import (
    draw_network,
    draw_networks,
    plot_lengths,
    plot_map,
    plot_nulls,
    plot_robustness,
    plot_statistics,
    plot_task_variance,
    plot_training,
    plot_trial,
)
from brainrnn.plots.style import INK, module_colours
from tests.analysis.synthetic import brain_dataset
from tests.plots.test_figures import Suite

TESTS = ("isolated", "cluster_size")


def brain_at(places, active=None, modules=2):
    """What an analysis tells of neurons at these places."""
    places = np.asarray(places, float)
    n = len(places)
    rng = np.random.default_rng(0)
    active = np.full(n, True) if active is None else active
    module = np.where(active, np.arange(n) % modules, -1)
    data = {
        "position": (("unit", "space"), places),
        "weight": (("unit", "source"), rng.normal(size=(n, n))),
        "active": ("unit", active),
        "module": ("unit", module),
        "task_variance": (("unit", "task"), rng.random((n, 3)) * active[:, None]),
        "accuracy": ("task", [0.5, 0.6, 0.7]),
        "clusters": len(np.unique(module[active])),
    }
    names = ["observed", "null_mean", "null_sd", "null_low", "null_high", "z", "p"]
    known = 1.0 if active.any() else np.nan
    data |= {name: ("statistic", [known, known]) for name in names}
    data["null"] = (("statistic", "permutation"), known * rng.random((2, 20)))
    coords = {"statistic": list(TESTS), "task": list("abc")}
    return xr.Dataset(data, coords, {"alternative": "less"}).expand_dims("member")


SITES = {
    "one neuron on a line": line(1),
    "one neuron on a plane": grid(1, 1),
    "one neuron in space": grid(1, 1, 1),
    "two neurons": line(2),
    "a line": line(12),
    "a row of a plane": grid(1, 6),
    "a ring": ring(9),
    "a cube": grid(2, 2, 2),
    "a sphere": sphere(10),
    "four dimensions": grid(2, 2, 2, 2),
    "all in one place": np.zeros((4, 2)),
}


@pytest.mark.parametrize("sites", SITES.values(), ids=SITES)
@pytest.mark.parametrize("modules", [1, 30])
@pytest.mark.filterwarnings("error")
def test_maps_of_every_shape(sites, modules):
    figure = plot_map(brain_at(sites, modules=modules))
    figure.draw_without_rendering()
    (ax,) = figure.axes
    inactive, active = (c for c in ax.collections if isinstance(c, PathCollection))
    assert (len(inactive.get_offsets()), len(active.get_offsets())) == (0, len(sites))
    assert np.isfinite(active.get_sizes()).all()
    assert f"{min(modules, len(sites))} modules" in ax.get_title(loc="left")


@pytest.mark.parametrize("sites", [grid(1, 1), line(5), grid(3, 3), sphere(6)])
@pytest.mark.filterwarnings("error")
def test_a_silent_network_has_a_map_and_nothing_else(sites):
    silent = brain_at(sites, np.full(len(sites), False))
    figure = plot_map(silent)
    figure.draw_without_rendering()
    assert f"0 of {len(sites)} neurons active, 0 modules" in figure.axes[0].get_title(loc="left")
    for plot, message in ((plot_task_variance, "no neuron"), (plot_nulls, "has the network an")):
        with pytest.raises(InputError, match=message):
            plot(silent)
    plot_statistics(silent).draw_without_rendering()


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.filterwarnings("error")
def test_one_or_two_neurons_have_variances_and_nulls(n):
    for plot in (plot_task_variance, plot_nulls, plot_statistics):
        plot(brain_at(line(n), modules=1)).draw_without_rendering()


def known(**variables):
    """Six neurons on a plane, and what else is known of them."""
    return xr.Dataset({"position": (("unit", "space"), grid(2, 3).numpy())} | variables)


def discs(figure):
    return [c for c in figure.axes[0].collections if isinstance(c, PathCollection)]


def legend(figure):
    return [t.get_text() for t in figure.axes[0].get_legend().get_texts()]


def test_places_alone_are_black_discs_of_one_size():
    figure = plot_map(known())
    inactive, active = discs(figure)
    assert not len(inactive.get_offsets())
    np.testing.assert_allclose(active.get_facecolors()[:, :3], [to_rgb(INK)] * 6)
    assert len(set(active.get_sizes())) == 1
    assert legend(figure) == ["inactive"]
    assert figure.axes[0].get_title(loc="left") == "6 of 6 neurons active"
    assert not [c for c in figure.axes[0].collections if isinstance(c, LineCollection)]


def test_brain_areas_of_recorded_neurons_keep_their_names():
    areas = known(module=("unit", [0, 4, 0, -1, 4, 4]), label=("unit", ["V1", "MT"] + [""] * 4))
    areas.label[:] = ["V1", "MT", "V1", "", "MT", "MT"]
    figure = plot_map(areas)
    assert legend(figure) == ["V1 (2)", "MT (3)", "inactive"]
    assert figure.axes[0].get_title(loc="left") == "5 of 6 neurons active, 2 modules"
    inactive, active = discs(figure)
    assert len(inactive.get_offsets()) == 1
    np.testing.assert_allclose(active.get_facecolors()[1, :3], module_colours(4))
    assert figure.axes[0].get_legend().get_title().get_text() == "module (neurons)"


def test_weights_without_modules_are_drawn():
    weight = np.zeros((6, 6))
    weight[1, 2] = -1
    figure = plot_map(known(weight=(("unit", "source"), weight)))
    (drawn,) = (c for c in figure.axes[0].collections if isinstance(c, LineCollection))
    assert len(drawn.get_segments()) == 1
    assert legend(figure) == ["inactive", "positive connection", "negative connection"]


def test_the_smallest_of_many_modules_are_counted():
    n = 60
    module = np.where(np.arange(n) < 36, np.arange(n) // 2 + 10, np.arange(n))  # 18 of two
    data = xr.Dataset(
        {"position": (("unit", "space"), line(n).numpy()), "module": ("unit", module)}
    )
    shown = legend(plot_map(data))
    assert shown[:18] == [f"{k} (2)" for k in range(10, 28)]
    assert shown[20:] == ["and 22 smaller modules", "inactive"]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plot_map(known().drop_vars("position")), "needs position, which the dataset la"),
        (lambda: plot_map(known(), 1), "network 1 does not exist: choose 0 to 0"),
        (lambda: plot_map(brain_dataset(members=2), 2), "network 2 does not exist: choose 0 to 1"),
        (lambda: plot_map(known() * np.nan), "some positions are not finite"),
        (lambda: plot_map(known().rename(unit="cell")), r"are \(unit, space\), got \(cell, space"),
        (lambda: plot_map(brain_at(sphere(4)), ax=Figure().subplots()), "projection='3d'"),
        (lambda: plot_task_variance(known()), "needs task_variance and module"),
        (lambda: plot_lengths(known()), "needs length_bin_distance"),
        (lambda: plot_statistics(known()), "needs z and p"),
        (lambda: plot_nulls(brain_at(line(3)).drop_vars("null")), "needs null, which"),
        (lambda: plot_training(pd.DataFrame({"step": [1]})), "needs member and accuracy, which"),
        (lambda: plot_robustness(pd.DataFrame({"z": [1]})), "which the table lacks: it has z"),
    ],
)
def test_one_line_for_what_is_missing(draw, message):
    with pytest.raises(InputError, match=message) as raised:
        draw()
    assert "\n" not in str(raised.value)


@pytest.mark.filterwarnings("error")
def test_metrics_of_one_step_and_of_nothing_measured():
    row = {"step": 1, "member": 0, "loss": 1.0, "accuracy": 1.0, "cost": np.nan, "live": np.nan}
    plot_training(pd.DataFrame([row])).draw_without_rendering()


def robustness_table():
    choices = {"rule": 3, "clustering": "kmeans", "threshold": 0.01, "neighbourhood": "8"}
    return pd.DataFrame(
        [{"member": 0, "statistic": s, "z": 1.0, "p": 0.01} | choices for s in TESTS]
    )


def test_every_picture_takes_the_place_of_axes_beside_others(tmp_path):
    brain = brain_dataset((6, 6))
    statistics = map_statistics(brain, permutations=20, graphs=2)
    metrics = pd.DataFrame(
        [{"step": i, "member": 0, "loss": 1, "accuracy": 0.5, "cost": 1, "live": 9} for i in (1, 2)]
    )
    suite = Suite()
    trials = suite.sample(2, np.random.default_rng(0))
    net = br.MLP.on_lines(2, 1, br.MLPSpec(hidden=(4,)))
    pictures = {
        "map": lambda ax: plot_map(brain, ax=ax),
        "variance": lambda ax: plot_task_variance(brain, ax=ax),
        "nulls": lambda ax: plot_nulls(brain, ax=ax),
        "statistics": lambda ax: plot_statistics(statistics, ax=ax),
        "lengths": lambda ax: plot_lengths(statistics, ax=ax),
        "robustness": lambda ax: plot_robustness(robustness_table(), ax=ax),
        "training": lambda ax: plot_training(metrics, ax=ax),
        "trial": lambda ax: plot_trial(suite, trials, ax=ax),
        "network": lambda ax: draw_network(net, ax=ax),
        "networks": lambda ax: draw_networks([("a", net, 0), ("b", net, 0)], ax=ax),
    }
    figure = Figure(figsize=(24, 12), layout="constrained")
    grid_of_axes = figure.subplots(2, 5)
    for ax, (name, draw) in zip(grid_of_axes.flat, pictures.items(), strict=True):
        before = len(figure.get_axes())
        assert draw(ax) is figure, name
        alone = draw(None)
        assert isinstance(alone, Figure)
        assert len(figure.get_axes()) - before == len(alone.get_axes()) - 1
    figure.savefig(tmp_path / "all.png")
    # Every picture stays in its own place of the grid.
    upper = sorted((s.bbox.x0, s.bbox.x1) for s in figure.subfigs if s.bbox.y1 > 1000)
    assert len(upper) == 3
    assert all(end <= start + 1 for (_, end), (start, _) in pairwise(upper))
    assert plt.get_fignums() == []


def test_axes_outside_of_a_grid_cannot_be_replaced():
    ax = Figure().add_axes((0, 0, 1, 1))
    with pytest.raises(InputError, match="takes the place of axes in a grid"):
        plot_nulls(brain_at(line(4)), ax=ax)
    assert isinstance(plot_map(brain_at(line(4)), ax=ax), Figure)


def test_lines_in_space_have_three_coordinates():
    (drawn,) = (
        c for c in plot_map(brain_at(sphere(5))).axes[0].collections
        if isinstance(c, Line3DCollection)
    )  # fmt: skip
    assert np.array(drawn._segments3d).shape[1:] == (2, 3)
