"""Films: one figure a frame, as a GIF and, where there is ffmpeg, as an MP4."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from matplotlib.animation import FFMpegWriter
from matplotlib.figure import Figure
from PIL import Image
from scipy.spatial import KDTree

from brainrnn.errors import InputError, unknown
from brainrnn.files import atomic_path
from brainrnn.progress import counted

_FASTEST = 50  # frames per second; browsers slow a faster GIF down
_SAMPLED = 8  # frames from which a GIF takes its colours
_COLOURS = 255  # a GIF has 256, and one of them says "as before"
_COMMON = 64  # colours that it keeps exactly


def animate(
    figures: Iterable[Figure],
    stem: str | os.PathLike[str],
    *,
    fps: float | int = 10.0,
    hold: float | int = 2.0,
    formats: Sequence[str] | None = None,
    progress: bool = False,
) -> list[Path]:
    """Save figures as the frames of an animation, each file whole or not at all.

    Every figure is drawn before the next one is asked for, so a generator may make them one by
    one, or change and yield the same figure again; its axes then stay where the first frame had
    them. The same figures give the same GIF, byte by byte.

    Parameters
    ----------
    figures : iterable of Figure
        All of the same size.
    stem : path
        Path without the suffix.
    fps : float
        Frames per second, at most 50. A GIF's frames are rounded to 10 ms, without drift.
    hold : float
        Seconds for which the last frame stays.
    formats : sequence of str, optional
        ``"gif"``, ``"mp4"``. By default a GIF, and an MP4 if ffmpeg is installed.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    list of Path
        The files, in the order of the formats.

    Raises
    ------
    InputError
        If there are no figures or some differ in size, a format is unknown or cannot be written
        here, or a number is out of range.

    Examples
    --------
    >>> import tempfile
    >>> from matplotlib.figure import Figure
    >>> figures = [Figure(figsize=(1, 1)) for _ in range(2)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = animate(figures, f"{folder}/film", fps=5, formats=["gif"])
    >>> [path.name for path in paths]
    ['film.gif']
    """
    if formats is None:
        formats = ("gif", "mp4") if FFMpegWriter.isAvailable() else ("gif",)
    for kind in formats:
        if kind not in _WRITERS:
            raise InputError(unknown("animation format", kind, _WRITERS))
    if "mp4" in formats and not FFMpegWriter.isAvailable():
        raise InputError("an MP4 needs the program ffmpeg: install it, or choose formats=['gif']")
    if not 0 < fps <= _FASTEST:
        raise InputError(f"fps must be above 0 and at most {_FASTEST}, got {fps!r}")
    if not 0 < hold < 600:
        raise InputError(f"hold must be above 0 and below 600 seconds, got {hold!r}")
    with tempfile.TemporaryDirectory() as folder:  # frames on disk: there may be many
        drawn = iter(counted(figures, "drawing", "frame", enabled=progress))
        frames = _draw(drawn, Path(folder))
        paths = [Path(stem).with_name(f"{Path(stem).name}.{kind}") for kind in formats]
        for kind, path in zip(formats, paths, strict=True):
            with atomic_path(path) as temporary:
                _WRITERS[kind](frames, temporary, fps, hold)
    return paths


def _draw(figures: Iterator[Figure], folder: Path) -> list[Path]:
    """Draw the frames into numbered files."""
    frames: list[Path] = []
    before, size = None, None
    for figure in figures:
        if figure is before:  # a layout of its own for every frame would make the axes tremble
            figure.set_layout_engine("none")
        frames.append(folder / f"{len(frames):06}.png")
        figure.savefig(frames[-1], dpi=figure.dpi, pil_kwargs={"compress_level": 1})
        with Image.open(frames[-1]) as image:
            size = size or image.size
            if image.size != size:
                raise InputError(
                    f"frame {len(frames)} has {image.width} x {image.height} pixels and the first "
                    f"has {size[0]} x {size[1]}; draw all in the same size"
                )
        before = figure
    if not frames:
        raise InputError("there is nothing to animate: give at least one figure")
    return frames


def _write_gif(frames: Sequence[Path], path: Path, fps: float | int, hold: float | int) -> None:
    palette = _palette(frames)
    reduced = (_reduced(frame, palette) for frame in frames)  # one at a time
    ends = np.round(100 * np.arange(1, len(frames)) / fps)  # hundredths of a second
    durations = [*np.diff(ends, prepend=0), max(round(100 * hold), 1)]
    next(reduced).save(
        path,
        save_all=True,
        append_images=reduced,
        duration=[10 * int(d) for d in durations],
        loop=0,
        optimize=True,
    )


def _palette(frames: Sequence[Path]) -> UInt8[np.ndarray, "colour 3"]:
    """At most 255 colours of frames from the first to the last, for all of them.

    A palette for each frame would make what does not change flicker.
    """
    chosen = np.unique(np.linspace(0, len(frames) - 1, _SAMPLED).round().astype(int))
    sample = Image.fromarray(np.concatenate([_pixels(frames[i]) for i in chosen]))
    counts = sorted(sample.getcolors(2**24) or [], key=lambda pair: (-pair[0], pair[1]))
    colours = np.array([colour for _, colour in counts], np.uint8)
    if len(colours) <= _COLOURS:
        return colours
    # The commonest, such as the ground, exactly; the others, such as thin lines, by coverage.
    common, rest = colours[:_COMMON], Image.fromarray(colours[None, _COMMON:])
    reduced = rest.quantize(_COLOURS - _COMMON, method=Image.Quantize.MAXCOVERAGE).getpalette()
    return np.concatenate([common, np.reshape(reduced or [], (-1, 3))]).astype(np.uint8)


def _reduced(frame: Path, palette: UInt8[np.ndarray, "colour 3"]) -> Image.Image:
    """A frame in the nearest colours of the palette (Pillow's own search is not exact)."""
    pixels = _pixels(frame)
    codes, where = np.unique(pixels @ np.array([1 << 16, 1 << 8, 1]), return_inverse=True)
    colours = codes[:, None] >> np.array([16, 8, 0]) & 255
    nearest = KDTree(palette).query(colours)[1].astype(np.uint8)
    image = Image.fromarray(nearest[where].reshape(pixels.shape[:2]))
    image.putpalette(palette.tobytes())
    return image


def _pixels(frame: Path) -> UInt8[np.ndarray, "row column 3"]:
    """Colours of a frame."""
    with Image.open(frame) as image:
        return np.asarray(image.convert("RGB"))


def _write_mp4(frames: Sequence[Path], path: Path, fps: float | int, hold: float | int) -> None:
    # Players want an even number of rows and columns, and colours at half the resolution.
    even = "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white,format=yuv420p"
    command = [FFMpegWriter.bin_path(), "-y", "-loglevel", "error", "-framerate", f"{fps}"]
    command += ["-i", str(frames[0].with_name("%06d.png"))]
    command += ["-vf", f"tpad=stop_mode=clone:stop_duration={max(hold - 1 / fps, 0)},{even}"]
    command += ["-codec:v", "h264", "-crf", "20", "-movflags", "+faststart", str(path)]
    # A list of arguments, which no shell reads.
    done = subprocess.run(  # nosec B603
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise InputError(f"ffmpeg failed ({lines[-1]}); choose formats=['gif']")


_WRITERS = {"gif": _write_gif, "mp4": _write_mp4}
