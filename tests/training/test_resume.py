"""Training that stops anywhere, any number of times, and goes on as if it had not."""

import copy

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import brainrnn as br
from brainrnn.training.loop import Trainer, TrainingSpec
from tasks import cog20, formulas, in_context

STEPS = 9
SUITE = cog20(names=["go", "dm1"], dt=100)
FORMULAS = formulas(["products"], train=12, test=4)
CONTEXT = in_context(examples=12)


def network(kind, members, seed):
    options = {"members": members, "seed": seed}
    if kind == "perceptron":
        return br.MLP.on_lines(4, 2, br.MLPSpec(hidden=(5, 4)), **options), FORMULAS
    if kind == "transformer":
        spec = br.TransformerSpec(layers=1, heads=2, width=4)
        return br.Transformer(CONTEXT.n_inputs, CONTEXT.n_outputs, spec, **options), CONTEXT
    sites, spec = br.grid(3, 3), br.RNNSpec(cell=kind, noise=0.1, tau=200)
    return br.RNN.for_suite(SUITE, sites=sites, spec=spec, **options), SUITE


@settings(max_examples=15)
@given(
    kind=st.sampled_from(["leaky", "gru", "perceptron", "transformer"]),
    members=st.integers(1, 2),
    method=st.builds(
        br.BIMT,
        strength=st.sampled_from([1e-3, 0.1, 0.0]),
        form=st.sampled_from(["proximal", "subgradient"]),
        biases_from=st.sampled_from([0.0, 0.5, 1.0]),
        swap=st.builds(
            br.SwapSpec,
            every=st.integers(1, 4),
            algorithm=st.sampled_from(["greedy", "descent", "assignment", "none"]),
        ),
    ),
    spec=st.builds(
        TrainingSpec,
        steps=st.just(STEPS),
        batch=st.integers(1, 4),
        decay=st.sampled_from(["none", "linear", "cosine"]),
        clip=st.sampled_from([0.0, 1.0]),
        log_every=st.sampled_from([1, 4, STEPS]),
        evaluate_every=st.sampled_from([3, STEPS]),
        evaluation_trials=st.just(2),
    ),
    stops=st.sets(st.integers(0, STEPS - 1), min_size=1, max_size=3),
    seed=st.integers(0, 99),
)
def test_stops_at_any_steps_change_no_bit(kind, members, method, spec, stops, seed):
    net, task = network(kind, members, seed)
    whole = Trainer(net, task, method, spec, seed=seed)
    expected = [row for record in whole.records() for row in record.metrics]

    found, state = [], None
    for stop in [*sorted(stops), STEPS]:
        net, task = network(kind, members, seed=seed + 1)  # whose own start does not matter
        trainer = Trainer(net, task, method, spec, seed=seed)
        if state is None:
            net.load_state_dict(network(kind, members, seed)[0].state_dict())
        else:
            trainer.load_state_dict(state)
        for record in trainer.records() if stop else ():
            found += record.metrics
            if record.step == stop:
                break
        state = copy.deepcopy(trainer.state_dict())

    np.testing.assert_equal(found, expected)  # which takes NaN for NaN
    for (name, value), other in zip(
        net.state_dict().items(), whole.net.state_dict().values(), strict=True
    ):
        assert torch.equal(value, other), name
