"""Where each module puts the tokens: rings and bow ties ("Seeing Is Believing", Fig. 5 middle)."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA

from brainrnn import MLP, InputError
from brainrnn.plots.style import FAINT, INK, module_colours, new_figure, open_frame
from paper_mlp.groups.embedding import active_embedding
from paper_mlp.groups.fourier import module_spectra
from paper_mlp.groups.modules import embedding_modules, module_name
from tasks.fixed import FixedTask

COLUMNS = 3
MOST_NAMED = 6  # neurons in a title
GAP = 0.035  # between a token and its number, of a picture's width
ELEVATION = 35  # degrees above the plane of the first two components


def plot_rings(net: MLP, task: FixedTask | None, member: int = 0) -> Figure:
    """Draw the embedding of every token in each of a network's modules.

    One neuron is drawn over the tokens, two against each other, and more in their first three
    principal components (the third harmonic of a bow tie needs the third). A line joins the tokens
    in the order of their phase at the module's main frequency. A token whose number would cover
    another's goes without.

    Parameters
    ----------
    net : MLP
        Of tokens.
    task : FixedTask
        A group's table; its elements are the tokens.
    member : int
        Which network.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no such network, or it has no active input neuron.
    """
    embedding = active_embedding(net, member)
    if not embedding.sizes["neuron"]:
        raise InputError("the network has no active input neuron: there is nothing to draw")
    one = net.select(member)
    module = embedding_modules(one)[0][embedding.neuron]
    spectra = module_spectra(one).isel(member=0)
    n = module.max() + 1
    rows, columns = -(-n // COLUMNS), min(n, COLUMNS)
    width, height = 4.3 * columns, 4.4 * rows  # inches
    figure = new_figure(width, height)
    # Axes in space do not know their extent before they are drawn, so no layout can fit them.
    figure.set_layout_engine("none")
    grid = figure.add_gridspec(
        rows,
        columns,
        left=0.6 / width,
        right=1 - 0.3 / width,
        bottom=0.6 / height,
        top=1 - 0.6 / height,
        wspace=0.28,
        hspace=0.4,
    )
    for number in range(n):
        values, spectrum = embedding[module == number], spectra.isel(module=number)
        _panel(figure, grid[divmod(number, columns)], values, spectrum, number)
    return figure


def _panel(
    figure: Figure, place: SubplotSpec, embedding: xr.DataArray, spectrum: xr.Dataset, number: int
) -> None:
    """Draw one module."""
    labels = [f"neuron {site}" for site in embedding.site.values]
    points, space = embedding.values.T, len(labels) > 2
    if space:
        points = PCA(3, svd_solver="full").fit_transform(points)
        labels = [f"component {i}" for i in (1, 2, 3)]
    ax: Any = figure.add_subplot(place, projection="3d" if space else None)
    title = f"{module_name(number)}: {_count(embedding.site.values)}"
    if len(labels) == 1:
        points = np.stack([np.arange(len(points)), points[:, 0]], axis=1)
        labels = ["token", *labels]
    order: np.ndarray = np.arange(len(points))
    if not np.isnan(spectrum.frequency):
        share, frequency = 100 * float(spectrum.share), int(spectrum.frequency)
        title += f"\n{share:.0f} % at frequency {frequency}"
        order = np.argsort(frequency * order % len(points), kind="stable")
    ax.set_title(title, loc="left", fontsize=9, color=INK)
    for name, label in zip("xyz", labels, strict=False):
        getattr(ax, f"set_{name}label")(label, fontsize=8, labelpad=-8 if space else 2)
    colour = module_colours(number)
    ax.scatter(*points.T, s=14, color=colour, lw=0, alpha=1, zorder=2)
    if labels[0] == "token":
        _dress_plane(ax)
        return
    ax.plot(*points[[*order, order[0]]].T, color=FAINT, lw=0.6, zorder=1)
    if space:
        azimuth = _azimuth(points)
        ax.set_proj_type("ortho")
        ax.set_box_aspect(np.ptp(points, axis=0), zoom=1.1)
        ax.view_init(elev=ELEVATION, azim=azimuth)
        ax.set(xticklabels=[], yticklabels=[], zticklabels=[])
        _number(ax, points[order], order, _screen(azimuth))
    else:
        ax.margins(0.09)
        ax.set_aspect("equal", anchor="N")
        _dress_plane(ax)
        _number(ax, points[order], order, np.eye(2))


def _number(
    ax: Any,
    points: Float[np.ndarray, "token space"],
    tokens: Int[np.ndarray, " token"],
    screen: Float[np.ndarray, "2 space"],
) -> None:
    """Write each token beside its point on a closed curve, in turns on one side and the other.

    ``screen`` holds the directions of right and up in the picture, (2, dimension).
    """
    seen = points @ screen.T
    along = np.roll(seen, -1, axis=0) - np.roll(seen, 1, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True).clip(1e-9)
    side = np.where(np.arange(len(points)) % 2, -1, 1)[:, None]
    across = side * np.stack([along[:, 1], -along[:, 0]], axis=1)
    gap = GAP * np.ptp(seen, axis=0).max()
    places = points + gap * across @ screen
    written: np.ndarray = np.empty((0, 2))
    for token, place, spot in zip(tokens, places, seen + gap * across, strict=True):
        if (np.abs(written - spot) > gap * np.array([1.3, 1.1])).any(1).all():
            ax.text(*place, str(token), fontsize=6, color=INK, ha="center", va="center", zorder=3)
            written = np.append(written, [spot], axis=0)


def _count(sites: Int[np.ndarray, " neuron"]) -> str:
    """Which neurons, or how many where they are many."""
    if len(sites) > MOST_NAMED:
        return f"{len(sites)} neurons"
    return f"neuron{'s' * (len(sites) > 1)} {', '.join(map(str, sites))}"


def _dress_plane(ax: Axes) -> None:
    ax.tick_params(labelsize=7)
    open_frame(ax)


def _azimuth(points: Float[np.ndarray, "token 3"]) -> float:
    """From where to look at points in space so that none hides another, degrees."""
    azimuths = np.arange(0.0, 360, 5).tolist()
    nearest = [pdist(points @ _screen(azimuth).T).min() for azimuth in azimuths]
    return azimuths[np.argmax(nearest)]


def _screen(azimuth: float) -> Float[np.ndarray, "2 3"]:
    """Directions in space that point right and up in the picture, (2, 3)."""
    a, e = np.radians([azimuth, ELEVATION])
    return np.array(
        [
            [-np.sin(a), np.cos(a), 0],
            [-np.sin(e) * np.cos(a), -np.sin(e) * np.sin(a), np.cos(e)],
        ]
    )
