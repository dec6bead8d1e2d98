"""Nothing in a step waits for a device: a tensor on `meta` has no value that the host could read.

Lengths of trials stay on the CPU, where they plan the computation.
"""

import numpy as np
import pytest
import torch

import brainrnn as br
from brainrnn.networks import Transformer, TransformerSpec
from brainrnn.task import Examples
from brainrnn.training.flat import FlatParameters
from brainrnn.training.loop import Trainer, TrainingSpec
from brainrnn.wiring_cost.cost import cost_coefficients
from tasks import FixedTask, cog20, formulas, groups, in_context

META = torch.device("meta")


def recurrent(**options):
    suite = cog20(names=["go", "dm1", "dms"])
    return br.RNN.for_suite(suite, sites=br.grid(4, 4), members=2, **options), suite


def vectors():
    spec = br.MLPSpec(hidden=(7, 6))
    return br.MLP.on_lines(4, 2, spec, members=2), formulas(["products"], train=30, test=5)


def pictures(squared=False):
    examples = Examples(torch.rand(20, 16), torch.arange(20) % 3)
    options = {"image": (4, 4), "squared": squared}
    task = FixedTask("pictures", "which one", examples, examples, 16, 3, **options)
    return br.MLP.on_planes((4, 4), 3, br.MLPSpec(hidden=(9,)), members=2), task


def tokens():
    spec = br.MLPSpec(hidden=(7,), embedding=3)
    return br.MLP.on_lines(5, 5, spec, tokens=True, members=2), groups(["addition"], size=5)


def sequences():
    task = in_context(examples=50)
    spec = TransformerSpec(layers=2, heads=2, width=6)
    return Transformer(task.n_inputs, task.n_outputs, spec, members=2), task


CASES = {
    "leaky": recurrent,
    "slow leaky": lambda: recurrent(tau=200.0),
    "tanh": lambda: recurrent(activation="tanh"),
    "gru": lambda: recurrent(cell="gru"),
    "vectors": vectors,
    "pictures": pictures,
    "pictures, squared error": lambda: pictures(True),
    "tokens": tokens,
    "sequences": sequences,
}


def test_the_host_cannot_read_what_is_on_meta():
    value = torch.zeros(3, device=META)
    for read in (torch.Tensor.tolist, lambda x: x[0].item(), lambda x: bool(x.any())):
        with pytest.raises((RuntimeError, NotImplementedError)):
            read(value)


@pytest.mark.parametrize("case", CASES)
def test_a_networks_step_does_not_wait(case):
    net, task = CASES[case]()
    batch = task.sample(8, np.random.default_rng(0))
    here = net.respond(batch)
    net.to(META)
    batch = batch.to(META)
    outputs, pullback = net.pullback(batch)
    loss = task.loss(outputs.requires_grad_(), batch)
    (gradient,) = torch.autograd.grad(loss.sum(), outputs)
    slopes = pullback(gradient)
    assert outputs.shape == here.shape
    assert loss.shape == (2,)
    for value, slope in zip(net.parameters(), slopes, strict=True):
        assert slope.shape == value.shape
        assert slope.device == loss.device == META


@pytest.mark.parametrize("case", CASES)
def test_the_cost_does_not_wait(case):
    net, _ = CASES[case]()
    here = cost_coefficients(net, br.CostSpec())
    net.to(META)
    coefficients = cost_coefficients(net, br.CostSpec())
    assert {name: c.shape for name, c in coefficients.items()} == {
        name: c.shape for name, c in here.items()
    }
    assert {c.device for c in coefficients.values()} == {META}
    cost = br.connection_cost(net, br.CostSpec())
    assert cost.shape == (2,)
    assert cost.device == META
    slopes = torch.autograd.grad(cost.sum(), list(net.parameters()))
    assert all(slope.device == META for slope in slopes)


@pytest.mark.parametrize("form", ["proximal", "subgradient"])
@pytest.mark.parametrize("case", CASES)
def test_a_step_of_training_does_not_wait(case, form):
    net, task = CASES[case]()
    method = br.BIMT(strength=(1e-3, 1e-2), form=form, schedule=((0.0, 1.0),))
    trainer = Trainer(net, task, method, TrainingSpec(steps=10, batch=8, log_every=5))
    net.to(META)  # and with it all that a step changes
    trainer.device, trainer._watched = META, False
    trainer._parts, trainer._flat = [(slice(None), net)], FlatParameters(net)
    trainer._optimizer = torch.optim.Adam([trainer._flat.values], lr=1e-3)
    before = trainer._flat.gradient._version, trainer._flat.values._version
    for step in range(2):
        loss = trainer._descend(0.5)
        trainer.step += 1
        assert loss.shape == (2,)
        assert loss.device == META
        assert trainer._flat.values._version > before[1] + step
    assert trainer._flat.gradient._version > before[0]
