"""Loss against its formula, score against stepping through neurogym's environments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from neurogym.envs.collections import yang19
from scipy.special import log_softmax

from brainrnn.task import Trials
from tasks import COG20, cog20
from tasks.supervised import choice_score, within


def test_loss_is_the_weighted_mean_cross_entropy_of_each_member() -> None:
    suite = cog20(decision_weight=7)
    trials = suite.sample(23, np.random.default_rng(0))
    outputs = torch.randn(3, *trials.targets.shape, 17, generator=torch.Generator().manual_seed(0))
    log_p = log_softmax(outputs.double().numpy(), axis=-1)
    for member in range(3):
        total = weight = 0.0
        for i in range(23):
            start, end = trials.period("decision")[i].tolist()
            for t in range(int(trials.lengths[i])):
                w = 7 if start <= t < end else 1
                total -= w * log_p[member, t, i, trials.targets[t, i]]
                weight += w
        assert suite.loss(outputs, trials)[member].item() == pytest.approx(total / weight, rel=1e-5)


def test_loss_ignores_padding_and_other_members() -> None:
    suite = cog20(names=["rtgo", "dms"])
    trials = suite.sample(8, np.random.default_rng(0))
    outputs = torch.zeros(2, *trials.targets.shape, 17)
    before = suite.loss(outputs, trials)
    outputs[:, trials.weights == 0] = torch.randn(17) * 100
    outputs[1] += torch.randn_like(outputs[1])
    after = suite.loss(outputs, trials)
    assert after[0] == before[0]
    assert after[1] != before[1]


def step_through(env: Any, actions: np.ndarray) -> int:
    """Performance in the trial that an environment is at, of actions given for every step."""
    base = env.unwrapped
    base.t = base.t_ind = base.performance = 0
    for action in actions:
        info = env.step(int(action))[-1]
        if info["new_trial"]:
            return info["performance"]
    raise AssertionError("the trial did not end with its last step")


@pytest.mark.filterwarnings("ignore:.*variables from other wrappers")
@pytest.mark.parametrize("name", COG20)
def test_score_is_neurogyms_except_for_responses_rightly_withheld(name: str) -> None:
    env = getattr(yang19, name)(dt=100)
    env.get_wrapper_attr("seed")(0)
    env.reset()
    rng = np.random.default_rng(0)
    scores: dict[str, list[float]] = {"wrong": [], "right": []}
    for style in ["right", "random", "random", "early", "late", "withheld"] * 15:
        env.new_trial()
        base = env.unwrapped
        target = base.gt.copy()
        n_steps = len(target)
        start, end = base.start_ind["decision"], base.end_ind["decision"]
        if style == "right":
            actions = target
        elif style == "random":
            pick = rng.random(n_steps)
            actions = np.where(pick < 0.8, 0, np.where(pick < 0.9, rng.integers(17), target))
        else:
            actions = np.zeros(n_steps, int)
            where = {"early": start - 1, "late": end - 1, "withheld": start}[style]
            actions[where] = 0 if style == "withheld" else target[-1]
        performance = step_through(env, actions)

        targets = torch.from_numpy(target)[:, None]
        trials = Trials(
            inputs=torch.zeros(n_steps, 1, 33),
            targets=targets,
            weights=torch.ones(n_steps, 1),
            lengths=torch.tensor([n_steps]),
            task=torch.tensor([0]),
            period_names=("decision",),
            periods=torch.tensor([[[start, end]]]),
        )
        outputs = torch.nn.functional.one_hot(torch.from_numpy(actions), 17)[None, :, None].float()
        score = choice_score(outputs, trials, trials.period("decision")).item()
        if target.any():
            assert score == performance
        else:
            assert performance == 0
            assert score == (not actions[start:end].any())
        scores["right" if score else "wrong"].append(score)
    assert len(scores["right"]) > 15
    assert len(scores["wrong"]) > 15


def test_members_are_scored_apart() -> None:
    suite = cog20()
    trials = suite.sample(200, np.random.default_rng(1))
    right = torch.nn.functional.one_hot(trials.targets, 17).float()
    fixating = torch.zeros_like(right)
    fixating[..., 0] = 1
    wrong = right.roll(1, dims=-1)
    score = suite.score(torch.stack([right, fixating, wrong]), trials)
    assert score.shape == (3, 200)
    assert score[0].all()
    no_go = torch.from_numpy(trials.conditions["target"] == 0)
    assert torch.equal(score[1].bool(), no_go)
    assert not score[2].any()


def test_answers_after_the_trials_end_do_not_count() -> None:
    suite = cog20(names=["rtgo", "dms"])
    trials = suite.sample(20, np.random.default_rng(0))
    right = torch.nn.functional.one_hot(trials.targets, 17).float()
    right[trials.weights == 0] = torch.nn.functional.one_hot(torch.tensor(5), 17).float()
    assert suite.score(right[None], trials).all()


def test_window_is_half_open() -> None:
    inside = within(torch.tensor([[1, 3], [0, 0]]), 4)
    assert inside.T.tolist() == [[False, True, True, False], [False] * 4]
