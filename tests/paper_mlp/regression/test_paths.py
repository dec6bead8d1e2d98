from itertools import pairwise

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from brainrnn.analysis import stages
from brainrnn.errors import InputError
from brainrnn.networks import Transformer, TransformerSpec
from paper_mlp.regression.paths import unrolled_paths
from tasks import formulas, in_context
from tests.paper_mlp.regression.handmade import TASK, reader


def unrolled_graph(net, tokens):
    """Neurons (stage, position, index) of one member, joined by live connections and the stream."""
    graph = nx.DiGraph()
    chain = stages(net)
    for before, stage in pairwise(chain):
        weight = net.get_parameter(stage.parameter)[0].abs()
        n = weight.shape[0] // (3 if stage.parameter.startswith("qkv") else 1)
        for row, column in (weight > 0.05 * weight.max()).nonzero().tolist():
            for to in range(tokens):
                sources = [to]
                if stage.parameter.startswith("qkv") and row >= n:  # a key or a value
                    sources = range(to + 1)
                for source in sources:
                    graph.add_edge((before.name, source, column), (stage.name, to, row % n))
        if stage.carried is not None:
            for to in range(tokens):
                for i in range(n):
                    graph.add_edge((chain[stage.carried].name, to, i), (stage.name, to, i))
    return graph


@settings(max_examples=12)
@given(
    heads=st.sampled_from([1, 2]),
    pairs=st.integers(1, 2),
    dense=st.sampled_from([0.1, 0.25, 0.5]),
    seed=st.integers(0, 999),
)
def test_paths_are_those_of_the_unrolled_graph(heads, pairs, dense, seed):
    task = in_context(examples=20, pairs=pairs)
    spec = TransformerSpec(width=4, heads=heads, expansion=1)
    net = Transformer(2, 2, spec, seed=seed, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in net.named_parameters():
            if name.endswith("weight"):
                value *= torch.rand(value.shape, generator=generator) < dense
    tokens = 2 * pairs + 1
    graph = unrolled_graph(net, tokens)
    starts = {("input", t, 1 - t % 2) for t in range(tokens)} & set(graph)
    answer = ("out", tokens - 1, 0)
    on = set()
    if answer in graph:
        fro = nx.ancestors(graph, answer) | {answer}
        to = set().union(starts, *(nx.descendants(graph, start) for start in starts))
        on = fro & to
    found = {
        (name, *index)
        for name, state in unrolled_paths(net, task).items()
        for index in state[0].nonzero().tolist()
    }
    assert found == on


def test_the_paths_of_a_network_that_reads_the_pair():
    paths = {name: on[0].nonzero().tolist() for name, on in unrolled_paths(reader(), TASK).items()}
    assert paths["input"] == [[0, 1], [1, 0], [2, 1]]  # x_1, y_1 and x
    # The first two tokens matter for what the last one reads of them.
    assert paths["stream0"] == [[0, 1], [1, 0], [2, 1], [2, 3]]
    assert paths["heads1"] == [[2, 0], [2, 1]]
    for name in ("stream1", "stream2", "stream3", "stream4"):
        assert paths[name] == [[2, 1], [2, 2], [2, 3]]
    assert paths["mlp1"] == paths["heads2"] == []
    assert paths["out"] == [[2, 0]]


def test_what_has_no_paths():
    with pytest.raises(InputError, match="in-context regression"):
        unrolled_paths(reader(), formulas(["products"]))
