"""A run that is trained further, or looked at otherwise, than its configuration first said."""

import re
import signal

import pandas as pd
import pytest

import brainrnn as br
from brainrnn.config import read_toml
from brainrnn.errors import InputError
from brainrnn.runs import amend, load_experiment
from tests.commands import assert_same_training, brainrnn, one_line

SMALL = [
    *('task.names=["go", "dms"]', "network.shape=[4, 4]", "training.batch=8"),
    *("training.steps=20", "training.checkpoint_every=4", "training.evaluation_trials=4"),
    *("training.evaluate_every=10", "method.swap.every=3", "training.log_every=5"),
]


@pytest.fixture
def run(tmp_path):
    """A finished run."""
    assert brainrnn("train", "quick", *SMALL, "--out", tmp_path / "run", "--quiet")[0] == 0
    return tmp_path / "run"


def test_a_finished_run_is_trained_further(run):
    before = pd.read_csv(run / "metrics.csv")
    status, output, errors = brainrnn("resume", run, "training.steps=33", "--quiet")
    assert status == 0, errors
    assert "Trained 33 steps" in output
    opened = br.load(run)
    assert (opened.trainer.step, opened.experiment.training.steps) == (33, 33)
    metrics = pd.read_csv(run / "metrics.csv")
    pd.testing.assert_frame_equal(metrics[metrics.step <= 20], before)
    assert metrics.step.tolist()[-4:] == [20, 25, 30, 33]
    assert opened.experiment == load_experiment(run / "config.toml")
    assert "At step 20, training.steps = 20 became 33." in (run / "config.toml").read_text()
    assert "already reached its last step" in brainrnn("resume", run)[1]


def test_further_training_follows_the_schedules_of_the_new_length(run):
    amend(run, ["training.steps=40"])
    opened = br.load(run)
    rows = opened.trainer.records()
    record = next(rows)
    assert record.step == 21
    rate = opened.trainer._optimizer.param_groups[0]["lr"]
    assert rate == opened.experiment.training.rate(20) == opened.experiment.training.learning_rate


def test_further_training_that_is_stopped_resumes_exactly(run, tmp_path, monkeypatch):
    twin = tmp_path / "twin"
    assert brainrnn("train", "quick", *SMALL, "--out", twin, "--quiet")[0] == 0
    assert brainrnn("resume", twin, "training.steps=33", "--quiet")[0] == 0
    descend = br.Trainer._descend

    def interrupted(self, progress):
        if self.step == 26:
            signal.raise_signal(signal.SIGINT)
        return descend(self, progress)

    monkeypatch.setattr(br.Trainer, "_descend", interrupted)
    assert brainrnn("resume", run, "training.steps=33", "--quiet")[0] == 130
    monkeypatch.setattr(br.Trainer, "_descend", descend)
    assert brainrnn("resume", run, "--quiet")[0] == 0
    assert_same_training(run, twin)


def test_a_run_that_was_killed_before_its_first_new_checkpoint_resumes(run):
    amend(run, ["training.steps=33"])  # and nothing more
    assert "Trained 33 steps" in brainrnn("resume", run, "--quiet")[1]


def test_every_change_is_noted(run):
    amend(run, ["training.steps=22"])
    amend(run, ["training.steps=24"])
    amend(run, ["analysis.k=3"])
    notes = re.findall(r"^# (.*)$", (run / "config.toml").read_text(), re.MULTILINE)
    assert len(notes) == 2
    assert notes[1].endswith("training.steps = 22 became 24.")
    assert read_toml(run / "config.toml")["analysis"]["k"] == 3


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("method.strength=1e-3", "cannot change 'method.strength'"),
        ("training.batch=9", "cannot change 'training.batch'"),
        ("training={steps=30}", "cannot change 'training'"),
        ("training.steps=19", "has done 20 already"),
        ("training.steps=many", "training.steps"),
        ("training.stepz=30", "cannot change 'training.stepz'"),
        ("analysis.kk=30", "analysis.k"),
        ("seed", "cannot change 'seed'"),
    ],
)
def test_nothing_else_may_change(run, assignment, words):
    before = (run / "config.toml").read_bytes()
    one_line(brainrnn("resume", run, assignment), words)
    assert (run / "config.toml").read_bytes() == before


def test_a_checkpoint_of_other_settings_is_still_refused(run):
    config = (run / "config.toml").read_text()
    (run / "config.toml").write_text(config.replace("batch = 8", "batch = 9"))
    with pytest.raises(InputError, match="training differs"):
        _ = br.load(run).trainer
