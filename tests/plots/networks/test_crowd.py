import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

import brainrnn as br
from brainrnn.anatomy.geometry import grid
from brainrnn.plots import crowd, draw_network, save_figure
from brainrnn.plots.networks.connections import draw_lines
from brainrnn.plots.style import NEGATIVE, POSITIVE, new_figure


def pixels(figure, dpi=150):
    """(height, width, 3), 0 to 1."""
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3] / 255


def networks():
    torch.manual_seed(0)
    rows = br.MLP.on_lines(60, 60, br.MLPSpec(hidden=(60,)))
    planes = br.MLP([grid(20, 20), grid(6, 6), grid(2, 2)])
    skewed = br.MLP.on_lines(60, 60, br.MLPSpec(hidden=(60,)))
    near = br.MLP.on_lines(100, 100, br.MLPSpec(hidden=()))
    for value in skewed.parameters():
        value.data *= torch.rand(value.shape) ** 8
    place = torch.arange(100.0)
    near.get_parameter("fc0.weight").data *= torch.exp(-(place[:, None] - place).abs() / 10)
    return {"rows": rows, "planes": planes, "skewed": skewed, "near": near}


@pytest.mark.parametrize("kind", ["rows", "planes", "skewed", "near"])
def test_a_crowd_looks_like_its_lines_one_by_one(kind, monkeypatch):
    net = networks()[kind]
    fast = pixels(draw_network(net))
    monkeypatch.setattr(crowd, "_MANY", 10**9)
    slow = pixels(draw_network(net))
    assert np.abs(slow - slow[0, 0]).mean() > 0.05  # there is something to see
    assert np.abs(fast - slow).mean() < 1e-4
    assert (np.abs(fast - slow).max(2) > 8 / 255).mean() < 1e-3


def test_most_lines_of_a_dense_crowd_are_hidden_and_those_are_the_lowest():
    rng = np.random.default_rng(0)
    segments = np.stack([rng.uniform(0, 500, (40_000, 2)), rng.uniform(0, 500, (40_000, 2))], 1)
    widths = np.linspace(0, 2, 40_000)
    seen = crowd.in_sight(segments, widths, np.ones(40_000))
    assert seen[-1000:].all()
    assert seen.mean() < 0.5
    assert seen[:20_000].mean() < seen[20_000:].mean() / 2
    assert crowd.in_sight(segments, widths, np.full(40_000, 1e-3)).all()  # glass hides nothing
    assert crowd.in_sight(segments * 1e3, widths, np.ones(40_000)).all()  # nor do far apart lines


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_strongest_line_is_on_top_of_a_crowd(sign):
    figure = new_figure(4, 4)
    figure.set_layout_engine("none")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.set_axis_off()
    x = np.random.default_rng(0).uniform(0, 1, 6000)
    upright = np.stack([np.stack([x, 0 * x], 1), np.stack([x, 0 * x + 1], 1)], 1)
    level = np.array([[[0.0, 0.5], [1.0, 0.5]]])
    strength = np.append(np.linspace(-0.1, -0.9, 6000), 1) * sign  # all others of the other sign
    draw_lines(ax, np.concatenate([upright, level]), strength, thickest=4, zorder=1)
    picture = pixels(figure)
    on, off = (to_rgb(POSITIVE), to_rgb(NEGATIVE))[::sign]
    np.testing.assert_allclose(picture[300, 5:-5], np.tile(on, (590, 1)), atol=0.01)
    assert np.abs(picture[100] - off).mean() < 0.01


def test_a_crowd_is_painted_again_alike_and_as_pixels_in_vector_files(tmp_path):
    figure = draw_network(networks()["rows"])
    first = pixels(figure)
    (path,) = save_figure(figure, tmp_path / "network", ("svg",))
    assert path.stat().st_size < 1e6
    assert "<image" in path.read_text()
    np.testing.assert_array_equal(pixels(figure), first)
    (lines,) = [c for c in figure.axes[0].collections if hasattr(c, "get_segments")]
    assert len(lines.get_segments()) == len(lines.get_linewidth()) == len(lines.get_colors()) > 7000
    assert not figure.stale
