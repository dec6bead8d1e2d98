"""Cognitive tasks as gymnasium and neurogym environments: the same trials, one at a time."""

from __future__ import annotations

import subprocess
import sys
import warnings

import gymnasium as gym
import neurogym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from tasks import modcog, neurogym_suite
from tasks.modcog import EXTENSIONS
from tasks.registry import environment_id

# What gymnasium says of every neurogym environment.
USUAL = (
    "Box observation space",
    "Official support for the `seed`",
    "variables from other wrappers",
)


def make(name: str, **kwargs: object) -> gym.Env:
    return gym.make(environment_id(name), disable_env_checker=True, **kwargs)


@pytest.mark.parametrize("name", EXTENSIONS)
def test_gymnasiums_checker(name: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_env(make(name).unwrapped, skip_render_check=True)
    unusual = [str(w.message) for w in caught if not any(u in str(w.message) for u in USUAL)]
    assert unusual == []


def test_gymnasium_finds_them_by_name_alone() -> None:
    code = "import gymnasium; print(gymnasium.make('tasks:ModCog/dm1seql-v0', dt=20).unwrapped.dt)"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout == "20\n"


@pytest.mark.parametrize("name", ["go", "dm1seql", "dlyantiintrseqr", "dmcintl"])
@pytest.mark.parametrize("reference", [False, True])
def test_trials_are_the_suites(name: str, reference: bool) -> None:
    env = make(name, dt=50, reference=reference).unwrapped
    env.seed(3)
    suite = modcog(50, [name], reference=reference)
    seeds = np.random.RandomState(3)
    for _ in range(5):
        env.new_trial()
        rng = np.random.default_rng(int(seeds.randint(2**32, dtype=np.uint64)))
        trials = suite.sample(1, rng)
        assert np.array_equal(env.ob, trials.inputs[:, 0, :33])
        assert np.array_equal(env.gt, trials.targets[:, 0])
        for period, (start, end) in zip(trials.period_names, trials.periods[0], strict=True):
            if start >= 0:
                assert (env.start_ind[period], env.end_ind[period]) == (start, end)


def _play(env: gym.Env, answer: object) -> tuple[float, float]:
    """Reward and performance of one trial."""
    total = 0.0
    while True:
        action = answer(env) if callable(answer) else answer
        _, reward, _, _, info = env.step(action)
        total += reward
        if info["new_trial"]:
            return total, info["performance"]


@pytest.mark.parametrize("name", ["go", "dms", "dmsseqr", "goseqr", "dlydm1intlseql"])
def test_who_follows_the_target_earns_one(name: str) -> None:
    env = make(name).unwrapped
    env.seed(1)
    env.new_trial()
    for _ in range(20):
        reward, performance = _play(env, lambda env: int(env.gt_now))
        assert reward == pytest.approx(1)
        assert performance == 1


def test_not_to_act_is_right_in_trials_without_an_answer_only() -> None:
    env = make("dnms").unwrapped
    env.seed(3)
    env.new_trial()
    seen = set()
    for _ in range(20):
        silent = not env.gt[env.start_ind["decision"] :].any()
        assert _play(env, 0) == (float(silent), float(silent))
        seen.add(silent)
    assert seen == {True, False}


def test_a_moving_answer_earns_a_share_for_every_step() -> None:
    env = make("goseqr").unwrapped
    env.seed(2)
    env.new_trial()
    first = lambda env: int(env.gt[env.start_ind["decision"]]) if env.gt_now else 0  # noqa: E731
    reward, performance = _play(env, first)  # does not move on
    assert reward == pytest.approx(0.1)
    assert performance == 0


def test_a_supervised_dataset() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = neurogym.Dataset(make("dlygointlseqr"), batch_size=4, seq_len=40)
        inputs, target = data()
        assert inputs.shape == (40, 4, 33)
        assert target.shape == (40, 4)
        assert set(np.unique(target)) <= set(range(17))
        assert (target > 0).any()
        one, other = [], []
        for batches in (one, other):
            data.seed(5)
            data._cache()
            batches += [data._inputs.copy(), data._target.copy()]
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a, b)


def test_neurogyms_own_suite_takes_it() -> None:
    suite = neurogym_suite(names=["ModCog/goseqr-v0"])
    trials = suite.sample(3, np.random.default_rng(0))
    assert trials.inputs.shape[2] == suite.n_inputs
    assert len(np.unique(trials.targets[:, 0].numpy())) > 5
