"""Graphs of networks that are not ours: a module of PyTorch whose weights somebody placed."""

import networkx as nx
import numpy as np
import pytest
import torch
from torch import nn

import brainrnn as br
from brainrnn.analysis import (
    active_neurons,
    analyse,
    communities,
    connection_graph,
    live_connections,
    newman_modularity,
    stages,
)
from brainrnn.anatomy.geometry import grid, line
from tests.analysis.refused import refused
from tests.analysis.synthetic import TASKS, Suite
from tests.placed import Wrapped

SITES = {"h1": line(6), "h2": line(5)}
WIRING = {"4.weight": "_ h2", "0.weight": "h1 _", "2.weight": "h2 h1"}  # in no order


def perceptron(seed=0):
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2))
    for value in module.parameters():
        value.data *= torch.where(torch.rand(value.shape) < 0.4, 1.0, 0.001)
    return Wrapped(module, SITES, WIRING)


def test_stages_without_places_for_inputs_and_outputs():
    assert [(s.name, s.parameter) for s in stages(perceptron())] == [
        ("h1", None),
        ("h2", "2.weight"),
    ]


def test_layers_may_be_named_in_any_order():
    module = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 3), nn.Linear(3, 2))
    sites = {"c": line(3), "a": line(3), "d": line(2), "b": line(4)}
    net = Wrapped(module, sites, {"2.weight": "d c", "0.weight": "b a", "1.weight": "c b"})
    assert [stage.name for stage in stages(net)] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("seed", range(4))
def test_paths_start_at_live_inputs_and_end_at_live_outputs(seed):
    net = perceptron(seed)
    first, middle, last = (net.weights()[f"{i}.weight"][0].detach().abs() for i in (0, 2, 4))
    live = [w > 0.05 * w.max() for w in (first, middle, last)]
    paths = [
        (i, j)
        for i in range(6)
        for j in range(5)
        if live[0][i].any() and live[1][j, i] and live[2][:, j].any()
    ]
    active = active_neurons(net)
    assert set(active["h1"][0].nonzero()[:, 0].tolist()) == {i for i, _ in paths}
    assert set(active["h2"][0].nonzero()[:, 0].tolist()) == {j for _, j in paths}
    assert torch.equal(live_connections(net)["2.weight"][0], live[1])


def test_the_graph_has_no_nodes_for_what_has_no_places():
    net = perceptron()
    graph = connection_graph(net)
    assert set(graph) == {("h1", 0, i) for i in range(6)} | {("h2", 0, i) for i in range(5)}
    weight = net.wired("2.weight")[0].detach().abs().numpy()
    for (j, i), w in np.ndenumerate(weight):
        assert graph.edges[("h1", 0, i), ("h2", 0, j)]["weight"] == pytest.approx(w)
    q = nx.community.modularity(graph, communities(net), weight="weight")
    assert float(newman_modularity(net)[0]) == pytest.approx(q)


def test_a_placed_module_is_what_our_network_of_the_same_weights_is():
    ours = br.MLP([line(n) for n in (3, 6, 2)])
    module = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 2))
    module[0].weight.data, module[2].weight.data = (
        ours.fc0.weight.data[0],
        ours.fc1.weight.data[0],
    )
    sites = {"input": line(3), "h1": line(6), "out": line(2)}
    mine = Wrapped(module, sites, {"0.weight": "h1 input", "2.weight": "out h1"})
    assert nx.utils.graphs_equal(connection_graph(mine), connection_graph(ours))
    assert communities(mine) == communities(ours)
    for name, active in active_neurons(ours).items():
        assert torch.equal(active_neurons(mine)[name], active)


class Recurrent(Wrapped):
    """A recurrent network of PyTorch that says what its neurons do."""

    def __init__(self, kind, sites):
        torch.manual_seed(0)
        self.rnn, self.readout = kind(5, len(sites)), nn.Linear(len(sites), 2)
        gates = self.rnn.weight_hh_l0.shape[0] // len(sites)
        wiring = {"weight_ih_l0": f"({gates} h) _", "weight_hh_l0": f"({gates} h) h"}
        super().__init__(self.rnn, {"h": sites}, wiring)

    def activity(self, inputs, lengths):
        hidden = self.rnn(inputs)[0]
        return self.readout(hidden)[None], hidden[None]


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU])
def test_a_recurrent_network_of_pytorch_is_analysed_and_has_a_graph(kind):
    net = Recurrent(kind, grid(4, 4))
    spec = br.AnalysisSpec(trials=16, accuracy_trials=8, permutations=50, k=3)
    brain = analyse(net, Suite(), spec)
    assert brain.sizes["unit"] == 16
    assert tuple(brain.task.values) == TASKS
    gates = net.rnn.weight_hh_l0.detach().reshape(-1, 16, 16).numpy()
    np.testing.assert_array_equal(np.abs(brain.weight[0]), np.abs(gates).max(0))
    assert "16 neurons active" in br.summary(brain)
    found = br.map_statistics(brain, graphs=3)
    assert found.p.sel(statistic=["moran", "distance_strength", "clustering"]).notnull().all()
    size = np.abs(gates).sum(0)
    graph = connection_graph(net)
    assert graph.edges[("h", 0, 2), ("h", 0, 5)]["weight"] == pytest.approx(
        size[2, 5] + size[5, 2], rel=1e-6
    )
    assert np.isfinite(newman_modularity(net)).all()
    for question in (stages, active_neurons):
        with refused("a Recurrent is not feed-forward, one layer after the other"):
            question(net)


def test_activity_without_a_member_axis_is_refused():
    net = Recurrent(nn.RNN, grid(4, 4))
    whole = net.activity
    net.activity = lambda inputs, lengths: tuple(part[0] for part in whole(inputs, lengths))
    with refused(r"must be \(member, time, trial, unit\)"):
        br.analysis.record(net, Suite(), "a", trials=3, rng=np.random.default_rng(0))
