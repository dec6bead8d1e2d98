"""The order of the computation, read from the wiring; and paths through a residual stream."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import brainrnn as br
from brainrnn.analysis import active_neurons, live_connections, stages
from brainrnn.errors import InputError
from brainrnn.networks import Transformer, TransformerSpec
from tests.placed import Wired


def test_a_perceptrons_stages_are_its_layers():
    net = br.MLP.on_lines(3, 2, br.MLPSpec(hidden=(4, 5)))
    chain = stages(net)
    assert [stage.name for stage in chain] == ["input", "h1", "h2", "out"]
    assert [s.parameter for s in chain] == [None, "fc0.weight", "fc1.weight", "fc2.weight"]
    assert all(stage.carried is None and stage.population == stage.name for stage in chain)


def test_a_transformers_stages_are_what_it_computes_one_after_the_other():
    net = Transformer(3, 2, TransformerSpec(width=4, layers=2))
    chain = stages(net)
    assert [stage.name for stage in chain] == list(net.layers(torch.zeros(1, 2, 3)))
    assert [s.name for s in chain if s.population == "stream"] == [f"stream{i}" for i in range(5)]
    carried = {s.name: chain[s.carried].name for s in chain if s.carried is not None}
    assert carried == {f"stream{i + 1}": f"stream{i}" for i in range(4)}
    assert [stage.parameter for stage in chain[1:5]] == [
        "embed.weight",
        "qkv1.weight",
        "proj1.weight",
        "up1.weight",
    ]


@pytest.mark.parametrize(
    "wiring",
    [
        {"rec": "h2 h2"},
        {"up": "h2 h1", "rec": "h2 h2"},
        {"up": "h2 h1", "other": "heads stream"},  # two networks
        {"up": "h2 h1", "back": "h1 h2"},  # to the inputs
        {"bias": "h1"},
    ],
)
def test_what_is_not_one_layer_after_the_other_has_no_stages(wiring):
    with pytest.raises(InputError, match="not feed-forward") as raised:
        stages(Wired(wiring))
    assert "\n" not in str(raised.value)


def sparse_transformer(seed):
    rng = np.random.default_rng(seed)
    net = Transformer(2, 2, TransformerSpec(width=2, expansion=1, layers=1), members=2)
    for value in net.parameters():
        size = np.where(rng.random(value.shape) < 0.3, 1.0, 0.01)
        value.data = torch.from_numpy(rng.choice([-1, 1], size=value.shape) * size).float()
    return net


def active_by_hand(net, member):
    """Every path from the inputs to the outputs, written out as steps between (stage, neuron)."""
    live = {name: value[member].numpy() for name, value in live_connections(net).items()}
    steps = {}
    order = ["input", "stream0", "heads1", "stream1", "mlp1", "stream2", "out"]
    maps = ["embed", "qkv1", "proj1", "up1", "down1", "unembed"]
    for name, (source, out) in zip(maps, itertools.pairwise(order), strict=True):
        for i, j in itertools.product(*map(range, live[f"{name}.weight"].shape)):
            if live[f"{name}.weight"][i, j]:
                steps.setdefault((source, j), set()).add((out, i % 2))  # folds: q, k and v
    for before, after in (("stream0", "stream1"), ("stream1", "stream2")):
        for i in range(2):
            steps.setdefault((before, i), set()).add((after, i))
    found = {name: set() for name in order}

    def walk(path):
        if path[-1][0] == "out":
            for stage, neuron in path:
                found[stage].add(neuron)
        for following in steps.get(path[-1], ()):
            walk([*path, following])

    for i in range(2):
        walk([("input", i)])
    return found


@given(seed=st.integers(0, 10**6))
def test_active_neurons_of_a_transformer_are_those_on_a_path(seed):
    net = sparse_transformer(seed)
    active = active_neurons(net)
    for member in range(2):
        expected = active_by_hand(net, member)
        got = {name: set(np.nonzero(on[member].numpy())[0]) for name, on in active.items()}
        assert got == expected
