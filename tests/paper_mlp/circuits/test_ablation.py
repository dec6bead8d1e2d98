import numpy as np
import pytest
import torch

from brainrnn.errors import InputError
from brainrnn.networks import MLP, MLPSpec
from brainrnn.plots.networks.network import draw_network
from paper_mlp.circuits.ablation import plot_ablations, remove_each_weight
from paper_mlp.circuits.boundary import class_probability
from tasks import formulas, two_moons
from tests.paper_mlp.circuits.handmade import connect, empty, evaluate

MOONS = two_moons()


def classifier() -> MLP:
    """2-5-3-2; one live weight leads nowhere, one starts at a constant, one is negligible."""
    net = connect(empty(2, 5, 3, 2), 0, {(0, 0): 2.4, (1, 0): -2.4, (2, 1): 1.9, (3, 1): 1.0})
    connect(net, 1, {(0, 0): -1.9, (0, 1): -1.7, (1, 2): 3.1, (1, 4): 1.0}, {0: 3.0})
    connect(net, 0, {}, {4: -0.5})
    connect(net, 2, {(0, 0): -5.1, (1, 1): -2.5, (1, 0): 0.1})
    return net


def accuracy(net: MLP, member: int = 0) -> float:
    answers = evaluate(net, MOONS.test.inputs, member).argmax(1)
    return float(np.mean(answers == MOONS.test.targets.numpy()))


def test_each_live_weight_is_removed_once_and_alone():
    net = classifier().select(0, 0)
    with torch.no_grad():
        net.get_parameter("fc1.bias")[0] += 1
    ablated, table = remove_each_weight(net, MOONS, 1)
    removed = list(zip(table.parameter.values, table.row.values, table.column.values, strict=True))
    assert removed == [
        ("fc0.weight", 0, 0),
        ("fc0.weight", 1, 0),
        ("fc0.weight", 2, 1),
        ("fc0.weight", 3, 1),
        ("fc1.weight", 0, 0),
        ("fc1.weight", 0, 1),
        ("fc1.weight", 1, 2),
        ("fc1.weight", 1, 4),
        ("fc2.weight", 0, 0),
        ("fc2.weight", 1, 1),
    ]
    for k, (name, row, column) in enumerate(removed):
        one = classifier()
        assert table.value[k] == one.get_parameter(name)[0, row, column].item()
        with torch.no_grad():
            one.get_parameter(name)[0, row, column] = 0
        for own, expected in zip(ablated.parameters(), one.parameters(), strict=True):
            assert torch.equal(own[k], expected[0])
        assert float(table.accuracy[k]) == pytest.approx(accuracy(one))
    assert table.attrs["accuracy"] == pytest.approx(accuracy(net, 1))
    assert len(set(table.accuracy.values)) > 3


def test_the_figure_crosses_out_what_it_names():
    net = classifier()
    net.anatomy.move("h1", torch.tensor([[2, 0, 3, 1, 4]]))
    figure = plot_ablations(net, MOONS)
    ablated, table = remove_each_weight(net, MOONS)
    graphs = [ax for ax in figure.axes if ax.get_title() and not ax.images]
    maps = [ax for ax in figure.axes if ax.images]
    assert [ax.get_title() for ax in graphs[:3]] == [
        "nothing removed",
        "$x_1$ → A1:3, 2.40",
        "$x_1$ → A1:1, −2.40",
    ]
    assert [ax.get_title() for ax in graphs[-2:]] == [
        "A2:1 → class 1, −5.10",
        "A2:2 → class 2, −2.50",
    ]
    probability = class_probability(ablated, MOONS)
    for k in range(10):
        np.testing.assert_allclose(maps[k + 1].images[0].get_array(), probability[k])
        assert maps[k + 1].get_title() == f"{100 * float(table.accuracy[k]):.3g} % correct"
        connection = tuple(table[name].values[k].item() for name in ("parameter", "row", "column"))
        (expected,) = draw_network(net, marked=[connection]).axes[0].lines
        (cross,) = graphs[k + 1].lines
        np.testing.assert_array_equal(cross.get_xydata(), expected.get_xydata())
    np.testing.assert_allclose(maps[0].images[0].get_array(), class_probability(net, MOONS)[0])
    assert not graphs[0].lines


def test_what_cannot_be_taken_apart():
    dense = MLP.on_lines(2, 2, MLPSpec(hidden=(20, 20)))
    with pytest.raises(InputError, match=r"network 0 has \d+ live weights"):
        plot_ablations(dense, MOONS)
    with pytest.raises(InputError, match="no live weight"):
        remove_each_weight(empty(2, 3, 2), MOONS)
    with pytest.raises(InputError, match="has no classes"):
        remove_each_weight(empty(4, 3, 2), formulas(["products"]))
    with pytest.raises(InputError, match="network 4 does not exist"):
        remove_each_weight(dense, MOONS, 4)
