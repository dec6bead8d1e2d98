"""A whole experiment as the paper has it: minutes, not seconds."""

import time

import numpy as np
import pytest
import torch

from brainrnn.analysis import newman_modularity
from brainrnn.data import DATA, data_folder
from brainrnn.runs.experiment import build_network, load_suite
from brainrnn.training.loop import Trainer
from paper_mlp.experiments import EXPERIMENTS


@pytest.mark.slow
def test_25_networks_learn_two_independent_formulas_within_a_minute_on_one_core():
    reproduction = EXPERIMENTS["fig3a"]
    experiment = reproduction.experiment("notebook", reproduction.methods, reproduction.seeds)
    task = load_suite(experiment.task)
    net = build_network(experiment.network, task, seed=experiment.seed)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        start = time.process_time()
        for _ in Trainer(net, task, experiment.method, experiment.training).records():
            pass
        assert time.process_time() - start < 60
    finally:
        torch.set_num_threads(threads)
    split = reproduction.checks["no cross path"](net, task).reshape(5, 5).mean(1)
    vanilla, *penalised = split
    assert vanilla == 0
    assert min(penalised) == 1
    modularity = dict(
        zip(reproduction.methods, newman_modularity(net).values.reshape(5, 5), strict=True)
    )
    means = [np.mean(modularity[method]) for method in ("vanilla", "l1", "bimt")]
    assert means[0] + 0.2 < means[1] < means[2]


@pytest.mark.slow
@pytest.mark.skipif(data_folder() is None, reason=f"needs MNIST: set {DATA}")
def test_a_network_on_planes_learns_mnist_while_its_neurons_swap():
    experiment = EXPERIMENTS["fig8"].experiment("notebook", ("bimt",), 1, steps=2000)
    task = load_suite(experiment.task)
    assert (len(task.train), len(task.test)) == (60_000, 10_000)
    assert task.test.targets.bincount().tolist() == [
        *(980, 1135, 1032, 1010, 982),
        *(892, 958, 1028, 974, 1009),
    ]
    net = build_network(experiment.network, task, seed=experiment.seed)
    trainer = Trainer(net, task, experiment.method, experiment.training, seed=experiment.seed)
    moves = sum(int(record.moves) for record in trainer.records())
    assert moves > 100
    assert torch.equal(net.anatomy.places("input"), torch.arange(784)[None])
    _, score = trainer.evaluate()
    assert float(score) > 0.94
