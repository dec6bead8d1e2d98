"""Pruning takes the weakest weights, and counts what is left as sparsity does."""

import pytest
import torch

import brainrnn as br
from brainrnn.study.pruning import absence, connections, prune
from tasks import cog20


@pytest.fixture
def net():
    return br.RNN.for_suite(cog20(names=["go", "dm1"]), sites=br.grid(4, 3), members=2, seed=5)


def test_pruning_takes_the_weakest_weights_of_each_member(net):
    before = net.w_rec.detach().clone()
    prune(net, 0.75)
    for old, new in zip(before, net.w_rec.detach(), strict=True):
        kept = new != 0
        assert int(kept.sum()) == 36 == connections(net)
        assert torch.equal(new[kept], old[kept])
        assert old[kept].abs().min() >= old[~kept].abs().max()


def test_a_weight_counts_as_a_connection_as_it_does_in_sparsity(net):
    with torch.no_grad():
        net.w_rec[0].fill_(1e-4)
        net.w_rec[0, :3, 0] = 1.0
    assert connections(net) == 3


def test_absence_is_what_was_pruned(net):
    prune(net, 0.75)
    assert absence(net) == 0.75
