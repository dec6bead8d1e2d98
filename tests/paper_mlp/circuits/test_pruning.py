import copy

import numpy as np
import pytest
import torch

from brainrnn.errors import InputError
from brainrnn.networks import MLP, MLPSpec
from paper_mlp.circuits import pruning
from paper_mlp.circuits.pruning import plot_pruning, pruning_frontier
from tasks import formulas
from tests.paper_mlp.circuits.handmade import evaluate

TASK = formulas(["products"], test=30)


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
    frontier = pruning_frontier(net, TASK)
    total = 4 * 5 + 5 + 5 * 3 + 3 + 3 * 2 + 2
    assert frontier.unpruned.values.tolist() == list(range(total + 1))
    for member in range(3):
        sizes = torch.cat([v[member].abs().flatten() for v in net.parameters()]).sort().values
        for threshold in [*sizes.tolist(), 10.0]:
            left, loss = loss_above(net, member, threshold)
            assert float(frontier[member].sel(unpruned=left)) == pytest.approx(loss, rel=1e-9)


def test_the_network_is_left_as_it_was():
    net = networks()
    before = copy.deepcopy(net.state_dict())
    pruning_frontier(net, TASK)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_chosen_numbers_in_any_order():
    net = networks()
    whole, some = pruning_frontier(net, TASK), pruning_frontier(net, TASK, [40, 3, 11])
    assert some.unpruned.values.tolist() == [3, 11, 40]
    np.testing.assert_array_equal(some, whole.sel(unpruned=[3, 11, 40]))


def test_large_networks_have_logarithmic_steps(monkeypatch):
    monkeypatch.setattr(pruning, "_MOST", 20)
    unpruned = pruning_frontier(networks(), TASK).unpruned.values
    assert unpruned[0] == 0
    assert unpruned[1] == 1
    assert unpruned[-1] == 51
    assert len(unpruned) <= 21
    assert (np.diff(unpruned) > 0).all()


@pytest.mark.parametrize("unpruned", [[-1, 3], [52], []])
def test_numbers_of_parameters_that_cannot_be(unpruned):
    with pytest.raises(InputError, match="numbers from 0 to 51"):
        pruning_frontier(networks(), TASK, unpruned)


def test_the_figure_shows_each_method_and_its_geometric_mean():
    frontier = pruning_frontier(networks(4), TASK)
    ax = plot_pruning(frontier, ["bimt", "vanilla", "bimt", "vanilla"]).axes[0]
    labelled = {line.get_label(): line for line in ax.lines if line.get_label()[0] != "_"}
    assert list(labelled) == ["BIMT", "no penalty"]
    expected = np.sqrt(frontier[0] * frontier[2])[1:]
    np.testing.assert_allclose(labelled["BIMT"].get_ydata(), expected)
    assert len(ax.lines) == 6
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_every_network_needs_its_method():
    with pytest.raises(InputError, match="4 networks and 2 methods"):
        plot_pruning(pruning_frontier(networks(4), TASK), ["bimt", "vanilla"])
