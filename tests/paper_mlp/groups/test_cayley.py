"""The Cayley graph of S4 and its picture."""

from itertools import combinations, permutations, product

import networkx as nx
import numpy as np
import pytest
from matplotlib.colors import to_hex

import brainrnn as br
from brainrnn.plots.style import module_colours
from paper_mlp.groups.cayley import GENERATORS, cayley_graph, cayley_layout, plot_cayley
from paper_mlp.groups.permutations import one_line
from tasks.groups import groups, symmetric_group
from tests.paper_mlp.groups.constructed import trees

S4 = symmetric_group(4)
NAMES = one_line(S4)
TASK = groups(["permutation"], seed=1)


def crossings(layout: np.ndarray, edges: list[tuple[int, int]]) -> int:
    def side(a, b, c):
        return np.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))

    return sum(
        side(layout[a], layout[b], layout[c]) != side(layout[a], layout[b], layout[d])
        and side(layout[c], layout[d], layout[a]) != side(layout[c], layout[d], layout[b])
        for (a, b), (c, d) in combinations(edges, 2)
        if len({a, b, c, d}) == 4
    )


def test_arrows_multiply_from_the_right():
    graph = cayley_graph()
    assert graph.number_of_edges() == 48
    for g, h, name in graph.edges(data="generator"):
        s = [int(digit) - 1 for digit in name]
        assert S4[h].tolist() == [S4[g][s[i]] for i in range(4)]
    for name in GENERATORS:
        start = [(g, h) for g, h, s in graph.edges(data="generator") if s == name]
        assert len({g for g, _ in start}) == len({h for _, h in start}) == 24
    assert graph.has_edge(NAMES.index("1234"), NAMES.index("4123"))


def test_the_graph_is_the_skeleton_of_a_rhombicuboctahedron():
    corners = np.array(
        sorted(
            {
                tuple(sign * x for sign, x in zip(signs, place, strict=True))
                for place in permutations((1, 1, 1 + 2**0.5))
                for signs in product((1, -1), repeat=3)
            }
        )
    )
    distance = np.linalg.norm(corners[:, None] - corners, axis=2)
    solid = nx.from_numpy_array(np.isclose(distance, 2))
    assert nx.is_isomorphic(cayley_graph().to_undirected(), solid)


def test_no_two_arrows_cross_and_neighbours_keep_apart():
    layout, edges = cayley_layout(), list(cayley_graph().to_undirected().edges)
    assert crossings(layout, edges) == 0
    assert crossings(np.random.default_rng(0).random((24, 2)), edges) > 0
    apart = np.linalg.norm(layout[:, None] - layout, axis=2)
    assert apart[np.triu_indices(24, 1)].min() > 0.1 * np.ptp(layout)


def test_the_layout_is_square_with_the_identity_innermost():
    layout = cayley_layout()
    radii, counts = np.unique(np.linalg.norm(layout, axis=1).round(9), return_counts=True)
    assert counts.tolist() == [4, 8, 8, 4]
    assert np.linalg.norm(layout[0]) == pytest.approx(radii[0])
    assert layout[0, 0] < 0 < layout[0, 1]  # upper left
    turned = {tuple(place) for place in (layout @ [[0, 1], [-1, 0]]).round(9) + 0.0}
    assert turned == {tuple(place) for place in layout.round(9) + 0.0}
    assert layout.max() == pytest.approx(-layout.min())


def test_circles_mark_what_a_neuron_responds_to():
    values = np.zeros((3, 24))
    values[0, :4] = [2, 1.1, 0.9, -2]
    values[2, 5] = -7
    figure = plot_cayley(trees(values, [[0, 2], []]), TASK)
    assert [ax.get_title("left") for ax in figure.axes] == ["neuron 1", "neuron 3"]
    green, orange = (to_hex(colour) for colour in module_colours(np.array([2, 1])))
    for ax, expected in zip(
        figure.axes, ({0: green, 1: green, 3: orange}, {5: orange}), strict=True
    ):
        *arrows, nodes = ax.collections
        np.testing.assert_allclose(nodes.get_offsets(), cayley_layout())
        colours = [to_hex(colour) for colour in nodes.get_facecolors()]
        assert {i: c for i, c in enumerate(colours) if c != "#ffffff"} == expected
        assert sorted(text.get_text() for text in ax.texts) == NAMES
        assert [arrow.N for arrow in arrows] == [24, 24]
    assert [text.get_text() for text in figure.legends[0].get_texts()][2:] == [
        "g → g ∘ 4123",
        "g → g ∘ 2314",
    ]


def test_only_s4_is_drawn():
    with pytest.raises(br.InputError, match="4 objects"):
        plot_cayley(trees(np.eye(6), [[0]]), groups(["permutation"], size=3))
