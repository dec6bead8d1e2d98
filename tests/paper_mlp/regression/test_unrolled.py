import numpy as np
import pytest
import torch
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from brainrnn.errors import InputError
from brainrnn.networks import Transformer, TransformerSpec
from brainrnn.plots.style import INACTIVE, INK, NEGATIVE, POSITIVE
from paper_mlp.regression.paths import unrolled_paths
from paper_mlp.regression.unrolled import plot_unrolled
from tasks import formulas, in_context
from tests.paper_mlp.regression.handmade import TASK, connect, empty, reader


def drawn(figure):
    """Lines of a picture: (start, end) -> colour, width, whether pale, whether dotted."""
    lines = {}
    for group in figure.axes[0].collections:
        if isinstance(group, LineCollection) and group.get_segments():
            pattern = group.get_linestyles()[0][1]
            for (start, end), colour, width in zip(
                group.get_segments(), group.get_colors(), group.get_linewidths(), strict=True
            ):
                key = (tuple(np.round(start, 6)), tuple(np.round(end, 6)))
                lines[key] = (to_hex(colour), width, colour[3] < 1, pattern is not None)
    return lines


def test_every_connection_is_drawn_in_every_column():
    net = connect(reader(), "unembed", {(0, 1): -2})
    lines = drawn(plot_unrolled(net, TASK))
    # embed 3, values 2 to each token from those so far, proj 2, unembed 4
    assert len(lines) == 3 * 3 + 2 * 6 + 3 * 2 + 3 * 4
    place = (np.arange(4) + 0.5) / 4
    at = {n: place[n] for n in range(4)}
    column, top = 1.25, max(end[1] for _, end in lines)
    # Bottom up: input, Embed, Atn1 (higher), Res1, MLP1, ...
    heads, res1 = 1 + 1.6, 2 + 1.6

    def line(source, start, low, to, end, high):
        ends = (source * column + start, low), (to * column + end, high)
        return lines[tuple(tuple(np.round(p, 6)) for p in ends)]

    colour, width, pale, dotted = line(0, at[1], 1, 2, at[1], heads)  # x_1 to the last token
    assert (colour, pale, dotted) == (POSITIVE, False, False)
    assert line(0, at[1], 1, 1, at[1], heads) == (POSITIVE, width, True, False)  # to y_1: no use
    assert line(2, at[0], heads, 2, at[2], res1) == (POSITIVE, width, False, False)
    assert line(1, at[0], heads, 1, at[2], res1) == (POSITIVE, width, True, False)
    before = top - 1
    assert line(2, at[1], before, 2, 0.25, top) == (NEGATIVE, width, False, False)
    colour, half, pale, _ = line(2, at[2], before, 2, 0.25, top)
    assert (colour, pale) == (POSITIVE, False)
    assert half == pytest.approx(width / 2)
    assert line(2, at[0], before, 2, 0.25, top)[2]  # the y of the last token is 0


def test_keys_come_from_all_tokens_and_queries_from_one():
    net = connect(empty(), "embed", {(0, 0): 1, (1, 1): 1})
    connect(net, "qkv1", {(0, 1): 1})  # a query
    three = drawn(plot_unrolled(net, TASK))
    connect(net, "qkv1", {(4, 0): -1})  # a key
    nine = drawn(plot_unrolled(net, TASK))
    queries = [key for key, look in three.items() if key[0][1] == 1]
    assert len(queries) == 3
    assert len(nine) - len(three) == 6
    for start, end in queries:
        assert end[0] - start[0] == pytest.approx(-0.25)  # in its own column
    connect(net, "proj1", {(2, 0): 1})
    connect(net, "unembed", {(0, 2): 1})
    looks = [look for key, look in drawn(plot_unrolled(net, TASK)).items() if key[0][1] == 1]
    # On a path: the query of the last x, and the key of y_1, which the last token uses.
    dotted = [look for look in looks if look[3]]
    assert sorted(look[0] for look in dotted) == sorted([POSITIVE, NEGATIVE])
    assert not any(pale for _, _, pale, _ in dotted)


def test_neurons_and_their_labels_are_at_their_places():
    net = reader()
    net.anatomy.move("out", torch.tensor([[1, 0]]))
    net.anatomy.move("input", torch.tensor([[1, 0]]))
    (ax,) = plot_unrolled(net, TASK).axes
    texts = {(t.get_text(), *np.round(t.xy, 6)) for t in ax.texts}
    top = 10 + 2 * 0.6
    assert {
        ("$x_1$", 0.25, 0),
        ("0", 0.75, 0),
        ("$y_1$", 2.0, 0),
        ("0", 1.5, 0),
        ("$x$", 2.75, 0),
        ("0", 3.25, 0),
        ("y", 3.25, top),
        ("Res2", 0, 5.6),
        ("output", 0, top),
    } <= texts
    assert len(ax.texts) == 6 + 1 + 11  # outputs that nobody asks for have no label
    dark = np.concatenate(
        [
            np.asarray(group.get_offsets())
            for group in ax.collections
            if not isinstance(group, LineCollection) and to_hex(group.get_facecolor()[0]) == INK
        ]
    )
    paths = unrolled_paths(net, TASK)
    assert len(dark) == sum(int(on.sum()) for on in paths.values())
    assert any(np.allclose(disc, (3.25, top)) for disc in dark)
    pale = sum(
        len(group.get_offsets())
        for group in ax.collections
        if not isinstance(group, LineCollection) and to_hex(group.get_facecolor()[0]) == INACTIVE
    )
    assert len(dark) + pale == 3 * sum(len(row[0]) for row in [on[0] for on in paths.values()])


def test_networks_of_any_kind_can_be_drawn():
    plot_unrolled(empty(members=2), TASK, 1)
    task = in_context(examples=10, pairs=2, dimensions=2)
    spec = TransformerSpec(width=8, heads=4, layers=1)
    (ax,) = plot_unrolled(Transformer(3, 3, spec), task).axes
    words = [t.get_text() for t in ax.texts]
    assert [w for w in words if "x" in w] == [
        "$x_{1,1}$",
        "$x_{1,2}$",
        "$x_{2,1}$",
        "$x_{2,2}$",
        "$x_{1}$",
        "$x_{2}$",
    ]


def test_what_cannot_be_drawn():
    with pytest.raises(InputError, match="network 1 does not exist"):
        plot_unrolled(reader(), TASK, 1)
    with pytest.raises(InputError, match="in-context regression"):
        plot_unrolled(reader(), formulas(["products"]))
