import numpy as np
import pytest
import torch

from brainrnn.analysis.graph.pruning import keep_largest, log_spaced, pruning_curve
from brainrnn.errors import InputError
from brainrnn.networks import MLP
from tests.analysis.feedforward.handmade import drawn, empty

WEIGHTS = ("fc0.weight", "fc1.weight", "fc2.weight")
INPUTS = torch.rand(50, 12, generator=torch.Generator().manual_seed(0)).double()


def size(net: MLP) -> torch.Tensor:
    """A number of every member that hangs on all its parameters."""
    return net(INPUTS).square().mean((1, 2)).detach()


def pruned_by_hand(net: MLP, kept: int, names=WEIGHTS) -> MLP:
    """A network with its largest weights, found one after the other."""
    pruned = net.select(*range(net.members))
    with torch.no_grad():
        for member in range(net.members):
            sizes = [
                (abs(float(value)), name, index)
                for name in names
                for index, value in np.ndenumerate(net.get_parameter(name)[member].detach())
            ]
            for _, name, index in sorted(sizes, reverse=True)[kept:]:
                pruned.get_parameter(name)[(member, *index)] = 0
    return pruned


@pytest.mark.parametrize("kept", [0, 1, 37, 12 * 4 + 4 * 9 + 9 * 10])
def test_the_largest_weights_of_all_layers_stay_and_biases_too(kept):
    net = drawn(empty(12, 4, 9, 10, members=2))
    before = {name: value.clone() for name, value in net.named_parameters()}
    pruned, expected = keep_largest(net, kept), pruned_by_hand(net, kept)
    for name, value in pruned.named_parameters():
        assert torch.equal(value, expected.get_parameter(name)), name
        assert torch.equal(net.get_parameter(name), before[name])
    left = sum((pruned.get_parameter(name)[1] != 0).sum() for name in WEIGHTS)
    assert int(left) == kept


def test_a_curve_measures_what_is_left():
    net = drawn(empty(12, 4, 9, 10, members=2))
    before = {name: value.clone() for name, value in net.named_parameters()}
    for names in (None, [*WEIGHTS[:1], "fc0.bias"]):
        curve = pruning_curve(net, size, [44, 3, 20], parameters=names)
        assert curve.dims == ("member", "kept")
        assert curve.kept.values.tolist() == [3, 20, 44]
        for count in (3, 20, 44):
            expected = size(pruned_by_hand(net, count, names or WEIGHTS))
            np.testing.assert_allclose(curve.sel(kept=count), expected, rtol=1e-12)
    for name, value in net.named_parameters():
        assert torch.equal(value, before[name])


def test_a_curve_goes_from_nothing_to_all():
    net = drawn(empty(3, 2))
    assert pruning_curve(net, lambda pruned: torch.ones(1)).kept.values.tolist() == list(range(7))
    many = pruning_curve(drawn(empty(20, 20)), lambda pruned: torch.ones(1)).kept.values
    assert many[[0, 1, -1]].tolist() == [0, 1, 400]
    assert len(many) <= 41


def test_numbers_spaced_in_their_logarithm():
    assert log_spaced(5, 6).tolist() == [0, 1, 2, 3, 4, 5]
    assert log_spaced(16, 5).tolist() == [0, 1, 2, 4, 8, 16]


def test_what_cannot_be_left():
    net = empty(12, 4, 10)
    for kept in (-1, 89):
        with pytest.raises(
            InputError, match=f"of 88 weights, pruning can keep 0 to 88, got {kept}"
        ):
            keep_largest(net, kept)
    with pytest.raises(InputError, match="got no number"):
        pruning_curve(net, size, [])
    with pytest.raises(InputError, match=r"did you mean 'fc0\.weight'"):
        keep_largest(net, 3, parameters=["fc0.weigth"])
