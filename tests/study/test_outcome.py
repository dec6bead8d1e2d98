"""A study of networks of any kind: what became of them, and what a measure cannot ask."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch

import brainrnn as br
from brainrnn.analysis import accuracy, assess
from brainrnn.errors import InputError
from brainrnn.runs.experiment import Experiment, build_network, load_suite
from brainrnn.study import conduct, load_study
from brainrnn.study.answers import Answers
from brainrnn.study.outcomes import member_settings, outcome
from brainrnn.study.pruning import connections, prune
from brainrnn.study.wiring import wiring_length
from tests.commands import brainrnn, one_line
from tests.study.small import small_study

SHORT = {"steps": 6, "evaluate_every": 6, "log_every": 3, "checkpoint_every": 3}
KINDS = {
    "rnn": {
        "task": {"suite": "cog20", "names": ["go", "dm1"]},
        "network": {"shape": [3, 3]},
        "training": SHORT | {"batch": 8, "evaluation_trials": 4},
    },
    "mlp": {
        "task": {"suite": "two_moons"},
        "network": {"kind": "mlp", "hidden": [5, 4]},
        "training": SHORT | {"batch": "all"},
    },
    "transformer": {
        "task": {"suite": "in_context", "options": {"examples": 40}},
        "network": {"kind": "transformer", "width": 4, "expansion": 1},
        "training": SHORT | {"batch": 16},
    },
}
METHODS = {
    "bimt": {"label": "BIMT"},
    "before": {"label": "before training", "trained": False},
}


def made(kind, **network):
    experiment = Experiment(**KINDS[kind] | {"network": KINDS[kind]["network"] | network})
    suite = load_suite(experiment.task)
    net = build_network(experiment.network, suite, seed=3)
    return net, suite


def found(net, suite, **options):
    return outcome(net, suite, trials=20, rng=np.random.default_rng(1), **options)


@pytest.mark.parametrize("kind", KINDS)
def test_wiring_is_counted_connection_by_connection(kind):
    net, suite = made(kind, members=2)
    with torch.no_grad():
        for value in net.parameters():
            value[:, ::2] *= 1e-5  # absent, beside the largest
    table = found(net, suite)
    for member in range(2):
        there = every = 0
        length = mass = 0.0
        for name, axes in net.anatomy.wiring.items():
            if len(axes) < 2 or not all(axis.population for axis in axes):
                continue
            weight = net.wired(name)[member].detach().abs().double().numpy()
            out, source = (
                np.tile(net.anatomy.positions(axis.population)[member].numpy(), (axis.folds, 1))
                for axis in axes
            )
            distance = np.zeros(weight.shape)
            for i, j in np.ndindex(*weight.shape):
                step = np.abs(out[i] - source[j])
                distance[i, j] = np.sqrt((step**2).sum()) if kind == "rnn" else step.sum()
                itself = axes[0].population == axes[1].population and distance[i, j] == 0
                mass += 0 if itself else weight[i, j]
            length += (weight * distance).sum()
            there += (weight > 1e-3 * weight.max()).sum()
            every += weight.size
        row = table.iloc[member]
        assert row.connections == there < every
        assert row.absent == pytest.approx(1 - there / every)
        assert row.wiring_length == pytest.approx(length)
        assert row.mean_length == pytest.approx(length / mass)
        assert 0 < row.active <= sum(len(p) for p in net.anatomy.populations.values())


@pytest.mark.parametrize("kind", ["mlp", "transformer"])
def test_a_feed_forward_network_has_the_numbers_of_its_own_analysis(kind):
    net, suite = made(kind, members=2)
    table, assessed = found(net, suite), assess(net, suite)
    for ours, theirs in {
        "loss": "test_loss",
        "accuracy": "test_accuracy",
        "modularity": "modularity",
        "active": "active",
    }.items():
        np.testing.assert_allclose(table[ours], assessed[theirs], rtol=1e-6, err_msg=ours)


def test_a_recurrent_network_has_the_accuracy_of_its_own_analysis():
    net, suite = made("rnn", members=2)
    with torch.no_grad():
        net.get_parameter("w_out").mul_(20)  # so that something is answered
    table = found(net, suite)
    expected = accuracy(net, suite, trials=20, rng=np.random.default_rng(1)).mean("task")
    np.testing.assert_allclose(table.accuracy, expected)
    assert table.accuracy.max() > 0
    graph = nx.from_numpy_array(
        (net.w_rec[1].abs() + net.w_rec[1].abs().T).fill_diagonal_(0).detach().double().numpy()
    )
    parts = nx.community.greedy_modularity_communities(graph, weight="weight")
    assert table.modularity[1] == pytest.approx(nx.community.modularity(graph, parts))
    assert np.isnan(found(net, suite, modularity=False).modularity).all()


@pytest.mark.parametrize("kind", KINDS)
def test_pruning_takes_the_weakest_of_all_layers_together(kind):
    net, _ = made(kind, members=2)
    names = [n for n, axes in net.anatomy.wiring.items() if net.anatomy.length(n) is not None]
    before = {name: net.wired(name).detach().clone() for name in names}
    prune(net, 0.75)
    for member in range(2):
        old = torch.cat([before[name][member].flatten() for name in names])
        new = torch.cat([net.wired(name)[member].detach().flatten() for name in names])
        kept = new != 0
        assert int(kept.sum()) == len(old) - round(0.75 * len(old))
        assert torch.equal(new[kept], old[kept])
        assert old[kept].abs().min() >= old[~kept].abs().max()
    assert connections(net) <= int((new != 0).sum()) + 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_study_of_any_kind(kind, tmp_path):
    study = small_study(
        experiment=KINDS[kind],
        methods=METHODS,
        measure={"kind": "outcome", "pruned": [0.5, 0.9], "trials": 10},
    )
    page = conduct(study, tmp_path, on="serial", progress=False)
    rows = Answers.read(page.parent).rows
    assert len(rows) == 2 * 2 * 3  # methods, seeds, fractions
    assert rows.pruned.tolist() == [0, 0.5, 0.9] * 4
    whole = rows[rows.pruned == 0].set_index(["method", "seed"])
    assert (whole.loc["bimt"].loss != whole.loc["before"].loss).all()
    cell = next(c for c in study.cells() if (c.method, c.seed) == ("bimt", 2))
    net = br.load(tmp_path / "networks" / cell.training).net
    assert whole.loc[("bimt", 2)].wiring_length == pytest.approx(float(wiring_length(net)[0]))
    assert (rows[rows.pruned == 0.9].absent >= 0.85).all()
    text = page.read_text()
    assert "Each setting" in text
    assert {"outcome.png", "pruned.png"} <= {p.name for p in (page.parent / "figures").iterdir()}
    assert ("| accuracy |" in text) == (kind != "transformer")  # a regression has none


def test_networks_side_by_side_are_told_apart(tmp_path):
    mlp = KINDS["mlp"]
    study = small_study(
        seeds=[0],
        experiment=mlp
        | {
            "network": mlp["network"] | {"members": 4, "starts": [0, 1, 0, 1]},
            "method": {"strength": [0.0, 0.0, 1e-3, 1e-3], "swap": {"every": 2}},
        },
        methods={"both": {"label": "both"}},
        measure={"kind": "outcome"},
    )
    page = conduct(study, tmp_path, on="serial", progress=False)
    rows = Answers.read(page.parent).rows
    assert rows.strength.tolist() == [0, 0, 1e-3, 1e-3]
    assert rows.start.tolist() == [0, 1, 0, 1]
    table = pd.read_csv(page.parent / "each_setting.csv")
    assert table.strength.tolist() == [0, 1e-3]
    assert table.networks.tolist() == [2, 2]
    assert table.accuracy[0].startswith(f"{rows.accuracy[:2].mean():.3f}")


def test_what_tells_members_apart():
    experiment = Experiment(
        network={"kind": "mlp", "members": 2, "perturbation": (0.0, 0.1)},
        method={"locality": (0.0, 2.0), "swap": {"locality": (0.0, 1.0)}},
    )
    assert member_settings(experiment).to_dict("list") == {
        "perturbation": [0.0, 0.1],
        "locality": [0.0, 2.0],
        "swap_locality": [0.0, 1.0],
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"measure": {"kind": "map"}}, "'map' asks recurrent networks"),
        ({"measure": {"kind": "lesions"}}, "'outcome' asks any network"),
        (
            {"methods": {"a": {"label": "a", "settings": ["network={kind='transformer'}"]}}},
            "but these tasks are vectors or tokens: use 'mlp'",
        ),
        (
            {"methods": {"a": {"label": "a", "settings": ["method.strength=[0.1, 0.2, 0.3]"]}}},
            "strength",
        ),
        ({"methods": {"a": {"label": "a", "settings": ["device=cuda:7"]}}}, "no device 'cuda:7'"),
    ],
)
def test_what_cannot_be_asked_or_built_is_one_line_before_anything_trains(changes, words, tmp_path):
    study = small_study(
        **{"experiment": KINDS["mlp"], "methods": METHODS, "measure": {"kind": "outcome"}} | changes
    )
    with pytest.raises(InputError, match=words) as caught:
        conduct(study, tmp_path / "out", on="serial", progress=False)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_question_to_one_network_is_not_put_to_several_side_by_side(tmp_path):
    network = {"shape": [4, 4], "members": 2}
    study = small_study(experiment=KINDS["rnn"] | {"network": network})
    with pytest.raises(InputError, match=r"one network at a time: set network\.members=1"):
        conduct(study, tmp_path, on="serial", progress=False)


STUDY = """
name = "moons"
title = "Two moons"
seeds = [0]
experiment = {extends = "paper/fig4-notebook", training = {steps = 20}}
methods.all.label = "all"
measure.kind = "outcome"
"""


def test_a_study_of_an_experiment_of_the_paper(tmp_path):
    file = tmp_path / "moons.toml"
    file.write_text(STUDY)
    study = load_study(file, ['experiment.training.batch="all"'])
    paper = br.runs.load_experiment("paper/fig4-notebook", ["training.steps=20"])
    assert study.experiment == paper
    status, _, errors = brainrnn(
        "study", file, "--out", tmp_path / "out", "--on", "serial", "--quiet"
    )
    assert (status, errors) == (0, "")
    networks = Answers.read(tmp_path / "out" / "moons").rows
    assert len(networks) == 25
    groups = networks.groupby(["strength", "locality", "swap_locality"], sort=False)
    assert groups.size().tolist() == [5] * 5
    file.write_text(STUDY.replace("fig4-notebook", "fig44-notebook"))
    one_line(brainrnn("study", file, "--out", tmp_path / "other"), "fig4-notebook")
