import subprocess

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.animation import FFMpegWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from brainrnn.errors import InputError
from brainrnn.plots import animate
from brainrnn.plots.style import NEGATIVE, POSITIVE, new_figure


def frames(n=6, failing=None):
    """One figure, drawn anew for every frame, with more and more lines and growing tick labels."""
    figure = new_figure(2, 1.5)
    ax = figure.add_subplot()
    for i in range(n):
        if i == failing:
            raise RuntimeError("no such frame")
        ax.clear()
        for k in range(i + 1):
            ax.plot([0, 1], [k, 0], color=(POSITIVE, NEGATIVE)[k % 2])
        ax.set_ylim(0, 10.0**i)
        yield figure


def pixels(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


def read(path):
    with Image.open(path) as image:
        for i in range(image.n_frames):
            image.seek(i)
            yield image.info["duration"], np.asarray(image.convert("RGB")).astype(int)


def gif(tmp_path, *args, name="film", **options):
    (path,) = animate(*args, tmp_path / name, formats=["gif"], **options)
    return path


@pytest.fixture
def ffmpeg(tmp_path, monkeypatch):
    """A program in ffmpeg's place that writes what it was asked for, or fails."""

    def install(body):
        program = tmp_path / "ffmpeg"
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
        monkeypatch.setitem(mpl.rcParams, "animation.ffmpeg_path", str(program))

    return install


@pytest.fixture
def no_ffmpeg(monkeypatch):
    monkeypatch.setitem(mpl.rcParams, "animation.ffmpeg_path", "no-such-program")


def test_every_figure_is_a_frame_that_shows_it(tmp_path):
    (path,) = animate(frames(), tmp_path / "new" / "film.v2", fps=8, hold=1.5, formats=["gif"])
    assert path == tmp_path / "new" / "film.v2.gif"
    durations, shown = zip(*read(path), strict=True)
    assert sum(durations[:-1]) == pytest.approx(5 / 8 * 1000, abs=10)  # no drift
    assert set(durations[:-1]) == {120, 130}
    assert durations[-1] == 1500
    expected = []
    for figure in frames():
        if expected:
            figure.set_layout_engine("none")
        expected.append(pixels(figure))
    assert len(shown) == 6
    for one, other in zip(shown, expected, strict=True):
        assert one.shape == other.shape == (180, 240, 3)
        assert np.abs(one - other).max() < 40  # colours are few
        assert np.abs(one - other).mean() < 0.2
        assert (one[(other == 255).all(-1)] == 255).all()
    with Image.open(path) as image:
        assert image.info["loop"] == 0  # for ever


def test_the_axes_of_a_figure_do_not_move(tmp_path):
    figure = new_figure(2, 1.5)
    ax = figure.add_subplot()
    places = []

    def growing():
        for i in range(3):
            ax.set_ylabel("y" + "\ny" * i)
            yield figure
            places.append(ax.get_position().bounds)

    gif(tmp_path, growing())
    assert len(places) == 3
    assert len(set(places)) == 1


def test_figures_of_their_own_are_drawn_one_by_one(tmp_path):
    drawn = set()

    def figures():
        for i in range(3):
            assert drawn == set(range(i))
            figure = new_figure(2, 1)
            figure.text(0.5, 0.5, str(i))
            figure.canvas.mpl_connect("draw_event", lambda event, i=i: drawn.add(i))
            yield figure

    shown = [image for _, image in read(gif(tmp_path, figures()))]
    assert len({image.tobytes() for image in shown}) == 3
    assert plt.get_fignums() == []


def test_the_same_figures_give_the_same_bytes(tmp_path):
    one, two = (gif(tmp_path, frames(), name=name).read_bytes() for name in ("a", "b"))
    assert one == two


def test_one_figure_and_figures_that_do_not_change(tmp_path):
    still = gif(tmp_path, [new_figure(2, 1)], hold=3)
    assert [duration for duration, _ in read(still)] == [3000]
    same = gif(tmp_path, [new_figure(2, 1)] * 5, fps=10, hold=1, name="same")
    assert sum(duration for duration, _ in read(same)) == 1400


def test_nothing_is_left_of_an_animation_that_fails(tmp_path):
    old = gif(tmp_path, frames(2))
    before = old.read_bytes()
    with pytest.raises(RuntimeError, match="no such frame"):
        gif(tmp_path, frames(failing=3))
    with pytest.raises(InputError, match="frame 2 has 360 x 120 pixels and the first has 240 x"):
        gif(tmp_path, [new_figure(2, 1), new_figure(3, 1)])
    assert list(tmp_path.iterdir()) == [old]
    assert old.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"formats": ["gfi"]}, "unknown animation format 'gfi': did you mean 'gif'"),
        ({"fps": 0}, "fps must be above 0"),
        ({"fps": 51}, "at most 50"),
        ({"fps": float("nan")}, "fps must be"),
        ({"hold": 0}, "hold must be"),
        ({"formats": ["mp4"]}, "needs the program ffmpeg"),
    ],
)
def test_what_cannot_be_animated(tmp_path, no_ffmpeg, options, message):
    with pytest.raises(InputError, match=message):
        animate(frames(1), tmp_path / "film", **options)
    assert list(tmp_path.iterdir()) == []


def test_no_figures(tmp_path):
    with pytest.raises(InputError, match="give at least one figure"):
        gif(tmp_path, [])


def test_without_ffmpeg_there_is_a_gif(tmp_path, no_ffmpeg):
    assert animate(frames(2), tmp_path / "film") == [tmp_path / "film.gif"]


def test_with_ffmpeg_there_is_an_mp4_too(tmp_path, ffmpeg):
    ffmpeg(
        'while [ $# -gt 1 ]; do [ "$1" = -i ] && dir=$(dirname "$2"); shift; done; ls $dir > "$1"'
    )
    one, two = animate(frames(3), tmp_path / "film")
    assert (one.name, two.name) == ("film.gif", "film.mp4")
    assert two.read_text().split() == ["000000.png", "000001.png", "000002.png"]


def test_an_mp4_that_fails_is_not_left_behind(tmp_path, ffmpeg):
    ffmpeg("echo first >&2; echo Unknown encoder >&2; exit 1")
    with pytest.raises(InputError, match=r"ffmpeg failed \(Unknown encoder\); choose formats"):
        animate(frames(2), tmp_path / "film", formats=["mp4"])
    assert [path.name for path in tmp_path.iterdir()] == ["ffmpeg"]


@pytest.mark.skipif(not FFMpegWriter.isAvailable(), reason="needs ffmpeg")
def test_a_real_mp4(tmp_path):
    (path,) = animate(frames(4), tmp_path / "film", fps=10, hold=0.5, formats=["mp4"])
    command = [FFMpegWriter.bin_path(), "-loglevel", "error", "-i", str(path)]
    subprocess.run([*command, str(tmp_path / "%d.png")], check=True)
    shown = sorted(tmp_path.glob("*.png"), key=lambda p: int(p.stem))
    assert len(shown) == 8  # three frames, and five tenths of a second of the last
    *_, last = frames(4)
    with Image.open(shown[-1]) as image:
        assert image.size == (240, 180)
        assert np.abs(np.asarray(image.convert("RGB")).astype(int) - pixels(last)).mean() < 12


def test_a_progress_bar_only_if_asked_and_it_takes_long(tmp_path, capsys, monkeypatch):
    gif(tmp_path, frames(2))
    assert capsys.readouterr().err == ""
    gif(tmp_path, frames(2), progress=True)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("brainrnn.progress._SOON", 0.0)
    gif(tmp_path, frames(2), progress=True)
    assert "2frame" in capsys.readouterr().err
