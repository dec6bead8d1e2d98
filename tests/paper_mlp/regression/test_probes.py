import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from brainrnn.analysis.graph.live import active_neurons
from brainrnn.errors import InputError
from brainrnn.networks import Transformer, TransformerSpec
from paper_mlp.regression.probes import (
    a_pair_encodes,
    last_token,
    no_single_neuron,
    varying_neurons,
    weight_probes,
)
from tasks import in_context
from tests.paper_mlp.regression.handmade import TASK, connect, empty, reader


def w_of(examples):
    return (examples.inputs[:, 1, 0] / examples.inputs[:, 0, 1]).numpy()


def held(examples):
    """What the reader's neurons 1, 2, 3 hold at the last token."""
    shown = examples.inputs.numpy()
    return np.stack([shown[:, 2, 1], shown[:, 1, 0], shown[:, 0, 1]], axis=1)


def standardised(examples, columns):
    fitted, mine = held(TASK.train)[:, columns], held(examples)[:, columns]
    return (mine - fitted.mean(0)) / fitted.std(0)


def nearest_r2(columns):
    """R^2 of the mean over the ten nearest training sequences, by brute force."""
    fitted, tested = (standardised(e, columns) for e in (TASK.train, TASK.test))
    distance = np.linalg.norm(tested[:, None] - fitted, axis=2)
    nearest = np.argsort(distance, axis=1)[:, :10]
    return r2_score(w_of(TASK.test), w_of(TASK.train)[nearest].mean(1))


def test_the_last_token_holds_what_was_read():
    activity = last_token(reader(), TASK.test)
    np.testing.assert_allclose(activity[:, 1:], held(TASK.test), atol=1e-12)
    np.testing.assert_allclose(activity[:, 0], 0, atol=1e-12)


def test_probes_agree_with_other_ways_to_compute_them():
    net = reader()
    net.anatomy.move("stream", torch.tensor([[2, 3, 0, 1]]))
    table = weight_probes(net, TASK)
    groups = [(1,), (2,), (3,), (1, 2), (1, 3), (2, 3)]
    assert set(map(frozenset, table.neurons)) == set(map(frozenset, groups))
    assert len(table) == len(groups)
    w = w_of(TASK.test)
    for row in table.itertuples():
        columns = [neuron - 1 for neuron in row.neurons]
        assert row.kind == ("single", "pair")[len(columns) - 1]
        assert row.sites == tuple({1: 4, 2: 1, 3: 2}[neuron] for neuron in row.neurons)
        fit = LinearRegression().fit(held(TASK.train)[:, columns], w_of(TASK.train))
        predicted = fit.predict(held(TASK.test)[:, columns])
        assert row.linear_r2 == pytest.approx(r2_score(w, predicted))
        correlation = np.corrcoef(predicted, w)[0, 1]
        assert row.correlation == pytest.approx(abs(correlation))
        if len(columns) == 1:
            pearson = np.corrcoef(held(TASK.test)[:, columns[0]], w)[0, 1]
            assert row.correlation == pytest.approx(abs(pearson))
        assert row.r2 == pytest.approx(nearest_r2(columns))
    assert table.r2.is_monotonic_decreasing
    assert set(table.neurons[0]) == {2, 3}
    assert table.r2[0] > 0.99


@pytest.mark.parametrize(
    ("single", "pair", "encodes"),
    [
        (0.5, 0.95, True),
        (0.5, 0.89, False),  # below 0.9
        (0.9, 0.951, True),
        (0.9, 0.949, False),  # more than half of what the single one leaves
        (0.96, 0.97, False),
        (0.999, 0.9999, True),
    ],
)
def test_a_pair_must_halve_what_the_best_neuron_leaves(single, pair, encodes, monkeypatch):
    def table(*_, **__):
        rows = {"kind": ["pair", "single", "single"], "r2": [pair, single, 0.1]}
        return pd.DataFrame(rows)

    monkeypatch.setattr("paper_mlp.regression.probes.weight_probes", table)
    assert a_pair_encodes(reader(), TASK).tolist() == [encodes]


def test_pairs_are_ordered_by_site():
    net = reader()
    net.anatomy.move("stream", torch.tensor([[2, 3, 0, 1]]))
    table = weight_probes(net, TASK)
    assert all(list(sites) == sorted(sites) for sites in table.sites)


def test_only_active_neurons_that_vary_are_probed():
    net = connect(reader(members=3), "unembed", {(0, 2): 0}, member=1)
    # Live connections, each 6 % of the largest, leave less than 1 % of the variation.
    connect(net, "qkv1", {(8, 0): 0.06}, member=2)
    connect(net, "proj1", {(2, 0): 0.18}, member=2)
    assert active_neurons(net)["stream2"][2].all()
    assert [varying_neurons(net, TASK, m).tolist() for m in range(3)] == [
        [1, 2, 3],
        [1, 3],
        [1, 3],
    ]
    assert set(weight_probes(net, TASK, 1).neurons.explode()) == {1, 3}


def test_rounding_is_not_variation():
    spec = TransformerSpec(layers=1, width=8)
    net = Transformer(2, 2, spec)
    connect(net, "embed", {(i, j): 0 for i in range(8) for j in range(2)})
    with torch.no_grad():  # a hair from constant, so that inputs are connected to outputs
        net.get_parameter("embed.weight").add_(1e-9)
    assert len(varying_neurons(net, TASK)) == 0


def test_other_stages_can_be_probed():
    table = weight_probes(reader(), TASK, stage="heads1")
    assert sorted(table.neurons) == [(0,), (0, 1), (1,)]  # y_1 / 3 and (x_1 + x) / 3
    embedded = weight_probes(reader(), TASK, stage="stream0")
    assert abs(embedded.r2).max() < 0.3  # the last token alone knows x, and nothing of w


def test_a_pair_that_holds_y1_and_x1_encodes_w():
    net = reader(members=2)
    connect(net, "proj1", {(3, 1): 0}, member=1)  # neuron 3 holds -x: nobody knows x_1
    assert no_single_neuron(net, TASK).tolist() == [False, False]  # only y_1 correlates with w
    assert a_pair_encodes(net, TASK).tolist() == [True, False]


def test_a_pair_that_tells_more_than_one_may_still_not_encode_w():
    net = connect(reader(members=2), "embed", {(3, 1): -0.4}, member=1)  # x_1 + 0.6 x
    task = in_context(examples=1500, x_low=-1.0, x_high=1.0)
    assert a_pair_encodes(net, task).tolist() == [True, False]
    table = weight_probes(net, task, 1)
    single, pair = (table.r2[table.kind == kind].max() for kind in ("single", "pair"))
    assert single < 0.1
    assert 0.5 < pair < 0.85


def test_several_must_correlate_and_none_determine():
    # Neuron 3 holds y_1 + x_1: a second one that correlates.
    net = connect(reader(members=2), "proj1", {(3, 0): 3})
    connect(net, "unembed", {(0, 2): 0, (0, 0): 0}, member=1)  # neuron 2 becomes inactive
    assert no_single_neuron(net, TASK).tolist() == [True, False]
    assert a_pair_encodes(net, TASK).tolist() == [True, False]
    fixed = in_context(examples=1500, x_low=1.0, x_high=1.001)  # y_1 is w
    assert no_single_neuron(net, fixed).tolist() == [False, False]
    assert a_pair_encodes(net, fixed).tolist() == [False, False]  # no better than one


def test_twins_do_not_upset_the_linear_probe():
    net = connect(reader(), "proj1", {(3, 0): 3, (3, 1): 0})
    connect(net, "embed", {(3, 1): 0})  # neuron 3 holds y_1 as neuron 2 does
    table = weight_probes(net, TASK).set_index("neurons")
    assert table.linear_r2[(2, 3)] == pytest.approx(table.linear_r2[(2,)])
    assert table.correlation[(2, 3)] == pytest.approx(table.correlation[(2,)])


def test_a_collapsed_network_encodes_nothing():
    net = empty(members=2)
    table = weight_probes(net, TASK, 1)
    assert table.empty
    assert list(table) == ["kind", "sites", "neurons", "correlation", "linear_r2", "r2"]
    for check in (no_single_neuron, a_pair_encodes):
        found = check(net, TASK)
        assert found.dtype == bool
        assert found.tolist() == [False, False]


@pytest.mark.parametrize("heads", [2, 4])
def test_untrained_networks_of_several_heads(heads):
    spec = TransformerSpec(width=8, heads=heads)
    net = Transformer(2, 2, spec, members=2, dtype=torch.float64)
    table = weight_probes(net, in_context(examples=300), 1)
    assert (table.kind == "pair").sum() == 28
    assert np.isfinite(table[["correlation", "linear_r2", "r2"]]).all(axis=None)
    assert table.correlation.between(0, 1).all()


def test_what_cannot_be_probed():
    with pytest.raises(InputError, match="not one of 2 dimensions"):
        weight_probes(empty(n=3), in_context(examples=50, dimensions=2))
    with pytest.raises(InputError, match="unknown stage 'stream7': did you mean"):
        weight_probes(reader(), TASK, stage="stream7")
    with pytest.raises(InputError, match="network 2 does not exist"):
        weight_probes(reader(), TASK, 2)
    few = dataclasses.replace(TASK, train=TASK.train.take(slice(9)))
    with pytest.raises(InputError, match="10 shown and 2 tested examples at least, got 9 and"):
        weight_probes(reader(), few)
