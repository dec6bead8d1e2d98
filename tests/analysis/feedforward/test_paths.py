import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from brainrnn.analysis.feedforward.paths import input_dependence, sequence_paths
from brainrnn.analysis.graph.live import active_neurons
from brainrnn.errors import InputError
from brainrnn.networks import MLP, MLPSpec, Transformer, TransformerSpec
from tests.analysis.feedforward.handmade import drawn, empty, unrolled_graph


def descends(graph, inputs):
    """(stage, neuron) -> for each input neuron, whether the neuron is reached from it."""
    reached = [nx.descendants(graph, ("input", 0, i)) | {("input", 0, i)} for i in range(inputs)]
    return {(name, i): [(name, 0, i) in some for some in reached] for name, _, i in graph}


@pytest.mark.parametrize("tokens", [None, 5])
def test_a_neuron_depends_on_the_inputs_that_it_descends_from(tokens):
    spec = MLPSpec(hidden=(5, 4), embedding=3)
    net = drawn(MLP.on_lines(tokens or 3, 2, spec, tokens=bool(tokens), members=20), keep=0.25)
    depends = input_dependence(net)
    for member in range(20):
        for (name, i), expected in descends(unrolled_graph(net, member), 3).items():
            assert depends[name][member, i].tolist() == expected
    assert 0.1 < depends["out"].float().mean() < 0.9


def test_the_stream_carries_what_it_held():
    net = drawn(Transformer(3, 2, TransformerSpec(width=4, layers=2), members=3), keep=0.2, seed=1)
    depends = input_dependence(net)
    for member in range(3):
        for (name, i), expected in descends(unrolled_graph(net, member), 3).items():
            assert depends[name][member, i].tolist() == expected


def test_paths_may_be_kept_to_some_neurons():
    net = drawn(empty(3, 5, 4, 2, members=20), keep=0.3)
    active = active_neurons(net)
    depends = input_dependence(net, among=active)
    less = 0
    for member in range(20):
        graph = unrolled_graph(net, member)
        idle = [(name, 0, i) for name, _, i in graph if not active[name][member, i]]
        whole = descends(graph, 3)
        graph.remove_nodes_from(idle)
        graph.add_nodes_from(idle)
        for (name, i), expected in descends(graph, 3).items():
            on = bool(active[name][member, i])
            assert depends[name][member, i].tolist() == [on and reached for reached in expected]
            less += depends[name][member, i].tolist() != whole[name, i]
    assert less > 20


@settings(max_examples=12)
@given(
    heads=st.sampled_from([1, 2]),
    positions=st.sampled_from([1, 3, 5]),
    dense=st.sampled_from([0.1, 0.25, 0.5]),
    seed=st.integers(0, 999),
)
def test_paths_through_a_sequence_are_those_of_the_unrolled_graph(heads, positions, dense, seed):
    spec = TransformerSpec(width=4, heads=heads, expansion=1)
    net = drawn(Transformer(2, 2, spec, dtype=torch.float64), keep=dense, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    shown, asked = torch.rand(2, positions, 2, generator=generator) < 0.6
    graph = unrolled_graph(net, positions=positions)
    starts = [("input", *index) for index in shown.nonzero().tolist()]
    ends = [("out", *index) for index in asked.nonzero().tolist()]
    to = set(starts).union(*(nx.descendants(graph, start) for start in starts))
    fro = set(ends).union(*(nx.ancestors(graph, end) for end in ends))
    found = {
        (name, *index)
        for name, state in sequence_paths(net, shown, asked).items()
        for index in state[0].nonzero().tolist()
    }
    assert found == to & fro


def test_inputs_and_outputs_must_be_those_of_the_network():
    net = Transformer(2, 3, TransformerSpec(width=4))
    given, asked = torch.ones(4, 2, dtype=torch.bool), torch.ones(4, 3, dtype=torch.bool)
    assert sequence_paths(net, given, asked)["out"].shape == (1, 4, 3)
    with pytest.raises(InputError, match=r"inputs of a sequence must be \(position, 2\)"):
        sequence_paths(net, asked, asked)
    with pytest.raises(InputError, match=r"outputs of a sequence must be \(position, 3\)"):
        sequence_paths(net, given, asked[1:])
