"""Sparse connections: the same network as a dense one whose other weights are zero."""

import numpy as np
import pytest
import torch

import brainrnn as br
from brainrnn.analysis.graph.pruning import keep_largest
from brainrnn.errors import InputError, InterruptedRun
from brainrnn.networks import sparse
from brainrnn.networks.growing import offering, regrow
from brainrnn.networks.sparse import sampled_product
from brainrnn.runs.experiment import load_experiment
from brainrnn.study import conduct
from brainrnn.study.outcomes import outcome
from brainrnn.study.pruning import absence, connections, prune
from brainrnn.study.wiring import wiring_length
from brainrnn.wiring_cost.strength import wiring_strength
from tasks import cog20
from tests.commands import assert_same_training
from tests.study.small import small_study

SUITE = cog20(dt=100, names=["go", "dm1", "ctxdm1"])
EQUAL = {"rtol": 1e-9, "atol": 1e-11}


def pair(partners, *, members=2, sites=None, turnover=0.0, every=7, **spec):
    """A sparse network, and a dense one of the same weights."""
    sites = br.grid(4, 5) if sites is None else sites
    options = {"sites": sites, "dtype": torch.float64, "members": members, "seed": 3}
    growth = {"partners": partners, "reach": 0.3, "offers": 5}
    growth |= {"every": every, "turnover": turnover}
    few = br.RNN.for_suite(
        SUITE, spec=br.RNNSpec(connections="sparse", growth=growth, **spec), **options
    )
    full = br.RNN.for_suite(SUITE, spec=br.RNNSpec(**spec), **options)
    for name, value in full.named_parameters():
        value.data.copy_(few.wired(name))
    return few, full


def grown(net, progress=1.0):
    """Let a network grow; which connections are new."""
    larger = offering(net, net.spec.growth, np.random.default_rng(1))
    gradient = torch.rand(larger.w_rec.shape)
    return regrow(net, larger, net.spec.growth, gradient, progress=progress)["w_rec"]


@pytest.mark.parametrize("partners", [1, 6, 20])
@pytest.mark.parametrize(
    "spec",
    [
        {"activation": "relu"},
        {"activation": "softplus", "tau": 200.0, "noise": 0.1},
        {"activation": "tanh"},
        {"cell": "gru", "noise": 0.1},
    ],
    ids=str,
)
def test_outputs_and_gradients_are_those_of_the_dense_network(partners, spec):
    few, full = pair(partners, **spec)
    batch = SUITE.sample(9, np.random.default_rng(0))
    assert len(batch.lengths.unique()) > 1
    outputs = []
    for net in (few, full):
        noise = torch.Generator().manual_seed(5)
        outputs.append(net.respond(batch, generator=noise))
        outputs[-1].square().sum().backward()
    torch.testing.assert_close(*outputs, **EQUAL)
    heard = few.anatomy.partners("w_rec").long()
    for name, value in few.named_parameters():
        expected = full.get_parameter(name).grad
        expected = expected.gather(2, heard) if name == "w_rec" else expected
        torch.testing.assert_close(value.grad, expected, **EQUAL)
    states = [net.activity(batch.inputs, batch.lengths)[1] for net in (few, full)]
    torch.testing.assert_close(*states, **EQUAL)


@pytest.mark.parametrize("cell", ["leaky", "gru"])
@pytest.mark.parametrize("form", ["proximal", "subgradient"])
def test_with_everybody_as_partner_training_is_the_dense_one(cell, form):
    few, full = pair(20, cell=cell)
    method = br.BIMT(strength=1e-3, form=form, swap=br.SwapSpec(every=10))
    spec = {"steps": 60, "batch": 16, "evaluate_every": 30, "evaluation_trials": 2}
    rows = [br.train(net, SUITE, method, progress=False, **spec) for net in (few, full)]
    for name, value in full.named_parameters():
        torch.testing.assert_close(few.wired(name), value.data, rtol=0, atol=1e-9)
    assert torch.equal(few.anatomy.places("hidden"), full.anatomy.places("hidden"))
    assert rows[0].moves.sum() > 0
    np.testing.assert_allclose(rows[0], rows[1], rtol=1e-7)


def test_cost_and_strengths_are_those_of_the_dense_network():
    few, full = pair(6, cell="gru")
    places = torch.stack([torch.randperm(20), torch.randperm(20)])
    for net in (few, full):
        net.anatomy.move("hidden", places)
    cost = br.CostSpec(locality=2.0, parameter_strength={"w_rec": 3.0})
    torch.testing.assert_close(
        br.connection_cost(few, cost), br.connection_cost(full, cost), **EQUAL
    )
    for ours, theirs in zip(
        wiring_strength(few, "hidden"), wiring_strength(full, "hidden"), strict=True
    ):
        torch.testing.assert_close(ours, theirs, **EQUAL)
    order = [net.anatomy.in_site_order("w_rec", net.w_rec) for net in (few, full)]
    torch.testing.assert_close(*order)
    assert few.weights()["w_rec"].shape == (2, 60, 6)


def test_without_the_kernel_the_product_is_the_same(monkeypatch):
    rng = torch.Generator().manual_seed(0)
    heard = torch.stack([torch.randperm(30, generator=rng)[:7] for _ in range(11)]).int()
    rows, sources = torch.rand(11, 5, generator=rng), torch.rand(30, 5, generator=rng)
    expected = (rows @ sources.T).gather(1, heard.long())
    torch.testing.assert_close(sampled_product(heard, rows, sources), expected)
    monkeypatch.setattr(sparse, "_KERNEL", False)
    monkeypatch.setattr(sparse, "_AT_ONCE", 100)
    torch.testing.assert_close(sampled_product(heard, rows, sources), expected)


def test_growing_gives_up_zeros_alone_and_changes_no_output():
    few, _ = pair(6)
    few.w_rec.data[torch.rand(few.w_rec.shape, generator=torch.manual_seed(0)) < 0.5] = 0.0
    before, weight = few.anatomy.partners("w_rec").clone(), few.w_rec.data.clone()
    batch = SUITE.sample(9, np.random.default_rng(0))
    outputs = few.respond(batch)
    new = grown(few)
    after = few.anatomy.partners("w_rec")
    assert torch.equal(new, after != before)
    itself = before == torch.arange(20)[:, None]
    wanted = (((weight == 0) & ~itself).sum(2)).clamp(max=5)  # there are five offers
    assert torch.equal(new.sum(2), wanted)
    assert bool((weight[new] == 0).all())
    own = torch.arange(20)[:, None]
    assert torch.equal((before == own).sum(2), (after == own).sum(2))  # itself is kept
    torch.testing.assert_close(few.respond(batch), outputs, **EQUAL)
    expected = few.anatomy.length("w_rec")
    few.anatomy.changed()
    torch.testing.assert_close(few.anatomy.length("w_rec"), expected)


def test_the_optimizer_starts_anew_where_a_connection_is_new(monkeypatch):
    few, _ = pair(6)
    trainer = br.training.Trainer(
        few,
        SUITE,
        br.BIMT(strength=1e-2, swap=br.SwapSpec(algorithm="none")),
        br.TrainingSpec(steps=50, batch=8),
    )
    news = []

    def watched(*args, **options):
        news.append(regrow(*args, **options)["w_rec"])
        return {"w_rec": news[-1]}

    monkeypatch.setattr("brainrnn.training.loop.regrow", watched)
    for record in trainer.records():
        if record.step % 7 == 0:
            state = trainer.state_dict()["optimizer"]
            first, second = (
                trainer._flat.split(state[name])["w_rec"] for name in ("exp_avg", "exp_avg_sq")
            )
            new = news[-1]
            assert new.any()
            assert bool((first[new] == 0).all())
            mean = torch.where(new, torch.nan, second).nanmean(2, keepdim=True).expand_as(second)
            known = new & (~new).any(2, keepdim=True)
            torch.testing.assert_close(second[known], mean[known])
    assert len(news) == 7


def test_it_learns_through_connections_that_have_grown():
    """From a network in which nobody hears anybody, and whose first partners are given up."""
    few, _ = pair(6, members=1, sites=br.grid(6, 6), turnover=1.0, every=40)
    start = few.anatomy.partners("w_rec").clone()
    itself = start == torch.arange(36)[:, None]
    few.w_rec.data[~itself] = 0.0
    rows = br.train(few, SUITE, br.BIMT(strength=1e-4), steps=600, batch=32, progress=False)
    now = few.anatomy.partners("w_rec")
    known = (now[..., None] == start[..., None, :]).any(-1)
    size = few.w_rec.data.abs() * ~itself
    assert size[~known].sum() > 0.4 * size.sum()  # the first are offered again, too
    assert rows.accuracy.iloc[-1] > 0.7  # chance is below 0.1


def test_offers_change_nothing_and_the_largest_gradients_are_taken():
    few, _ = pair(6, turnover=0.5)
    batch = SUITE.sample(9, np.random.default_rng(0))
    larger = offering(few, few.spec.growth, np.random.default_rng(1))
    outputs = larger.respond(batch)
    torch.testing.assert_close(outputs, few.respond(batch), **EQUAL)
    (gradient,) = torch.autograd.grad(outputs.square().sum(), larger.w_rec)
    # By the dense network, whose gradient has an entry for everybody.
    _, full = pair(6)
    for name, value in full.named_parameters():
        value.data.copy_(few.wired(name))
    full.respond(batch).square().sum().backward()
    offered = larger.anatomy.partners("w_rec").long()
    torch.testing.assert_close(gradient, full.w_rec.grad.gather(2, offered), **EQUAL)
    new = regrow(few, larger, few.spec.growth, gradient, progress=0.0)["w_rec"]
    assert torch.equal(new.sum(2), torch.full((2, 20), 2))  # of 5, without itself
    for member, row in np.ndindex(2, 20):
        order = gradient[member, row, 6:].abs().argsort(descending=True)[:2]
        taken = few.anatomy.partners("w_rec")[member, row][new[member, row]]
        assert set(taken.tolist()) == set(offered[member, row, 6:][order].tolist())


@pytest.mark.parametrize("progress", [0.0, 0.5, 1.0])
def test_the_weakest_are_given_up_fewer_and_fewer(progress):
    few, _ = pair(11, turnover=0.4)
    before, weight = few.anatomy.partners("w_rec").clone(), few.w_rec.data.clone()
    new = grown(few, progress=progress)
    most = int(0.4 * (1 + np.cos(np.pi * progress)) / 2 * 10 + 1e-9)
    assert new.sum(2).max() == most
    assert bool((few.w_rec.data[new] == 0).all())
    torch.testing.assert_close(few.w_rec.data[~new], weight[~new])
    itself = before == torch.arange(20)[:, None]
    rank = weight.abs().masked_fill(itself, torch.inf).argsort(dim=2).argsort(dim=2)
    assert bool((rank[new] < most).all())


@pytest.fixture
def experiment():
    return load_experiment(
        "quick",
        [
            "network.connections=sparse",
            "network.growth.partners=8",
            "network.growth.every=10",
            "network.shape=[5,6]",
            "training.steps=60",
            "training.batch=16",
            "training.checkpoint_every=25",
            "training.snapshot_every=20",
            "training.evaluate_every=30",
            "training.evaluation_trials=2",
            "method.swap.every=20",
        ],
    )


def test_a_run_that_was_stopped_goes_on_exactly(experiment, tmp_path):
    whole = br.Run.create(tmp_path / "whole", experiment)
    whole.train(progress=False)
    parts = br.Run.create(tmp_path / "parts", experiment)
    with pytest.raises(InterruptedRun):
        parts.train(progress=False, callback=lambda record: record.step == 33)
    br.Run.open(tmp_path / "parts").train(progress=False)
    assert_same_training(tmp_path / "whole", tmp_path / "parts")
    steps = [step for step, _ in whole.evolution()]
    assert steps == [0, 20, 40, 60]


def test_a_checkpoint_with_wrong_partners_is_refused(experiment, tmp_path):
    run = br.Run.create(tmp_path / "run", experiment)
    state = run.trainer.state_dict()
    wrong = state["network"]["anatomy.partners_w_rec"].clone()
    wrong[0, 0, 1] = wrong[0, 0, 0]
    state["network"] = state["network"] | {"anatomy.partners_w_rec": wrong}
    with pytest.raises(InputError, match="different neurons from 0 to 29"):
        run.trainer.load_state_dict(state)


def test_what_cannot_be_is_refused():
    sites = br.grid(3, 3)
    for words, spec in {
        "growth.partners is 10, and there are 9 neurons": {"growth": {"partners": 10}},
        "cannot be orthogonal": {"growth": {"partners": 4}, "initialisation": "orthogonal"},
    }.items():
        with pytest.raises(InputError, match=words):
            br.RNN.for_suite(SUITE, sites=sites, spec=br.RNNSpec(connections="sparse", **spec))


def test_members_with_one_start_have_the_same_partners():
    spec = br.RNNSpec(connections="sparse", growth={"partners": 4})
    net = br.RNN.for_suite(SUITE, sites=br.grid(4, 4), spec=spec, members=3, starts=[5, 6, 5])
    one, two, three = net.anatomy.partners("w_rec")
    assert torch.equal(one, three)
    assert not torch.equal(one, two)
    alone = br.RNN.for_suite(SUITE, sites=br.grid(4, 4), spec=spec, members=1, starts=[6])
    assert torch.equal(alone.anatomy.partners("w_rec")[0], two)
    assert torch.equal(net.select(1).w_rec, alone.w_rec)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_it_is_the_same():
    few, full = pair(6)
    batch = SUITE.sample(9, np.random.default_rng(0)).to("cuda")
    outputs = [net.to("cuda").respond(batch) for net in (few, full)]
    outputs[0].square().sum().backward()
    torch.testing.assert_close(*outputs, **EQUAL)
    method = br.BIMT(strength=1e-3, swap=br.SwapSpec(every=10, near=8))
    br.train(few, SUITE, method, steps=20, batch=8, progress=False)


def test_counts_and_pruning_are_those_of_the_dense_network():
    few, full = pair(6, members=1)
    few.w_rec.data[0, :5] = full.w_rec.data[0, :5] = 0.0
    for absent in (0.0, 0.8, 0.9):
        for net in (few, full):
            prune(net, absent)
        torch.testing.assert_close(few.wired("w_rec"), full.wired("w_rec"))
        assert connections(few) == connections(full)
        assert absence(few) == absence(full)
        for ours, theirs in zip(wiring_length(few), wiring_length(full), strict=True):
            torch.testing.assert_close(ours, theirs, **EQUAL)
    kept = [keep_largest(net, 30) for net in (few, full)]
    torch.testing.assert_close(kept[0].wired("w_rec"), kept[1].wired("w_rec"))
    tables = [outcome(net, SUITE, trials=3, rng=np.random.default_rng(0)) for net in (few, full)]
    np.testing.assert_allclose(tables[0], tables[1], rtol=1e-9)


def test_an_analysis_is_that_of_the_dense_network():
    nets = pair(6, members=1)
    spec = br.AnalysisSpec(trials=8, accuracy_trials=8, permutations=50, k=3)
    one, other = (br.analyse(net, SUITE, spec) for net in nets)
    for name in ("module", "p", "sparsity", "weight", "accuracy"):
        np.testing.assert_allclose(one[name], other[name], rtol=1e-6)


def test_a_map_of_sparse_networks_is_studied_and_lesions_are_refused(tmp_path):
    settings = ["network.connections=sparse", "network.growth.partners=4"]
    methods = {
        "placed": {"label": "placed", "settings": settings, "arrangement": "descent"},
    }
    study = small_study(seeds=[1], methods=methods)
    page = conduct(study, tmp_path / "maps", progress=False)
    assert page.is_file()
    study = small_study(seeds=[1], methods=methods, measure={"kind": "lesions"})
    with pytest.raises(InputError, match="asks networks with dense connections"):
        conduct(study, tmp_path / "lesions", progress=False)
