import numpy as np
import pytest
from matplotlib.colors import to_hex

from brainrnn.errors import InputError
from brainrnn.networks import MLP
from brainrnn.plots.style import NEGATIVE, POSITIVE
from paper_mlp.images.weights import (
    last_layer_positive,
    middle_layer_negative,
    plot_weight_ranks,
)
from tests.paper_mlp.images.handmade import connect, empty, noise_task, random_net

TASK = noise_task()


def signed(middle: list[float], last: list[float], between=()) -> MLP:
    """A network with these weights in a middle layer and in the last one."""
    layers = [[1.0], middle, *between, last]
    net = empty(*[9] * (len(layers) - 1))
    for layer, weights in enumerate(layers):
        connect(net, layer, {(i % 9, i // 9): w for i, w in enumerate(weights)})
    return net


def test_most_live_weights_decide_not_the_heaviest():
    assert middle_layer_negative(signed([5, -1, -1], [1]), TASK).tolist() == [True]
    assert middle_layer_negative(signed([-5, 1, 1], [1]), TASK).tolist() == [False]
    assert last_layer_positive(signed([1], [-5, 1, 1]), TASK).tolist() == [True]
    assert last_layer_positive(signed([1], [5, -1, -1]), TASK).tolist() == [False]


def test_dead_weights_and_ties_do_not_count():
    assert middle_layer_negative(signed([5, -0.2, -0.2], [1]), TASK).tolist() == [False]
    assert middle_layer_negative(signed([1, -1], [1]), TASK).tolist() == [False]
    assert last_layer_positive(signed([1], [1, -1]), TASK).tolist() == [False]


def test_all_middle_layers_must_be_negative():
    assert middle_layer_negative(signed([-1], [1], between=[[-1]]), TASK).tolist() == [True]
    assert middle_layer_negative(signed([-1], [1], between=[[1]]), TASK).tolist() == [False]
    assert middle_layer_negative(signed([1], [1], between=[[-1]]), TASK).tolist() == [False]


def test_members_are_judged_apart():
    net = empty(4, 4, members=3)
    for member, sign in enumerate((-1, 1, -1)):
        for layer in range(3):
            connect(net, layer, {(0, 0): sign}, member)
    assert middle_layer_negative(net, TASK).tolist() == [True, False, True]
    assert last_layer_positive(net, TASK).tolist() == [False, True, False]


def test_the_first_and_the_last_layer_are_no_middle():
    with pytest.raises(InputError, match="network of 2 layers of weights has no middle one"):
        middle_layer_negative(random_net(4), TASK)
    assert last_layer_positive(random_net(4), TASK).shape == (1,)


def test_magnitudes_by_rank_with_the_right_labels():
    net = connect(empty(4, 4, members=2), 0, {(0, 0): 2.0, (1, 3): 3.0, (2, 5): -1.0}, 1)
    connect(net, 1, {(0, 0): -1.0, (1, 0): -3.0, (1, 1): -0.1, (2, 2): 0.5}, 1)
    connect(net, 2, {(0, 0): 1.0}, 1)
    axes = plot_weight_ranks(net, TASK, 1).axes
    assert [ax.get_title() for ax in axes] == ["layer 1", "layer 2", "layer 3"]
    positive, negative, least = axes[0].lines
    assert (to_hex(positive.get_color()), to_hex(negative.get_color())) == (POSITIVE, NEGATIVE)
    np.testing.assert_allclose(positive.get_xydata(), [[1, 3], [2, 2]])
    np.testing.assert_allclose(negative.get_xydata(), [[1, 1]])
    np.testing.assert_allclose(least.get_ydata(), 0.15)
    assert [text.get_text() for text in axes[0].get_legend().texts] == [
        "2 positive",
        "1 negative",
        "5 % of the largest",
    ]
    np.testing.assert_allclose(axes[1].lines[1].get_ydata(), [3, 1, 0.1])  # the last one is dead
    assert [text.get_text() for text in axes[1].get_legend().texts] == ["1 positive", "2 negative"]


def test_curves_end_where_weights_die():
    net = empty(9, 9)
    for layer in range(3):
        connect(net, layer, {(i, j): 1e-3 for i in range(9) for j in range(9)})
        connect(net, layer, {(0, j): 1.0 for j in range(5)})
    (ax, *_) = plot_weight_ranks(net, TASK).axes
    assert len(ax.lines[0].get_xdata()) < 10
    assert 5 < ax.get_xlim()[1] < 10


def test_what_cannot_be_ranked():
    with pytest.raises(InputError, match="no live weight"):
        plot_weight_ranks(connect(empty(4, 4), 0, {(0, 0): 1.0}), TASK)
    with pytest.raises(InputError, match="network 2 does not exist"):
        plot_weight_ranks(random_net(4), TASK, 2)
