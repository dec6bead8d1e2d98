import numpy as np
import pytest
import torch

from brainrnn.errors import InputError
from paper_mlp.regression.pictures import plot_pairs, plot_stage_by_weight
from paper_mlp.regression.probes import weight_probes
from tests.paper_mlp.regression.handmade import TASK, connect, empty, reader

SHOWN = TASK.test.inputs.numpy()
X, Y1, X1 = SHOWN[:, 2, 1], SHOWN[:, 1, 0], SHOWN[:, 0, 1]


def moved():
    net = reader()
    net.anatomy.move("stream", torch.tensor([[2, 3, 0, 1]]))
    return net


def points(ax):
    (scatter,) = ax.collections
    return np.asarray(scatter.get_offsets()).T


def test_neurons_stand_against_the_weight_scalar():
    net = moved()
    figure = plot_stage_by_weight(net, TASK)
    table = weight_probes(net, TASK).set_index("neurons")
    expected = [(1, 2, Y1), (2, 3, X1), (4, 1, X)]  # by site
    assert len(figure.axes) == len(expected)
    for ax, (site, neuron, values) in zip(figure.axes, expected, strict=True):
        np.testing.assert_allclose(points(ax), [Y1 / X1, values], atol=1e-12)
        probe = table.loc[[(neuron,)]].iloc[0]
        numbers = f"$|r|$ {probe.correlation:.2f}, $R^2$ {probe.r2:.2f}"
        assert ax.get_title() == f"neuron {site}\n{numbers}"
    assert figure.get_supxlabel() == "weight scalar $w$"
    assert figure.get_supylabel() == "activation in Res2"


def test_the_best_pairs_are_coloured_by_the_weight_scalar():
    net = moved()
    figure = plot_pairs(net, TASK)
    *axes, bar = figure.axes
    table = weight_probes(net, TASK)
    pairs = table[table.kind == "pair"]
    assert len(axes) == len(pairs) == 3
    holds = {1: X, 2: Y1, 3: X1}
    for ax, pair in zip(axes, pairs.itertuples(), strict=True):
        np.testing.assert_allclose(points(ax), [holds[n] for n in pair.neurons], atol=1e-12)
        np.testing.assert_allclose(ax.collections[0].get_array(), Y1 / X1)
        labels = [f"Res2 neuron {site}" for site in pair.sites]
        assert [ax.get_xlabel(), ax.get_ylabel()] == labels
        assert ax.get_title() == f"$R^2$ = {pair.r2:.3f}"
    assert axes[0].get_xlabel() == "Res2 neuron 1"
    assert axes[0].get_ylabel() == "Res2 neuron 2"
    assert bar.get_ylabel() == "weight scalar $w$"


def test_two_neurons_make_one_picture():
    figure = plot_pairs(reader(), TASK, stage="heads1")
    assert [ax.get_xlabel() for ax in figure.axes] == ["Atn1 neuron 1", ""]


def test_where_there_is_nothing_to_draw():
    one = connect(reader(), "unembed", {(0, 2): 0, (0, 3): 0})  # only x is read out
    assert len(plot_stage_by_weight(one, TASK).axes) == 1
    with pytest.raises(InputError, match="fewer than two active neurons of Res2 vary"):
        plot_pairs(one, TASK)
    with pytest.raises(InputError, match="no active neuron of Res2 varies"):
        plot_stage_by_weight(empty(), TASK)
