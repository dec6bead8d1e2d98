"""Pictures of where modules put their tokens."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import brainrnn as br
from paper_mlp.groups.rings import plot_rings
from tests.paper_mlp.groups.constructed import trees
from tests.paper_mlp.groups.test_fourier import P, bow_tie, network, ring, wave


def test_each_module_has_a_panel_of_its_dimension():
    net = network(ring(4), bow_tie(5), [wave(2)])
    flat, solid, curve = plot_rings(net, None).axes
    assert [ax.name for ax in (flat, solid, curve)] == ["rectilinear", "3d", "rectilinear"]
    assert [ax.get_title("left") for ax in (flat, solid, curve)] == [
        "A: neurons 1, 2\n100 % at frequency 4",
        "B: neurons 3, 4, 5\n85 % at frequency 5",
        "C: neuron 6\n100 % at frequency 2",
    ]
    assert (flat.get_xlabel(), flat.get_ylabel()) == ("neuron 1", "neuron 2")
    assert (curve.get_xlabel(), curve.get_ylabel()) == ("token", "neuron 6")
    np.testing.assert_allclose(flat.collections[0].get_offsets(), np.transpose(ring(4)))
    np.testing.assert_allclose(curve.collections[0].get_offsets()[:, 1], wave(2))


def test_the_line_joins_neighbours_on_the_ring_and_closes():
    (ax,) = plot_rings(network(ring(4)), None).axes
    line = ax.lines[0].get_xydata()
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    np.testing.assert_allclose(steps, 2 * np.sin(np.pi / P))
    assert len(line) == P + 1


def test_every_token_of_a_ring_is_numbered_beside_its_point():
    (ax,) = plot_rings(network(ring(4)), None).axes
    places = {int(text.get_text()): np.array(text.get_position()) for text in ax.texts}
    assert sorted(places) == list(range(P))
    points = np.transpose(ring(4))
    for token, place in places.items():
        assert np.linalg.norm(points - place, axis=1).argmin() == token
        assert np.linalg.norm(points[token] - place) > 0.03


def test_numbers_of_coinciding_tokens_do_not_cover_each_other():
    figure = plot_rings(trees(np.array(ring(4)) * (np.arange(P) < 12), [[0, 1]]), None)
    FigureCanvasAgg(figure).draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert 12 <= len(boxes) < P
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_a_constant_module_has_no_frequency():
    (ax,) = plot_rings(trees(np.ones((2, P)), [[0, 1]]), None).axes
    assert ax.get_title("left") == "A: neurons 1, 2"


def test_many_neurons_are_counted_instead_of_named():
    noise = np.random.default_rng(0).standard_normal((7, P))
    (ax,) = plot_rings(trees(noise, [list(range(7))]), None).axes
    assert ax.get_title("left").startswith("A: 7 neurons\n")
    (ax,) = plot_rings(trees(noise, [list(range(6))]), None).axes
    assert ax.get_title("left").startswith("A: neurons 1, 2, 3, 4, 5, 6\n")


def test_panels_fill_rows_of_three():
    axes = plot_rings(network(*(ring(k) for k in (1, 2, 3, 4))), None).axes
    tops = [round(ax.get_position().y1, 6) for ax in axes]
    assert len(set(tops[:3])) == 1
    assert tops[3] < tops[0]


def test_nothing_active_nothing_to_draw():
    with pytest.raises(br.InputError, match="nothing to draw"):
        plot_rings(trees(np.ones((2, P)), [[], []]), None)
