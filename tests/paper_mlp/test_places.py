"""Runs of the paper are trained by the machinery of studies: anywhere, and each by one process."""

import json
import shutil
from contextlib import ExitStack

import pytest

from brainrnn.errors import InterruptedRun
from brainrnn.study.conducting import conducting
from brainrnn.study.jobs import End, is_trained, train, training_seconds
from brainrnn.study.signs import claim
from paper_mlp.experiments import EXPERIMENTS
from paper_mlp.outcome import Outcome, results_in
from paper_mlp.session import Choice, ask_for, finish
from tests.commands import assert_same_training, one_line, paper_mlp
from tests.paper_mlp.small import LIKE, files, small_experiments
from tests.study.slurm.conftest import slurm_of_one_node
from tests.study.test_workers import cluster

CHOICE = Choice("notebook", 2, "l1,bimt", 40, None)


def asked(out, *names):
    return ask_for([EXPERIMENTS[name] for name in names], CHOICE, out)


@pytest.fixture(params=["local", "dask", "slurm"])
def place(request, tmp_path):
    """Where to train, and the options for that place."""
    with ExitStack() as stack:
        options = {"workers": 2}
        if request.param == "dask":
            pytest.importorskip("distributed")
            address, _ = stack.enter_context(cluster(tmp_path))
            options = {"scheduler": address}
        if request.param == "slurm":
            stack.enter_context(slurm_of_one_node())
            options["slurm"] = {"time": "10"}
        yield {"on": request.param} | options


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_workers_train_side_by_side_what_one_process_trains(root, printed, tmp_path, place):
    runs = asked(tmp_path / "out", "fig2", "fig4")
    outcomes = finish(runs, quiet=True, **place)
    assert [outcome.reproduction.name for outcome in outcomes] == ["fig2", "fig4"]
    for name in ("fig2", "fig4"):
        alone = {"folder": "", "seconds": 0} | printed[name]
        run = tmp_path / "out" / f"{name}-notebook"
        here = results_in(run)
        assert_same_training(root / f"{name}-notebook", run)
        for one in (alone, here):
            del one["folder"], one["seconds"]
        assert here == alone
        assert (run / "figures" / "graph.png").is_file()


@pytest.mark.usefixtures("small")
def test_what_another_process_trains_is_left_to_it(tmp_path):
    (run,) = asked(tmp_path, "fig3a")
    with conducting(tmp_path, on="serial") as (_, lamp, _):
        with claim(lamp.path.parent, run.folder.name) as ours:
            assert ours
            assert train(run.cell(1), tmp_path, lamp.path).end is End.ELSEWHERE
        assert not run.folder.exists()


class Tired:
    """Asks a job to end when it has looked often enough."""

    def __init__(self, _lamp):
        self.looks = 0

    @property
    def stopped(self):
        self.looks += 1
        return self.looks > 25  # one of them before training begins


@pytest.mark.usefixtures("small")
def test_a_stopped_run_goes_on_where_it_was(root, printed, tmp_path, monkeypatch):
    assert printed["fig2"]
    (run,) = asked(tmp_path, "fig2")
    monkeypatch.setattr("brainrnn.study.jobs.Watch", Tired)
    with pytest.raises(InterruptedRun, match="stopped at step 25 of 40") as stopped:
        finish([run], quiet=True)
    assert f"`paper-mlp resume {run.folder}`" in str(stopped.value)
    assert not is_trained(run.folder)
    assert results_in(run.folder) is None
    monkeypatch.undo()
    with small_experiments():
        finish([run], quiet=True)
    assert_same_training(root / "fig2-notebook", run.folder)
    took = training_seconds(run.folder)
    assert took > 0
    assert results_in(run.folder)["seconds"] == round(took, 1)


@pytest.mark.usefixtures("small")
def test_results_are_made_once_and_anew_when_asked_for(root, printed, tmp_path):
    assert printed["fig2"]
    shutil.copytree(root / "fig2-notebook", tmp_path / "fig2-notebook")
    (run,) = asked(tmp_path, "fig2")
    before = files(tmp_path)
    (outcome,) = finish([run], quiet=True, on="local", workers=1)  # nothing to do, no process
    assert isinstance(outcome, Outcome)
    assert files(tmp_path) == before
    results = tmp_path / "fig2-notebook" / "results.json"
    told = json.loads(results.read_text())
    results.write_text(json.dumps(told | {"methods": {}}))
    finish([run], again=True, quiet=True)
    assert json.loads(results.read_text()) == told | {"folder": str(run.folder)}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "fig2", "--workers", "2"], ["a number of workers is for --on local"]),
        (["tables", "--workers", "2"], ["a number of workers is for --on local"]),
        (["run", "fig2", "--on", "dask"], ["--scheduler ADDRESS"]),
        (["all", "--on", "dask"], ["--scheduler ADDRESS"]),
        (["run", "fig2", "--on", "moon"], ["--on", "serial"]),
        (["run", "fig2", "--device", "cuda:9"], ["no device 'cuda:9'"]),
    ],
)
def test_a_place_that_is_not_there_is_one_line(arguments, words, tmp_path):
    one_line(paper_mlp(*arguments, *LIKE, "--out", tmp_path / "x" / "y", "--quiet"), *words)
    assert [path for path in tmp_path.rglob("*") if not path.is_dir()] == []
