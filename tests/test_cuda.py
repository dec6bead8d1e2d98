"""On a GPU everything is as on the processor, but for rounding; `make gpu-check` runs these."""

import numpy as np
import pytest
import torch

import brainrnn as br
from brainrnn.analysis import cluster_size, fraction_isolated, neighbours
from brainrnn.runs.experiment import build_network, load_experiment, load_suite
from brainrnn.training.loop import Trainer

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"),
]
RECURRENT = ["network.shape=[5,5]", "training.batch=16", "training.evaluation_trials=2"]
SPARSE = ["network.connections=sparse", "network.growth.partners=8", "network.growth.every=50"]
EXPERIMENTS = {
    "leaky": ("quick", RECURRENT),
    "gru": ("quick", [*RECURRENT, "network.cell=gru"]),
    "sparse": ("quick", [*RECURRENT, *SPARSE]),
    "members": ("quick", [*RECURRENT, "network.members=3"]),
    "perceptron": ("paper/fig2-notebook", []),
    "transformer": ("paper/fig7-notebook", []),
}


def trained(name, device):
    config, overrides = EXPERIMENTS[name]
    fixed = ["network.precision=float64", "training.steps=30", "method.swap.every=10"]
    experiment = load_experiment(config, [*overrides, *fixed])
    suite = load_suite(experiment.task)
    net = build_network(experiment.network, suite, seed=1, device=device)
    trainer = Trainer(net, suite, experiment.method, experiment.training, seed=1)
    records = list(trainer.records())
    return net, suite, torch.stack([record.loss.cpu() for record in records])


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_training_is_that_of_the_processor(name):
    (here, _, losses), (there, _, same) = (trained(name, device) for device in ("cpu", "cuda"))
    torch.testing.assert_close(losses.double(), same.double(), rtol=1e-6, atol=1e-9)
    for parameter, value in there.named_parameters():
        assert value.is_cuda
        torch.testing.assert_close(value.cpu(), here.get_parameter(parameter), rtol=0, atol=1e-6)


@pytest.mark.parametrize("near", [None, 8])
def test_swaps_never_raise_the_cost(near):
    net = br.RNN(3, 2, br.grid(6, 6), dt=100, members=2).to("cuda")
    cost = br.CostSpec(locality=2.0)
    before = br.connection_cost(net, cost).detach().double()
    assert int(br.relocate(net, cost, br.SwapSpec(near=near)).sum()) > 0
    assert bool((br.connection_cost(net, cost).detach().double() < before).all())


def test_an_analysis_and_permutations_are_those_of_the_processor():
    net, suite, _ = trained("leaky", "cpu")
    spec = br.AnalysisSpec(trials=8, accuracy_trials=8, permutations=200, k=3)
    here, there = (br.analyse(net.to(device), suite, spec) for device in ("cpu", "cuda"))
    np.testing.assert_allclose(there.task_variance, here.task_variance, rtol=1e-4, atol=1e-6)
    places, labels = br.grid(8, 8).numpy(), np.random.default_rng(0).integers(0, 5, 64)
    tests = {
        "isolated": fraction_isolated(neighbours(places, "8")),
        "cluster_size": cluster_size(places),
    }
    one, other = (
        br.permutation_test(tests, labels, n=5000, device=device) for device in ("cpu", "cuda")
    )
    np.testing.assert_allclose(one.observed, other.observed, rtol=1e-5)
    np.testing.assert_allclose(one.null_mean, other.null_mean, rtol=0.02)
