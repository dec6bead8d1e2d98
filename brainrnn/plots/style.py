"""What the pictures share: colours, figures without a window, and saving."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from brainrnn.errors import InputError, unknown
from brainrnn.files import atomic_path

POSITIVE, NEGATIVE = "#2166ac", "#b2182b"
INACTIVE, INK, FAINT = "#c9cdd2", "#22262b", "#8a9099"

# The first eight are close to Okabe and Ito's colour-blind safe set; each later one was chosen for
# the largest distance from all before it, with normal vision, deuteranopia and protanopia.
# fmt: off
_MODULES = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#5b3a8e",
    "#85c890", "#9b4364", "#2c4e16", "#906fff", "#a6c8ff", "#7a0059", "#ff4e6f", "#855900",
    "#d300bc", "#6fff9b", "#3700bc", "#ff7ad3", "#4e64de", "#9b002c", "#64de64", "#e9b1c8",
    "#bc4390", "#379016", "#c864d3", "#7a9bff", "#43f4ff", "#0000ff",
)
# fmt: on


def module_colours(module: np.ndarray | int) -> np.ndarray:
    """Colour of each module number, (..., 3); grey for -1. Thirty colours, then they repeat."""
    table = np.array([to_rgb(c) for c in [*_MODULES, INACTIVE]])
    return table[np.where(np.asarray(module) < 0, -1, np.asarray(module) % len(_MODULES))]


def new_figure(width: float, height: float) -> Figure:
    """Make an empty figure of a size in inches that belongs to no window."""
    return Figure(figsize=(width, height), dpi=120, layout="constrained", facecolor="white")


def open_frame(ax: Axes) -> None:
    """Leave only the left and the bottom side of a frame."""
    ax.spines[["top", "right"]].set_visible(False)


def no_frame(ax: Axes) -> None:
    """Leave no side of a frame."""
    for spine in ax.spines.values():
        spine.set_visible(False)


def save_figure(
    figure: Figure, stem: str | os.PathLike[str], formats: Sequence[str] = ("png", "svg")
) -> list[Path]:
    """Save a figure in several formats, each file whole or not at all.

    Parameters
    ----------
    figure : Figure
    stem : path
        Path without the suffix.
    formats : sequence of str
        Suffixes that matplotlib knows.

    Returns
    -------
    list of Path
        The files, in the order of the formats.

    Raises
    ------
    InputError
        If a format is unknown or a file cannot be written.
    """
    stem, paths = Path(stem), []
    known = figure.canvas.get_supported_filetypes()
    for kind in formats:
        if kind not in known:
            raise InputError(unknown("picture format", kind, known))
        path = stem.with_name(f"{stem.name}.{kind}")
        # Without a date and with fixed identifiers, the same figure gives the same file.
        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
        with rc_context({"svg.hashsalt": "brainrnn"}), atomic_path(path) as temporary:
            figure.savefig(temporary, format=kind, metadata=metadata)
        paths.append(path)
    return paths
