import numpy as np
import pytest
import torch

import brainrnn as br
from brainrnn.analysis.graph.ablation import silence, without_each_connection
from brainrnn.errors import InputError
from tests.analysis.feedforward.handmade import connect, drawn, empty


def test_the_others_see_nothing_of_a_silent_neuron():
    net = drawn(empty(3, 4, 5, 2, members=2))
    inputs = torch.rand(20, 3, dtype=torch.float64)
    silent = np.array([[False] * 4, [True, False, False, True]])
    copies = silence(net, "h1", silent, member=1)
    state = net.layers(inputs)["h1"][1]
    for copy, quiet in enumerate(torch.from_numpy(silent)):
        hidden = torch.where(quiet, 0.0, state)
        hidden = torch.nn.functional.silu(hidden @ net.wired("fc1.weight")[1].T + bias(net, 1))
        expected = hidden @ net.wired("fc2.weight")[1].T + bias(net, 2)
        torch.testing.assert_close(copies(inputs)[copy], expected)
    torch.testing.assert_close(copies(inputs)[0], net(inputs)[1])


def bias(net, layer):
    return net.wired(f"fc{layer}.bias")[1]


def test_a_silent_input_of_tokens_is_an_embedding_of_0():
    spec = br.MLPSpec(hidden=(4,), embedding=3)
    net = drawn(br.MLP.on_lines(5, 5, spec, tokens=True))
    tokens = torch.randint(5, (20, 2))
    copies = silence(net, "input", np.array([[False, True, True]]))
    with torch.no_grad():
        net.wired("embedding")[:, :, 1:] = 0
    torch.testing.assert_close(copies(tokens), net(tokens))


def test_a_silent_unit_of_a_recurrent_network_stays_unread():
    net = br.RNN(2, 3, br.grid(3, 3), dt=20.0, spec=br.RNNSpec(noise=0.0))
    copies = silence(net, "hidden", np.eye(9, dtype=bool)[[4]])
    assert bool((copies.wired("w_rec")[0, :, 4] == 0).all())
    assert bool((copies.wired("w_out")[0, :, 4] == 0).all())
    assert torch.equal(copies.wired("w_in"), net.wired("w_in"))


def test_each_live_connection_is_away_once():
    net = connect(empty(2, 2, 1, members=2), 0, {(0, 0): 2.0, (1, 1): -1.0, (1, 0): 0.05}, 1)
    connect(net, 1, {(0, 1): 3.0}, 1)
    copies, table = without_each_connection(net, 1)
    found = list(zip(table.parameter.values, table.row.values, table.column.values, strict=True))
    assert found == [("fc0.weight", 0, 0), ("fc0.weight", 1, 1), ("fc1.weight", 0, 1)]
    assert table.value.values.tolist() == [2, -1, 3]
    for k, (name, row, column) in enumerate(found):
        expected = net.select(1)
        with torch.no_grad():
            expected.wired(name)[0, row, column] = 0
        for own, given in zip(copies.parameters(), expected.parameters(), strict=True):
            assert torch.equal(own[k], given[0])


def test_what_is_not_there_cannot_be_taken_away():
    net = empty(2, 3, 2)
    with pytest.raises(InputError, match="network 1 does not exist"):
        silence(net, "h1", np.ones((1, 3), dtype=bool), member=1)
    with pytest.raises(InputError, match="unknown population 'h2'"):
        silence(net, "h2", np.ones((1, 3), dtype=bool))
    with pytest.raises(InputError, match="has 3 neurons"):
        silence(net, "h1", np.ones((1, 4), dtype=bool))
    with pytest.raises(InputError, match="no live weight"):
        without_each_connection(net)
