from dataclasses import replace

import numpy as np
import pytest
import torch

from brainrnn.analysis import accuracy, record
from brainrnn.errors import InputError
from tests.analysis.synthetic import TASKS, Suite, quadrants, tuned_net

PLACES, MODULES = quadrants(4)


def test_activity_starts_where_each_trials_fixation_ends_and_is_nan_after_its_end():
    net, suite = tuned_net(MODULES, PLACES, members=2), Suite()
    activity = record(net, suite, "b", trials=30, rng=np.random.default_rng(1))
    trials = suite.sample(30, np.random.default_rng(1), task=np.full(30, 1))
    hidden = net.activity(trials.inputs, trials.lengths)[1].detach().numpy()
    assert activity.dims == ("member", "trial", "time", "unit")
    assert len(set(trials.lengths.tolist())) > 3
    for i in range(30):
        start, end = int(trials.periods[i, 0, 1]), int(trials.lengths[i])
        kept = activity.isel(trial=i)
        np.testing.assert_array_equal(kept.isel(time=slice(end - start)), hidden[:, start:end, i])
        assert kept.isel(time=slice(end - start, None)).isnull().all()


def test_time_is_in_ms_from_the_end_of_fixation():
    activity = record(
        tuned_net(MODULES, PLACES), Suite(), 0, trials=9, rng=np.random.default_rng(0)
    )
    np.testing.assert_array_equal(activity.time, 20.0 * np.arange(activity.sizes["time"]))
    assert activity.time.attrs["units"] == "ms"
    assert activity.isel(time=-1).notnull().any()


def test_task_by_name_and_by_index_are_the_same():
    net, suite = tuned_net(MODULES, PLACES), Suite()
    one, two = (
        record(net, suite, task, trials=5, rng=np.random.default_rng(0)) for task in ("c", 2)
    )
    assert one.identical(two)


class Undivided(Suite):
    """The same trials, as a suite that declares no periods at all, or one over the whole trial."""

    def __init__(self, columns):
        self.columns = columns

    def sample(self, n, rng, *, task=None):
        trials = super().sample(n, rng, task=task)
        periods = torch.full((n, self.columns, 2), -1)
        if self.columns:
            periods[:, -1] = torch.stack([torch.zeros(n).long(), trials.lengths], 1)
        return replace(trials, periods=periods, period_names=("x", "y")[: self.columns])


@pytest.mark.parametrize("columns", [0, 2])
def test_a_trial_without_a_second_period_is_kept_whole(columns):
    suite = Undivided(columns)
    activity = record(tuned_net(MODULES, PLACES), suite, 0, trials=8, rng=np.random.default_rng(3))
    lengths = suite.sample(8, np.random.default_rng(3), task=np.zeros(8, int)).lengths
    present = activity.isel(member=0, unit=0).notnull().sum("time")
    np.testing.assert_array_equal(present, lengths)


def test_accuracy_is_the_suites_own_score_by_member_and_task():
    net = tuned_net(MODULES, PLACES, members=2)
    result = accuracy(net, Suite(), trials=10, rng=np.random.default_rng(0))
    assert result.dims == ("member", "task")
    assert tuple(result.task.values) == TASKS
    np.testing.assert_array_equal(result, [[1] * 4, [0] * 4])


@pytest.mark.parametrize(("task", "message"), [("nope", "unknown task"), (4, "outside 0 to 3")])
def test_a_task_the_suite_lacks(task, message):
    with pytest.raises(InputError, match=message):
        record(tuned_net(MODULES, PLACES), Suite(), task, trials=2, rng=np.random.default_rng(0))
