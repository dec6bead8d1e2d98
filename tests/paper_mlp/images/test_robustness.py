import numpy as np
import pytest
import torch

from brainrnn.analysis.feedforward.distortions import DISTORTIONS, noisy, scaled
from brainrnn.analysis.graph.pruning import keep_largest
from brainrnn.errors import InputError
from brainrnn.networks import MLP
from paper_mlp.by_method import method_colour
from paper_mlp.images.robustness import plot_robustness, robustness_table
from tasks import images
from tests.paper_mlp.images.handmade import connect, empty, image_task, noise_task, random_net

METHODS = ["vanilla", "bimt"]


def readers() -> tuple[MLP, object]:
    """Class c is a bright pixel at place c, which output c sees; a task, and two such networks.

    The second one is blind to classes 5 to 9 where only ten connections are left, because others
    are heavier there.
    """
    bright = np.zeros((10, 5, 5))
    places = np.array([6, 7, 8, 11, 12, 13, 16, 17, 18, 0])
    bright.reshape(10, 25)[np.arange(10), places] = 1
    net = empty(shape=(5, 5), members=2)
    for member in (0, 1):
        connect(net, 0, {(c, int(p)): 1.0 for c, p in enumerate(places)}, member)
    connect(net, 0, {(c, 24): 2.0 for c in range(5)}, member=0)
    return net, image_task(bright, np.arange(10))


def right_after_shift(dy: int, dx: int) -> float:
    """How many of the readers' ten images are still seen as what they were."""
    places = [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (3, 3), (0, 0)]
    seen = 0
    for c, (y, x) in enumerate(places):
        now = (y + dy, x + dx)
        answered = places.index(now) if now in places else 0  # nothing is seen: the first class
        seen += answered == c
    return seen / 10


def test_shifts_are_averaged_over_directions():
    net, task = readers()
    table = robustness_table(net, task, METHODS, amounts={"shift": (0, 1, 2)})
    trained = table[~table.pruned].set_index(["member", "amount"]).accuracy
    for amount in (1, 2):
        directions = [
            right_after_shift(amount * y, amount * x)
            for y in (-1, 0, 1)
            for x in (-1, 0, 1)
            if y or x
        ]
        for member in (0, 1):
            assert trained[member, amount] == pytest.approx(np.mean(directions))
    assert trained[0, 0] == trained[1, 0] == 1


def test_at_matched_sparsity_all_have_as_many_connections():
    net, task = readers()
    table = robustness_table(net, task, METHODS, amounts={"shift": (0,)})
    pruned = table[table.pruned].set_index("member")
    assert pruned.connections.tolist() == [10, 10]  # those of the second network
    assert table[~table.pruned].connections.tolist() == [250, 250]
    kept = keep_largest(net, 10)(task.test.inputs).argmax(2) == task.test.targets
    assert pruned.accuracy.tolist() == kept.double().mean(1).tolist()
    assert pruned.accuracy[0] < pruned.accuracy[1] == 1


def test_the_table_is_what_the_network_answers():
    task = images(["digits"])
    net = random_net(9, shape=(8, 8), members=2).float()
    amounts = {"scale": (0.8, 1.2), "noise": (0.2,)}
    table = robustness_table(net, task, METHODS, amounts=amounts, images=90)
    assert len(table) == 3 * 2 * 2
    assert (table.images == 90).all()
    chosen = slice(None, None, 4)  # of 360
    pictures = task.test.inputs[chosen].view(90, 8, 8)
    for name, apply in (("scale", scaled), ("noise", noisy)):
        for amount in amounts[name]:
            outputs = net(apply(pictures, amount)[0].flatten(1))
            right = (outputs.argmax(2) == task.test.targets[chosen]).double().mean(1)
            rows = table[(table.distortion == name) & (table.amount == amount) & ~table.pruned]
            np.testing.assert_allclose(rows.accuracy, right.detach())


def test_all_distortions_are_looked_at_by_default():
    task = images(["digits"])
    table = robustness_table(random_net(4, shape=(8, 8)), task, ["bimt"], images=20)
    for name, kind in DISTORTIONS.items():
        rows = table[(table.distortion == name) & table.pruned]
        assert tuple(rows.amount) == kind.amounts
    clean = table[table.amount == table.distortion.map({"shift": 0, "scale": 1, "noise": 0})]
    assert clean.groupby("pruned").accuracy.nunique().tolist() == [1, 1]


def test_means_and_spread_over_the_networks_of_a_method():
    task = noise_task((5, 5), examples=200)
    net = random_net(9, shape=(5, 5), members=3)
    methods = ["bimt", "vanilla", "bimt"]
    table = robustness_table(
        net, task, methods, amounts={"noise": (0, 0.2), "shift": (0, 1)}, images=150
    )
    figure = plot_robustness(table, methods)
    noise, shift = figure.axes
    assert (noise.get_xlabel(), shift.get_xlabel()) == ("noise (sd)", "shift (pixels)")
    assert noise.get_ylabel() == "accuracy, 150 test images"
    for ax, name in ((noise, "noise"), (shift, "shift")):
        mine = table[(table.distortion == name) & table.member.isin([0, 2])]
        for pruned, style in ((True, "-"), (False, "--")):
            by_amount = mine[mine.pruned == pruned].groupby("amount").accuracy
            (line,) = (
                x
                for x in ax.lines
                if x.get_color() == method_colour("bimt") and x.get_linestyle() == style
            )
            np.testing.assert_allclose(line.get_ydata(), by_amount.mean())
            (low, high) = (by_amount.mean() - by_amount.std(), by_amount.mean() + by_amount.std())
            assert any(
                np.isclose(shade.get_datalim(ax.transData).y0, low.min())
                and np.isclose(shade.get_datalim(ax.transData).y1, high.max())
                for shade in ax.collections
            )
    left = table.connections[table.pruned].iloc[0]
    assert [text.get_text() for text in shift.get_legend().texts] == [
        "no penalty",
        "BIMT",
        f"{left} connections",
        "as trained",
    ]


def test_one_network_has_no_spread():
    task = noise_task((5, 5))
    net = random_net(9, shape=(5, 5))
    table = robustness_table(net, task, ["bimt"], amounts={"noise": (0, 0.2)})
    (ax,) = plot_robustness(table, ["bimt"]).axes
    for line, pruned in zip(ax.lines[:2], (False, True), strict=True):
        np.testing.assert_allclose(line.get_ydata(), table[table.pruned == pruned].accuracy)
    assert sum(len(path) for shade in ax.collections for path in shade.get_paths()) == 0


def test_only_methods_that_were_asked_for_are_drawn():
    task = noise_task((5, 5))
    net = random_net(9, shape=(5, 5), members=3)
    methods = ["l1", "l1_local", "bimt"]
    table = robustness_table(net, task, methods, amounts={"noise": (0, 0.2)})
    titles = [t.get_text() for t in plot_robustness(table, methods).axes[0].get_legend().texts]
    assert titles[:-2] == ["L1", "BIMT"]
    chosen = plot_robustness(table, methods, shown=["l1_local"]).axes[0].get_legend().texts
    assert [t.get_text() for t in chosen][:-2] == ["L1 + local"]
    with pytest.raises(InputError, match="none of vanilla is a method of these networks"):
        plot_robustness(table, methods, shown=["vanilla"])


def test_what_cannot_be_measured():
    net, task = readers()
    with pytest.raises(InputError, match="did you mean 'shift'"):
        robustness_table(net, task, METHODS, amounts={"shifts": (1,)})
    with pytest.raises(InputError, match="from 0 to 4, got 5"):
        robustness_table(net, task, METHODS, amounts={"shift": (5,)})
    with pytest.raises(InputError, match="2 networks, but 1 methods"):
        robustness_table(net, task, ["bimt"])
    with pytest.raises(InputError, match="pixels"):
        robustness_table(net, noise_task(), METHODS)
    with torch.no_grad():
        for value in net.parameters():
            value.zero_()
    with pytest.raises(InputError, match="no live connection"):
        robustness_table(net, task, METHODS)
