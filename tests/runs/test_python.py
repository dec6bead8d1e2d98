"""Runs from Python: one line opens a folder, and a callback looks on while training."""

import pytest
import torch

import brainrnn as br


@pytest.fixture
def run(tmp_path):
    experiment = br.runs.Experiment(
        task={"names": ["go", "dms"]},
        network={"shape": [4, 4]},
        training={"steps": 8, "batch": 4, "checkpoint_every": 3},
        analysis={"trials": 8, "accuracy_trials": 4, "permutations": 50, "k_range": [2, 3]},
    )
    return br.Run.create(tmp_path / "run", experiment)


def test_one_line_opens_all_of_a_run(run):
    run.train(progress=False)
    opened = br.load(run.path)
    assert torch.equal(opened.net.wired("w_rec"), run.net.wired("w_rec"))
    assert torch.equal(opened.net.anatomy.places("hidden"), run.net.anatomy.places("hidden"))
    assert opened.suite.names == ("go", "dms")
    assert opened.metrics()["step"].tolist() == [8]
    assert opened.analysed() is None
    brain = opened.analyse(progress=False)
    assert br.load(run.path).analysed().identical(brain)
    with pytest.raises(br.InputError, match="no run in"):
        br.load(run.path.parent)


def test_a_callback_sees_every_step_and_may_stop(run):
    steps = []
    run.train(progress=False, callback=lambda record: steps.append(record.step))
    assert steps == list(range(1, 9))


def test_a_callback_that_returns_true_stops_the_run(run):
    with pytest.raises(br.InterruptedRun, match="stopped at step 5 of 8"):
        run.train(progress=False, callback=lambda record: record.step == 5)
    opened = br.load(run.path)
    assert opened.saved_step == opened.trainer.step == 5
    opened.train(progress=False)
    assert opened.finished


def test_the_former_name_of_the_callback(run):
    with (
        pytest.warns(DeprecationWarning, match="watch is now callback"),
        pytest.raises(br.InterruptedRun),
    ):
        run.train(progress=False, watch=lambda record: record.step == 2)
