import time
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.colors import to_rgb, to_rgba
from scipy.spatial.transform import Rotation

import brainrnn as br
from brainrnn.analysis import live_connections
from brainrnn.anatomy.geometry import grid, ring
from brainrnn.errors import InputError
from brainrnn.plots import draw_network, draw_networks, save_figure
from brainrnn.plots.networks.projection import AZIMUTH, ELEVATION, project, view
from brainrnn.plots.style import INACTIVE, INK, NEGATIVE, POSITIVE, new_figure
from tests.plots.networks.test_network import shuffled, text, touching

DIGITS = "0123456789"
LEVELS = ("input", "h1", "h2", "out")


@pytest.fixture
def net():
    """An image of 4 x 5, weights of every size down to 0, all neurons but the inputs shuffled."""
    sites = [grid(4, 5), grid(3, 3), grid(2, 2), ring(10, radius=0.25)]
    net = br.MLP(sites, members=2)
    generator = torch.Generator().manual_seed(0)
    for value in net.parameters():
        value.data *= torch.rand(value.shape, generator=generator) ** 8
    shuffled(net)
    net.anatomy.move("input", torch.arange(20).repeat(2, 1))
    return net


def seen(points):
    """On paper and away, by turning space until the observer looks along the first axis."""
    turned = Rotation.from_euler("z", -AZIMUTH).apply(points)
    turned = Rotation.from_euler("y", ELEVATION).apply(turned)
    return np.stack([turned[..., 1], turned[..., 2], -turned[..., 0]], -1)


def discs_by_hand(net, member):
    """(stage, neuron) -> right, up, away; planes are 0.85 apart where the largest is 1 wide."""
    return {
        (name, i): seen(np.array([[*place, 0.85 * level]]))[0]
        for level, name in enumerate(LEVELS)
        for i, place in enumerate(net.anatomy.positions(name)[member].tolist())
    }


def bundles(ax):
    """Lines between two planes, from the lowest."""
    found = [c for c in ax.collections if isinstance(c, LineCollection)]
    return sorted(found, key=lambda c: c.get_zorder())


def discs(ax):
    found = [c for c in ax.collections if isinstance(c, PathCollection)]
    return sorted(found, key=lambda c: c.get_zorder())


def test_the_view_is_a_rotation_that_keeps_rows_and_columns_in_order():
    points = np.random.default_rng(0).normal(size=(50, 3))
    np.testing.assert_allclose(project(points), seen(points), atol=1e-12)
    for elevation, azimuth in ((0.1, 2.0), (1.2, -0.5)):
        np.testing.assert_allclose(
            view(elevation, azimuth) @ view(elevation, azimuth).T, np.eye(3), atol=1e-12
        )
    origin, row, column, storey = project(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]))
    assert (origin == 0).all()
    assert row[1] < -0.3  # lower on paper
    assert row[2] < -0.5  # and nearer
    assert column[0] > 0.9
    assert abs(column[1]) < 0.2
    assert storey[0] == 0
    assert storey[1] > 0.7
    assert storey[2] < 0


@pytest.mark.parametrize("member", [0, 1])
def test_every_visible_weight_is_a_line_between_its_neurons(net, member):
    (ax,) = draw_network(net, member).axes
    place = discs_by_hand(net, member)
    drawn = bundles(ax)
    widest = max(max(c.get_linewidth()) for c in drawn)
    assert 0.5 < widest < 3
    assert len(drawn) == 3
    for layer, (lines, (source, out)) in enumerate(zip(drawn, pairwise(LEVELS), strict=True)):
        weight = net.get_parameter(f"fc{layer}.weight")[member].detach().double().numpy()
        expected = {
            (*place[source, j][:2].round(9), *place[out, i][:2].round(9)): w / abs(weight).max()
            for (i, j), w in np.ndenumerate(weight)
            if abs(w) >= 0.003 * abs(weight).max()
        }
        assert 0 < len(expected) < weight.size
        segments = np.array(lines.get_segments()).reshape(-1, 4).round(9)
        assert len(segments) == len(expected)
        strength = np.array([expected[tuple(s)] for s in segments])
        np.testing.assert_allclose(lines.get_linewidth(), widest * np.abs(strength), rtol=1e-6)
        colour = np.where(strength[:, None] > 0, to_rgba(POSITIVE), to_rgba(NEGATIVE))
        ink = lines.get_colors()[0, 3]
        colour[:, :3] = 1 - ink * (1 - colour[:, :3])
        colour[:, 3] = ink
        np.testing.assert_allclose(lines.get_colors(), colour)
        assert strength.min() < 0 < strength.max()


def test_far_things_are_painted_first(net):
    (ax,) = draw_network(net, output_labels=DIGITS).axes
    depth = {(name, *np.round(p[:2], 9)): p[2] for (name, _), p in discs_by_hand(net, 0).items()}
    layers = list(zip(bundles(ax), pairwise(LEVELS), strict=True))
    for lines, names in layers:
        middles = [
            sum(depth[name, *np.round(end, 9)] for name, end in zip(names, segment, strict=True))
            for segment in lines.get_segments()
        ]
        assert np.ptp(middles) > 0.1
        assert (np.diff(middles) <= 1e-12).all()
    for neurons, name in zip(discs(ax), LEVELS, strict=True):
        away = [depth[name, *np.round(p, 9)] for p in neurons.get_offsets().data]
        assert (np.diff(away) <= 1e-12).all()
    # Upwards: the neurons of a plane, the lines that start there, the next plane.
    *starts, top = discs(ax)
    upwards = [c.get_zorder() for pair in zip(starts, bundles(ax), strict=True) for c in pair]
    assert (np.diff([*upwards, top.get_zorder(), text(ax, "0").get_zorder()]) > 0).all()


def test_neurons_sit_at_their_places_pale_where_nothing_live_touches_them(net):
    (ax,) = draw_network(net).axes
    live = live_connections(net)
    place = discs_by_hand(net, 0)
    colours = set()
    for level, (neurons, name) in enumerate(zip(discs(ax), LEVELS, strict=True)):
        expected = {}
        for i in range(len(net.anatomy.populations[name])):
            touched = any(
                live[f"fc{layer}.weight"][0].select(side, i).any()
                for layer, side in ((level - 1, 0), (level, 1))
                if 0 <= layer < net.depth
            )
            expected[tuple(place[name, i][:2].round(9))] = to_rgba(INK if touched else INACTIVE)
        drawn = zip(neurons.get_offsets().data.round(9), neurons.get_facecolors(), strict=True)
        assert {tuple(p): tuple(c) for p, c in drawn} == expected
        colours |= set(expected.values())
    assert len(colours) == 2


def test_planes_are_framed_one_above_the_other(net):
    (ax,) = draw_network(net).axes
    frames = sorted((p.get_xy()[:4] for p in ax.patches), key=lambda xy: xy[:, 1].mean())
    assert len(frames) == 4
    for lower, upper in pairwise(frames):
        np.testing.assert_allclose(upper - lower, [[0, 0.85 * np.cos(ELEVATION)]] * 4, atol=1e-12)
    # The largest layer, of 4 x 5 cells, reaches from 0 to 0.8 and from 0 to 1, the others further.
    corners = {tuple(c.round(9)) for c in frames[0]}
    ground = [[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, 0]]
    assert corners == {tuple(c[:2].round(9)) for c in seen(np.array(ground, float))}
    low, high = (np.array(limits) for limits in zip(ax.get_xlim(), ax.get_ylim(), strict=True))
    points = np.concatenate(frames)
    assert (low < points.min(0)).all()
    assert (points.max(0) < high).all()
    assert ax.get_aspect() == 1


def test_labels_stand_beside_their_neurons_wherever_swaps_take_them(net):
    figures = []
    for member in range(2):
        figures.append(draw_network(net, member, output_labels=DIGITS, title="of\ntwo lines"))
        (ax,) = figures[-1].axes
        places = discs_by_hand(net, member)
        middle = np.mean([places["out", i][:2] for i in range(10)], axis=0)
        for i, digit in enumerate(DIGITS):
            label = text(ax, digit)
            np.testing.assert_allclose(label.xy, places["out", i][:2])
            assert np.dot(label.xyann, label.xy - middle) > 0  # outside of the ring
            assert 4 < np.hypot(*label.xyann) < 12
            assert label.get_path_effects()  # legible among lines
        assert touching(figures[-1]) == []
    assert text(figures[0].axes[0], "3").xy != text(figures[1].axes[0], "3").xy


@pytest.mark.parametrize(
    ("size", "label"), [((1.5, 2.5), "{}"), ((6, 2), "{}"), ((3, 5), "no. {}")]
)
def test_labels_shrink_before_they_touch_each_other(net, size, label):
    figure = new_figure(*size)
    labels = [label.format(i) for i in range(10)]
    draw_network(net, ax=figure.add_subplot(), output_labels=labels)
    assert touching(figure) == []


def test_labels_above_the_picture_keep_clear_of_the_title():
    net = br.MLP([grid(3, 3), grid(3, 3)])
    figure = draw_network(net, input_labels="abcdefghi", output_labels="ABCDEFGHI", title="title")
    assert touching(figure) == []


def test_an_image_shades_the_inputs_the_right_way_up(net):
    image = np.zeros((4, 5))
    image[0, 0], image[3, 4], image[0, 4] = 1, 0.5, 7
    (ax,) = draw_network(net, image=image).axes
    (cells,) = [c for c in ax.collections if isinstance(c, PolyCollection)]
    opacity = cells.get_facecolors()[:, 3]
    assert (opacity > 0).sum() == 3
    assert opacity[0] == opacity[4] == 2 * opacity[19]
    assert {tuple(c) for c in cells.get_facecolors()[:, :3]} == {to_rgb(INK)}
    corners = np.array([p.vertices[:4] for p in cells.get_paths()])
    row, column = np.divmod(np.arange(20), 5)
    middles = np.stack([(row + 0.5) / 5, (column + 0.5) / 5, np.zeros(20)], 1)
    np.testing.assert_allclose(corners.mean(1), seen(middles)[:, :2], atol=1e-12)
    first, last = seen(np.array([[0, 0, 0], [0.8, 1, 0]]))[:, :2]  # cells leave no gap to the edge
    assert np.abs(corners[0] - first).sum(1).min() < 1e-12
    assert np.abs(corners[19] - last).sum(1).min() < 1e-12
    bundle, above = bundles(ax)[0], discs(ax)[1]
    assert bundle.get_zorder() < cells.get_zorder() < above.get_zorder()

    (flat,) = draw_network(net, image=torch.from_numpy(image).flatten()).axes
    (same,) = [c for c in flat.collections if isinstance(c, PolyCollection)]
    np.testing.assert_array_equal(same.get_facecolors(), cells.get_facecolors())


def test_connections_are_crossed_out_and_stages_named(net):
    (ax,) = draw_network(
        net, 1, marked=[("fc1.weight", 2, 4)], stage_names={"h1": "first", "out": "classes"}
    ).axes
    place = discs_by_hand(net, 1)
    (cross,) = ax.lines
    expected = (place["h1", 4] + place["h2", 2])[:2] / 2
    np.testing.assert_allclose(cross.get_xydata()[0], expected)
    first, classes = text(ax, "first"), text(ax, "classes")
    assert first.xy[0] == classes.xy[0] == ax.get_xlim()[0]
    for name, level in ((first, 1), (classes, 3)):  # beside the leftmost corner of their planes
        near_left = seen(np.array([[1, 0, 0.85 * level]]))[0]
        assert name.xy[1] == pytest.approx(near_left[1])
    assert touching(ax.figure) == []
    unnamed = draw_network(net)
    for figure in (ax.figure, unnamed):
        figure.draw_without_rendering()
    # Words do not take their room from the planes.
    widths = [f.axes[0].get_window_extent().width for f in (ax.figure, unnamed)]
    assert widths[0] == pytest.approx(widths[1], rel=0.05)


def test_a_part_of_the_planes(net):
    (ax,) = draw_network(net, part=("h1", "h2")).axes
    assert len(bundles(ax)) == 1
    assert len(discs(ax)) == len(ax.patches) == 2
    with pytest.raises(InputError, match="a part without the inputs"):
        draw_network(net, part=("h1", "h2"), image=np.zeros(9))


def test_axes_do_not_depend_on_weights_or_places(net):
    def frame():
        figure = new_figure(3, 4)
        ax = figure.add_subplot()
        draw_network(net, ax=ax, output_labels=DIGITS, title="step 0")
        figure.draw_without_rendering()
        return *ax.get_xlim(), *ax.get_ylim(), *ax.get_position().bounds

    before = frame()
    shuffled(net, seed=5)
    for value in net.parameters():
        value.data.normal_()
    assert frame() == before


def test_tens_of_thousands_of_lines_are_few_collections_and_no_opaque_block():
    net = br.MLP.on_planes((28, 28), 10, br.MLPSpec(hidden=(100, 100)))
    start = time.process_time()
    (ax,) = draw_network(net, output_labels=DIGITS, image=np.eye(28)).axes
    assert time.process_time() - start < 5
    dense, fewer, few = bundles(ax)
    assert sum(len(c.get_segments()) for c in (dense, fewer, few)) > 89_000
    assert len(ax.collections) + len(ax.patches) < 20
    for thicker, paler in ((fewer, dense), (few, fewer)):
        assert paler.get_colors()[0, 3] < thicker.get_colors()[0, 3] < 1
        assert paler.get_colors()[:, :3].mean() > thicker.get_colors()[:, :3].mean()
    assert dense.get_colors()[:, :3].min() > 0.6


def test_vector_files_stay_small(tmp_path):
    net = br.MLP.on_planes((28, 28), 10, br.MLPSpec(hidden=(25,)))
    figure = draw_network(net, output_labels=DIGITS)
    assert [c.get_rasterized() for c in bundles(figure.axes[0])] == [True, False]
    (path,) = save_figure(figure, tmp_path / "network", ("svg",))
    assert path.stat().st_size < 6e5
    assert plt.get_fignums() == []


def test_sparse_networks_are_drawn_in_full_colour():
    net = br.MLP.on_planes((8, 8), 10, br.MLPSpec(hidden=(16,)))
    for value in net.parameters():
        value.data.zero_()
    net.get_parameter("fc0.weight").data[0, 3, 5] = 2.0
    net.get_parameter("fc1.weight").data[0, 7, 3] = -1.0
    up, down = bundles(draw_network(net).axes[0])
    np.testing.assert_allclose(up.get_colors(), [to_rgba(POSITIVE)])
    np.testing.assert_allclose(down.get_colors(), [to_rgba(NEGATIVE)])


def test_a_silent_network_has_neurons_and_no_lines(net):
    for value in net.parameters():
        value.data.zero_()
    figure = draw_network(net)
    figure.draw_without_rendering()
    assert [c.get_segments() for c in bundles(figure.axes[0])] == [[], [], []]


def test_layers_of_one_neuron_and_tokens_on_planes():
    (ax,) = draw_network(br.MLP([grid(1, 1)] * 2), input_labels="a", output_labels="b").axes
    assert text(ax, "b").xyann[1] > 0
    tokens = br.MLP([grid(2, 2), grid(2, 3), grid(1, 2)], tokens=5)
    (ax,) = draw_network(tokens).axes
    assert len(ax.patches) == 4  # one plane for each token
    one, two = text(ax, "token 1"), text(ax, "token 2")
    assert one.xy[0] == two.xy[0]
    assert two.xy[1] < one.xy[1]


def test_panels_of_planes(net):
    panels = [("one", net, 0), ("two", net, 1)]
    figure = draw_networks(panels, output_labels=DIGITS, image=np.ones((4, 5)))
    assert [ax.get_title() for ax in figure.axes] == ["one", "two"]
    assert touching(figure) == []
    for ax, (_, _, member) in zip(figure.axes, panels, strict=True):
        alone = draw_network(net, member).axes[0]
        assert ax.get_xlim() == alone.get_xlim()
        assert len([c for c in ax.collections if isinstance(c, PolyCollection)]) == 1  # the image
        for here, there in zip(bundles(ax), bundles(alone), strict=True):
            np.testing.assert_array_equal(here.get_segments(), there.get_segments())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"numbers": ["h1"]}, "sites are numbered on lines alone"),
        ({"image": np.zeros((5, 4))}, "4 x 5 finite grey values, or 20 in a row, got 5 x 4"),
        ({"image": np.zeros(19)}, "got 19$"),
        ({"image": 0.5}, "got one number"),
        ({"image": np.full(20, np.nan)}, "finite grey values"),
        ({"output_labels": "abc"}, "10 outputs take a label each"),
        ({"marked": [("fc0.weight", 9, 0)]}, "it has 9 rows and 20 columns"),
    ],
)
def test_what_cannot_be_drawn_on_planes(net, options, message):
    with pytest.raises(InputError, match=message):
        draw_network(net, **options)
