import dataclasses

import numpy as np
import pytest
import torch

from brainrnn.errors import InputError
from brainrnn.networks import MLP
from paper_mlp.images.sparsity import (
    check_methods,
    evenly_spaced,
    keep_largest,
    matched_sparsity,
    plot_pruning_curve,
    pruning_curve,
)
from tests.paper_mlp.images.handmade import connect, empty, noise_task, random_net

TASK = noise_task(examples=50)
WEIGHTS = ("fc0.weight", "fc1.weight", "fc2.weight")


def pruned_by_hand(net: MLP, kept: int) -> MLP:
    """The same, one weight after the other."""
    pruned = net.select(*range(net.members))
    with torch.no_grad():
        for member in range(net.members):
            sizes = [
                (abs(float(value)), name, index)
                for name in WEIGHTS
                for index, value in np.ndenumerate(net.get_parameter(name)[member].detach())
            ]
            for _, name, index in sorted(sizes, reverse=True)[kept:]:
                pruned.get_parameter(name)[(member, *index)] = 0
    return pruned


@pytest.mark.parametrize("kept", [0, 1, 37, 12 * 4 + 4 * 9 + 9 * 10])
def test_the_largest_weights_of_all_layers_stay_and_biases_too(kept):
    net = random_net(4, 9, members=2)
    before = {name: value.clone() for name, value in net.named_parameters()}
    pruned, expected = keep_largest(net, kept), pruned_by_hand(net, kept)
    for name, value in pruned.named_parameters():
        assert torch.equal(value, expected.get_parameter(name)), name
        assert torch.equal(net.get_parameter(name), before[name])
    left = sum((pruned.get_parameter(name)[1] != 0).sum() for name in WEIGHTS)
    assert int(left) == kept


def test_only_connections_that_there_are_can_stay():
    net = random_net(4)
    for kept in (-1, 12 * 4 + 4 * 10 + 1):
        with pytest.raises(InputError, match=f"88 connections can keep 0 to 88, got {kept}"):
            keep_largest(net, kept)


def test_sparsity_is_that_of_the_median_bimt_network():
    net = empty(4, 4, members=4)
    for member, n in enumerate((12, 2, 7, 3)):
        connect(net, 0, {(0, i): 1.0 for i in range(n)}, member)
        connect(net, 2, {(0, 0): 1.0, (1, 1): -1.0, (2, 2): 0.01}, member)
    assert matched_sparsity(net, ["vanilla", "bimt", "bimt", "bimt"]) == 3 + 2
    assert matched_sparsity(net, ["bimt", "l1", "l1", "l1"]) == 12 + 2
    with pytest.raises(InputError, match="no network is of method bimt"):
        matched_sparsity(net, ["l1"] * 4)
    with pytest.raises(InputError, match="no live connection"):
        matched_sparsity(empty(4), ["bimt"])


def test_the_curve_is_the_accuracy_of_pruned_networks():
    net = random_net(4, 9, members=2)
    kept = [174, 20, 60]
    curve = pruning_curve(net, TASK, kept)
    assert curve.connections.values.tolist() == sorted(kept)
    for count in kept:
        outputs = pruned_by_hand(net, count)(TASK.test.inputs)
        right = (outputs.argmax(2) == TASK.test.targets).double().mean(1)
        np.testing.assert_allclose(curve.sel(connections=count), right)
    assert len(set(curve.values.ravel())) > 2


def test_the_curve_ends_with_all_connections():
    curve = pruning_curve(random_net(4), TASK)
    assert curve.connections.values[[0, -1]].tolist() == [10, 88]
    assert len(curve.connections) > 20


def test_examples_are_spread_over_all_of_them():
    chosen = evenly_spaced(TASK.test, 5)
    assert torch.equal(chosen.inputs, TASK.test.inputs[[0, 10, 20, 30, 40]])
    assert torch.equal(chosen.targets, TASK.test.targets[[0, 10, 20, 30, 40]])
    assert torch.equal(evenly_spaced(TASK.test, 49).inputs, TASK.test.inputs[:49])
    for n in (50, 1000):
        assert torch.equal(evenly_spaced(TASK.test, n).inputs, TASK.test.inputs)
    with pytest.raises(InputError, match="1 example at least, got 0"):
        evenly_spaced(TASK.test, 0)
    assert pruning_curve(random_net(4), TASK, [5], images=7).attrs["images"] == 7


def test_a_line_for_every_method_and_network():
    net = random_net(4, members=3)
    curve = pruning_curve(net, TASK, [10, 40, 88])
    (ax,) = plot_pruning_curve(curve, ["bimt", "l1", "bimt"]).axes
    titles = [text.get_text() for text in ax.get_legend().texts]
    assert titles == ["BIMT", "L1"]
    means = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_allclose(means["BIMT"], curve.values[[0, 2]].mean(0))
    np.testing.assert_allclose(means["L1"], curve.values[1])
    assert len(ax.lines) == 3 + 2
    assert len({line.get_color() for line in ax.lines}) == 2


def test_every_network_has_a_known_method():
    check_methods(2, ["l1", "bimt"])
    with pytest.raises(InputError, match="3 networks, but 2 methods"):
        check_methods(3, ["l1", "bimt"])
    with pytest.raises(InputError, match="did you mean 'bimt'"):
        check_methods(1, ["bint"])


def test_a_regression_has_no_accuracy():
    targets = torch.zeros(50, 10)
    train = dataclasses.replace(TASK.train, targets=targets)
    with pytest.raises(InputError, match="no classes"):
        pruning_curve(random_net(4), dataclasses.replace(TASK, train=train))
