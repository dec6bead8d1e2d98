"""What holds for every batch of the cognitive suite, and what it says about bad input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from brainrnn.errors import InputError
from brainrnn.task import Task, Trials
from tasks import COG20, CognitiveSuite, cog20


def same(one: Trials, other: Trials) -> bool:
    tensors = ("inputs", "targets", "weights", "lengths", "task", "periods")
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in tensors)


def test_follows_the_task_protocol() -> None:
    suite: Task = cog20()
    assert isinstance(suite, CognitiveSuite)
    assert isinstance(suite, Task)
    assert suite.names == COG20
    assert len(COG20) == 20
    assert (suite.n_inputs, suite.n_outputs) == (53, 17)
    assert set(suite.descriptions) == set(COG20)
    channels = [
        channel for group in suite.input_groups.values() for channel in range(suite.n_inputs)[group]
    ]
    assert channels == list(range(53))


@settings(max_examples=40)
@given(
    names=st.lists(st.sampled_from(COG20), min_size=1, max_size=6, unique=True),
    dt=st.sampled_from([5, 16.7, 20, 30, 100, 200]),
    n=st.integers(1, 40),
    seed=st.integers(0, 2**32),
)
def test_batches_are_well_formed(names: list[str], dt: float, n: int, seed: int) -> None:
    suite = cog20(dt, names, decision_weight=3)
    trials = suite.sample(n, np.random.default_rng(seed))
    n_steps = int(trials.lengths.max())
    alive = torch.arange(n_steps)[:, None] < trials.lengths
    assert trials.inputs.shape == (n_steps, n, suite.n_inputs)
    assert trials.inputs.dtype == torch.float32
    assert trials.targets.dtype == trials.lengths.dtype == trials.periods.dtype == torch.int64
    assert np.ptp(np.bincount(trials.task, minlength=len(names))) <= 1
    assert set(trials.conditions) == {
        "modality",
        "theta_1",
        "theta_2",
        *(f"coherence_{s}_mod_{m}" for s in (1, 2) for m in (1, 2)),
        "match",
        "target",
    }
    for values in trials.conditions.values():
        assert values.shape == (n,)
        assert values.dtype == np.float64

    assert not trials.inputs[~alive].any()
    rule = torch.nn.functional.one_hot(trials.task, len(names)) * alive[..., None]
    assert torch.equal(trials.inputs[..., suite.input_groups["rule"]], rule.float())

    # Periods follow each other without a gap from the first step to the last.
    covered = torch.zeros_like(trials.targets)
    previous = torch.zeros(n, dtype=torch.int64)
    for bounds in trials.periods.unbind(dim=1):
        start, end = bounds.T
        there = start >= 0
        assert torch.equal(start[there], previous[there])
        assert (end > start)[there].all()
        previous = torch.where(there, end, previous)
        steps = torch.arange(n_steps)[:, None]
        covered += (steps >= start) & (steps < end) & there
    assert torch.equal(covered, alive.long())
    assert torch.equal(previous, trials.lengths)

    start, end = trials.period("decision").T
    steps = torch.arange(n_steps)[:, None]
    decision = (steps >= start) & (steps < end)
    assert not trials.targets[~decision].any()
    target = torch.from_numpy(trials.conditions["target"]).long().expand(n_steps, n)
    assert torch.equal(trials.targets[decision], target[decision])
    assert torch.equal(trials.weights, alive + 2.0 * decision)
    assert not trials.inputs[..., 0][decision].any()


def test_one_seed_gives_the_same_trials_whatever_else_is_random() -> None:
    suite = cog20()
    np.random.seed(0)  # noqa: NPY002
    torch.manual_seed(0)
    one = suite.sample(50, np.random.default_rng(1))
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    other = cog20().sample(50, np.random.default_rng(1))
    assert same(one, other)
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
    assert not same(one, suite.sample(50, np.random.default_rng(2)))


def test_trials_come_in_the_order_asked_for() -> None:
    task = [3, 0, 3, 1, 2, 2]
    trials = cog20(names=["go", "dm1", "dms", "anti"]).sample(
        6, np.random.default_rng(0), task=task
    )
    assert trials.task.tolist() == task


def test_mix_is_balanced_and_in_random_order() -> None:
    tasks = cog20().sample(410, np.random.default_rng(0)).task.numpy()
    assert sorted(np.bincount(tasks)) == [20] * 10 + [21] * 10
    others = cog20().sample(410, np.random.default_rng(1)).task.numpy()
    assert (np.bincount(tasks) != np.bincount(others)).any()  # not always the same have one more
    repeats = (tasks[1:] == tasks[:-1]).mean()  # neurogym's schedule would have none
    assert 0 < repeats < 0.15


def test_modality_is_drawn_independently() -> None:
    trials = cog20(names=["go"]).sample(4000, np.random.default_rng(0))
    modality = trials.conditions["modality"]
    assert abs((modality == 1).mean() - 0.5) < 4 * np.sqrt(0.25 / 4000)
    assert abs((modality[1:] == modality[:-1]).mean() - 0.5) < 4 * np.sqrt(0.25 / 4000)


def test_conditions_say_what_is_shown() -> None:
    suite = cog20()
    trials = suite.sample(400, np.random.default_rng(0))
    for i, name in enumerate(trials.task.tolist()):
        shown = {key: values[i] for key, values in trials.conditions.items()}
        name = COG20[name]
        if "go" in name or "anti" in name:
            assert np.isnan(shown["theta_2"])
            turn = np.pi if "anti" in name else 0
            answer = (shown["target"] - 1) * np.pi / 8
            assert np.isclose(np.exp(1j * answer), np.exp(1j * (shown["theta_1"] + turn)))
        if name in ("dms", "dnms"):
            apart = np.exp(1j * (shown["theta_1"] - shown["theta_2"])).real
            assert np.isclose(apart, 1 if shown["match"] else -1)
        both = "ctx" in name or "multi" in name
        assert np.isnan(shown["modality"]) == both
        if "dm" in name and not both and "s" not in name and "c" not in name:
            assert shown["modality"] == int(name[-1])
        assert np.isnan(shown["match"]) == (name not in ("dms", "dnms", "dmc", "dnmc"))


@pytest.mark.wrong_types
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"dt": 0}, ["dt is 0", "dt=100"]),
        ({"dt": -20}, ["dt is -20"]),
        ({"dt": float("nan")}, ["dt is nan"]),
        ({"dt": "fast"}, ["dt is 'fast'"]),
        ({"dt": 250}, ["dm1", "fixation", "200 ms", "dt <= 200"]),
        ({"dt": 400, "names": ["go", "dms"]}, ["dms", "fixation", "300 ms", "dt <= 300"]),
        ({"names": ["dlygoo"]}, ["dlygoo", "did you mean 'dlygo'"]),
        ({"names": ["go", "go"]}, ["twice"]),
        ({"names": []}, ["task names are", "expected a list"]),
        ({"names": "go"}, ["task names are", "expected a list"]),
        ({"decision_weight": 0}, ["decision_weight is 0"]),
    ],
)
def test_bad_suites_are_refused_in_one_line(arguments: dict, words: list[str]) -> None:
    with pytest.raises(InputError) as refused:
        cog20(**arguments)
    message = str(refused.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


@pytest.mark.wrong_types
@pytest.mark.parametrize(
    ("n", "task"),
    [(0, None), (-1, None), (2.5, None), (3, [0, 1]), (2, [0, 20]), (2, [-1, 0]), (2, [0.0, 1.0])],
)
def test_bad_batches_are_refused_in_one_line(n: int, task: list | None) -> None:
    with pytest.raises(InputError) as refused:
        cog20().sample(n, np.random.default_rng(0), task=task)
    assert "\n" not in str(refused.value)


def test_a_step_as_long_as_the_shortest_period_is_allowed() -> None:
    trials = cog20(200).sample(40, np.random.default_rng(0))
    bounds = trials.period("decision")
    assert (bounds[:, 1] - bounds[:, 0]).min() == 1
