import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from brainrnn.analysis import normalise
from brainrnn.errors import InputError
from brainrnn.plots import (
    draw_all,
    plot_nulls,
    plot_task_variance,
    plot_training,
    plot_trial,
    save_figure,
)
from brainrnn.plots.style import module_colours
from tests.analysis import synthetic
from tests.analysis.synthetic import brain_dataset


class Suite(synthetic.Suite):
    """One that can also be trained."""

    def held_out(self, n, rng):
        return self.sample(n * len(self.names), rng)

    def loss(self, outputs, batch):
        return 1 - self.score(outputs, batch).mean(1)


@pytest.fixture(scope="module")
def brain():
    return brain_dataset()


@pytest.fixture(scope="module")
def metrics():
    rows = [
        {
            "step": step,
            "member": member,
            "loss": 1 / (1 + step),
            "accuracy": step / 30 if step % 10 == 0 else np.nan,
            "cost": 5.0 + member,
            "live": 60 - step,
        }
        for step in range(30)
        for member in range(2)
    ]
    return pd.DataFrame(rows)


def test_variance_map_shows_every_active_neuron_in_the_order_of_the_modules(brain):
    heat, strip = plot_task_variance(brain).axes[:2]
    shown = np.asarray(heat.images[0].get_array())
    share = normalise(brain.task_variance).values[0][brain.active.values[0]]
    module = np.sort(brain.module.values[brain.active.values])
    assert shown.shape == (4, 36)
    assert sorted(map(tuple, shown.T)) == sorted(map(tuple, share))
    np.testing.assert_allclose(np.asarray(strip.images[0].get_array())[0], module_colours(module))
    for k in range(4):  # module k's columns are the variances of module k's neurons
        expected = normalise(brain.task_variance).values[brain.module.values == k]
        assert sorted(map(tuple, shown.T[module == k])) == sorted(map(tuple, expected))
    assert [label.get_text() for label in heat.get_yticklabels()] == list(brain.task.values)


def test_nulls_show_all_permutations_and_the_networks_value(brain):
    axes = plot_nulls(brain).axes
    assert len(axes) == 2
    for ax, name in zip(axes, ("isolated", "cluster_size"), strict=True):
        test = brain.isel(member=0).sel(statistic=name)
        (stairs,) = [p for p in ax.patches if hasattr(p, "get_data")]
        assert stairs.get_data().values.sum() == test.sizes["permutation"]
        lines = {line.get_label(): line.get_xdata()[0] for line in ax.lines}
        assert lines["this network"] == float(test.observed)
        assert lines["their mean"] == float(test.null_mean)
        assert ax.get_title(loc="left") == f"z = {float(test.z):.1f}, p = 0.005"


def test_a_null_that_does_not_vary_can_be_drawn(brain):
    flat = brain.copy(deep=True)
    flat["null"][:], flat["z"][:], flat["p"][:] = 0.5, np.nan, 1
    figure = plot_nulls(flat)
    figure.draw_without_rendering()
    assert figure.axes[0].get_title(loc="left") == "p = 1"


def test_training_curves_leave_out_what_was_not_measured(metrics):
    loss, accuracy, cost, live = plot_training(metrics).axes
    assert [len(ax.lines) for ax in (loss, accuracy, cost, live)] == [2] * 4
    assert accuracy.lines[0].get_xdata().tolist() == [0, 10, 20]
    assert cost.lines[1].get_ydata().tolist() == [6.0] * 30
    assert accuracy.get_legend() is not None
    one = plot_training(metrics[metrics.member == 1])
    assert one.axes[1].get_legend() is None


def test_a_trial_is_drawn_from_its_first_step_to_its_last():
    suite = Suite()
    trials = suite.sample(6, np.random.default_rng(0))
    for index in range(6):
        figure = plot_trial(suite, trials, index)
        length = int(trials.lengths[index])
        number, rule, target = figure.axes[:3]
        inputs = trials.inputs[:length, index].numpy()
        np.testing.assert_array_equal(number.images[0].get_array(), inputs[:, :1].T)
        np.testing.assert_array_equal(rule.images[0].get_array(), inputs[:, 1:].T)
        assert number.images[0].get_extent()[:2] == [0, 20 * length]
        steps = target.patches[0].get_data()
        np.testing.assert_array_equal(steps.values, trials.targets[:length, index])
        np.testing.assert_array_equal(steps.edges, 20.0 * np.arange(length + 1))
        assert [text.get_text() for text in number.texts] == ["fixation", "stimulus"]
        boundaries = [line.get_xdata()[0] for line in target.lines]
        assert boundaries == (20.0 * trials.periods[index, :, 0]).tolist()
        name = suite.names[int(trials.task[index])]
        assert figure.get_suptitle() == f"{name}: the sign of a number"


def test_a_trial_that_does_not_exist():
    suite = Suite()
    with pytest.raises(InputError, match="choose 0 to 1"):
        plot_trial(suite, suite.sample(2, np.random.default_rng(0)), 2)


def test_all_figures_of_a_run_are_written_whole(brain, metrics, tmp_path):
    paths = draw_all(brain, metrics, tmp_path / "figures")
    names = {"map", "task_variance", "nulls", "training"}
    assert {p.name for p in paths} == {f"{n}.{kind}" for n in names for kind in ("png", "svg")}
    assert set(paths) == set((tmp_path / "figures").iterdir())
    for path in paths:
        if path.suffix == ".png":
            pixels = np.asarray(Image.open(path).convert("RGB"))
            assert pixels.shape[1] > 800
            assert pixels.std() > 5
        else:
            assert path.read_text().rstrip().endswith("</svg>")


def test_several_networks_get_a_number_each(metrics, tmp_path):
    paths = draw_all(brain_dataset(members=2), metrics, tmp_path)
    assert {"map_0.png", "map_1.png", "nulls_1.svg", "training.png"} <= {p.name for p in paths}


def test_the_same_figure_gives_the_same_file(brain, tmp_path):
    for kind in ("png", "svg"):
        one, two = (
            save_figure(plot_nulls(brain), tmp_path / name, (kind,))[0] for name in ("a", "b")
        )
        assert one.read_bytes() == two.read_bytes()


def test_pictures_that_cannot_be_saved(tmp_path):
    with pytest.raises(InputError, match="unknown picture format 'pgn': did you mean 'png'"):
        save_figure(Figure(), tmp_path / "x", ("pgn",))
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write"):
        save_figure(Figure(), tmp_path / "file" / "x")
