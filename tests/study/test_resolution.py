"""Finer and coarser grids: what keeps the function, and what is measured where it is not kept."""

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
from brainrnn.networks import RNN
from brainrnn.networks.resize import grid_shape, merge, refine
from brainrnn.runs.experiment import Experiment
from brainrnn.study.claims.resolution import kept
from brainrnn.study.grouping import (
    Moments,
    activity_moments,
    at_random,
    by_correlation,
    by_place,
)
from brainrnn.study.measures.resolution import ResolutionMeasure, staged
from brainrnn.study.report.claims import Claim
from brainrnn.study.resizing import resized
from brainrnn.study.stages import against_controls, beyond_chance
from brainrnn.study.subject import Cell, Subject
from tasks import cog20
from tests.study.small import EXPERIMENT, verdicts

SUITE = cog20(names=["go", "dm1"])
KINDS = [{"activation": a} for a in ("relu", "softplus", "tanh")] + [{"cell": "gru"}]


def random_net(shape=(3, 2), seed=0, **options):
    """A network with biases whose neurons sit anywhere."""
    options = {"dtype": torch.float64, "tau": 50} | options
    net = RNN(5, 4, br.grid(*shape), dt=20, seed=seed, **options)
    source = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name in ("b_rec", "b_out"):
            value = net.get_parameter(name)
            value.copy_(torch.randn(value.shape, generator=source))
    places = [torch.randperm(net.n_hidden, generator=source) for _ in range(net.members)]
    net.anatomy.move("hidden", torch.stack(places))
    return net


def noise(steps=9, trials=40, channels=5, seed=1):
    source = torch.Generator().manual_seed(seed)
    return torch.randn(steps, trials, channels, generator=source, dtype=torch.float64)


def second_moment(net, inputs):
    states = net.activity(inputs)[1][0].detach().flatten(0, 1)
    return states.T @ states / len(states)


@given(
    st.sampled_from(KINDS),
    st.lists(st.integers(1, 3), min_size=1, max_size=2),
    st.integers(2, 3),
    st.floats(0, 0.99),
    st.integers(0, 100),
)
@settings(max_examples=15)
def test_refining_keeps_the_function_and_every_state(kind, shape, factor, spread, seed):
    net = random_net(tuple(shape), seed, members=2, **kind)
    finer = refine(net, factor, spread=spread, seed=seed)
    parts = factor ** len(shape)
    assert grid_shape(finer) == tuple(factor * side for side in shape)
    outputs, states = net.activity(noise(trials=3))
    found, fine = finer.activity(noise(trials=3))
    torch.testing.assert_close(found, outputs, rtol=0, atol=1e-10)
    torch.testing.assert_close(fine, states.repeat_interleave(parts, 3), rtol=0, atol=1e-10)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(2, 3), st.integers(0, 100))
@settings(max_examples=25)
def test_the_parts_of_a_neuron_share_its_cell(shape, factor, seed):
    net = random_net(tuple(shape), seed, members=2)
    finer = refine(net, factor)
    position = finer.anatomy.positions("hidden").unflatten(1, (net.n_hidden, -1))
    torch.testing.assert_close(position.mean(2), net.anatomy.positions("hidden"))
    away = (position - net.anatomy.positions("hidden")[:, :, None]).abs()
    assert float(away.max()) < 0.5 / max(shape)


def test_what_is_sent_is_divided_and_keeps_its_sign_and_its_absence():
    net = random_net()
    with torch.no_grad():
        net.w_rec[0, 2, 3] = net.w_out[0, 1, 4] = 0
    finer = refine(net, spread=0.9)
    readout = finer.w_out[0].detach().unflatten(1, (6, 4))
    torch.testing.assert_close(readout.sum(2), net.w_out[0].detach())
    assert bool((readout.sign() == net.w_out[0].sign()[:, :, None]).all())
    weights = finer.w_rec[0].detach()
    block = weights.unflatten(0, (6, 4)).unflatten(2, (6, 4))  # reader, part, source, part
    torch.testing.assert_close(block.sum(3), net.w_rec[0].detach()[:, None].expand(-1, 4, -1))
    for i in range(6):  # what a neuron sends itself is not divided
        torch.testing.assert_close(block[i, :, i], net.w_rec[0, i, i].detach() * eye(4))
    assert not block[2, :, 3].any()
    assert not readout[1, 4].any()


def test_parts_that_are_divided_unequally_come_apart_in_training_and_others_do_not():
    for spread, apart in ((0.0, False), (0.5, True)):
        net = br.RNN.for_suite(SUITE, sites=br.grid(3, 3), dtype=torch.float64, seed=2)
        finer = refine(net, spread=spread)
        br.train(finer, SUITE, br.BIMT(strength=0.0), steps=5, batch=8, progress=False)
        bias = finer.b_rec[0].detach().view(9, 4)
        assert bool((bias.std(1) > 1e-6).any()) == apart


def test_distances_stay_those_of_the_network():
    net = random_net((2, 4), distance="l1")
    for other in (refine(net), merge(refine(net), by_place(refine(net), 2), eye(32), (2, 4))):
        places = other.anatomy.populations["hidden"].sites
        expected = torch.cdist(places, places, p=1)
        torch.testing.assert_close(other.anatomy.site_distances("hidden", "hidden"), expected)


def eye(n):
    return torch.eye(n, dtype=torch.float64)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: next(iter(kind.values())))
def test_merging_what_was_divided_gives_the_network_back(kind):
    net = random_net((2, 3), 3, **kind)
    finer = refine(net, spread=0.7)
    moment = second_moment(finer, noise())
    back = merge(finer, by_place(finer, 2), moment, (2, 3))
    places = net.anatomy.places("hidden")[0]
    assert torch.equal(back.anatomy.places("hidden")[0], torch.arange(6))
    for name, value in back.named_parameters():
        expected = net.anatomy.in_site_order(name, net.get_parameter(name))
        torch.testing.assert_close(value, expected, rtol=0, atol=1e-9)
    by_neuron = merge(finer, np.arange(24) // 4, moment, (2, 3))
    assert torch.equal(by_neuron.anatomy.places("hidden")[0], places)
    for value, expected in zip(by_neuron.parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(value, expected, rtol=0, atol=1e-9)


def test_scaled_copies_of_relu_units_merge_exactly():
    """A relu unit with c times the inputs is c times as active; readers need 1/c of it."""
    net = random_net((2, 2), 4)
    scale = torch.tensor([1.0, 2.0, 0.5, 3.0], dtype=torch.float64).repeat(4)
    finer = refine(net)
    with torch.no_grad():
        finer.w_in *= scale[:, None]
        finer.b_rec *= scale
        finer.w_rec *= scale[:, None] / scale
        finer.w_out /= scale
    torch.testing.assert_close(finer(noise()), net(noise()))
    back = merge(finer, np.arange(16) // 4, second_moment(finer, noise()), (2, 2))
    torch.testing.assert_close(back(noise()), net(noise()), rtol=0, atol=1e-8)


def test_a_neuron_that_is_no_ones_is_reconstructed_for_its_readers():
    net = random_net((1, 3), 5, activation="tanh")
    finer = refine(net)
    groups = np.arange(12) // 4
    groups[[1, 6]] = -1  # copies of others
    back = merge(finer, groups, second_moment(finer, noise()), (1, 3))
    torch.testing.assert_close(back(noise()), net(noise()), rtol=0, atol=1e-4)


def test_readers_get_the_least_squares_of_what_is_left():
    """Without a loop, a merged network's outputs are a regression on the merged states."""
    net = random_net((2, 2), 6)
    with torch.no_grad():
        net.w_rec.zero_()
        net.b_rec[0, 1] = -50  # silent
    groups, inputs = np.array([0, 1, 0, 0]), noise()
    small = merge(net, groups, second_moment(net, inputs), (1, 2))
    states = net.activity(inputs)[1][0].detach().flatten(0, 1).numpy()
    _, vectors = np.linalg.eigh(states[:, [0, 2, 3]].T @ states[:, [0, 2, 3]])
    weight = np.abs(vectors[:, -1]) / np.abs(vectors[:, -1]).sum()
    mean = states[:, [0, 2, 3]] @ weight
    slope = states.T @ mean / (mean @ mean)
    expected = net.w_out[0].detach().numpy() @ slope
    np.testing.assert_allclose(small.w_out[0, :, 0].detach(), expected, rtol=1e-5)
    np.testing.assert_allclose(
        small.w_in[0, 0].detach(), weight @ net.w_in[0, [0, 2, 3]].detach().numpy(), rtol=1e-6
    )
    np.testing.assert_allclose(small.w_in[0, 1].detach(), net.w_in[0, 1].detach())


def test_only_what_fits_is_resized():
    net = random_net()
    line = RNN(5, 4, br.ring(6), dt=20)
    for wrong in (lambda: refine(line), lambda: refine(net, 1), lambda: refine(net, spread=1.0)):
        with pytest.raises(InputError):
            wrong()
    with pytest.raises(InputError, match="none empty"):
        merge(net, np.array([0, 0, 0, 1, 1, 1]), eye(6), (1, 3))
    with pytest.raises(InputError, match="one network"):
        merge(random_net(members=2), np.arange(6), eye(6), (2, 3))
    with pytest.raises(InputError, match="no coarser"):
        by_place(net, 2)


def test_moments_are_those_of_steps_under_way():
    net = br.RNN.for_suite(SUITE, sites=br.grid(2, 3), seed=1)
    moments = activity_moments(net, SUITE, trials=5, rng=np.random.default_rng(2))
    rng, rows = np.random.default_rng(2), []
    for task in range(2):
        batch = SUITE.sample(5, rng, task=np.full(5, task))
        states = net.activity(batch.inputs, batch.lengths)[1][0].detach()
        rows += [states[:length, i] for i, length in enumerate(batch.lengths.tolist())]
    states = torch.cat(rows).double().numpy()
    np.testing.assert_allclose(moments.mean, states.mean(0), rtol=1e-5)
    np.testing.assert_allclose(moments.covariance, np.cov(states.T, bias=True), atol=1e-6)


def test_neurons_that_are_active_together_are_merged():
    rng = np.random.default_rng(0)
    sources = rng.standard_normal((5000, 3))
    of = np.array([0, 1, 2, 0, 1, 2, 0, 0])
    states = torch.from_numpy(sources[:, of] * np.arange(1, 9) + 0.1 * rng.random((5000, 8)))
    states = torch.cat([states, torch.full((5000, 2), 1e-3)], dim=1)  # and two silent ones
    moments = Moments(states.mean(0), states.T @ states / 5000)
    group = by_correlation(moments, 3)
    assert group[8:].tolist() == [-1, -1]
    same = group[:8, None] == group[None, :8]
    assert np.array_equal(same, of[:, None] == of)
    enough = by_correlation(moments, 9)
    assert sorted(enough.tolist()) == [-1, *range(9)]
    assert (enough[:8] >= 0).all()


def test_equal_neurons_still_make_as_many_groups_as_asked_for():
    states = torch.randn(100, 1, dtype=torch.float64).repeat(1, 6)
    group = by_correlation(Moments(states.mean(0), states.T @ states / 100), 4)
    assert set(group.tolist()) == {0, 1, 2, 3}


def test_random_groups_are_of_equal_size():
    group = at_random(11, 4, np.random.default_rng(0))
    assert sorted(np.bincount(group)) == [2, 3, 3, 3]


def measured(shape):
    """Rows of a tiny network on a grid, and whether it was left as it is."""
    values = EXPERIMENT | {"seed": 3, "network": {"shape": list(shape)}}
    suite = cog20(names=EXPERIMENT["task"]["names"])
    net = br.RNN.for_suite(suite, sites=br.grid(*shape), seed=3)
    before = copy.deepcopy(net.state_dict())
    subject = Subject(Cell("bimt", "BIMT", 3, build(Experiment, values)), net, suite, Path())
    measure = ResolutionMeasure(shape=(2, 2), steps=4, every=2, batch=8, trials=20, moment_trials=4)
    rows = measure.answer(subject).items
    same = all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    return rows, same


@pytest.mark.parametrize(
    ("shape", "changes"),
    [((2, 2), ["refined"]), ((4, 4), ["place", "correlation", "random"])],
)
def test_networks_are_changed_by_their_shape_and_followed(shape, changes):
    rows, same = measured(shape)
    assert same
    assert list(rows.change.drop_duplicates()) == ["kept", *changes, "scratch"]
    assert rows.groupby("change").step.apply(list).tolist() == [[0, 2, 4]] * (2 + len(changes))
    other = {4: 16, 16: 4}[int(np.prod(shape))]
    assert (rows[rows.change != "kept"].neurons == other).all()
    assert rows.accuracy.between(0, 1).all()
    tested = rows.isolated_p.notna()
    assert (rows.isolated_p[tested].between(0, 1)).all()
    assert tested[rows.step.isin([0, 4]) & (rows.modules > 1)].all()
    assert not tested[rows.step == 2].any()
    assert rows[rows.step == 2].wiring_length.isna().all()
    if "refined" in changes:
        by = rows[rows.step == 0].set_index("change")
        assert by.accuracy["refined"] == by.accuracy["kept"]
        assert by.active["refined"] == 4 * by.active["kept"]


def test_a_network_on_neither_grid_is_refused():
    with pytest.raises(InputError, match=r"measure\.shape"):
        measured((3, 3))


def synthetic():
    """Rows of networks that gain by the seed; a merged one loses and gets most of it back."""
    end = {"kept": 0.95, "refined": 0.96, "place": 0.9, "correlation": 0.94, "random": 0.85}
    start = {"kept": 0.94, "refined": 0.94, "place": 0.3, "correlation": 0.8, "random": 0.2}
    ways = {"coarse": ("kept", "refined", "scratch")}
    ways["fine"] = ("kept", "place", "correlation", "random", "scratch")
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        [
            {
                "method": method,
                "label": method.upper(),
                "seed": seed,
                "change": change,
                "neurons": 16,
                "step": step,
                "accuracy": value + 0.001 * rng.random(),
                "ceiling": 0.98,
                "active": 8,
                "modules": 3,
                "absent": 0.5,
                "wiring_length": 10.0,
                "isolated_z": -3.0,
                "isolated_p": 0.01,
                "cluster_size_z": -2.0,
                "cluster_size_p": 0.01 if step == 0 else 0.2,
            }
            for method, changes in ways.items()
            for seed in (1, 2, 3)
            for change in changes
            for step, value in ((0, start.get(change, 0.1)), (10, end.get(change, 0.7)))
        ]
    )


def test_stages_stand_side_by_side():
    stages = staged(synthetic()).set_index(["label", "seed", "change"])
    kept = stages.loc[("FINE", 2, "kept")]
    assert kept.accuracy_before == kept.accuracy_after
    for change in ("place", "scratch"):
        assert stages.loc[("FINE", 2, change)].accuracy_before == kept.accuracy_before
    place = stages.loc[("FINE", 2, "place")]
    assert place.accuracy_after == pytest.approx(0.3, abs=1e-3)
    assert place.accuracy_trained == pytest.approx(0.9, abs=1e-3)


def test_findings_compare_with_the_controls():
    found = ResolutionMeasure().findings(synthetic())
    table = found.tables["Against the controls, paired by seed"]
    table = table[table.when == "trained on"].set_index(["method", "network", "against"])
    for network, against, expected in (
        ("merged by place", "from scratch", 0.2),
        ("merged by place", "as it was", -0.05),
        ("merged by correlation", "merged at random", 0.09),
    ):
        row = table.loc[("FINE", network, against)]
        assert row.difference == pytest.approx(expected, abs=2e-3)
        assert row.p_controlled < 0.01
    assert table.loc[("COARSE", "refined", "as it was")].difference == pytest.approx(0.01, abs=2e-3)
    assert "right after" not in set(table.index.get_level_values("against"))
    said = verdicts(found)
    claim = "Merged by place, trained on: less accurate than "
    assert said[f"{claim}as it was.", "FINE"] == "holds"
    assert said[f"{claim}from scratch.", "FINE"] == "fails"
    assert any("by construction" in note for note in found.notes)
    assert set(found.figures) == {"accuracy", "map"}


def stages_with_p(*networks):
    """Changed networks: label, change, and the p of both measures right after and later."""
    return pd.DataFrame(
        [
            {
                "label": label,
                "change": change,
                "isolated_p_after": after[0],
                "cluster_size_p_after": after[1],
                "isolated_p_trained": later[0],
                "cluster_size_p_trained": later[1],
            }
            for label, change, after, later in networks
        ]
    )


def test_a_map_is_there_if_both_measures_are_below_5_percent():
    p = [(0.01, 0.01), (0.01, 0.05), (0.049, 0.01), (0.5, 0.01)]
    table = stages_with_p(*(("L1", "refined", one, (1, 1)) for one in p))
    assert beyond_chance(table, "after").tolist() == [True, False, True, False]
    assert not beyond_chance(table, "trained").any()


def test_claims_about_maps_are_made_of_changed_networks_alone_in_the_order_of_the_rows():
    there, gone = (0.01, 0.01), (0.01, 0.5)
    table = stages_with_p(
        *[("L1", "refined", there, there)] * 4,
        ("L1", "refined", there, gone),
        ("BIMT", "refined", gone, there),
        ("BIMT", "as it was", there, there),
        ("BIMT", "from scratch", there, there),
        ("BIMT", "merged by place", there, gone),
    )
    both = "both measures of the map are at p < 0.05."
    assert list(kept(table)) == [
        Claim(f"Refined, right after: {both}", "L1", "holds", "5 of 5"),
        Claim(f"Refined, right after: {both}", "BIMT", "fails", "0 of 1"),
        Claim(f"Refined, later: {both}", "L1", "holds", "4 of 5"),
        Claim(f"Refined, later: {both}", "BIMT", "holds", "1 of 1"),
        Claim(f"Merged by place, right after: {both}", "BIMT", "holds", "1 of 1"),
        Claim(f"Merged by place, later: {both}", "BIMT", "fails", "0 of 1"),
    ]


def test_a_changed_network_is_compared_with_the_controls_only_once_it_has_trained_on():
    """Right after the change these say nothing new; ways to merge are compared then too."""
    stages = staged(synthetic())
    named = {"place": "merged by place", "random": "merged at random", "kept": "as it was"}
    table = against_controls(stages.assign(change=stages.change.replace(named)))
    asked = set(zip(table.when, table.network, table.against, strict=True))
    assert ("right after", "merged by place", "merged at random") in asked
    assert ("trained on", "merged by place", "as it was") in asked
    assert ("right after", "merged by place", "as it was") not in asked


def correlated(*rows):
    """Moments of neurons with these correlations and these standard deviations."""
    correlation, sd = np.array(rows[:-1]), np.array(rows[-1])
    return Moments(torch.zeros(len(sd)), torch.from_numpy(correlation * np.outer(sd, sd)))


def test_groups_are_those_of_average_linkage():
    """A chain of neurons: single linkage would follow it, average linkage cuts it."""
    away = np.abs(np.subtract.outer([0.0, 0.2, 0.41, 0.63, 0.86], [0.0, 0.2, 0.41, 0.63, 0.86]))
    group = by_correlation(correlated(*(1 - away), [1.0, 2, 3, 1, 1]), 2)
    assert len({*group[:2]}) == len({*group[2:]}) == 1
    assert group[0] != group[2]


def test_silent_neurons_belong_to_none_unless_groups_would_stay_empty():
    near = np.array([[1.0, 0.9, 0.1, 0.1], [0.9, 1, 0.1, 0.1], [0.1, 0.1, 1, 0.1], [0.1] * 3 + [1]])
    moments = correlated(*near, [20.0, 15.0, 10.0, 0.5])  # 0.5² is below a thousandth of 20²
    group = by_correlation(moments, 2)
    assert group[3] == -1
    assert group[0] == group[1] != group[2]
    assert by_correlation(moments, 3).tolist() == [0, 1, 2, -1]  # each its own, by activity
    assert by_correlation(moments, 4).tolist() == [0, 1, 2, 3]
    loud = correlated(*near, [20.0, 15.0, 10.0, 0.7])
    assert by_correlation(loud, 2)[3] != -1


def test_a_network_is_refined_as_the_study_says():
    net = random_net((2, 2), dtype=torch.float32)
    options = {"factor": 3, "spread": 0.2, "seed": 9}
    (finer,) = resized(net, SUITE, (2, 2), trials=2, **options).values()
    expected = refine(net, 3, spread=0.2, seed=9).state_dict()
    assert finer.n_hidden == 36
    for name, value in finer.state_dict().items():
        torch.testing.assert_close(value, expected[name])
    other = refine(net, 3, spread=0.2, seed=8).state_dict()
    assert not torch.equal(other["w_rec"], expected["w_rec"])
