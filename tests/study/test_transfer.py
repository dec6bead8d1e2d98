"""Learning a new task: networks carried over, what is free, how quickly, how much is forgotten."""

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import brainrnn as br
from brainrnn.config import build
from brainrnn.errors import InputError
from brainrnn.runs.experiment import Experiment
from brainrnn.study.claims import transfer as claims
from brainrnn.study.measures.transfer import TransferMeasure
from brainrnn.study.newcomer import OneTask, carry_over
from brainrnn.study.plasticity import CONDITIONS, free_entries, learn
from brainrnn.study.report.claims import Claim
from brainrnn.study.slowness import between_conditions, median, slowness
from brainrnn.study.subject import Cell, Subject
from brainrnn.task import Suite
from brainrnn.training.loop import TrainingSpec
from tasks import COG20, cog20
from tests.study.small import EXPERIMENT, verdicts

KNOWN = ["go", "anti", "dm1"]


def subject(folder=Path(), **experiment):
    values = EXPERIMENT | {"seed": 3} | experiment
    cell = Cell("bimt", "BIMT", 3, build(Experiment, values))
    suite = cog20(names=KNOWN)
    net = br.RNN.for_suite(suite, sites=br.grid(4, 4), seed=3)
    return Subject(cell, net, suite, folder)


def small_measure(**changes):
    options = {"tasks": ("dlygo", "dms"), "steps": 4, "every": 2, "batch": 8}
    return TransferMeasure(**(options | {"trials": 10, "old_trials": 5} | changes))


@given(st.permutations(COG20), st.integers(1, 4), st.integers(1, 3), st.integers(0, 9))
@settings(max_examples=10)
def test_a_network_that_is_carried_over_does_the_same(names, n_known, n_new, seed):
    known = cog20(names=names[:n_known])
    mixed = list(np.random.default_rng(seed).permutation(names[: n_known + n_new]))
    larger = cog20(names=mixed)
    net = br.RNN.for_suite(known, sites=br.grid(2, 3), seed=seed, members=2, dtype=torch.float64)
    net.anatomy.move("hidden", torch.tensor([[2, 0, 1, 5, 4, 3], [0, 1, 2, 3, 4, 5]]))
    wide = carry_over(net, known, larger)
    tasks = np.array([mixed.index(name) for name in known.names])
    batch = larger.sample(len(tasks), np.random.default_rng(seed), task=tasks)
    ring = batch.inputs[..., :33]
    rule = torch.zeros(*ring.shape[:2], n_known)
    for trial, length in enumerate(batch.lengths.tolist()):
        rule[:length, trial, trial] = 1
    outputs = net(torch.cat([ring, rule], dim=2), batch.lengths)
    torch.testing.assert_close(wide.respond(batch), outputs, rtol=0, atol=1e-12)
    new = [33 + mixed.index(name) for name in mixed if name not in known.names]
    assert not wide.w_in[:, :, new].any()
    assert torch.equal(wide.anatomy.places("hidden"), net.anatomy.places("hidden"))


def test_what_is_carried_over_is_a_copy_that_learns():
    known, larger = cog20(names=["go"]), cog20(names=["go", "anti"])
    net = br.RNN.for_suite(known, sites=br.grid(2, 3))
    before = copy.deepcopy(net.state_dict())
    wide = carry_over(net, known, larger)
    options = {"steps": 2, "batch": 8, "evaluation_trials": 2, "progress": False}
    br.train(wide, OneTask(larger, "anti"), br.BIMT(strength=0.0), **options)
    assert wide.w_in[0, :, -1].abs().max() > 0
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name])


def test_only_suites_with_other_rules_alone_fit():
    net = br.RNN.for_suite(cog20(names=["go"]), sites=br.grid(2, 2))
    with pytest.raises(InputError, match="go"):
        carry_over(net, cog20(names=["go"]), cog20(names=["anti"]))
    other = cog20(names=["go", "anti"])
    other.input_groups = other.input_groups | {"fixation": slice(0, 2)}
    with pytest.raises(InputError, match="differ in their rules only"):
        carry_over(net, cog20(names=["go"]), other)
    del other.input_groups["rule"]
    other.input_groups["fixation"] = slice(0, 1)
    with pytest.raises(InputError, match="a rule for each"):
        carry_over(net, cog20(names=["go"]), other)


def test_one_task_has_the_trials_the_score_and_the_ceiling_of_its_suite():
    suite = cog20(names=KNOWN)
    one = OneTask(suite, "dm1")
    assert isinstance(one, Suite)
    trials = one.sample(6, np.random.default_rng(1))
    same = suite.sample(6, np.random.default_rng(1), task=np.full(6, 2))
    assert torch.equal(trials.inputs, same.inputs)
    assert trials.task.tolist() == [2] * 6
    assert one.ceiling().tolist() == [suite.ceiling()[2]]
    with pytest.raises(InputError, match="dm1"):
        OneTask(suite, "dm2")


@given(st.lists(st.tuples(st.integers(1, 5), st.booleans()), min_size=1, max_size=12))
def test_slowness_counts_who_was_quicker_as_gehan_does(learned):
    rows = pd.DataFrame(
        [
            {"task": "a", "steps": step if reached else 5, "reached": reached}
            for step, reached in learned
        ]
    )
    found = slowness(rows, 5).slowness
    for i, (step, reached) in enumerate(learned):
        quicker = ties = 0
        for other, learned_it in learned:
            both_not = not reached and not learned_it
            earlier = learned_it and (not reached or other < step)
            quicker += earlier
            ties += both_not or (reached and learned_it and other == step)
        assert found[i] == pytest.approx((quicker + ties / 2) / len(learned))


@pytest.fixture(scope="module")
def rows_and_subject():
    one = subject()
    before = copy.deepcopy(one.net.state_dict())
    return small_measure().answer(one).items, one, before


def test_every_task_is_learned_in_every_condition(rows_and_subject):
    rows, one, before = rows_and_subject
    assert list(zip(rows.task, rows.condition, strict=True)) == [
        (task, condition) for task in ("dlygo", "dms") for condition in CONDITIONS
    ]
    for name, value in one.net.state_dict().items():
        assert torch.equal(value, before[name])
    by = rows.set_index(["task", "condition"])
    assert (by.loc["dms"].neurons[["module", "random"]].nunique()) == 1
    assert by.loc[("dms", "all"), "entries"] == 16 * (33 + 5) + 16 * 16 + 16 + 17 * 17
    assert by.loc[("dms", "rule"), "entries"] == 16 + 17 * 17
    k = by.loc[("dms", "module"), "neurons"]
    expected = k * 38 + 16 * 16 - (16 - k) ** 2 + k + 17 * k
    assert by.loc[("dms", "module"), "entries"] == expected
    known = rows[rows.condition != "new"]
    assert np.allclose(known.forgetting, known.old_before - known.old_after)
    assert known.old_before.nunique() == 1
    assert rows[rows.condition == "new"].forgetting.isna().all()
    # Before learning, only a new network differs; the trials are the same.
    assert (known.groupby("task").new_before.nunique() == 1).all()


def fixating(bias):
    """A subject whose network is silent, and fixates by bias alone."""
    one = subject()
    with torch.no_grad():
        for parameter in one.net.parameters():
            parameter.zero_()
        one.net.b_out[:, 0] = bias
    return one


def test_learning_stops_where_the_criterion_is_reached_and_is_given_up_otherwise():
    """Not to answer is right in half the matching trials: a bias of fixation is enough."""
    options = {"tasks": ("dms",), "criterion": 0.2, "trials": 40, "steps": 80, "batch": 2}
    measure = small_measure(**options, learning_rate=0.05)
    free = ["all", "rule", "module", "random"]
    at_once = measure.answer(fixating(1.0)).items.set_index("condition").loc[free]
    assert at_once.reached.all()
    assert (at_once.steps == 0).all()
    assert (at_once.new_before > 0.3).all()
    assert (at_once.forgetting == 0).all()
    soon = (
        measure.answer(fixating(-1.0)).items.set_index("condition").loc[free[:2]]
    )  # the bias is free
    assert soon.reached.all()
    assert (soon.new_before < 0.2 * soon.ceiling).all()
    assert (soon.new_after >= 0.2 * soon.ceiling).all()
    assert soon.steps.between(4, 78).all()
    assert (soon.steps % 2 == 0).all()
    never = small_measure(**options | {"steps": 4, "criterion": 1.0}).answer(fixating(-5.0)).items
    assert not never.reached.any()
    assert (never.steps == 4).all()


def test_a_task_that_the_network_knows_is_not_a_new_one():
    with pytest.raises(InputError, match="'go' is to be a new task"):
        small_measure(tasks=("go",)).answer(subject())


def synthetic(quick="bimt", learned=True):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        [
            {
                "method": method,
                "label": method.upper(),
                "seed": seed,
                "task": task,
                "condition": condition,
                "neurons": 30,
                "entries": 1000,
                "old_ceiling": 0.98,
                "old_before": np.nan if condition == "new" else 0.95 + 0.002 * seed,
                "forgetting": np.nan if condition == "new" else 0.1 + 0.01 * rng.random(),
                "ceiling": 1.0,
                "new_before": 0.2,
                "new_after": 0.9,
                "steps": 100 * (1 + (method != quick)) + int(rng.integers(5)) if learned else 1000,
                "reached": learned,
            }
            for method in ("none", "bimt")
            for seed in (1, 2, 3, 4, 5)
            for task in ("dms", "go")
            for condition in CONDITIONS
        ]
    )


def test_findings_say_who_is_quicker():
    found = TransferMeasure(pairs=(("bimt", "none"),)).findings(synthetic())
    table = found.tables["Between methods, paired by seed"]
    quick = table[table.quantity == "slowness"]
    assert (quick.difference > 0.4).all()  # the first method is slower than half of all others
    assert (quick.p_controlled < 0.01).all()
    assert len(quick) == 4  # new networks are the same in both
    said = verdicts(found)
    faster = "With {}, the first learns faster than the second."
    assert said[faster.format(CONDITIONS["all"]), "BIMT against NONE"] == "holds"
    module = CONDITIONS["module"]
    claim = f"{module[0].upper()}{module[1:]} learns faster than {CONDITIONS['random']}."
    assert said[claim, "BIMT"] == "undecided"
    assert (
        said[f"With {CONDITIONS['all']}, at least 90% of new tasks are learned.", "NONE"] == "holds"
    )
    conditions = found.tables["Between conditions, paired by network"]
    asked = conditions[conditions.condition == CONDITIONS["module"]]
    assert set(asked.against) == {CONDITIONS["random"], CONDITIONS["all"]}
    assert (asked.p_controlled > 0.05).all()
    assert set(found.figures) == {"learning", "forgetting"}
    first = found.tables["Each method"].iloc[0]
    assert first["learned"] == "10 of 10"
    assert first["forgetting"] == first["forgetting where learned"]


def test_findings_where_nothing_is_learned():
    found = TransferMeasure().findings(synthetic(learned=False))
    steps = found.tables["Each method"]["steps: median of each task"]
    assert set(steps) == {"dms > 1000, go > 1000"}
    learned = {
        v for (claim, _), v in verdicts(found).items() if "of new tasks are learned" in claim
    }
    assert learned == {"fails"}


def test_claims_about_learning_are_in_the_order_of_the_rows():
    rows = pd.DataFrame(
        [
            {"condition": condition, "label": label, "reached": reached}
            for condition, label, learned in (
                ("rule free", "L1", 9),
                ("rule free", "BIMT", 8),
                ("all free", "L1", 0),
            )
            for reached in [True] * learned + [False] * (10 - learned)
        ]
    )
    assert list(claims.learned(rows)) == [
        Claim("With rule free, at least 90% of new tasks are learned.", "L1", "holds", "9 of 10"),
        Claim(
            "With rule free, at least 90% of new tasks are learned.", "BIMT", "undecided", "8 of 10"
        ),
        Claim("With all free, at least 90% of new tasks are learned.", "L1", "fails", "0 of 10"),
    ]


def test_a_condition_learns_faster_if_it_is_less_slow():
    module, random = CONDITIONS["module"], CONDITIONS["random"]
    test = {"method": "L1", "condition": module, "against": random, "quantity": "slowness"}
    test |= {"difference": -0.05, "low": -0.07, "high": -0.03, "p_controlled": 0.01}
    other = test | {"difference": 0.05, "low": 0.03, "high": 0.07, "quantity": "forgetting"}
    unasked = test | {"against": CONDITIONS["all"]}
    faster, less = claims.conditions(pd.DataFrame([test, other, unasked]))
    assert faster.claim == f"{module[0].upper()}{module[1:]} learns faster than {random}."
    assert (faster.networks, faster.verdict) == ("L1", "holds")
    assert less.claim.endswith(f"forgets less than {random}.")
    assert less.verdict == "fails"
    words = "BIMT against L1"
    (between,) = claims.between(iter([(test, words)]))
    assert (between.networks, between.verdict) == (words, "holds")


@pytest.mark.parametrize(("slope", "verdict"), [(-1, "holds"), (1, "fails"), (0, "undecided")])
def test_whether_accurate_networks_learn_faster_is_asked_of_those_that_are_wholly_free(
    slope, verdict
):
    wobble = [0.01, -0.02, 0.02, -0.01, 0.0] * 2
    accuracy = np.tile(np.linspace(0, 1, 5), 2)
    free = pd.DataFrame(
        {
            "condition": CONDITIONS["all"],
            "old_before": accuracy,
            "slowness": slope * accuracy + wobble,
            "label": ["L1"] * 5 + ["BIMT"] * 5,
        }
    )
    others = free.assign(condition=CONDITIONS["rule"], slowness=-slope * accuracy + wobble)
    (known,) = claims.known(pd.concat([others, free]))
    assert (known.networks, known.verdict) == ("n = 10", verdict)


def test_the_median_of_steps_is_unknown_where_it_falls_on_what_was_not_learned():
    rows = pd.DataFrame({"steps": [10, 30, 1000, 20, 1000], "reached": [1, 1, 0, 1, 0]})
    rows["reached"] = rows.reached.astype(bool)
    assert median(rows) == "30"
    assert median(rows[rows.steps > 20]) == "> 1000"


def test_conditions_are_compared_where_a_network_has_both():
    rows = pd.DataFrame(
        [
            {"label": "L1", "seed": 1, "condition": CONDITIONS[c], "slowness": s, "forgetting": f}
            for c, s, f in (("all", 0.2, 0.1), ("new", 0.5, np.nan))
        ]
    )
    table = between_conditions(rows)
    assert list(zip(table.quantity, table.n, strict=True)) == [("slowness", 1)]


def learned_by_one(seed=0, criterion=1.0, free=True, steps=4, **changes):
    """What learning a task tells, and the network before and after it."""
    suite = cog20(names=[*KNOWN, "dms"])
    task = OneTask(suite, "dms")
    net = br.RNN.for_suite(suite, sites=br.grid(3, 3), seed=1)
    before = copy.deepcopy(net.state_dict())
    spec = TrainingSpec(
        steps=steps, batch=8, evaluate_every=2, evaluation_trials=20, learning_rate=0.01
    )
    entries = free_entries(net, "rule", task, None) if free else None
    for name, value in changes.items():
        setattr(task, name, value)
    told = learn(net, task, spec, free=entries, criterion=criterion, seed=seed)
    return told, before, net.state_dict()


def test_only_what_is_free_changes_and_trials_are_those_of_the_seed():
    _, before, after = learned_by_one()
    assert torch.equal(before["w_rec"], after["w_rec"])
    assert not torch.equal(before["w_out"], after["w_out"])
    _, _, everything = learned_by_one(free=False)
    assert not torch.equal(before["w_rec"], everything["w_rec"])
    assert torch.equal(after["w_out"], learned_by_one()[2]["w_out"])
    assert not torch.equal(after["w_out"], learned_by_one(seed=5)[2]["w_out"])


@pytest.mark.parametrize(("ceiling", "learned"), [(1.0, False), (0.5, True)])
def test_the_criterion_is_a_share_of_what_is_possible(ceiling, learned):
    """Exactly reaching it is enough."""
    score = learned_by_one()[0]["new_before"]
    told, _, _ = learned_by_one(criterion=2 * score, ceiling=lambda: np.array([ceiling]))
    assert told["ceiling"] == ceiling
    assert (told["steps"] == 0) == learned
    assert not learned or told["reached"]
