import time
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgba

import brainrnn as br
from brainrnn.analysis import live_connections
from brainrnn.analysis.graph.stages import stages
from brainrnn.anatomy.geometry import grid, line
from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.anatomy.populations import Anatomy, Population
from brainrnn.errors import InputError
from brainrnn.networks.transformer import Transformer, TransformerSpec
from brainrnn.plots import draw_network, draw_networks, save_figure
from brainrnn.plots.style import INACTIVE, INK, NEGATIVE, POSITIVE, new_figure
from tests.placed import Wired


def shuffled(net, seed=0):
    """Put every neuron on a random site."""
    generator = torch.Generator().manual_seed(seed)
    for name, population in net.anatomy.populations.items():
        places = [torch.randperm(len(population), generator=generator) for _ in range(net.members)]
        net.anatomy.move(name, torch.stack(places))
    return net


@pytest.fixture
def net():
    """Weights of every size down to 0, the layers on different scales, the neurons shuffled."""
    net = br.MLP.on_lines(4, 3, br.MLPSpec(hidden=(6, 5)), members=2)
    generator = torch.Generator().manual_seed(0)
    for scale, value in enumerate(net.parameters(), start=1):
        value.data *= scale * torch.rand(value.shape, generator=generator) ** 8
    return shuffled(net)


@pytest.fixture(scope="module")
def tokens():
    return shuffled(br.MLP.on_lines(59, 59, br.MLPSpec(hidden=(50, 50)), tokens=True, members=2))


class Branching(PlacedNetwork):
    """Two populations that feed a third."""

    def __init__(self):
        super().__init__()
        populations = [Population(name, line(3)) for name in ("left", "right", "out")]
        self.anatomy = Anatomy(populations, {"one": "out left", "other": "out right"})
        for name in ("one", "other"):
            self.register_parameter(name, torch.nn.Parameter(torch.ones(1, 3, 3)))
        self.anatomy.bind(self.named_parameters())


def lines(ax):
    (collection,) = [c for c in ax.collections if isinstance(c, LineCollection)]
    return collection


def text(ax, content):
    (found,) = [t for t in ax.texts if t.get_text() == content]
    return found


def lines_by_hand(net, member, fold=0.3):
    """(start, end) -> relative weight, one weight at a time; ends are rounded coordinates."""
    expected = {}
    place = {n: net.anatomy.positions(n)[member, :, 0].tolist() for n in net.anatomy.populations}
    names = list(net.anatomy.populations)
    for layer, (source, out) in enumerate(pairwise(names)):
        weight = net.get_parameter(f"fc{layer}.weight")[member].detach().double().numpy()
        largest = np.abs(weight).max()
        for (i, j), w in np.ndenumerate(weight):
            if abs(w) >= 0.003 * largest:
                n = len(place[source])
                start = (round(place[source][j % n], 9), round(layer - fold * (j // n), 9))
                end = (round(place[out][i], 9), layer + 1.0)
                expected[start, end] = w / largest
    return expected


@pytest.mark.parametrize("member", [0, 1])
@pytest.mark.parametrize("kind", ["net", "tokens"])
def test_every_visible_weight_is_a_line_between_its_neurons(kind, member, request):
    net = request.getfixturevalue(kind)
    drawn = lines(draw_network(net, member).axes[0])
    expected = lines_by_hand(net, member)
    segments = [tuple(map(tuple, np.round(s, 9).tolist())) for s in drawn.get_segments()]
    assert len(segments) == len(set(segments))
    assert set(segments) == set(expected)
    strength = np.array([expected[s] for s in segments])
    assert (
        0
        < len(strength)
        < sum(v[member].numel() for n, v in net.named_parameters() if "weight" in n)
    )
    np.testing.assert_array_equal(np.abs(strength), np.sort(np.abs(strength)))  # strong on top
    width = np.array(drawn.get_linewidth())
    np.testing.assert_allclose(width, width.max() * np.abs(strength), rtol=1e-6)
    assert 1 < width.max() < 3
    colour = np.where(strength[:, None] > 0, to_rgba(POSITIVE), to_rgba(NEGATIVE))
    np.testing.assert_allclose(drawn.get_colors(), colour)
    assert np.ptp(strength) > 1.5  # both signs


def test_labels_stand_where_their_neurons_do(net):
    place = {n: net.anatomy.positions(n)[1, :, 0].tolist() for n in ("input", "out")}
    assert place["input"] != sorted(place["input"])
    (ax,) = draw_network(
        net, 1, input_labels=["a", "b", "c", "d"], output_labels=["p", "q", "r"], numbers=["input"]
    ).axes
    for label, x in zip("abcd", place["input"], strict=True):
        assert text(ax, label).xy == (x, 0)
    for label, x in zip("pqr", place["out"], strict=True):
        assert text(ax, label).xy == (x, 3)
    for site, x in enumerate(line(4)[:, 0].tolist(), start=1):
        assert text(ax, str(site)).xy == (x, 0)
    below = {label: text(ax, label).xyann[1] for label in ("1", "a", "p")}
    assert below["a"] < below["1"] < 0 < below["p"]


def test_stages_are_named_and_numbered_and_a_part_of_them_is_drawn(net):
    options = {"stage_names": {"h1": "first", "out": "top"}, "numbers": ["h1", "h2"]}
    (ax,) = draw_network(net, 1, **options, input_labels="abcd").axes
    left = ax.get_xlim()[0]
    assert text(ax, "first").xy == (left, 1)
    assert text(ax, "top").xy == (left, 3)
    sixth = line(6)[5, 0].item()
    assert text(ax, "6").xy == (sixth, 1)
    assert text(ax, "6").get_path_effects()  # legible among lines
    assert text(ax, "a").xyann[1] == -5.0  # no numbers under the inputs

    (part,) = draw_network(net, 1, **options, part=("h1", "h2"), input_labels="abcdef").axes
    assert part.get_ylim()[0] < 0 < 1 < part.get_ylim()[1] < 1.1
    assert text(part, "first").xy == (part.get_xlim()[0], 0)
    assert "top" not in [t.get_text() for t in part.texts]
    assert text(part, "6").xy == (sixth, 0)
    assert text(part, "a").xyann[1] < -10  # below the numbers
    place = {n: net.anatomy.positions(n)[1, :, 0].tolist() for n in ("h1", "h2")}
    weight = net.get_parameter("fc1.weight")[1].detach()
    expected = {
        ((place["h1"][j], 0.0), (place["h2"][i], 1.0))
        for i, j in np.argwhere(weight.abs().numpy() >= 0.003 * weight.abs().max().item())
    }
    assert {tuple(map(tuple, s.tolist())) for s in lines(part).get_segments()} == expected


def test_every_moment_of_a_transformer_is_a_row():
    net = shuffled(Transformer(2, 2, TransformerSpec(width=8), members=2))
    names = {stage.name: stage.name.upper() for stage in stages(net)}
    figure = draw_network(
        net, 1, stage_names=names, numbers=["stream2"], output_labels=["y", "0"], title="all"
    )
    (ax,) = figure.axes
    assert [text(ax, name).xy[1] for name in names.values()] == list(range(11))
    assert touching(figure) == []
    place = {n: net.anatomy.positions(n)[1, :, 0].numpy() for n in ("stream", "heads2")}
    ends = [s[1] for s in lines(ax).get_segments() if s[0, 1] == 5]
    weight = net.get_parameter("qkv2.weight")[1].detach().abs().numpy()
    visible = np.argwhere(weight >= 0.003 * weight.max())
    assert len(ends) == len(visible) > 180  # queries, keys and values end in one row of discs
    counts = np.bincount(visible[:, 0] % 8)
    for neuron, x in enumerate(place["heads2"]):
        assert sum(end[0] == x and end[1] == 6 for end in ends) == counts[neuron]
    part = draw_network(net, 1, stage_names=names, numbers=["stream2"], part=("stream2", "out"))
    assert text(part.axes[0], "STREAM2").xy[1] == 0
    assert "STREAM1" not in [t.get_text() for t in part.axes[0].texts]
    assert touching(part) == []


def test_two_tokens_are_two_rows(tokens):
    (ax,) = draw_network(tokens, numbers=["input"]).axes
    one, two = text(ax, "token 1"), text(ax, "token 2")
    assert one.xy[0] == two.xy[0] == pytest.approx(1 / 64)
    assert one.xy[1] == 0
    assert two.xy[1] < -0.1
    assert text(ax, "32").xy == (pytest.approx(63 / 64), two.xy[1])


def touching(figure):
    """Pairs of texts that overlap on paper, and texts that reach out of the figure."""
    figure.draw_without_rendering()
    boxes = [
        (t.get_text(), t.get_window_extent())
        for ax in figure.axes
        for t in [*ax.texts, ax.title]
        if t.get_text()
    ]
    assert len(boxes) > 1
    page = figure.bbox
    out = [a for a, b in boxes if b.x0 < 0 or b.y0 < 0 or b.x1 > page.width or b.y1 > page.height]
    pairs = [
        (a, other)
        for i, (a, one) in enumerate(boxes)
        for other, two in boxes[:i]
        if min(one.x1, two.x1) > max(one.x0, two.x0) and min(one.y1, two.y1) > max(one.y0, two.y0)
    ]
    return pairs + out


def test_no_text_touches_another_or_is_cut_off(tokens):
    long = ("$x_1^2$", "$x_1^2+x_2^2$", "$x_1^2+x_2^2+x_3^2$")
    net = br.MLP.on_lines(3, 3, members=5)
    one = draw_network(
        net, input_labels=["$x_1$", "$x_2$", "$x_3$"], output_labels=long, title="of\ntwo lines"
    )
    root = br.MLP.on_lines(2, 1)
    high = draw_network(
        root, output_labels=[r"$\sqrt{x^2+y^2}$"], title="a root", numbers=["input"]
    )
    five = draw_networks(
        [(f"seed {m}", net, m) for m in range(5)],
        input_labels=["a", "b", "c"],
        output_labels=long,
        row_titles=["BIMT"],
        numbers=["input"],
    )
    many = draw_network(
        tokens, numbers=["input"], output_labels=[str(i) for i in range(59)], title="mod 59"
    )
    for figure in (one, high, five, many):
        assert touching(figure) == []


def test_neurons_without_a_live_connection_are_pale(net):
    (ax,) = draw_network(net).axes
    discs = {
        tuple(c.get_facecolor()[0]): set(map(tuple, np.round(c.get_offsets().data, 9).tolist()))
        for c in ax.collections
        if isinstance(c, PathCollection) and len(c.get_offsets())
    }
    live = live_connections(net)
    pale, dark = set(), set()
    for level, name in enumerate(net.anatomy.populations):
        for i, x in enumerate(net.anatomy.positions(name)[0, :, 0].tolist()):
            touched = any(
                live[f"fc{layer}.weight"][0].select(side, i).any()
                for layer, side in ((level - 1, 0), (level, 1))
                if 0 <= layer < net.depth
            )
            (dark if touched else pale).add((round(x, 9), float(level)))
    assert pale
    assert dark
    assert discs == {to_rgba(INK): dark, to_rgba(INACTIVE): pale}


def test_connections_are_crossed_out_in_their_middle(net):
    marked = [("fc0.weight", 5, 1), ("fc2.weight", 0, 4)]
    (ax,) = draw_network(net, 1, marked=marked).axes
    place = {n: net.anatomy.positions(n)[1, :, 0].tolist() for n in net.anatomy.populations}
    assert [(m.get_marker(), *m.get_xydata()[0]) for m in ax.lines] == [
        ("x", pytest.approx((place["h1"][5] + place["input"][1]) / 2), 0.5),
        ("x", pytest.approx((place["out"][0] + place["h2"][4]) / 2), 2.5),
    ]


def test_panels_stand_in_reading_order(net):
    panels = [("vanilla", net, 0), ("L1", net, 1), ("", net, 0)]
    figure = draw_networks(panels, columns=2, row_titles=["first", "second"])
    axes = figure.axes
    assert [ax.get_title() for ax in axes[:3]] == ["vanilla", "L1", ""]
    assert [ax.get_subplotspec().num1 for ax in axes] == [0, 1, 2, 3]
    assert [len(ax.collections) for ax in axes] == [3, 3, 3, 0]
    assert not axes[3].axison
    assert text(axes[0], "first")
    assert text(axes[2], "second")
    for ax, (_, _, member) in zip(axes, panels, strict=False):
        alone = lines(draw_network(net, member).axes[0])
        np.testing.assert_array_equal(lines(ax).get_segments(), alone.get_segments())
    assert len({ax.get_subplotspec().rowspan.start for ax in draw_networks(panels).axes}) == 1


def test_a_picture_in_a_given_place_looks_alike_before_and_after_the_layout(net):
    figure = new_figure(4, 3)
    ax = figure.add_subplot()
    assert draw_network(net, ax=ax, output_labels=["p", "q", "r"]) is figure
    before = lines(ax).get_linewidth(), text(ax, "p").get_fontsize()
    figure.draw_without_rendering()
    ax.clear()
    draw_network(net, ax=ax, output_labels=["p", "q", "r"])
    assert (lines(ax).get_linewidth(), text(ax, "p").get_fontsize()) == before


def test_thousands_of_lines_are_drawn_fast(tokens, tmp_path):
    start = time.process_time()
    figure = draw_network(tokens)
    (path,) = save_figure(figure, tmp_path / "network", ("svg",))
    assert time.process_time() - start < 3
    assert len(lines(figure.axes[0]).get_segments()) > 8000
    assert path.stat().st_size < 1.2e6  # lines are kept as pixels
    assert plt.get_fignums() == []


def test_a_silent_network_has_neurons_and_no_lines(net):
    for value in net.parameters():
        value.data.zero_()
    figure = draw_network(net)
    figure.draw_without_rendering()
    assert lines(figure.axes[0]).get_segments() == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"member": 2}, "choose 0 to 1"),
        ({"input_labels": ["a"]}, "4 inputs take a label each, or none at all, got 1"),
        ({"output_labels": ["a"] * 4}, "3 outputs take a label each"),
        ({"marked": [("fc9.weight", 0, 0)]}, "unknown connections 'fc9.weight': did you mean 'fc"),
        ({"marked": [("fc0.weight", 6, 0)]}, "it has 6 rows and 4 columns"),
        ({"marked": [("fc0.weight", 0, -1)]}, r"cannot mark fc0.weight\[0, -1\]"),
        ({"marked": [("fc0.weight", 0, 0)], "part": ("h1", "out")}, "unknown connections 'fc0"),
        ({"part": ("h1", "h3")}, "unknown stage 'h3': did you mean 'h"),
        ({"part": ("h2", "h1")}, r"must go upwards, got \('h2', 'h1'\)"),
        ({"numbers": ["inputs"]}, "unknown stage 'inputs': did you mean 'input'"),
        ({"stage_names": {"stream0": "Embed"}}, "unknown stage 'stream0'"),
        ({"image": np.zeros(4)}, "an image shades inputs that are drawn on a plane"),
    ],
)
def test_what_cannot_be_drawn(net, options, message):
    with pytest.raises(InputError, match=message):
        draw_network(net, **options)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (br.RNN(3, 2, line(5), dt=20.0), "a RNN is not feed-forward, one layer after the other"),
        (Branching(), "a Branching is not feed-forward"),
        (Wired({"read": "_ h2"}), "a Wired is not feed-forward"),
        (br.MLP([grid(2, 2, 2)] * 2), "all on lines or all on planes, got sites in 3 dimensions"),
    ],
    ids=["recurrent", "branching", "nothing joined", "in a cube"],
)
def test_networks_that_are_no_layers_on_lines_or_planes(net, message):
    with pytest.raises(InputError, match=message):
        draw_network(net)


@pytest.mark.parametrize(("panels", "columns"), [([], None), ([("", br.MLP.on_lines(1, 1), 0)], 0)])
def test_nothing_to_draw(panels, columns):
    with pytest.raises(InputError, match="takes a panel and a column at least"):
        draw_networks(panels, columns=columns)


def test_many_panels_share_a_picture_of_bounded_size():
    net = br.Transformer(2, 2, br.TransformerSpec(width=8, layers=2))
    (alone, few, many) = (
        draw_networks([("a net", net, 0)] * n, columns=columns).get_size_inches()
        for n, columns in ((1, 1), (6, 3), (60, 6))
    )
    assert few == pytest.approx(alone * [3, 2])
    assert many.max() == pytest.approx(24)
    assert many[0] / many[1] == pytest.approx(alone[0] * 6 / (alone[1] * 10))
