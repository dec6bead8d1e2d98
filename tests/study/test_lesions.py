"""Lesions against networks that are lesioned by hand, and against networks built to be known."""

from pathlib import Path

import numpy as np
import pytest
import torch

from brainrnn.analysis.graph.ablation import silence
from brainrnn.anatomy import geometry
from brainrnn.errors import InputError
from brainrnn.networks import RNN
from brainrnn.runs.experiment import load_suite
from brainrnn.study import conduct
from brainrnn.study.answers import Answers
from brainrnn.study.damage import (
    damage,
    lesioned_scores,
    part_of,
    relevant_neurons,
    task_scores,
)
from brainrnn.study.measures.lesions import LesionMeasure
from brainrnn.study.specificity import against_chance, profile
from brainrnn.study.subject import Cell, Subject
from brainrnn.task import Trials
from tests.study.small import EXPERIMENT, small_study

ACTIVATIONS = {
    "relu": lambda a: np.maximum(a, 0),
    "tanh": np.tanh,
    "softplus": lambda a: np.log1p(np.exp(a)),
}


def random_net(n=3, seed=0, **options):
    net = RNN(5, 4, geometry.grid(n, n), dt=20, tau=50, seed=seed, dtype=torch.float64, **options)
    with torch.no_grad():
        net.b_rec.copy_(torch.randn(net.b_rec.shape, generator=torch.Generator().manual_seed(seed)))
    return net


def clamped(net, inputs, gone):
    """Outputs (time, output) of one trial, unit by unit, the state of some held at 0."""
    w_in, w_rec, b_rec, w_out, b_out = (p[0].detach().numpy() for p in net.parameters())
    f, n, alpha = ACTIVATIONS[net.spec.activation], net.n_hidden, net.alpha
    state, outputs = np.zeros(n), []
    for x in inputs:
        before = state.copy()
        for u in range(n):
            drive = b_rec[u] + sum(w_rec[u, s] * before[s] for s in range(n)) + w_in[u] @ x
            state[u] = 0 if u in gone else (1 - alpha) * before[u] + alpha * f(drive)
        outputs.append(w_out @ state + b_out)
    return np.array(outputs)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_silencing_is_holding_the_state_at_0_at_every_step(activation):
    net = random_net(activation=activation)
    inputs = torch.randn(7, 1, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    lesions = [set(), {0}, {2, 5, 7}, set(range(9))]
    neurons = np.array([[u in gone for u in range(9)] for gone in lesions])
    outputs = silence(net, "hidden", neurons)(inputs)[:, :, 0].detach().numpy()
    for found, gone in zip(outputs, lesions, strict=True):
        np.testing.assert_allclose(found, clamped(net, inputs[:, 0].numpy(), gone), atol=1e-12)


def test_gated_units_too_are_as_if_they_were_not_there():
    net = random_net(cell="gru")
    inputs = torch.randn(6, 4, 5, dtype=torch.float64)
    gone = np.isin(np.arange(9), [1, 4, 8])
    outputs = part_of(net, np.flatnonzero(~gone))(inputs)
    torch.testing.assert_close(silence(net, "hidden", gone[None])(inputs), outputs)


def test_the_network_is_left_as_it_is_and_wrong_neurons_are_refused():
    net = random_net()
    before = [p.clone() for p in net.parameters()]
    silence(net, "hidden", np.ones((2, 9), bool))
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), before, strict=True))
    with pytest.raises(InputError, match="has 9 neurons"):
        silence(net, "hidden", np.ones((2, 8), bool))


def test_neurons_left_out_of_the_computation_change_nothing():
    net = random_net(4, seed=3)
    with torch.no_grad():
        net.b_rec.zero_()
        for u in (1, 4, 9):  # nothing drives these but themselves
            net.w_in[0, u] = 0
            net.w_rec[0, u, np.arange(16) != u] = 0
        for u in (2, 9, 11):  # and nothing reads these
            net.w_out[0, :, u] = 0
            net.w_rec[0, np.arange(16) != u, u] = 0
    kept = relevant_neurons(net)
    assert kept.tolist() == [u for u in range(16) if u not in (1, 2, 4, 9, 11)]
    inputs = torch.randn(6, 4, 5, dtype=torch.float64)
    torch.testing.assert_close(part_of(net, kept)(inputs), net(inputs))
    gone = np.random.default_rng(0).random((5, 16)) < 0.3
    torch.testing.assert_close(
        silence(part_of(net, kept), "hidden", gone[:, kept])(inputs),
        silence(net, "hidden", gone)(inputs),
    )


class TwoTasks:
    """Say the sign of the number on one's own channel: task a's, b's, c's or d's."""

    names = ("a", "b", "c", "d")
    descriptions = dict.fromkeys(names, "the sign of a number")
    dt, n_inputs, n_outputs = 20.0, 8, 3
    input_groups = {"number": slice(0, 8)}  # noqa: RUF012

    def sample(self, n, rng, *, task=None):
        task = rng.integers(4, size=n) if task is None else np.asarray(task)
        number = rng.choice([-1.0, 1.0], n) * rng.uniform(0.5, 1.5, n)
        inputs = np.zeros((5, n, 8), np.float32)
        inputs[2:, np.arange(n), 2 * task + (number > 0)] = np.abs(number)
        ones = np.ones(n, np.int64)
        return Trials(
            inputs=torch.from_numpy(inputs),
            targets=torch.from_numpy(np.tile(1 + (number > 0), (5, 1)).astype(np.int64)),
            weights=torch.ones(5, n),
            lengths=torch.from_numpy(5 * ones),
            task=torch.from_numpy(task),
            period_names=("fixation", "decision"),
            periods=torch.from_numpy(np.stack([0 * ones, 2 * ones, 2 * ones, 5 * ones], 1)).view(
                n, 2, 2
            ),
        )

    def held_out(self, n, rng):
        task = np.repeat(np.arange(4), n)
        return self.sample(len(task), rng, task=task)

    def loss(self, outputs, trials):
        return 1 - self.score(outputs, trials).mean(1)

    def score(self, outputs, trials):
        return (outputs[:, -1].argmax(-1) == trials.targets[-1]).float()

    def ceiling(self):
        return np.ones(4)


def hand_built(modular, copies=8):
    """Relu units, each of which carries one sign: of one task each, or of all tasks alike."""
    net = RNN(8, 3, geometry.grid(8, copies), dt=20, tau=20)
    channel = np.repeat(np.arange(8), copies)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        net.b_out[0, 0] = 0.1  # silence is an answer, and always wrong
        units = torch.arange(8 * copies)
        if modular:
            net.w_in[0, units, channel] = 1.0
        else:
            for task in range(4):
                net.w_in[0, units, 2 * task + channel % 2] = 1.0
        net.w_out[0, 1 + channel % 2, units] = 1.0
    return net


def measured(net, **settings):
    experiment = {"analysis": {"trials": 32, "accuracy_trials": 8, "permutations": 9, "k": 4}}
    cell = Cell("m", "M", 1, small_study(experiment=EXPERIMENT | experiment).experiment)
    measure = LesionMeasure(trials=20, draws=30, **settings)
    rows = measure.answer(Subject(cell, net, TwoTasks(), Path())).items
    return measure, rows.assign(method="m", label="M", seed=1)


def test_modules_that_serve_one_task_each_are_perfectly_specific():
    measure, rows = measured(hand_built(modular=True))
    modules = rows[(rows.kind == "module") & (rows.null == "observed")]
    assert modules.neurons.tolist() == [16] * 4
    np.testing.assert_allclose(modules.specificity, 1)
    np.testing.assert_allclose(modules.severity, 0.25)
    np.testing.assert_allclose(modules.gini, 0.75)
    assert sorted(modules.filter(like="accuracy_").to_numpy().ravel()) == [0] * 4 + [1] * 12
    assert rows[rows.kind == "intact"].filter(like="accuracy_").to_numpy().min() == 1
    tests = against_chance(rows)
    one = tests[(tests.kind == "module") & (tests.null == "random")]
    assert (one[one.statistic == "specificity"].p == 1 / 31).all()
    assert (one[one.statistic == "fit"].observed > 0.7).all()
    found = measure.findings(rows)
    assert set(found.figures) == {"damage", "specificity", "severity"}
    each = found.tables["Each lesion"]
    # The modules lie in rows of the grid, so that each has the place that it has.
    assert each["tasks it costs most"].str.fullmatch(r"[abcd] 1\.00").iloc[:4].all()


def test_neurons_that_serve_all_tasks_alike_are_not():
    net = hand_built(modular=False)
    batch = TwoTasks().held_out(20, np.random.default_rng(0))
    gone = np.random.default_rng(1).random((12, 64)) < 0.5
    gone[0, 8:16] = gone[0, 24:32] = gone[0, 40:48] = gone[0, 56:] = True  # one of the two signs
    scores = lesioned_scores(net, TwoTasks(), batch, gone)
    lost = damage(scores, np.ones(4), np.zeros(4), 0.1)
    share = np.ones_like(lost) / 4
    number = profile(lost, share)
    assert number["specificity"].max() < 0.35  # all tasks lose the same sign
    assert np.isnan(number["fit"]).all()


def test_scores_in_chunks_equal_scores_one_by_one(monkeypatch):
    suite = load_suite(small_study().experiment.task)
    net = RNN.for_suite(suite, sites=geometry.grid(3, 3), tau=100)
    batch = suite.held_out(6, np.random.default_rng(0))
    gone = np.random.default_rng(1).random((7, 9)) < 0.4
    monkeypatch.setattr("brainrnn.study.damage._STATES", 3 * 9 * int(batch.lengths.sum()))
    together = lesioned_scores(net, suite, batch, gone)
    for i in range(7):
        alone = suite.score(
            silence(net, "hidden", gone[i : i + 1])(batch.inputs, batch.lengths), batch
        )[0]
        expected = [float(alone[batch.task == task].mean()) for task in range(3)]
        np.testing.assert_allclose(together[i], expected)
    np.testing.assert_allclose(task_scores(silence(net, "hidden", gone), suite, batch), together)


def test_damage_is_the_share_of_what_can_be_lost():
    intact, silent = np.array([1.0, 0.9, 0.55, 1.0]), np.array([0.0, 0.5, 0.5, 0.5])
    scores = np.array([[1.0, 0.7, 0.2, 0.2], [0.25, 1.0, 0.5, 0.75]])
    expected = [[0, 0.5, np.nan, 1], [0.75, 0, np.nan, 0.5]]
    np.testing.assert_allclose(damage(scores, intact, silent, 0.1), expected)


def test_a_study_of_lesions_from_training_to_the_page(tmp_path):
    measure = {"kind": "lesions", "trials": 4, "draws": 5}
    study = small_study(measure=measure, only=["l1", "bimt"])
    page = conduct(study, tmp_path, workers=1, progress=False)
    text = page.read_text(encoding="utf-8")
    assert "Each lesion" in text
    rows = Answers.read(tmp_path / "small").rows
    assert set(rows.kind) == {"intact", "all", "module", "around", "region"}
    random = rows[rows.null == "random"]
    assert (random.groupby(["method", "seed", "kind", "lesion"]).size() == 5).all()
    observed = rows[(rows.kind == "module") & (rows.null == "observed")]
    merged = random[random.kind == "module"].merge(observed, on=["method", "seed", "lesion"])
    assert (merged.neurons_x == merged.neurons_y).all()
