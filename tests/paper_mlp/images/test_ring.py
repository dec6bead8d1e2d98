import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from brainrnn.errors import InputError
from brainrnn.networks import MLP
from paper_mlp.images.ring import adjacency, class_order
from tests.paper_mlp.images.handmade import ordered


def test_classes_stand_in_the_order_of_their_places():
    orders = [[0, 7, 1, 3, 2, 5, 4, 6, 8, 9], list(range(10))]
    assert class_order(ordered(*orders)).tolist() == orders


def nearest(net: MLP, member: int) -> set[frozenset[int]]:
    """Pairs of outputs that are as close in the plane as any."""
    places = net.anatomy.positions("out")[member]
    distance = torch.cdist(places, places).fill_diagonal_(torch.inf)
    return {frozenset(p) for p in (distance < distance.min() * 1.01).nonzero().tolist()}


@given(st.lists(st.permutations(range(7)), min_size=1, max_size=3))
def test_neighbours_are_nearest_in_the_plane(orders):
    net = ordered(*orders)
    for member, beside in enumerate(adjacency(net)):
        assert {frozenset(p) for p in np.argwhere(beside).tolist()} == nearest(net, member)
        assert (beside.sum(1) == 2).all()


def test_lines_are_no_rings():
    with pytest.raises(InputError, match="do not stand on a ring"):
        class_order(MLP.on_lines(12, 10))
