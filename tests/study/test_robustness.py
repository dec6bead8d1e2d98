"""Damage to networks against damage done by hand, and robustness against its definition."""

import numpy as np
import pandas as pd
import pytest
import torch

from brainrnn.anatomy import geometry
from brainrnn.errors import InputError
from brainrnn.networks import RNN
from brainrnn.runs.experiment import load_suite
from brainrnn.study import conduct
from brainrnn.study.disturbance import lost_neurons, noisy_inputs, noisy_units, noisy_weights
from brainrnn.study.findings.settings import name_settings
from brainrnn.study.measures.robustness import RobustnessMeasure
from brainrnn.study.subject import Cell, Subject
from brainrnn.study.tolerance import DAMAGES, area, curves, robustness
from tests.study.small import METHODS, small_study

SUITE = load_suite(small_study().experiment.task)
FEW = {"draws": 3, "trials": 5, "pruned": 0.5}
PLANTED = RobustnessMeasure(pruned=0.9)


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


def test_robustness_is_the_area_under_relative_accuracy():
    level = pd.Series([0.0, 0.1, 0.4])
    assert area(level, pd.Series([0.8, 0.8, 0.8])) == 1
    by_hand = (0.1 * (1 + 0.5) / 2 + 0.3 * (0.5 + 0.25) / 2) / 0.4
    assert area(level, pd.Series([0.8, 0.4, 0.2])) == pytest.approx(by_hand)
    assert area(level[::-1], pd.Series([0.8, 0.4, 0.2], [0, 1, 2])[::-1]) == pytest.approx(by_hand)
    assert np.isnan(area(level, pd.Series([0.0, 0.0, 0.0])))


def planted(seeds=4, settings=3):
    """Rows in which robustness to everything falls with sparsity, and is 0.1 less for BIMT."""
    rows = []
    for seed in range(seeds):
        for i, method in enumerate(("l1", "bimt")):
            for s in range(settings):
                share = 1 - 0.1 * s - 0.1 * i + 0.001 * seed * (i + 1)
                about = {"method": method, "label": method.upper(), "seed": seed}
                about |= {"method.strength": 10.0**s, "absent": 0.5 + 0.1 * s, "ceiling": 1.0}
                for damage in ("none", *DAMAGES):
                    levels = (0.0,) if damage == "none" else (1.0,)
                    for level in levels:
                        value = 0.9 if damage == "none" else 0.9 * (2 * share - 1)
                        row = about | {"damage": damage, "level": level, "draw": 0}
                        rows.append(row | {"accuracy": value, "accuracy_go": value})
    rows = pd.DataFrame(rows)
    return pd.concat([rows.assign(variant="as trained"), rows.assign(variant="matched")])


def test_planted_robustness_is_found_over_seeds():
    found = PLANTED.findings(planted())
    compared = found.tables["Between methods, paired by seed"]
    assert len(compared) == 2 * len(DAMAGES) * 3  # at each of the three strengths
    assert (compared.method.str[-1] == compared.against.str[-1]).all()
    np.testing.assert_allclose(compared.difference, 0.1 - 0.001 * 1.5)
    assert (compared.p_controlled < 0.001).all()
    sparsity = found.tables["Robustness and sparsity"]
    assert (sparsity.rho < -0.5).all()
    assert set(sparsity.networks) == {"all"}  # every method has a sweep
    assert (sparsity.seeds == 4).all()
    assert any("as trained: L1, strength 1 1.0" in line for line in found.words)
    assert list(found.tables["Each method"].networks) == ["as trained"] * 6 + ["matched"] * 6


def test_networks_that_do_not_perform_are_not_compared():
    rows = planted()
    weak = (rows.method == "bimt") & (rows.variant == "matched")
    rows.loc[weak, "accuracy"] *= 0.3
    result = robustness(curves(name_settings(rows)), 0.5)
    bad = (result.method == "bimt") & (result.variant == "matched")
    assert result.robustness.isna().equals(bad)
    words = PLANTED.findings(rows).words
    assert any("no longer perform" in line for line in words)


def test_networks_without_a_sweep_are_correlated_with_and_without():
    rows = planted()
    plain = rows[(rows.method == "l1") & (rows["method.strength"] == 1)]
    plain = plain.assign(method="none", label="NONE", absent=0.1, **{"method.strength": np.nan})
    plain.loc[plain.level > 0, "accuracy"] *= 0.3  # dense and frail, against what others are
    found = PLANTED.findings(pd.concat([rows, plain], ignore_index=True))
    rho = found.tables["Robustness and sparsity"].groupby("networks")["mean rho of a seed"].mean()
    assert rho["of a sweep"] < rho["all"] < 0
    compared = found.tables["Between methods, paired by seed"]
    assert (compared.against == "NONE").sum() == 2 * len(DAMAGES) * 6


def test_networks_that_are_sparser_are_not_compared_at_matched_sparsity():
    rows = planted()
    sparse = (rows.method == "bimt") & (rows["method.strength"] == 100)
    rows.loc[sparse, "absent"] = 0.99
    found = PLANTED.findings(rows)
    table = found.tables["Between methods, paired by seed"]
    one = table[table.against == "BIMT, strength 100"].set_index("networks").n
    assert (one["as trained"] == 4).all()
    assert (one["matched"] == 0).all()
    assert any("sparser than 90% as trained" in line for line in found.words)


def test_networks_of_a_seed_see_the_same_noise_and_a_sparse_one_stays_as_it_is():
    experiment = small_study().experiment
    measure = RobustnessMeasure(**FEW)
    subject = Subject(Cell("m", "M", 3, experiment), untrained(), SUITE, None)
    rows = measure.rows(subject)
    pd.testing.assert_frame_equal(rows, measure.rows(subject))
    assert set(rows.variant) == {"as trained", "matched"}
    assert rows[rows.variant == "matched"].absent.unique().tolist() == [0.5]
    draws = rows[rows.damage != "none"].groupby(["variant", "damage", "level"]).size()
    assert (draws == 3).all()
    tasks = rows.filter(like="accuracy_")
    np.testing.assert_allclose(tasks.mean(axis=1), rows.accuracy)
    with torch.no_grad():
        subject.net.w_rec[0, :, 4:] = 0
    rows = measure.rows(subject)
    trained, matched = (rows[rows.variant == v] for v in ("as trained", "matched"))
    assert trained.absent.iloc[0] >= 0.75
    np.testing.assert_array_equal(trained.accuracy, matched.accuracy)


@pytest.mark.parametrize("values", [{"inputs": (0.0,)}, {"loss": (1.5,)}, {"units": ()}])
def test_bad_levels(values):
    with pytest.raises(InputError, match=next(iter(values))):
        RobustnessMeasure(**values)


def test_a_study_of_robustness_with_a_sweep_from_training_to_the_page(tmp_path):
    sweep = {"sweep": {"method.strength": [1e-4, 1e-2]}}
    study = small_study(
        methods={"bimt": METHODS["bimt"] | sweep},
        measure={"kind": "robustness", **FEW, "least": 0.0},
        seeds=[1],
    )
    page = conduct(study, tmp_path, workers=1, progress=False)
    text = page.read_text(encoding="utf-8")
    assert "BIMT, strength 0.01" in text
    assert "Robustness and sparsity" in text
    assert (tmp_path / "small" / "figures" / "curves.png").is_file()
