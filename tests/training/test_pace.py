"""Notices of held-up steps, on a clock that is set by hand."""

import os
import re
import sys
import warnings

import numpy as np
import pytest
import torch

import brainrnn as br
from brainrnn.progress import progress_bar
from brainrnn.training import loop
from brainrnn.training.pace import Pace, SlowTraining, used_elsewhere
from tasks import cog20


class Machine:
    """A clock, and what other programs have used, both moved by hand."""

    def __init__(self, *, tells=True):
        self.now, self.used, self.tells = 0.0, 0.0, tells
        self.pace = Pace(lambda: self.now, lambda: self.used if self.tells else None)

    def wait(self, seconds, others=0.0):
        self.now += seconds
        self.used += others * seconds

    def steps(self, n, seconds, others=0.0):
        """Take steps; the messages of what they warn of."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(n):
                with self.pace.step():
                    self.wait(seconds, others)
        assert all(warning.category is SlowTraining for warning in caught)
        return [str(warning.message) for warning in caught]


@pytest.fixture(autouse=True)
def two_of_two(monkeypatch, two_threads):
    """Two threads on two processors, whatever the machine has."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.mark.parametrize("tells", [True, False])
def test_steps_that_become_slow_are_noticed_once(tells):
    machine = Machine(tells=tells)
    assert machine.steps(400, 0.025) == []
    (notice,) = machine.steps(400, 0.2)
    assert notice.startswith("steps take 8 times as long as the fastest at the start; ")
    assert "GOMP_SPINCOUNT=1000" in notice
    assert "OMP_NUM_THREADS=1" in notice
    assert machine.pace.warned


def test_programs_that_run_from_the_start_are_noticed():
    """All steps are slow alike, so that none tells it."""
    machine = Machine()
    (notice,) = machine.steps(20, 1.0, others=1.7)
    assert "other programs use 1.7 of 2 processors, and 2 threads train here" in notice


def test_what_runs_in_the_background_raises_no_alarm():
    assert Machine().steps(2000, 0.025, others=0.4) == []


def test_programs_that_leave_enough_processors_raise_no_alarm(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert Machine().steps(2000, 0.025, others=6.0) == []
    assert len(Machine().steps(2000, 0.025, others=7.0)) == 1


def test_more_threads_than_processors_are_no_other_program():
    torch.set_num_threads(4)
    assert Machine().steps(2000, 0.025) == []


def test_batches_that_differ_and_single_slow_steps_raise_no_alarm():
    machine = Machine()
    for _ in range(500):
        assert machine.steps(1, 0.02) + machine.steps(1, 0.05) == []
        assert machine.steps(1, 0.6) == []  # one of three


def test_steps_that_become_fast_and_slow_again_are_judged_by_the_start():
    """Units fall asleep, and wake."""
    machine = Machine()
    assert machine.steps(400, 0.025) == []
    assert machine.steps(4000, 0.005) == []
    assert machine.steps(400, 0.025) == []


def test_what_happens_between_steps_does_not_count():
    """Evaluations, checkpoints, and a laptop that is closed."""
    machine = Machine()
    for _ in range(100):
        assert machine.steps(10, 0.025) == []
        machine.wait(60.0)


def test_one_thread_is_not_watched():
    torch.set_num_threads(1)
    machine = Machine()
    assert machine.steps(400, 0.025) == []
    assert machine.steps(400, 0.5, others=2.0) == []


def test_what_others_use_grows_and_is_not_ours():
    before = used_elsewhere()
    if before is None:
        pytest.skip("the system does not tell")
    processors = os.sysconf("SC_NPROCESSORS_ONLN")
    start, ours = os.times().elapsed, sum(os.times()[:2])
    while sum(os.times()[:2]) - ours < 0.3:
        torch.rand(200, 200) @ torch.rand(200, 200)
    spent = used_elsewhere() - before
    # Idle or not, others have at most what we left; ticks are counted in hundredths.
    assert -0.1 < spent < processors * (os.times().elapsed - start) - 0.3 + 0.1


def test_a_training_says_it(monkeypatch):
    durations = [1.0] * 10 + [9.0] * 10
    starts = np.cumsum([0.0, *durations])
    times = iter(np.stack([starts[:-1], starts[:-1] + durations], 1).ravel())
    monkeypatch.setattr(loop, "Pace", lambda: Pace(lambda: next(times), lambda: None))
    monkeypatch.setattr(loop, "_SMALL", 0)  # no step counts as small work
    suite = cog20(names=["go"])
    net = br.RNN.for_suite(suite, sites=br.grid(3, 3))
    with pytest.warns(SlowTraining, match="steps take 9 times as long") as caught:
        br.train(net, suite, steps=20, batch=4, evaluation_trials=2)
    assert len(caught) == 1


def test_a_warning_leaves_the_bar_whole(monkeypatch, capsys):
    def show(message, *_, **__):
        print(message, file=sys.stderr)

    monkeypatch.setattr(warnings, "showwarning", show)
    with progress_bar(10) as bar:
        bar.update(3, [])
        warnings.warn("steps are slow", SlowTraining, stacklevel=1)
        bar.update(10, [])
    (line,) = [s for s in re.split("[\n\r]", capsys.readouterr().err) if "steps are slow" in s]
    assert "%" not in line  # of a bar
