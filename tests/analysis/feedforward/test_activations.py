import numpy as np
import pytest
import torch

from brainrnn.analysis.feedforward.activations import correlations, stage_activity
from brainrnn.errors import InputError
from brainrnn.networks import Transformer, TransformerSpec
from tests.analysis.feedforward.handmade import drawn, empty

RNG = np.random.default_rng(0)


def test_activity_of_a_population_is_computed_layer_by_layer():
    net, inputs = drawn(empty(3, 5, 4, 2, members=2)), torch.rand(7, 3, dtype=torch.float64)
    activity = stage_activity(net, inputs, "h1")
    for member in (0, 1):
        drive = inputs @ net.wired("fc0.weight")[member].T + net.wired("fc0.bias")[member]
        expected = (drive * torch.sigmoid(drive)).detach()
        np.testing.assert_allclose(activity[member], expected)


def test_sequences_have_a_position_for_every_token():
    net = Transformer(2, 2, TransformerSpec(width=4, layers=1))
    assert stage_activity(net, torch.rand(7, 3, 2), "stream1").shape == (1, 7, 3, 4)
    with pytest.raises(InputError, match="unknown stage 'stream9'"):
        stage_activity(net, torch.rand(7, 3, 2), "stream9")


def test_correlations_are_pearsons():
    activity, quantities = RNG.standard_normal((2, 40, 3)), RNG.standard_normal((40, 2))
    activity[1, :, 2] = 5.0
    found = correlations(activity, quantities)
    for m, n, q in np.ndindex(2, 3, 2):
        silent = (m, n) == (1, 2)
        expected = 0 if silent else np.corrcoef(activity[m, :, n], quantities[:, q])[0, 1]
        assert found[m, n, q] == pytest.approx(expected)
