"""Neurogym environments as suites, compared with what the environments make themselves."""

from __future__ import annotations

from typing import Any

import neurogym
import numpy as np
import pytest
import torch
from neurogym.core import TrialEnv
from neurogym.envs.collections import yang19
from neurogym.utils import spaces

from brainrnn.errors import InputError
from brainrnn.task import Task
from tasks import NeurogymSuite, cog20, neurogym_suite
from tasks.neurogym_bridge import last_period
from tests.tasks.test_cog20 import same

STEPS = {
    "PerceptualDecisionMaking-v0": 100,
    "DelayComparison-v0": 100,
    "ContextDecisionMaking-v0": 50,
    "GoNogo-v0": 100,
    "DelayMatchSample-v0": 100,
    "ReadySetGo-v0": 80,
    "IntervalDiscrimination-v0": 80,
    "PulseDecisionMaking-v0": 10,
    "ProbabilisticReasoning-v0": 100,
    "yang19.dlyanti-v0": 100,
    "ReachingDelayResponse-v0": 100,
}
CONTINUOUS = ["ReachingDelayResponse-v0"]


@pytest.mark.parametrize("name", STEPS)
def test_trials_are_the_environments_own(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = neurogym_suite(STEPS[name], [name], decision_weight=2)
    assert isinstance(suite, Task)
    made: list[dict[str, Any]] = []
    new_trial = TrialEnv.new_trial

    def record(env: TrialEnv, **kwargs: object) -> object:
        trial = new_trial(env, **kwargs)
        made.append(
            {"ob": env.ob, "gt": env.gt, "start": dict(env.start_ind), "end": dict(env.end_ind)}
        )
        return trial

    monkeypatch.setattr(TrialEnv, "new_trial", record)
    trials = suite.sample(12, np.random.default_rng(3))
    assert len(trials) == 12
    for i, theirs in enumerate(made[-12:]):  # earlier ones are made while resetting
        n_steps = len(theirs["ob"])
        assert trials.lengths[i] == n_steps
        np.testing.assert_array_equal(trials.inputs[:n_steps, i].numpy(), theirs["ob"])
        np.testing.assert_array_equal(trials.targets[:n_steps, i].numpy(), theirs["gt"])
        assert not trials.inputs[n_steps:, i].any()
        assert not trials.weights[n_steps:, i].any()
        for period in trials.period_names:
            start, end = trials.period(period)[i].tolist()
            if start >= 0:
                assert (start, end) == (theirs["start"][period], theirs["end"][period])
        latest = max(start for start, end in trials.periods[i].tolist())
        assert trials.weights[:, i].tolist() == [
            0 if t >= n_steps else 2 if t >= latest else 1 for t in range(len(trials.inputs))
        ]


@pytest.mark.parametrize("name", STEPS)
def test_one_seed_gives_the_same_trials_whatever_came_before(name: str) -> None:
    suite = neurogym_suite(STEPS[name], [name])
    one = suite.sample(9, np.random.default_rng(1))
    suite.sample(4, np.random.default_rng(2))
    assert same(one, suite.sample(9, np.random.default_rng(1)))
    assert same(one, neurogym_suite(STEPS[name], [name]).sample(9, np.random.default_rng(1)))
    rng = np.random.default_rng(1)
    suite.sample(9, rng)
    assert not same(one, suite.sample(9, rng))


@pytest.mark.parametrize("name", sorted(STEPS.keys() - CONTINUOUS))
def test_ground_truth_is_scored_as_right_and_has_the_least_loss(name: str) -> None:
    suite = neurogym_suite(STEPS[name], [name])
    trials = suite.sample(10, np.random.default_rng(0))
    right = torch.nn.functional.one_hot(trials.targets, suite.n_outputs).float()
    wrong = right.roll(1, dims=-1)
    both = torch.stack([right, wrong]) * 20
    assert suite.score(both, trials)[0].all()
    assert not suite.score(both, trials)[1].any()
    assert suite.loss(both, trials).shape == (2,)
    assert suite.loss(both, trials)[0] < 1e-3
    assert np.isnan(suite.ceiling()).all()


def test_continuous_actions_are_scored_at_the_last_step_within_the_tolerance() -> None:
    suite = neurogym_suite(names=["ReachingDelayResponse-v0"], tolerance=0.2)
    trials = suite.sample(6, np.random.default_rng(0))
    assert trials.targets.shape == (*trials.weights.shape, 2)
    outputs = trials.targets.expand(3, -1, -1, -1).clone()
    outputs[1, ..., 1] += 0.19
    outputs[2, ..., 1] += 0.21
    outputs[0, :3] += 5  # before the end, only the loss suffers
    assert suite.score(outputs, trials).mean(dim=1).tolist() == [1, 1, 0]
    squared = (outputs - trials.targets).square().mean(dim=-1)
    expected = (squared * trials.weights).sum(dim=(1, 2)) / trials.weights.sum()
    torch.testing.assert_close(suite.loss(outputs, trials), expected)


def test_suites_of_different_environments_share_inputs_and_outputs() -> None:
    names = ["PerceptualDecisionMaking-v0", "ContextDecisionMaking-v0", "GoNogo-v0"]
    suite = neurogym_suite(names=names)
    trials = suite.sample(30, np.random.default_rng(0))
    assert suite.names == tuple(names)
    assert (suite.n_inputs, suite.n_outputs) == (5 + 3, 3)
    assert np.bincount(trials.task).tolist() == [10, 10, 10]
    assert trials.period_names[0] == "fixation"
    assert trials.period_names[-1] == "decision"
    for i, task in enumerate(trials.task.tolist()):
        alive = trials.inputs[: trials.lengths[i], i]
        assert torch.equal(alive[:, 5:], torch.eye(3)[task].expand(len(alive), 3))
        n_observed = [3, 5, 3][task]
        assert not alive[:, n_observed:5].any()
    assert (trials.period("fixation")[trials.task == 2] == -1).all()  # GoNogo has none


@pytest.mark.filterwarnings("ignore:.*doesn't include `render_modes`")
def test_instances_keep_their_settings() -> None:
    loud = neurogym.make("PerceptualDecisionMaking-v0", sigma=0, cohs=[100])
    suite = neurogym_suite(envs=[loud, "PerceptualDecisionMaking-v0"])
    assert suite.names == ("PerceptualDecisionMaking-v0 1", "PerceptualDecisionMaking-v0 2")
    trials = suite.sample(8, np.random.default_rng(0), task=[0] * 8)
    assert set(trials.conditions["coh"]) == {100}
    silent = neurogym_suite(names=["PerceptualDecisionMaking-v0"], env_kwargs={"cohs": [0]})
    assert set(silent.sample(8, np.random.default_rng(0)).conditions["coh"]) == {0}


@pytest.mark.parametrize("name", ["dlygo", "dm1", "ctxdlydm1", "dmc"])
def test_a_task_of_the_cognitive_suite_is_the_same_through_the_bridge(name: str) -> None:
    n = 500
    ours = cog20(names=[name])
    bridged = neurogym_suite(envs=getattr(yang19, name)(dt=100))
    one = ours.sample(n, np.random.default_rng(0))
    other = bridged.sample(n, np.random.default_rng(0))
    sums = np.stack([one.inputs[..., :33].sum(dim=0).numpy(), other.inputs.sum(dim=0).numpy()])
    error = np.sqrt(sums.var(axis=1).sum(axis=0) / n)
    assert (np.abs(np.subtract(*sums.mean(axis=1))) <= 4.5 * error + 1e-6).all()
    assert one.period_names == other.period_names
    steps = [trials.periods.diff(dim=2).double().mean(dim=0).numpy() for trials in (one, other)]
    np.testing.assert_allclose(*steps, atol=0.25)
    assert set(one.targets.unique().tolist()) == set(other.targets.unique().tolist())
    fixating = torch.zeros(1, len(other.inputs), n, 17)
    assert bridged.score(fixating, other).mean() == pytest.approx(
        float((other.targets == 0).all(dim=0).float().mean())
    )


def test_environments_behind_a_schedule_choose_independently() -> None:
    """Neurogym seeds both modalities alike, so that every second trial repeats the one before."""
    suite = neurogym_suite(names=["yang19.go-v0"])
    place = suite.sample(400, np.random.default_rng(0)).conditions["ground_truth"]
    repeats = max((place[1:] == place[:-1])[start::2].mean() for start in (0, 1))
    assert repeats < 0.2


def test_without_periods_the_whole_trial_is_the_window() -> None:
    trials = neurogym_suite(names=["GoNogo-v0"]).sample(3, np.random.default_rng(0))
    trials.periods[1] = -1
    assert last_period(trials).tolist() == [[10, 15], [0, 15], [10, 15]]


class Odd(TrialEnv):
    """An environment that can be given any space, and no ground truth."""

    def __init__(
        self,
        observation_space: object = None,
        action_space: object = None,
        truth: object = None,
        dt: float = 100,
    ) -> None:
        super().__init__(dt=dt)
        self.timing = {"only": 300}
        self.truth = truth
        self.observation_space = observation_space or spaces.Box(-1, 1, shape=(2,))
        self.action_space = action_space or spaces.Discrete(3)

    def _new_trial(self, **kwargs: object) -> dict:
        self.add_period("only")
        self.add_ob(1)
        if self.truth is not None:
            self.set_groundtruth(self.truth)
        return {}

    def _step(self, action: object) -> tuple:
        return self.ob_now, 0, False, False, {}


@pytest.mark.wrong_types
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, ["needs task names, a list out of"]),
        ({"names": "GoNogo-v0"}, ["needs task names, a list out of"]),
        ({"names": ["GoNoGo-v0"]}, ["did you mean 'GoNogo-v0'"]),
        ({"names": ["CartPole-v1"], "env_kwargs": {}}, ["CartPole-v1"]),
        ({"names": ["GoNogo-v0"], "env_kwargs": {"sgima": 1}}, ["GoNogo-v0", "sgima"]),
        ({"names": ["Bandit-v0"]}, ["Bandit-v0", "ground truth"]),
        ({"names": ["Reaching1D-v0"]}, ["Reaching1D-v0", "ground truth", "3 actions"]),
        ({"envs": Odd(truth=1), "dt": 50}, ["step of 100 ms", "dt=50"]),
        ({"envs": Odd(truth=3)}, ["Odd", "not among its 3 actions"]),
        ({"envs": Odd()}, ["Odd", "ground truth"]),
        ({"envs": Odd(spaces.Box(0, 1, shape=(8, 8)), truth=1)}, ["Odd", "Box of one axis"]),
        ({"envs": Odd(spaces.Dict(a=spaces.Discrete(2)))}, ["Odd", "Box of one axis"]),
        ({"envs": Odd(action_space=spaces.MultiBinary(2))}, ["Odd", "Discrete"]),
        (
            {"envs": [Odd(truth=1), Odd(action_space=spaces.Box(-1, 1, shape=(1,)), truth=0)]},
            ["discrete and continuous"],
        ),
        ({"names": ["GoNogo-v0"], "dt": 0}, ["dt is 0"]),
        ({"names": ["ReadySetGo-v0"]}, ["ready", "83 ms", "dt <= 83"]),
        ({"envs": 5}, ["'int' is not an environment made of trials"]),
        ({"names": ["GoNogo-v0"], "decision_weight": "x"}, ["decision_weight is 'x'"]),
    ],
)
def test_bad_environments_are_refused_in_one_line(arguments: dict, words: list[str]) -> None:
    with pytest.raises(InputError) as refused:
        neurogym_suite(**arguments)
    message = str(refused.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


class Optional(Odd):
    """An environment with a period that only some trials have."""

    def _new_trial(self, **kwargs: object) -> dict:
        warned = int(self.rng.choice(2))
        if warned:
            self.add_period("warning", duration=100)
        self.add_period("only", after=100 * warned)
        self.add_ob(1)
        self.set_groundtruth(1)
        return {"warned": warned}


def test_periods_that_a_trial_lacks_are_marked() -> None:
    trials = neurogym_suite(envs=Optional()).sample(40, np.random.default_rng(0))
    warned = torch.from_numpy(trials.conditions["warned"]).bool()
    assert 0 < warned.sum() < 40
    assert trials.period_names == ("warning", "only")
    assert (trials.period("warning")[warned] == torch.tensor([0, 1])).all()
    assert (trials.period("warning")[~warned] == -1).all()
    assert trials.period("only")[:, 0].tolist() == warned.long().tolist()


def test_a_custom_environment_works() -> None:
    suite = neurogym_suite(envs=Odd(truth=2))
    assert isinstance(suite, NeurogymSuite)
    trials = suite.sample(2, np.random.default_rng(0))
    assert suite.names == ("Odd",)
    assert suite.descriptions["Odd"].startswith("An environment")
    assert trials.targets.tolist() == [[2, 2]] * 3
