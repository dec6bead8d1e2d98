import dataclasses
import itertools

import numpy as np
import pytest
import torch

from brainrnn.errors import InputError
from brainrnn.networks import MLP
from paper_mlp.images.neighbours import (
    class_similarity,
    neighbour_table,
    one_beside_seven,
    plot_neighbours,
    similarity_table,
)
from paper_mlp.images.ring import adjacency
from tests.paper_mlp.images.handmade import empty, image_task, noise_task, ordered, random_net

TASK = noise_task()

SWAPPED = [0, 7, 1, 3, 2, 5, 4, 6, 8, 9]
NATURAL = list(range(10))


def test_neighbours_are_counted_by_pair():
    net = ordered(SWAPPED, NATURAL, NATURAL)
    table = neighbour_table(net, TASK)
    assert len(table) == 45
    pairs = table.set_index(["one", "other"])
    assert pairs.networks["0", "9"] == 3
    assert pairs.networks["1", "7"] == 1
    assert pairs.networks["1", "2"] == 2
    assert pairs.networks["2", "9"] == 0
    assert pairs.networks.sum() == 30
    assert table.networks.is_monotonic_decreasing
    np.testing.assert_allclose(table.share, table.networks / 3)
    assert table.chance.sum() == pytest.approx(10)  # neighbours on one ring
    assert set(pairs.index[pairs.start]) == {(str(i), str(i + 1)) for i in range(9)} | {("0", "9")}


def test_one_beside_seven():
    far = [0, 1, 2, 7, 3, 4, 5, 6, 8, 9]
    round_the_end = [7, 0, 2, 3, 4, 5, 6, 8, 9, 1]
    net = ordered(SWAPPED, NATURAL, far, round_the_end)
    assert one_beside_seven(net, TASK).tolist() == [True, False, False, True]


def test_similarity_of_weights_and_of_mean_images():
    net = random_net(9, members=2)
    similarity = class_similarity(net, TASK)
    for member in range(2):
        rows = np.abs(net.get_parameter("fc1.weight")[member].detach().numpy())
        np.testing.assert_allclose(similarity["weights"][member], np.corrcoef(rows), atol=1e-12)
    classes, images = TASK.train.targets.numpy(), TASK.train.inputs.double().numpy()
    means = np.stack([images[classes == c].mean(0) for c in np.unique(classes)])
    here = np.ix_([1], np.unique(classes), np.unique(classes))
    np.testing.assert_allclose(similarity["images"][here][0], np.corrcoef(means), atol=1e-6)


def test_what_does_not_vary_is_like_nothing():
    similarity = class_similarity(empty(4), noise_task(examples=1))
    assert (similarity["weights"] == 0).all()
    assert np.count_nonzero(similarity["images"]) == 1


def test_chance_and_p_are_those_of_all_orders():
    """Of 5 classes, all 120 orders can be listed."""
    orders = [[2, 0, 3, 1, 4], [0, 1, 2, 3, 4]]
    net = ordered(*orders)
    rng = np.random.default_rng(1)
    task = image_task(rng.random((20, 4, 3)), np.arange(20) % 5, 5)
    table = similarity_table(net, task, n=20_000).set_index(["member", "similarity"])
    for name, values in class_similarity(net, task).items():
        for member in range(2):

            def mean(order, here=values[member]):
                return np.mean([here[a, b] for a, b in zip(order, np.roll(order, -1), strict=True)])

            every = np.array([mean(order) for order in itertools.permutations(range(5))])
            row = table.loc[(member, name)]
            assert row.neighbours == pytest.approx(mean(orders[member]))
            assert row.chance == pytest.approx(every.mean(), abs=0.01)
            assert row.p == pytest.approx(np.mean(every > row.neighbours - 1e-9), abs=0.02)


def test_alike_neighbours_are_found():
    """Outputs that share their hidden neurons with the next one, put in order and out of order."""
    apart = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]
    net = ordered(list(range(10)), apart)
    with torch.no_grad():
        net.get_parameter("fc1.weight").zero_()
        for c in range(9):
            net.get_parameter("fc1.weight")[:, [c, c + 1], c] = torch.tensor([1.0, -1.0]).double()
    table = similarity_table(net, TASK, n=2000)
    p = table[table.similarity == "weights"].p.tolist()
    assert p[0] < 0.01
    assert p[1] > 0.9


def test_rings_and_counts_are_drawn():
    net = ordered(SWAPPED, NATURAL, NATURAL)
    figure = plot_neighbours(net, TASK, ["one", "two", "three"])
    *rings, counts = figure.axes
    assert len(rings) == 3
    for ax, order, title in zip(rings, (SWAPPED, NATURAL), ("one", "two"), strict=False):
        labels = {t.get_text(): t.get_position() for t in ax.texts}
        assert labels.pop(title) == (0, 0)
        by_angle = sorted(labels, key=lambda d: np.arctan2(*labels[d][::-1]) % (2 * np.pi))
        assert by_angle == [str(c) for c in order]
    beside = adjacency(net).sum(0)
    shown = {t.get_position(): int(t.get_text()) for t in counts.texts}
    assert shown == {(j, i): beside[i, j] for i in range(10) for j in range(i) if beside[i, j]}
    assert counts.get_title().startswith("neighbours in how many of 3 networks\n(chance 0.7;")
    framed = {(p.get_x() + 0.5, p.get_y() + 0.5) for p in counts.patches}
    assert framed == {(i, i + 1) for i in range(9)} | {(0, 9)}


def test_shared_neighbourhoods_are_darker():
    ring = plot_neighbours(ordered(SWAPPED, NATURAL, NATURAL), TASK).axes[0]
    light, dark = (sum(ring.lines[i].get_color()[:3]) for i in (0, 9))  # 0-7, and 9-0
    assert dark < light


def test_what_has_no_neighbours():
    lines = MLP.on_lines(12, 10)
    for function in (neighbour_table, one_beside_seven, similarity_table, plot_neighbours):
        with pytest.raises(InputError, match="do not stand on a ring"):
            function(lines, TASK)
    with pytest.raises(InputError, match="no classes 1 and 7"):
        one_beside_seven(ordered([0, 1, 2, 3, 4]), noise_task(n=5))
    regression = dataclasses.replace(
        TASK, train=dataclasses.replace(TASK.train, targets=torch.zeros(30, 10))
    )
    with pytest.raises(InputError, match="no classes"):
        class_similarity(random_net(9), regression)
