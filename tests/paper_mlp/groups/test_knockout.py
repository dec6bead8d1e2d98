"""Accuracies without modules, of networks whose answers are known."""

import copy

import numpy as np
import pytest
import torch

import brainrnn as br
from paper_mlp.groups.knockout import knockout_accuracies, plot_knockouts
from paper_mlp.groups.modules import embedding_modules
from tasks.groups import groups
from tasks.moons import two_moons
from tests.paper_mlp.groups.constructed import together, trees, voters


def test_voters_lose_what_the_strongest_of_them_lose():
    """Without the strongest voter the answer is always 0; the others change nothing."""
    net, task = voters(5, (1, 3, 1))
    table = knockout_accuracies(net, task)
    assert table.module.tolist() == [-1, 0, 1, 2]
    assert table.neurons.tolist() == [0, 1, 1, 1]
    assert table["all"].tolist() == [1, 1, 1 / 5, 1]
    zero = (task.test.targets == 0).double().mean().item()
    np.testing.assert_allclose(table.test, [1, 1, zero, 1])


def test_each_member_loses_its_own_modules():
    net, task = voters(5, (1, 3))
    other, _ = voters(5, (3, 1))
    silent = net.select(0)
    silent.fc2.weight.data.zero_()
    before = copy.deepcopy(net.state_dict())
    table = knockout_accuracies(together(net, other, silent), task)
    assert table.member.tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert table["all"].tolist() == [1, 1, 0.2, 1, 0.2, 1, 0.2]
    knockout_accuracies(net, task)
    assert all(torch.equal(net.state_dict()[name], value) for name, value in before.items())


def test_accuracies_pair_by_pair():
    """A network with random weights, evaluated one pair at a time with zeroed embeddings."""
    task = groups(["addition"], size=7, seed=0)
    net = trees(np.random.default_rng(0).standard_normal((5, 7)), [[0, 3], [1], [4]])
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name.startswith("fc"):
                noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
                parameter.copy_(torch.where(parameter != 0, noise.abs() + 0.2, 0))
        net.fc2.weight[:, :, :3] = torch.randn(7, 3, generator=generator)
    table = knockout_accuracies(net, task)
    modules = embedding_modules(net)[0]
    assert len(table) == modules.max() + 2 >= 3
    assert table["all"].nunique() > 1
    for module in range(-1, modules.max() + 1):
        damaged = copy.deepcopy(net)
        for neuron in range(5):
            if module >= 0 and modules[neuron] == module:
                damaged.embedding.data[0, :, neuron] = 0
        right = [
            damaged(torch.tensor([[a, b]]))[0, 0].argmax().item() == (a + b) % 7
            for a in range(7)
            for b in range(7)
        ]
        assert table.set_index("module")["all"][module] == pytest.approx(np.mean(right))


def test_a_regression_has_no_accuracy():
    from tasks.formulas import formulas

    net, _ = voters(5, (1,))
    with pytest.raises(br.InputError, match="regression"):
        knockout_accuracies(net, formulas(["products"]))
    with pytest.raises(br.InputError, match="tokens"):
        knockout_accuracies(br.MLP.on_lines(2, 2), two_moons())


def test_the_picture_shows_the_accuracies_in_percent():
    net, task = voters(5, (1, 3))
    other, _ = voters(5, (3, 1))
    (ax,) = plot_knockouts(together(net, other), task, 1).axes
    assert [bar.get_height() for bar in ax.patches] == pytest.approx([100, 20, 100])
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert names == ["intact", "without A", "without B"]
    assert ax.lines[0].get_ydata()[0] == pytest.approx(20)  # chance
