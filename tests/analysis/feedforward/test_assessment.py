"""The numbers of a feed-forward network against loops, torch's losses and networkx."""

import itertools
import json
import math

import networkx as nx
import numpy as np
import pytest
import torch
from torch.nn import functional

import brainrnn as br
from brainrnn.analysis.feedforward import assess, feedforward_json, feedforward_table
from tasks import formulas, groups

HIDDEN = (5, 4)


def sparse(task, **options):
    """Random networks, most of whose weights are far below the largest of their layer."""
    spec = br.MLPSpec(hidden=HIDDEN, embedding=3)
    tokens = task.positions is not None
    net = br.MLP.on_lines(task.n_inputs, task.n_outputs, spec, tokens=tokens, members=3, **options)
    rng = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for i in range(net.depth):
            weight = net.get_parameter(f"fc{i}.weight")
            weight *= torch.where(torch.rand(weight.shape, generator=rng) < 0.3, 1.0, 1e-3)
    return net


@pytest.fixture(scope="module", params=["regression", "classification"])
def assessed(request):
    regression = request.param == "regression"
    task = formulas(["products"], train=12) if regression else groups(["addition"], size=5)
    net = sparse(task)
    cost = torch.tensor([1.0, 2.0, 4.0])
    return net, task, assess(net, task, connection_cost=cost)


def connections(net, member):
    """(layer, target, source, |weight|) of every connection, folds side by side."""
    for i in range(net.depth):
        weight = net.get_parameter(f"fc{i}.weight")[member].abs().tolist()
        for target, source in itertools.product(range(len(weight)), range(len(weight[0]))):
            yield i, target, source, weight[target][source]


def live(net, member):
    largest = [max(w for i, *_, w in connections(net, member) if i == n) for n in range(net.depth)]
    return [(i, t, s) for i, t, s, w in connections(net, member) if w > 0.05 * largest[i]]


def test_losses_and_accuracies(assessed):
    net, task, result = assessed
    for part, examples in (("train", task.train), ("test", task.test)):
        for member, outputs in enumerate(net(examples.inputs).detach()):
            loss, accuracy = (result[f"{part}_{what}"][member] for what in ("loss", "accuracy"))
            if task.classes:
                expected = functional.cross_entropy(outputs, examples.targets)
                right = [
                    max(range(5), key=row.__getitem__) == target
                    for row, target in zip(outputs.tolist(), examples.targets.tolist(), strict=True)
                ]
                assert float(accuracy) == pytest.approx(sum(right) / len(right))
            else:
                expected = functional.mse_loss(outputs.double(), examples.targets)
                assert accuracy.isnull()
            assert float(loss) == pytest.approx(expected.item(), rel=1e-5)


def test_wiring(assessed):
    net, _, result = assessed
    some = 0
    for member in range(3):
        alive = live(net, member)
        everything = list(connections(net, member))
        assert float(result["live"][member]) == pytest.approx(len(alive) / len(everything))
        graph = nx.DiGraph([((i, s), (i + 1, t)) for i, t, s in alive])
        graph.add_edges_from(("in", node) for node in list(graph) if node[0] == 0)
        graph.add_edges_from((node, "out") for node in list(graph) if node[0] == net.depth)
        on_a_path = nx.descendants(graph, "in") & nx.ancestors(graph, "out")
        active = [node for node in on_a_path if 0 < node[0] < net.depth]
        assert result["active"][member] == len(active)
        some += len(active) not in (0, sum(HIDDEN))
        weighted = nx.Graph()
        weighted.add_nodes_from(sorted({(i, s) for i, _, s, _ in everything}))
        weighted.add_weighted_edges_from(((i, s), (i + 1, t), w) for i, t, s, w in everything)
        found = nx.community.greedy_modularity_communities(weighted, weight="weight")
        q = nx.community.modularity(weighted, found, weight="weight")
        assert float(result["modularity"][member]) == pytest.approx(q, abs=1e-6)
    assert some


def test_what_is_told(assessed):
    _, task, result = assessed
    assert result["connection_cost"].values.tolist() == [1.0, 2.0, 4.0]
    told = feedforward_json(result)
    json.dumps(told, allow_nan=False)
    assert told["connection_cost"] == pytest.approx(7 / 3)
    assert [member["connection_cost"] for member in told["members"]] == [1.0, 2.0, 4.0]
    for name in ("modularity", "test_loss", "live", "active"):
        values = result[name].values
        assert told[name] == pytest.approx(values.mean())
        assert [member[name] for member in told["members"]] == pytest.approx(values.tolist())
    lines = feedforward_table(result).splitlines()
    assert len(lines) == 4
    assert lines[0].split()[0] == "member"
    assert ("test_accuracy" in lines[0]) == task.classes
    assert (told["test_accuracy"] is None) == (not task.classes)
    rows = [dict(zip(lines[0].split(), line.split(), strict=True)) for line in lines[1:]]
    assert [row["member"] for row in rows] == ["0", "1", "2"]
    assert [row["test_loss"] for row in rows] == [f"{x:.3g}" for x in result["test_loss"].values]
    assert [row["active"] for row in rows] == [str(n) for n in result["active"].values]


def test_without_a_cost_there_is_none():
    task = formulas(["products"])
    result = assess(sparse(task), task)
    assert np.isnan(result["connection_cost"]).all()
    assert feedforward_json(result)["connection_cost"] is None
    assert "connection_cost" not in feedforward_table(result)


def test_a_network_without_hidden_layers_has_no_active_neurons():
    task = formulas(["products"])
    net = br.MLP.on_lines(4, 2, br.MLPSpec(hidden=()), members=2)
    with torch.no_grad():
        net.get_parameter("fc0.weight")[1] = 0.0
    result = assess(net, task)
    assert result["active"].values.tolist() == [0, 0]
    assert result["live"][1] == 0
    assert math.isnan(result["modularity"][1])
    assert feedforward_json(result)["members"][1]["modularity"] is None
