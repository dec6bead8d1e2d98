"""Disturbed networks against networks that are disturbed by hand."""

import numpy as np
import pytest
import torch

from brainrnn.anatomy import geometry
from brainrnn.networks import RNN
from brainrnn.runs.experiment import load_suite
from brainrnn.streams import Stream, generator
from brainrnn.study.disturbance import (
    active_neurons,
    disturbed,
    lost_neurons,
    noisy_inputs,
    noisy_units,
    noisy_weights,
)
from tests.study.small import small_study

SUITE = load_suite(small_study().experiment.task)
SCORES = [f"accuracy_{task}" for task in SUITE.names]


def untrained(n=4, **options):
    return RNN.for_suite(SUITE, sites=geometry.grid(n, n), tau=100, seed=1, **options)


def trials(n=6):
    return SUITE.held_out(n, np.random.default_rng(0))


def scored(net, batch, inputs=None, generator=None):
    """Mean score of each task, task by task."""
    inputs = batch.inputs if inputs is None else inputs
    scores = SUITE.score(net(inputs, batch.lengths, generator=generator), batch)[0]
    return [float(scores[batch.task == task].double().mean()) for task in range(3)]


def test_noise_on_inputs_is_added_at_every_step_of_a_trial_and_grows():
    net, batch = untrained(), trials()
    found = noisy_inputs(net, SUITE, batch, (0.1, 2.0), 2, 5)
    generator = torch.Generator().manual_seed(5)
    for draw in range(2):
        noise = torch.randn(batch.inputs.shape, generator=generator)
        for i, sd in enumerate((0.1, 2.0)):
            np.testing.assert_allclose(
                found[i, draw], scored(net, batch, batch.inputs + sd * noise)
            )


def test_noise_on_units_is_that_of_training_in_units_of_the_rms_state():
    net, batch = untrained(), trials()
    active = np.arange(16) % 3 > 0
    found = noisy_units(net, SUITE, batch, (0.5, 3.0), 2, 7, active)
    states = net.activity(batch.inputs, batch.lengths)[1][0].detach().numpy()
    inside = [states[: batch.lengths[i], i][:, active].ravel() for i in range(len(batch))]
    rms = np.sqrt(np.mean(np.concatenate(inside).astype(float) ** 2))
    for i, sigma in enumerate((0.5, 3.0)):
        noisy = untrained(noise=sigma * rms)
        generator = torch.Generator().manual_seed(7)
        for draw in range(2):
            expected = scored(noisy, batch, generator=generator)
            np.testing.assert_allclose(found[i, draw], expected)
    assert net.spec.noise == 0


def test_noise_on_weights_has_their_rms_and_spares_absent_ones(monkeypatch):
    net, batch, seen = untrained(), trials(), []
    with torch.no_grad():
        net.w_rec[torch.rand(net.w_rec.shape) < 0.5] = 0
        net.w_out[:, :, 5] = 0
    monkeypatch.setattr(
        "brainrnn.study.disturbance.task_scores",
        lambda copies, *_: seen.append(copies.select(*range(copies.members))) or np.zeros((40, 3)),
    )
    noisy_weights(net, SUITE, batch, (0.1, 0.4), 40, 3)
    for name in ("w_in", "w_rec", "w_out"):
        weight = net.get_parameter(name).detach()
        there = (weight != 0).expand(40, -1, -1)
        rms = weight[weight != 0].square().mean().sqrt()
        change = [copies.get_parameter(name).detach() - weight for copies in seen]
        assert all((c[~there] == 0).all() for c in change)
        torch.testing.assert_close(4 * change[0], change[1], atol=1e-5, rtol=1e-4)
        assert float(change[1][there].std() / rms) == pytest.approx(0.4, rel=0.05)
    for name in ("b_rec", "b_out"):
        assert all(torch.equal(c.get_parameter(name)[:1], net.get_parameter(name)) for c in seen)


def test_neurons_are_lost_from_the_active_ones_and_more_at_higher_levels(monkeypatch):
    net, batch, seen = untrained(), trials(), []
    monkeypatch.setattr(
        "brainrnn.study.disturbance.lesioned_scores",
        lambda net, suite, batch, gone: seen.append(gone) or np.zeros((len(gone), 3)),
    )
    active = np.arange(16) < 10
    lost_neurons(net, SUITE, batch, (0.1, 0.5, 1.0), 4, np.random.default_rng(0), active)
    gone = seen[0].reshape(3, 4, 16)
    assert (gone.sum(2) == np.array([[1], [5], [10]])).all()
    assert not gone[..., ~active].any()
    assert (gone[0] <= gone[1]).all()
    assert len(np.unique(gone[1], axis=0)) > 1


def test_no_damage_is_no_damage_and_losing_everyone_is_silence():
    net, batch = untrained(), trials()
    tiny, intact = (1e-9,), scored(net, batch)
    everyone = np.ones(16, bool)
    for found in (
        noisy_inputs(net, SUITE, batch, tiny, 1, 0),
        noisy_units(net, SUITE, batch, tiny, 1, 0, everyone),
        noisy_weights(net, SUITE, batch, tiny, 1, 0),
        lost_neurons(net, SUITE, batch, tiny, 1, np.random.default_rng(0), everyone),
    ):
        np.testing.assert_allclose(found[0, 0], intact)
    silent = lost_neurons(net, SUITE, batch, (1.0,), 1, np.random.default_rng(0), everyone)
    outputs = net.b_out[:, None, None].expand(1, *batch.inputs.shape[:2], -1)
    expected = SUITE.score(outputs, batch)[0].view(3, -1).mean(1)
    np.testing.assert_allclose(silent[0, 0], expected.detach())


def test_every_disturbance_has_its_rows_and_a_stream_of_its_own():
    net, spec = untrained(), small_study().experiment.analysis
    levels = {"inputs": (0.1, 0.5), "units": (0.2,), "weights": (0.3,), "loss": (0.2, 0.4)}
    rows = disturbed(net, SUITE, levels, draws=2, trials=6, spec=spec, seed=4)
    assert rows.index.tolist() == list(range(1 + 2 * 6))
    first = rows.iloc[0]
    assert (first.damage, first.level, first.draw) == ("none", 0, 0)
    rng = generator(4, Stream.DISTURBANCE)
    batch = SUITE.held_out(6, rng)
    np.testing.assert_allclose(first[SCORES].astype(float), scored(net, batch), rtol=1e-5)
    active = active_neurons(net, SUITE, spec, rng)
    seeds = rng.integers(2**63, size=3).tolist()
    expected = {
        "inputs": noisy_inputs(net, SUITE, batch, levels["inputs"], 2, seeds[0]),
        "units": noisy_units(net, SUITE, batch, levels["units"], 2, seeds[1], active),
        "weights": noisy_weights(net, SUITE, batch, levels["weights"], 2, seeds[2]),
        "loss": lost_neurons(net, SUITE, batch, levels["loss"], 2, rng, active),
    }
    for damage, found in expected.items():
        own = rows[rows.damage == damage]
        assert own.level.tolist() == [level for level in levels[damage] for _ in range(2)]
        assert own.draw.tolist() == [0, 1] * len(levels[damage])
        np.testing.assert_allclose(own[SCORES], found.reshape(-1, 3), rtol=1e-5)
        np.testing.assert_allclose(own.accuracy, found.reshape(-1, 3).mean(1), rtol=1e-5)
