"""Mod-Cog: trials against a plain derivation step by step, and what the published code does."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from math import floor
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from brainrnn.errors import InputError
from tasks import COG20, MODCOG, cog20, modcog
from tasks.conditions import PERIODS, Conditions
from tasks.ideal_observer import best_accuracy
from tasks.modcog import EXTENSIONS
from tasks.yang2019 import condition_table
from tests.commands import brainrnn, one_line
from tests.tasks.test_cog20 import same

DELAYED = {
    *("dlygo", "dlyanti", "dlydm1", "dlydm2", "ctxdlydm1", "ctxdlydm2", "multidlydm"),
    *("dms", "dnms", "dmc", "dnmc"),
}
SIGN = {None: 0, "r": 1, "l": -1}


def parse(name: str) -> tuple[str, int, int]:
    """Base task and the way of both extensions, from the name alone."""
    found = re.fullmatch(r"(\w+?)(?:int([rl]))?(?:seq([rl]))?", name)
    assert found
    return found[1], SIGN[found[2]], SIGN[found[3]]


def test_the_names_are_those_of_the_paper() -> None:
    assert len(MODCOG) == 82
    assert len(EXTENSIONS) == 126
    parsed = [parse(name) for name in EXTENSIONS]
    assert len(set(parsed)) == 126
    assert {base for base, *_ in parsed} == set(COG20)
    assert {base for base, integration, _ in parsed if integration} == DELAYED
    assert {name for name in EXTENSIONS if not all(parse(name)[1:])} == set(MODCOG)


def test_without_extensions_it_is_the_20_tasks() -> None:
    rng = np.random.default_rng
    one, other = cog20().sample(200, rng(1)), modcog(names=COG20).sample(200, rng(1))
    assert same(one, other)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(EXTENSIONS)),
    dt=st.sampled_from([20, 50, 100]),
    seed=st.integers(0, 2**32),
)
def test_every_step_of_a_trial(name: str, dt: float, seed: int) -> None:
    """The target of every step from what is shown, place by place, with integers only."""
    base, integration, sequence = parse(name)
    trials = modcog(dt, [name]).sample(6, np.random.default_rng(seed))
    names = trials.period_names
    for i in range(len(trials)):
        period = dict(zip(names, trials.periods[i].tolist(), strict=True))
        start, end = period["decision"]
        reaction = base.startswith("rt")
        if sequence and not reaction:
            assert (end - start) * dt == 1000
        delay = 0
        if "delay" in names and period["delay"][0] >= 0:
            delay = (period["delay"][1] - period["delay"][0]) * dt
        assert not integration or delay in range(0, 1200, 100)
        target = trials.targets[:, i].tolist()
        assert set(target[:start] + target[end:]) <= {0}
        place = int(_unshifted(trials, i, base)) if integration else None
        first = target[start]
        if first == 0:  # to fixate stays right
            assert base in ("dms", "dnms", "dmc", "dnmc")
            assert set(target) == {0}
            continue
        if place is not None and place >= 0:
            assert first - 1 == (place + integration * delay // 100) % 16
        for step in range(end - start):
            moved = sequence * floor(step * dt / 100 + 0.5)
            assert target[start + step] == (first - 1 + moved) % 16 + 1


def _unshifted(trials: object, i: int, base: str) -> int:
    """Place that the answer would be without a delay, from the labels; -1 where it is a choice."""
    labels = trials.conditions  # type: ignore[attr-defined]
    one, two = (labels[f"theta_{k}"][i] * 16 / (2 * np.pi) for k in (1, 2))
    if base == "dlygo":
        return round(one)
    if base == "dlyanti":
        return round(one + 8) % 16
    if base in ("dms", "dnms", "dmc", "dnmc"):
        return round(two)
    return -1


@pytest.mark.parametrize("name", ["dlydm1intr", "ctxdlydm2intl", "multidlydmintrseql"])
def test_decisions_are_shifted_from_the_stronger_stimulus(name: str) -> None:
    base, integration, _ = parse(name)
    trials = modcog(names=[name]).sample(300, np.random.default_rng(2))
    labels = trials.conditions
    evidence = {k: np.zeros(300) for k in (1, 2)}
    for k in (1, 2):
        for m in (1, 2):
            if base.startswith("ctx") and int(base[-1]) != m:
                continue
            evidence[k] += np.nan_to_num(labels[f"coherence_{k}_mod_{m}"])
    clear = np.abs(evidence[1] - evidence[2]) > 1e-6
    theta = np.where(evidence[1] > evidence[2], labels["theta_1"], labels["theta_2"])
    place = np.rint(theta * 16 / (2 * np.pi)).astype(int)
    column = trials.period_names.index("delay")
    delay = (trials.periods[:, column, 1] - trials.periods[:, column, 0]).numpy()
    start = trials.period("decision")[:, 0]
    first = trials.targets[start, torch.arange(300)].numpy()
    assert clear.sum() > 200
    expected = (place + integration * delay) % 16 + 1
    assert (first == expected)[clear].all()


def test_delays_are_equally_likely() -> None:
    trials = modcog(names=["dmsintr"]).sample(12_000, np.random.default_rng(0))
    column = trials.period_names.index("delay")
    steps = (trials.periods[:, column, 1] - trials.periods[:, column, 0]).numpy()
    count = np.bincount(steps, minlength=12)
    assert len(count) == 12
    assert (abs(count - 1000) < 5 * np.sqrt(1000)).all()


def test_left_is_right_in_a_mirror() -> None:
    right, left = (modcog(names=[f"goseq{w}"]).sample(64, np.random.default_rng(4)) for w in "rl")
    start = int(right.period("decision")[0, 0])
    one, other = right.targets[start:], left.targets[start:]
    assert torch.equal((one + other - 2) % 16, (2 * one[0] - 2).expand_as(one) % 16)


MOVING = sorted(name for name in EXTENSIONS if name not in COG20)


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(MOVING), dt=st.sampled_from([10, 25, 100]), seed=st.integers(0, 2**32))
def test_any_motion_is_the_opposite_motion_in_a_mirror(name: str, dt: float, seed: int) -> None:
    """The same draws, all motion reversed: as far to the left as before to the right."""
    base, integration, sequence = parse(name)
    letter = {1: "r", -1: "l", 0: ""}
    mirrored = base + "int" * abs(integration) + letter[-integration]
    mirrored += "seq" * abs(sequence) + letter[-sequence]
    one, other = (modcog(dt, [n]).sample(8, np.random.default_rng(seed)) for n in (name, mirrored))
    assert torch.equal(one.inputs, other.inputs)
    assert torch.equal(one.targets == 0, other.targets == 0)
    if integration:
        delay = dict(zip(one.period_names, one.periods.unbind(dim=1), strict=True))["delay"]
        shift = torch.where(delay[:, 0] < 0, 0, delay[:, 1] - delay[:, 0]) * dt // 100
    else:
        shift = torch.zeros(8)
    start = one.period("decision")[:, 0]
    answer = one.targets[start, torch.arange(8)] - integration * shift.long()  # without any motion
    asked = one.targets != 0
    around = (one.targets + other.targets - 2 * answer) % 16
    assert not around[asked].any()


@settings(max_examples=40, deadline=None)
@given(base=st.sampled_from(COG20), way=st.sampled_from("rl"), seed=st.integers(0, 2**32))
def test_until_the_answer_is_due_a_sequence_is_its_base_task(
    base: str, way: str, seed: int
) -> None:
    plain = cog20(50, [base]).sample(8, np.random.default_rng(seed))
    moving = modcog(50, [f"{base}seq{way}"]).sample(8, np.random.default_rng(seed))
    due = plain.period("decision")[:, 0]
    assert torch.equal(moving.period("decision")[:, 0], due)
    for i, start in enumerate(due.tolist()):
        assert torch.equal(moving.inputs[:start, i], plain.inputs[:start, i])
        assert torch.equal(moving.targets[: start + 1, i], plain.targets[: start + 1, i])


def test_answers_that_move_must_be_followed() -> None:
    suite = modcog(names=["goseqr", "go"])
    trials = suite.sample(20, np.random.default_rng(0))
    right = torch.nn.functional.one_hot(trials.targets, 17).float()[None]
    assert suite.score(right, trials).eq(1).all()
    last = trials.period("decision")[:, 1] - 1
    wrong = right.clone()
    wrong[0, last, torch.arange(20)] = 0
    wrong[0, last, torch.arange(20), 0] = 1  # fixates at the last step
    assert torch.equal(suite.score(wrong, trials)[0], (trials.task == 1).float())


def test_ceilings_are_those_of_the_20_tasks() -> None:
    names = ["dm1seqr", "dlygointl", "dms"]
    assert np.array_equal(
        modcog(names=names).ceiling(), cog20(names=["dm1", "dlygo", "dms"]).ceiling()
    )
    assert np.isnan(modcog(names=names, reference=True).ceiling()).all()


@pytest.mark.parametrize("name", ["dlydm2intr", "dmcintl"])
def test_an_observer_is_as_good_whatever_the_delay(name: str) -> None:
    """The ideal observer of all delays at once, each with its own right answers."""
    base, integration, _ = parse(name)
    table = condition_table(base)
    delayed = []
    for places in range(12):
        duration = table.duration.copy()
        duration[:, PERIODS.index("delay")] = 100 * places
        shifted = (table.target - 1 + integration * places) % 16 + 1
        delayed.append(replace(table, duration=duration, target=table.target.clip(0, 1) * shifted))
    (ceiling,) = modcog(names=[name]).ceiling()
    assert best_accuracy(Conditions.concatenate(delayed), 100) == pytest.approx(ceiling, abs=0.006)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"names": ["gointr"]}, "unknown task 'gointr'"),
        ({"names": ["goseqr", "goseqr"]}, "twice"),
        ({"names": ["dmsintr"], "dt": 200}, "may last only 100 ms"),
        ({"names": []}, "task names"),
        ({"dt": 0}, "dt is 0"),
    ],
)
def test_bad_arguments(arguments: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        modcog(**arguments)


class TestReference:
    """What the authors' published code does, in its own arithmetic, trial by trial."""

    @pytest.mark.parametrize("name", ["goseqr", "dlyantiseql", "rtgo", "dmsseqr", "multidmseql"])
    @pytest.mark.parametrize("dt", [20, 100])
    def test_motion_is_modulo_the_class(self, name: str, dt: float) -> None:
        sequence = parse(name)[2]
        right = modcog(dt, [name]).sample(200, np.random.default_rng(5))
        trials = modcog(dt, [name], reference=True).sample(200, np.random.default_rng(5))
        for i in range(200):
            start, end = trials.period("decision")[i].tolist()
            value = int(right.targets[right.period("decision")[i, 0], i])
            expected = [
                value and int(np.mod(value + int(sequence * t * 0.01 * dt), 16))
                for t in range(end - start)
            ]
            assert trials.targets[start:end, i].tolist() == expected

    def test_reaching_shifts_the_stimulus(self) -> None:
        trials = modcog(names=["dlygointr"], reference=True).sample(100, np.random.default_rng(6))
        theta = np.arange(16) * 2 * np.pi / 16
        for i in range(100):
            period = dict(zip(trials.period_names, trials.periods[i].tolist(), strict=True))
            begin, stop = period["delay"]
            place = int(trials.conditions["target"][i]) - 1
            shown = np.mod(theta[place] + 0.01 * (stop - begin) * 100, 2 * np.pi)
            away = abs(shown - theta)
            away = np.minimum(away, 2 * np.pi - away) / (np.pi / 8)
            rings = trials.inputs[period["stimulus"][0], i, 1:33].view(2, 16).sum(0).numpy()
            assert rings == pytest.approx(0.8 * np.exp(-(away**2) / 2), abs=1e-5)
            start = period["decision"][0]
            assert int(trials.targets[start, i]) == (place + 1) % 16

    def test_matching_shifts_the_answer(self) -> None:
        trials = modcog(names=["dmsintl"], reference=True).sample(500, np.random.default_rng(7))
        for i in range(500):
            period = dict(zip(trials.period_names, trials.periods[i].tolist(), strict=True))
            delay = 100 * (period["delay"][1] - period["delay"][0])
            first = int(trials.targets[period["decision"][0], i])
            if trials.conditions["match"][i] == 1:
                test = round(trials.conditions["theta_2"][i] * 16 / (2 * np.pi))
                place = int(np.mod(test - 0.01 * delay, 16))
                assert first == (place + 1) % 16
            else:
                assert first == 0

    def test_timing(self) -> None:
        rng = np.random.default_rng(8)
        for name, delay in (("go", 5), ("antiseqr", 5), ("dlydm1intr", 5), ("multidlydmintl", 5)):
            trials = modcog(names=[name], reference=True).sample(20, rng)
            column = trials.period_names.index("delay")
            steps = trials.periods[:, column, 1] - trials.periods[:, column, 0]
            assert set(steps.tolist()) == {delay}


CONFIG = Path(__file__).parents[2] / "configs/modcog_bimt.toml"
SMALL = ("--quiet", "training.steps=3", "network.shape=[5, 5]")


class TestCommands:
    """What a user types."""

    def test_train(self, tmp_path: Path) -> None:
        status, output, errors = brainrnn("train", CONFIG, *SMALL, "--out", tmp_path / "run")
        assert status == 0, errors
        assert "Trained 3 steps" in output

    def test_train_and_analyse_as_published(self, tmp_path: Path) -> None:
        names = ["go", "rtantiseqr", "dlygointl", "dmsintrseql"]
        task = (f"task.names={json.dumps(names)}", "task.options.reference=true")
        status, _, errors = brainrnn("train", CONFIG, *SMALL, *task, "--out", tmp_path / "run")
        assert status == 0, errors
        status, output, errors = brainrnn("analyse", tmp_path / "run")
        assert status == 0, errors
        for name in (*names, "mean"):  # nobody knows how well an observer could do
            assert re.search(rf"^{name} +\d\.\d+ +(nan|-)$", output, re.MULTILINE), output

    def test_show_finds_the_suite(self, tmp_path: Path) -> None:
        picture = tmp_path / "moving.svg"
        assert brainrnn("tasks", "show", "multidlydmintlseqr", "--out", picture)[0] == 0
        assert picture.read_text().startswith("<?xml")
        one_line(brainrnn("tasks", "show", "dlygointr", "--dt", 200), "'dlygointr'", "100 ms")

    def test_list(self) -> None:
        output = brainrnn("tasks", "list", "--suite", "modcog")[1]
        assert len(output.splitlines()) == 1 + 82 + 2
