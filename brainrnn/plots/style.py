"""What the pictures share: colours, figures without a window, words, legends, and saving."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from jaxtyping import Float, Int, Num
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure, FigureBase

from brainrnn.errors import InputError, unknown
from brainrnn.files import atomic_path

Pair: TypeAlias = tuple[float | int, float | int] | Float[np.ndarray, " axis"]  # x and y

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


LEVEL = 0.05  # of p, below which marks are full


def module_colours(module: Int[np.ndarray, "*shape"] | int) -> Float[np.ndarray, "*shape 3"]:
    """Colour of each module, method or network by its number; grey for -1.

    There are thirty colours. Then they repeat.
    """
    table = np.array([to_rgb(c) for c in [*_MODULES, INACTIVE]])
    return table[np.where(np.asarray(module) < 0, -1, np.asarray(module) % len(_MODULES))]


def sign_colours(weight: Num[np.ndarray, " line"]) -> Float[np.ndarray, "line 3"]:
    """Colour of each connection: blue where the weight is positive, red where it is negative."""
    return np.array([to_rgb(NEGATIVE), to_rgb(POSITIVE)])[(weight > 0).astype(int)]


def new_figure(width: float | int, height: float | int) -> Figure:
    """Make an empty figure of a size in inches that belongs to no window."""
    return Figure(figsize=(width, height), dpi=120, layout="constrained", facecolor="white")


def canvas(ax: Axes | None, width: float | int, height: float | int) -> FigureBase:
    """Where a picture of several panels is drawn: a new figure, or in place of the axes ``ax``.

    The axes are removed, and a subfigure takes their place.

    Raises
    ------
    InputError
        If the axes have no place in a grid of axes.
    """
    if ax is None:
        return new_figure(width, height)
    spec, parent = ax.get_subplotspec(), ax.figure
    if spec is None or parent is None:
        raise InputError(
            "a picture of several panels takes the place of axes in a grid: make them with "
            "plt.subplots or figure.add_subplot"
        )
    ax.remove()
    return parent.add_subfigure(spec)


def figure_of(drawn: Artist) -> Figure:
    """The whole figure in which axes or a subfigure are."""
    inner = cast(FigureBase, drawn.figure)
    return cast(Figure, inner.figure)


def open_frame(ax: Axes) -> None:
    """Leave only the left and the bottom side of a frame."""
    ax.spines[["top", "right"]].set_visible(False)


def no_frame(ax: Axes) -> None:
    """Leave no side of a frame."""
    for spine in ax.spines.values():
        spine.set_visible(False)


def write_at(ax: Axes, text: str, point: Pair, offset: Pair, **style: Any) -> None:
    """Write a text at a point of the axes, ``offset`` points of type to the right and up."""
    x, y = point
    right, up = offset
    ax.annotate(text, (x, y), xytext=(right, up), textcoords="offset points", **style)


def legend_below(figure: FigureBase, ax: Axes) -> None:
    """Explain the marks of one panel under a figure."""
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=8)


def draw_tested(
    ax: Axes,
    x: Num[np.ndarray, " mark"],
    y: Num[np.ndarray, " mark"],
    p: Float[np.ndarray, " mark"],
    **style: Any,
) -> None:
    """Draw a dot for each test, full where p is below 0.05 and open elsewhere."""
    significant = p < LEVEL
    for full, label in ((True, f"p < {LEVEL}"), (False, f"p ≥ {LEVEL}")):
        some = significant == full
        face = NEGATIVE if full else "white"
        ax.scatter(
            x[some], y[some], facecolor=face, edgecolor=NEGATIVE, zorder=3, label=label, **style
        )


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

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in save_figure(new_figure(1, 1), f"{folder}/empty", ["png"])]
    ['empty.png']
    """
    stem, paths = Path(stem), []
    known = figure.canvas.get_supported_filetypes().keys() - {"pgf"}  # which needs LaTeX
    for kind in formats:
        if kind not in known:
            raise InputError(unknown("picture format", kind, sorted(known)))
        path = stem.with_name(f"{stem.name}.{kind}")
        # Without a date and with fixed identifiers, the same figure gives the same file.
        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
        with rc_context({"svg.hashsalt": "brainrnn"}), atomic_path(path) as temporary:
            figure.savefig(temporary, format=kind, metadata=metadata)
        paths.append(path)
    return paths
