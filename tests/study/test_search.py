"""Optuna's search as a study: what it asks for, that it goes on exactly, and what it reports."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import optuna
import pandas as pd
import pytest
import xarray as xr
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from brainrnn.errors import InputError
from brainrnn.streams import Stream, generator
from brainrnn.study import conduct, make_sweep
from brainrnn.study.answers import Answers
from brainrnn.study.fronts import front
from brainrnn.study.jobs import train
from brainrnn.study.measures import SweepMeasure
from brainrnn.study.sample import Sample
from brainrnn.study.search import Search, rounds
from tests.commands import brainrnn, one_line
from tests.study.test_sweep import SMALL, networks

KEYS = ("method.strength=loguniform(1e-5, 1e-1)", "method.locality=uniform(0, 4)")
SPACE = dict(key.split("=") for key in KEYS)
SPACE |= {"training.batch": "integers(4, 64)", "network.activation": "choice(relu, tanh)"}


def worth(point):
    """A landscape with its top at strength 1e-3, relu, and its bottom in wiring elsewhere."""
    off = np.log10(point["method.strength"]) + 3
    right = np.exp(-(off**2)) - 0.3 * (point["network.activation"] == "tanh")
    return right, point["method.locality"] + 0.01 * point["training.batch"]


def searched(points, goals, at_once=4, seed=1):
    sample = Sample(sampler="tpe", points=points, space=SPACE, seed=seed, at_once=at_once)
    search, asked = Search(sample, goals), []
    while search.left:
        settings = search.ask()
        asked += settings
        search.tell([worth(setting)[: len(goals)] for setting in settings])
    return asked


@pytest.mark.parametrize("goals", [("accuracy",), ("accuracy", "-wiring_length")])
def test_points_are_those_of_optuna_alone(goals):
    seed = int(generator(1, Stream.POINTS).integers(2**32))
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True)
    directions = ["maximize", "minimize"][: len(goals)]
    alone = optuna.create_study(sampler=sampler, directions=directions)
    space = {
        "method.strength": FloatDistribution(1e-5, 1e-1, log=True),
        "method.locality": FloatDistribution(0, 4),
        "training.batch": IntDistribution(4, 64),
        "network.activation": CategoricalDistribution((0, 1)),
    }
    expected = []
    for _ in range(5):
        trials = [alone.ask(space) for _ in range(4)]
        for trial in trials:
            activation = ("relu", "tanh")[trial.params["network.activation"]]
            expected.append(trial.params | {"network.activation": activation})
            rounded = {k: float(f"{trial.params[k]:.6g}") for k in list(space)[:2]}
            alone.tell(trial, worth(expected[-1] | rounded)[: len(goals)])
    for point, other in zip(searched(20, goals), expected, strict=True):
        for key, value in other.items():
            assert point[key] == (
                value if isinstance(value, str) else pytest.approx(value, rel=1e-5)
            )


def test_a_search_finds_more_than_a_sample():
    best = [max(worth(p)[0] for p in searched(40, ("accuracy",), seed=s)) for s in range(5)]
    random = [
        max(
            worth(p)[0] for p in Sample(sampler="random", points=40, space=SPACE, seed=s).settings()
        )
        for s in range(5)
    ]
    assert np.mean(best) > np.mean(random)
    late = [worth(p)[0] for s in range(5) for p in searched(40, ("accuracy",), seed=s)[20:]]
    assert np.mean(late) > 0.6  # of random points: 0.22


def test_the_number_of_points_need_not_be_one_of_whole_rounds():
    points = searched(10, ("accuracy",), at_once=4)
    assert [p["point"] for p in points] == list(range(10))
    assert points == searched(10, ("accuracy",), at_once=4)
    more = [searched(24, ("accuracy",), at_once=n) for n in (4, 7)]
    assert more[0][:10] == more[1][:10] == points  # Optuna draws the first ten at random
    assert more[0] != more[1]


def test_a_goal_that_is_not_known_is_told_as_failed():
    search = Search(Sample(sampler="tpe", points=8, space=SPACE, at_once=2), ("accuracy",))
    search.ask()
    search.tell([None, (0.5,)])
    assert [t.state.name for t in search._study.trials] == ["FAIL", "COMPLETE"]
    assert len(search.ask()) == 2


def test_optuna_says_nothing_and_keeps_its_verbosity(capsys):
    before = optuna.logging.get_verbosity()
    searched(4, ("accuracy",))
    assert optuna.logging.get_verbosity() == before
    assert capsys.readouterr() == ("", "")


def plan(**options):
    given = {"search": "accuracy,-wiring_length", "points": 5, "at_once": 2} | options
    return make_sweep("quick", [*KEYS, "seeds=2", *SMALL], **given)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    out = tmp_path_factory.mktemp("search")
    status, output, errors = brainrnn(
        *("sweep", "quick", *KEYS, "seeds=2", *SMALL, "--points", "5", "--at-once", "2"),
        *("--search", "accuracy,-wiring_length", "--out", out, "--on", "serial", "--quiet"),
    )
    assert (status, errors) == (0, "")
    assert "results.nc" in output
    return out / "sweep"


def test_a_point_is_asked_for_by_what_those_before_have_answered(found):
    rows = Answers.read(found).networks
    assert sorted(rows.point.unique()) == [0, 1, 2, 3, 4]
    assert len(rows) == 10
    sample = plan().methods["sweep"].sample
    search = Search(sample, ("accuracy", "-wiring_length"))
    means = rows.groupby("point")[["accuracy", "wiring_length"]].mean()
    while search.left:
        settings = search.ask()
        for setting in settings:
            kept = rows[rows.point == setting["point"]]
            assert (kept["method.strength"] == setting["method.strength"]).all()
        search.tell([tuple(means.loc[s["point"]]) for s in settings])


def test_the_dataset_and_the_report_of_a_search(found):
    dataset = xr.load_dataset(found / "results.nc")
    assert dict(dataset.sizes) == {"point": 5, "seed": 2}
    assert dataset["method.strength"].dims == ("point",)
    names = {path.stem for path in (found / "figures").glob("*.png")}
    assert names == {"history", "pareto", "parallel", "scatter_strength", "scatter_locality"}
    best = pd.read_csv(found / "the_best.csv")
    means = Answers.read(found).networks.groupby("point")[["accuracy", "wiring_length"]].mean()
    expected = means[front(means.wiring_length.to_numpy(), means.accuracy.to_numpy())]
    assert set(best.point) == set(expected.index)
    assert best.accuracy.is_monotonic_decreasing


def test_a_search_that_was_stopped_goes_on_exactly(found, tmp_path, monkeypatch):
    trained = []

    def counted(cell, *where):
        if len(trained) == 5 and not (tmp_path / "again").exists():
            raise RuntimeError("the power is out")
        trained.append(cell.training)
        return train(cell, *where)

    monkeypatch.setattr("brainrnn.study.shift.train", counted)
    with pytest.raises(RuntimeError, match="the power is out"):
        conduct(plan(), tmp_path, on="serial", progress=False)
    (tmp_path / "again").touch()
    conduct(plan(), tmp_path, on="serial", progress=False)
    assert len(trained) == len(set(trained)) == 6  # ten networks: two points at once train together
    for file in ("networks.csv", "items.csv", "the_best.csv"):
        assert (tmp_path / "sweep" / file).read_bytes() == (found / file).read_bytes()
    conduct(plan(), tmp_path, on="serial", progress=False)
    assert len(trained) == 6


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_a_killed_search_ends_as_another_with_other_workers(found, tmp_path, workers):
    command = [
        *(sys.executable, "-m", "brainrnn", "sweep", "quick", *KEYS, "seeds=2", *SMALL),
        *("--search", "accuracy,-wiring_length", "--points", "5", "--at-once", "2", "--quiet"),
        *("--out", str(tmp_path), "--workers", str(workers)),
    ]
    process = subprocess.Popen(command, start_new_session=True)
    while len(list((tmp_path / "sweep" / "answers").glob("*/networks.csv"))) < 5:
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "networks").glob("*/finished")}
    subprocess.run(command, check=True, timeout=300)
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())
    assert len(list((tmp_path / "networks").glob("*/finished"))) == 10
    for file in ("networks.csv", "items.csv"):
        assert (tmp_path / "sweep" / file).read_bytes() == (found / file).read_bytes()


def test_answers_of_another_search_are_refused(found, tmp_path, monkeypatch):
    conduct(plan(points=2), tmp_path, on="serial", progress=False)
    ask = Search.ask
    monkeypatch.setattr(
        Search, "ask", lambda self: [s | {"method.locality": 1.5} for s in ask(self)]
    )
    with pytest.raises(InputError, match="went another way") as caught:
        conduct(plan(points=2), tmp_path, on="serial", progress=False)
    assert "\n" not in str(caught.value)


def test_several_methods_are_searched_with_the_same_budget():
    study = plan()
    method = study.methods["sweep"]
    other = method.model_copy(update={"label": "L1", "settings": ("method.swap.algorithm=none",)})
    fixed = method.model_copy(update={"label": "fixed", "sample": None})
    study = study.model_copy(update={"methods": {"a": method, "b": other, "c": fixed}})
    first = next(rounds(study, "nowhere"))
    count = pd.Series([cell.method for cell in first]).value_counts()
    assert count.to_dict() == {"a": 4, "b": 4, "c": 2}  # two points, two seeds


def test_history_is_the_best_so_far():
    rows = networks(
        **{"point": [0, 1, 2, 3], "a.x": [1, 2, 3, 4], "seed": 0, "accuracy": [0.2, 0.5, 0.4, 0.9]},
        wiring_length=[5.0, 9.0, 4.0, 6.0],
    )
    found = SweepMeasure(goals=("accuracy", "-wiring_length")).findings(rows)
    up, down = found.figures["history"][0].axes
    np.testing.assert_allclose(up.lines[0].get_ydata(), rows.accuracy)
    np.testing.assert_allclose(up.lines[1].get_ydata(), [0.2, 0.5, 0.5, 0.9])
    np.testing.assert_allclose(down.lines[1].get_ydata(), [5, 5, 4, 4])
    assert found.tables["The best"].point.tolist() == [3, 2]
    one = SweepMeasure(goals=("-wiring_length",)).findings(rows)
    assert one.tables["The best"].point.tolist() == [2, 0, 3, 1]
    assert "pareto" not in one.figures


@pytest.mark.parametrize(
    ("search", "options", "words"),
    [
        ("acuracy", {}, "unknown goal 'acuracy': did you mean 'accuracy'"),
        ("-wiring", {}, "did you mean '-wiring_length'"),
        ("", {}, "unknown goal ''"),
        ("accuracy,-accuracy", {}, "goals must differ"),
        ("accuracy,absent,modules", {}, "one or two goals"),
        ("accuracy", {"points": 0}, "--points must be at least 1, got 0"),
        ("accuracy", {"points": None}, "--search needs --points"),
        ("accuracy", {"at_once": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_searched_is_one_line(search, options, words):
    with pytest.raises(InputError, match=words) as caught:
        plan(**{"search": search} | options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("assignment", "search", "words"),
    [
        ("method.strength=uniform(-1, 1)", "accuracy", "greater than or equal to 0"),
        ("network.activation=choice(relu, tan)", "accuracy", "tan"),
        ("training.batch=uniform(1, 9)", "accuracy", "valid integer"),
        ("method.strenght=uniform(0, 1)", "accuracy", "did you mean 'method.strength'"),
        ("method.strength=uniform(0, 1)", "modularity", "did you mean 'modules'"),
        ("method.strength=uniform(0, 1)", "acuracy", "did you mean 'accuracy'"),
    ],
)
def test_values_and_goals_are_refused_before_anything_trains(tmp_path, assignment, search, words):
    options = ("--search", search, "--points", "20", "--out", tmp_path, "--on", "serial")
    one_line(brainrnn("sweep", "quick", assignment, *options), words)
    assert not list(tmp_path.iterdir())


def test_a_search_without_optuna_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    options = ("--search", "accuracy", "--points", "4", "--out", tmp_path)
    one_line(brainrnn("sweep", "quick", KEYS[0], *options), "pip install 'brainrnn[optuna]'")
    assert not list(tmp_path.iterdir())
