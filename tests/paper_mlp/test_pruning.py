import copy
import dataclasses

import numpy as np
import pytest
import torch

from brainrnn.analysis.graph.pruning import keep_largest
from brainrnn.errors import InputError
from brainrnn.networks import MLP, MLPSpec
from paper_mlp import pruning
from paper_mlp.by_method import check_methods
from paper_mlp.pruning import (
    accuracy_when_pruned,
    evenly_spaced,
    loss_when_pruned,
    matched_sparsity,
    plot_accuracy_when_pruned,
    plot_loss_when_pruned,
)
from tasks import formulas
from tests.paper_mlp.circuits.handmade import evaluate
from tests.paper_mlp.images.handmade import connect, empty, noise_task, random_net

TASK = formulas(["products"], test=30)
IMAGES = noise_task(examples=50)


def networks(members: int = 3) -> MLP:
    return MLP.on_lines(4, 2, MLPSpec(hidden=(5, 3)), members=members, dtype=torch.float64)


def loss_above(net: MLP, member: int, threshold: float) -> tuple[int, float]:
    """Parameters that are left, and test loss, when those below a threshold are set to 0."""
    pruned = copy.deepcopy(net)
    left = 0
    with torch.no_grad():
        for value in pruned.parameters():
            value[member][value[member].abs() < threshold] = 0
            left += int((value[member] != 0).sum())
    error = evaluate(pruned, TASK.test.inputs, member) - TASK.test.targets.numpy()
    return left, float(np.mean(error**2))


def test_the_frontier_is_a_sweep_of_the_threshold():
    net = networks()
    frontier = loss_when_pruned(net, TASK)
    total = 4 * 5 + 5 + 5 * 3 + 3 + 3 * 2 + 2
    assert frontier.kept.values.tolist() == list(range(total + 1))
    for member in range(3):
        sizes = torch.cat([v[member].abs().flatten() for v in net.parameters()]).sort().values
        for threshold in [*sizes.tolist(), 10.0]:
            left, loss = loss_above(net, member, threshold)
            assert float(frontier[member].sel(kept=left)) == pytest.approx(loss, rel=1e-9)


def test_the_network_is_left_as_it_was():
    net = networks()
    before = copy.deepcopy(net.state_dict())
    loss_when_pruned(net, TASK)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_chosen_numbers_in_any_order():
    net = networks()
    whole, some = loss_when_pruned(net, TASK), loss_when_pruned(net, TASK, [40, 3, 11])
    assert some.kept.values.tolist() == [3, 11, 40]
    np.testing.assert_array_equal(some, whole.sel(kept=[3, 11, 40]))


def test_large_networks_have_logarithmic_steps(monkeypatch):
    monkeypatch.setattr(pruning, "_MOST", 20)
    unpruned = loss_when_pruned(networks(), TASK).kept.values
    assert unpruned[0] == 0
    assert unpruned[1] == 1
    assert unpruned[-1] == 51
    assert len(unpruned) <= 21
    assert (np.diff(unpruned) > 0).all()


@pytest.mark.parametrize("unpruned", [[-1, 3], [52], []])
def test_numbers_of_parameters_that_cannot_be(unpruned):
    with pytest.raises(InputError, match="of 51 weights, pruning can keep 0 to 51"):
        loss_when_pruned(networks(), TASK, unpruned)


def test_the_figure_shows_each_method_and_its_geometric_mean():
    frontier = loss_when_pruned(networks(4), TASK)
    ax = plot_loss_when_pruned(frontier, ["bimt", "vanilla", "bimt", "vanilla"]).axes[0]
    labelled = {line.get_label(): line for line in ax.lines if line.get_label()[0] != "_"}
    assert list(labelled) == ["BIMT", "no penalty"]
    expected = np.sqrt(frontier[0] * frontier[2])[1:]
    np.testing.assert_allclose(labelled["BIMT"].get_ydata(), expected)
    assert len(ax.lines) == 6
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_every_network_needs_its_method():
    with pytest.raises(InputError, match="4 networks, but 2 methods"):
        plot_loss_when_pruned(loss_when_pruned(networks(4), TASK), ["bimt", "vanilla"])


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
    curve = accuracy_when_pruned(net, IMAGES, kept)
    assert curve.kept.values.tolist() == sorted(kept)
    for count in kept:
        outputs = keep_largest(net, count)(IMAGES.test.inputs)
        right = (outputs.argmax(2) == IMAGES.test.targets).double().mean(1)
        np.testing.assert_allclose(curve.sel(kept=count), right)
    assert len(set(curve.values.ravel())) > 2


def test_the_curve_ends_with_all_connections():
    curve = accuracy_when_pruned(random_net(4), IMAGES)
    assert curve.kept.values[[0, -1]].tolist() == [10, 88]
    assert len(curve.kept) > 20


def test_examples_are_spread_over_all_of_them():
    chosen = evenly_spaced(IMAGES.test, 5)
    assert torch.equal(chosen.inputs, IMAGES.test.inputs[[0, 10, 20, 30, 40]])
    assert torch.equal(chosen.targets, IMAGES.test.targets[[0, 10, 20, 30, 40]])
    assert torch.equal(evenly_spaced(IMAGES.test, 49).inputs, IMAGES.test.inputs[:49])
    for n in (50, 1000):
        assert torch.equal(evenly_spaced(IMAGES.test, n).inputs, IMAGES.test.inputs)
    with pytest.raises(InputError, match="1 example at least, got 0"):
        evenly_spaced(IMAGES.test, 0)
    assert accuracy_when_pruned(random_net(4), IMAGES, [5], images=7).attrs["images"] == 7


def test_a_line_for_every_method_and_network():
    net = random_net(4, members=3)
    curve = accuracy_when_pruned(net, IMAGES, [10, 40, 88])
    (ax,) = plot_accuracy_when_pruned(curve, ["bimt", "l1", "bimt"]).axes
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
    train = dataclasses.replace(IMAGES.train, targets=targets)
    with pytest.raises(InputError, match="no classes"):
        accuracy_when_pruned(random_net(4), dataclasses.replace(IMAGES, train=train))
