"""Ceilings against a closed form, and against observers that see every noisy step."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import norm

from tasks import COG20, cog20
from tasks.ideal_observer import best_accuracy
from tasks.yang2019 import condition_table


@pytest.mark.parametrize("dt", [100, 30])
@pytest.mark.parametrize(
    ("name", "seed"), [("dm2", 0), ("dm2", 1), ("ctxdlydm1", 0), ("dlydm2", 3), ("multidm", 2)]
)
def test_two_conditions_have_a_closed_form(name: str, seed: int, dt: float) -> None:
    """Two known signals in white noise are told apart with probability Phi(distance / 2)."""
    table = condition_table(name)
    rng = np.random.default_rng(seed)
    while True:
        two = table[rng.choice(len(table), 2, replace=False)]
        two.strength[:] *= 0.15  # faint, else nobody errs
        if two.target[0] != two.target[1]:
            break
    signals = cog20(dt, [name]).render(np.zeros(2, np.int64), two).inputs
    distance = float((signals[:, 0] - signals[:, 1]).norm()) * np.sqrt(dt)
    assert best_accuracy(two, dt) == pytest.approx(norm.cdf(distance / 2), abs=0.006)


@pytest.mark.parametrize("copies", [1, 4])
def test_unequal_signals_and_priors_have_a_closed_form(copies: int) -> None:
    """A signal at distance d from silence and ``copies`` times as likely shifts the criterion."""
    table = condition_table("dm2")
    rows = np.array([0] * copies + [len(table) - 1])
    unequal = table[rows]
    unequal.strength[:copies] *= 0.1
    unequal.strength[copies] = 0
    assert unequal.target[0] != unequal.target[copies]
    signal, *_, silence = cog20(names=["dm2"]).render(0 * rows, unequal).inputs.unbind(dim=1)
    d = float((signal - silence).norm()) * np.sqrt(100)
    assert 1.5 < d < 3
    shift = np.log(copies) / d
    right = copies * norm.cdf(d / 2 + shift) + norm.cdf(d / 2 - shift)
    assert best_accuracy(unequal, 100) == pytest.approx(right / (copies + 1), abs=0.006)


def map_observer(name: str, n: int, dt: float = 100) -> tuple[float, float]:
    """Accuracy, and its standard error, of answering drawn trials by their full likelihood.

    Compares every step and channel of a trial with every condition's noise-free trial.
    """
    suite, table = cog20(dt, [name]), condition_table(name)
    trials = suite.sample(n, np.random.default_rng(11))
    answers = torch.from_numpy(np.eye(17, dtype=np.float32)[table.target])
    # Fixation of different length only shifts a trial, so compare from the end of fixation.
    templates = suite.render(np.zeros(len(table), np.int64), table)
    right = 0
    for length in templates.lengths.unique().tolist():
        of_length = (templates.lengths == length).nonzero()[:, 0]
        fixation = int(templates.period("fixation")[of_length[0], 1])
        rest = length - fixation
        template = templates.inputs[fixation:length, of_length].transpose(0, 1).flatten(1)
        alike = (trials.lengths - trials.period("fixation")[:, 1] == rest).nonzero()[:, 0]
        first = trials.period("fixation")[alike, 1]
        steps = first + torch.arange(rest)[:, None]
        seen = trials.inputs[steps, alike].transpose(0, 1).flatten(1)
        log_likelihood = -0.5 * dt * torch.cdist(seen, template).square()
        posterior = torch.softmax(log_likelihood, dim=1) @ answers[of_length]
        target = torch.from_numpy(trials.conditions["target"])[alike]
        right += int((posterior.argmax(dim=1) == target).sum())
    accuracy = right / n
    return accuracy, float(np.sqrt(accuracy * (1 - accuracy) / n))


@pytest.mark.parametrize(("name", "n"), [("dm1", 6000), ("dm2", 6000), ("multidm", 1500)])
def test_ceiling_is_reached_by_an_observer_of_whole_trials(name: str, n: int) -> None:
    accuracy, error = map_observer(name, n)
    (ceiling,) = cog20(names=[name]).ceiling()
    assert abs(accuracy - ceiling) < 3.5 * error + 0.002


def test_all_ceilings() -> None:
    suite = cog20()
    ceiling = dict(zip(suite.names, suite.ceiling(), strict=True))
    assert tuple(ceiling) == COG20
    assert max(ceiling.values()) <= 1
    for name in ("go", "anti", "rtgo", "rtanti", "dlygo", "dlyanti"):
        assert ceiling[name] == 1  # no noise
    for name in ("dms", "dnms", "dmc", "dnmc"):
        assert ceiling[name] > 0.999
    # Half of the ties go wrong, and no more can be won than by knowing which trials are ties.
    assert ceiling["multidm"] < 1 - 1 / 16
    assert ceiling["multidlydm"] < 1 - 1 / 12 + 0.005
    assert ceiling["ctxdm1"] == pytest.approx(ceiling["ctxdm2"], abs=0.006)
    assert ceiling["dm1"] < ceiling["dm2"]  # some of dm1's stimuli are shorter
    assert 0.97 < np.mean(list(ceiling.values())) < 0.99


def test_ceiling_does_not_depend_on_a_step_that_divides_the_durations() -> None:
    names = ["dm2", "multidlydm"]
    np.testing.assert_allclose(cog20(20, names).ceiling(), cog20(100, names).ceiling(), atol=0.006)


def test_ceiling_is_the_same_every_time() -> None:
    table = condition_table("dm2")
    assert best_accuracy(table, 100) == best_accuracy(table, 100)
