"""Sweeps: every combination of some settings, as a study, a table and an xarray dataset."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from brainrnn.analysis import analyse
from brainrnn.errors import InputError
from brainrnn.runs.folder import Run
from brainrnn.study import make_sweep, results
from brainrnn.study.answers import Answers
from brainrnn.study.measures import SweepMeasure
from tests.commands import brainrnn, one_line

SMALL = (
    *("network.shape=[4,4]", 'task.names=["go","anti"]', "training.steps=6", "training.batch=8"),
    *("analysis.trials=16", "analysis.accuracy_trials=8", "analysis.permutations=50"),
    "analysis.k=2",
)


def test_every_combination_is_a_network():
    study = make_sweep(
        "quick", ["method.strength=logspace(-5, -3, 3)", "method.locality=[0, 2.5]", "seeds=[7, 3]"]
    )
    settings = {(c.setting["method.strength"], c.setting["method.locality"]) for c in study.cells()}
    assert settings == {(s, x) for s in (1e-5, 1e-4, 1e-3) for x in (0, 2.5)}
    for cell in study.cells():
        method = cell.experiment.method
        assert method.strength == cell.setting["method.strength"]
        assert method.locality == cell.setting["method.locality"]
        assert cell.experiment.seed == cell.seed
    assert len(study.cells()) == 12
    assert study.title == "Sweep of method.strength and method.locality"


def test_what_is_a_list_by_nature_is_set_and_not_swept():
    study = make_sweep(
        "quick",
        [
            *("network.shape=[3, 5]", 'task.names=["go"]', "training.steps=9"),
            *("method.swap.algorithm=none", "method.strength=linspace(0, 1, 5)", "seeds=2"),
        ],
    )
    experiment = study.cells()[0].experiment
    assert experiment.network.shape == (3, 5)
    assert experiment.task.names == ("go",)
    assert experiment.training.steps == 9
    assert experiment.method.swap.algorithm == "none"
    assert study.methods["sweep"].sweep == {"method.strength": (0, 0.25, 0.5, 0.75, 1)}
    assert study.seeds == (0, 1)


@pytest.mark.parametrize(
    ("assignments", "words"),
    [
        ([], "nothing is swept"),
        (["training.steps=5"], "nothing is swept"),
        (["method.strength"], "not KEY=VALUE"),
        (["method.strenght=[0, 1]"], "strenght"),
        (["method.strength=[]"], "needs values"),
        (["method.strength=[1, 1]"], "must differ"),
        (["method.strength=[-1, 1]"], "strength"),
        (["method.strength=logspace(-5, -3)"], r"write logspace\(FIRST, LAST, NUMBER\)"),
        (["method.strength=logspace(a, -3, 3)"], "two numbers"),
        (["method.strength=linspace(0, 1, 0)"], "how many values"),
        (["method.strength=linspace(0, 1, 2.5)"], "how many values"),
        (["method.strength=[0, 1]", "seeds=0"], "number of seeds"),
        (["method.strength=[0, 1]", "seeds=[]"], "number of seeds"),
        (["method.strength=[0, 1]", "seeds=many"], "number of seeds"),
        (["method.strength=[0, 1]", "seeds=[1, 1]"], "differ"),
        (["method.strength=[0, 1]", "seed=3"], "a sweep has seeds"),
    ],
)
def test_what_cannot_be_swept_is_one_line(assignments, words):
    with pytest.raises(InputError, match=words) as caught:
        make_sweep("quick", assignments).cells()
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    out = tmp_path_factory.mktemp("sweeps")
    status, output, errors = brainrnn(
        *("sweep", "quick", "method.strength=[0, 1e-2]", "method.locality=[0, 1, 2]", "seeds=2"),
        *(*SMALL, "--out", out, "--on", "serial", "--quiet"),
    )
    assert (status, errors) == (0, "")
    assert str(out / "sweep" / "results.nc") in output
    return out


def test_results_are_an_xarray_dataset_over_the_swept_keys(swept):
    found = xr.load_dataset(swept / "sweep" / "results.nc")
    assert dict(found.sizes) == {"method.strength": 2, "method.locality": 3, "seed": 2}
    networks = Answers.read(swept / "sweep").networks
    assert len(networks) == 12
    for row in networks.to_dict("records"):
        keys = ("method.strength", "method.locality", "seed")
        one = found.sel({key: row[key] for key in keys})
        for name in ("accuracy", "wiring_length", "isolated_z", "cluster_size_p", "active"):
            np.testing.assert_equal(one[name].item(), row[name])
    assert found.identical(results(swept / "sweep"))
    # Price makes the wiring shorter; a network without a price does not know of locality.
    length = found.wiring_length.mean("seed")
    assert (length[1] < length[0]).all()


def test_each_network_is_what_its_run_says(swept):
    study = make_sweep(
        "quick", ["method.strength=[0, 1e-2]", "method.locality=[0, 1, 2]", "seeds=2", *SMALL]
    )
    networks = Answers.read(swept / "sweep").networks.set_index("network")
    for cell in study.cells()[:3]:
        run = Run.open(swept / "networks" / cell.training)
        assert run.experiment.method.strength[cell.member] == cell.setting["method.strength"]
        brain = analyse(run.net, run.suite, run.experiment.analysis, seed=cell.seed)
        brain = brain.isel(member=cell.member)
        row = networks.loc[cell.name]
        assert row.accuracy == float(brain.accuracy.mean())
        assert row.absent == float(brain.sparsity)
        weight = abs(brain.weight.values.astype(float))
        place = brain.position.values
        distance = np.linalg.norm(place[:, None] - place[None], axis=-1)
        assert row.wiring_length == pytest.approx((weight * distance).sum(), rel=1e-5)
    items = Answers.read(swept / "sweep").items
    means = items.groupby("network").task_accuracy.mean()
    np.testing.assert_allclose(means[networks.index], networks.accuracy)


def test_the_page_has_the_means_and_the_pictures(swept):
    folder = swept / "sweep"
    table = pd.read_csv(folder / "each_setting.csv")
    networks = Answers.read(folder).networks
    keys = ["method.strength", "method.locality"]
    mean = networks.groupby(keys).accuracy.agg(["mean", "std"])
    assert len(table) == 6
    for row in table.to_dict("records"):
        one = mean.loc[tuple(row[key] for key in keys)]
        assert row["accuracy"] == f"{one['mean']:.3f} ± {one['std']:.3f}"
        assert row["seeds"] == 2
    assert {p.name for p in (folder / "figures").glob("*.png")} == {"heat_maps.png", "pareto.png"}


def networks(**columns):
    rows = pd.DataFrame(columns)
    facts = ("accuracy", "absent", "active", "modules", "wiring_length", "isolated_z")
    known = dict.fromkeys((*facts, "cluster_size_z", "ceiling"), 1.0)
    return rows.assign(**{k: v for k, v in known.items() if k not in rows}, label="network")


def test_heat_maps_hold_the_means_over_seeds():
    rows = networks(
        **{
            "a.x": [1, 1, 2, 2, 1, 2],
            "b.y": [0.5, 0.5, 0.5, 0.5, 3, 3],
            "seed": [0, 1, 0, 1, 0, 0],
            "accuracy": [0.2, 0.4, 0.6, 1.0, 0.25, 0.75],
        }
    )
    figure, _ = SweepMeasure().findings(rows).figures["heat_maps"]
    ax = figure.axes[0]
    drawn = ax.collections[0].get_array()
    np.testing.assert_allclose(drawn.reshape(2, 2), [[0.3, 0.25], [0.8, 0.75]])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["1", "2"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0.5", "3"]


def test_lines_are_means_over_seeds_and_other_settings():
    rows = networks(
        **{
            "a.x": [1, 1, 100, 100],
            "b.y": [0, 1, 0, 1],
            "c.z": [0, 0, 0, 5],
            "seed": [0, 0, 0, 0],
            "accuracy": [0.2, 0.4, 0.6, 1.0],
            "wiring_length": [10.0, 5.0, 20.0, 40.0],
        }
    )
    figures = SweepMeasure().findings(rows).figures
    assert set(figures) == {"lines_x", "lines_y", "lines_z", "pareto"}
    ax = figures["lines_x"][0].axes[0]
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[1, 0.3], [100, 0.8]])
    assert ax.get_xscale() == "log"
    assert figures["lines_y"][0].axes[0].get_xscale() == "linear"
    front = figures["pareto"][0].axes[0].lines[1].get_xydata()
    np.testing.assert_allclose(front, [[5, 0.4], [20, 0.6], [40, 1.0]])


def test_words_are_rows_and_keep_their_order():
    rows = networks(
        **{
            "a.word": ["tanh", "relu", "tanh", "relu"],
            "b.flag": [True, False, False, True],
            "seed": [0, 0, 1, 1],
            "accuracy": [0.2, 0.5, 0.4, 0.9],
        }
    )
    figure, _ = SweepMeasure().findings(rows).figures["heat_maps"]
    ax = figure.axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["tanh", "relu"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["true", "false"]
    drawn = ax.collections[0].get_array()
    np.testing.assert_allclose(drawn.reshape(2, 2), [[0.2, 0.4], [0.9, 0.5]])
    figure, _ = SweepMeasure().findings(rows.drop(columns="b.flag")).figures["lines_word"]
    ax = figure.axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["tanh", "relu"]
    bars = [line.get_xdata() for line in ax.lines if line.get_marker() == "None"]
    np.testing.assert_allclose(bars, [[0.3, 0.3], [0.7, 0.7]])


def test_several_methods_are_told_apart():
    rows = networks(
        **{
            "a.x": [1, 2, 1, 2],
            "seed": 0,
            "accuracy": [0.2, 0.5, 0.4, 0.9],
            "wiring_length": [5.0, 9.0, 4.0, 10.0],
        }
    ).assign(label=["L1", "L1", "BIMT", "BIMT"])
    found = SweepMeasure().findings(rows)
    assert found.tables["Each setting"].label.tolist() == ["L1", "L1", "BIMT", "BIMT"]
    lines = found.figures["lines_x"][0].axes[0].lines
    np.testing.assert_allclose(lines[0].get_xydata(), [[1, 0.2], [2, 0.5]])
    np.testing.assert_allclose(lines[2].get_xydata(), [[1, 0.4], [2, 0.9]])
    pareto = found.figures["pareto"][0].axes[0].lines
    assert [line.get_label() for line in pareto[:2]] == ["L1", "BIMT"]
    np.testing.assert_allclose(pareto[2].get_xydata(), [[4, 0.4], [9, 0.5], [10, 0.9]])


def test_the_front_is_of_means_over_seeds():
    rows = networks(
        **{
            "a.x": [1, 1, 2, 2],
            "seed": [0, 1, 0, 1],
            "accuracy": [0.9, 0.1, 0.6, 0.6],
            "wiring_length": [4.0, 4.0, 4.0, 4.0],
        }
    )
    front = SweepMeasure().findings(rows).figures["pareto"][0].axes[0].lines[1].get_xydata()
    np.testing.assert_allclose(front, [[4, 0.6]])


def test_a_dataset_of_words(tmp_path):
    rows = pd.DataFrame(
        {
            "network": list("abcd"),
            **{"method": "sweep", "label": "network", "seed": [0, 0, 0, 0]},
            "a.word": ["tanh", "relu", "tanh", "relu"],
            "b.shape": ["[9, 9]", "[9, 9]", "[10, 10]", "[10, 10]"],
            "c.flag": [True, True, False, False],
            "accuracy": [0.2, 0.5, 0.4, 0.9],
        }
    )
    Answers(rows, rows[["network"]]).write(tmp_path)
    found = results(tmp_path)
    assert found["a.word"].values.tolist() == ["tanh", "relu"]
    assert found["b.shape"].values.tolist() == ["[9, 9]", "[10, 10]"]
    found.to_netcdf(tmp_path / "results.nc", engine="h5netcdf")
    again = xr.load_dataset(tmp_path / "results.nc")
    assert again["c.flag"].dtype == bool
    for row in rows.to_dict("records"):
        keys = {key: row[key] for key in ("a.word", "b.shape", "c.flag", "seed")}
        assert again.accuracy.sel(keys).item() == row["accuracy"]


@pytest.mark.parametrize(
    ("config", "key", "quantity"),
    [
        ("paper/fig4-notebook", "network.hidden=[[3], [4, 4]]", "accuracy"),
        ("paper/fig7-notebook", "network.heads=[1, 2]", "loss"),
    ],
)
def test_any_network_is_swept(tmp_path, config, key, quantity):
    few = [f"training.{what}=2" for what in ("steps", "log_every", "evaluate_every")]
    size = ["network.width=4", "training.batch=4"] if "heads" in key else []
    alone = ["network.members=1", "network.starts=[0]", "method.swap.locality=unset"]
    alone += ["method.strength=0.1", "method.locality=[1, 2]"]
    status, _, errors = brainrnn(
        *("sweep", config, key, *few, *size, *alone, "--out", tmp_path, "--on", "serial"),
        *("--quiet", "--name", "any"),
    )
    assert (status, errors) == (0, "")
    found = xr.load_dataset(tmp_path / "any" / "results.nc")
    assert dict(found.sizes) == {key.partition("=")[0]: 2, "method.locality": 2, "seed": 1}
    assert np.isfinite(found[quantity]).all()
    run = next((tmp_path / "networks").iterdir())
    rows = Answers.read(tmp_path / "any").networks
    told = Run.open(run).metrics().iloc[-1]
    np.testing.assert_array_less(0, rows.wiring_length)
    assert (rows.loss.sub(told.test_loss).abs() < 1e-5).any()
    assert (tmp_path / "any" / "figures" / "pareto.png").is_file()


def test_a_statistic_that_is_nowhere_known_is_left_out():
    rows = networks(**{"a.x": [1, 2], "seed": [0, 0], "isolated_z": [np.nan, np.nan]})
    figure, _ = SweepMeasure().findings(rows).figures["lines_x"]
    drawn = {ax.get_title("left") for ax in figure.axes if ax.axison}
    assert "accuracy" in drawn
    assert "z fraction of neurons isolated" not in drawn


def test_results_of_a_folder_without_answers_are_one_line(tmp_path):
    with pytest.raises(InputError, match=r"networks\.csv is missing"):
        results(tmp_path)
    assert not list(tmp_path.iterdir())
    one_line(brainrnn("sweep", "quick", "method.strength=5", "--out", tmp_path), "nothing is swept")
    one_line(brainrnn("sweep", "quikc", "method.strength=[1]", "--out", tmp_path), "quick")
