"""Statistics beside their distributions under permutation."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainrnn.analysis.map_statistics import MEASURES
from brainrnn.errors import InputError
from brainrnn.plots.member import one_member
from brainrnn.plots.style import (
    FAINT,
    INK,
    NEGATIVE,
    canvas,
    figure_of,
    legend_below,
    open_frame,
)

_NEEDED = ("null", "observed", "null_mean", "null_low", "null_high", "z", "p")


def plot_nulls(brain: xr.Dataset, member: int = 0, ax: Axes | None = None) -> Figure:
    """Draw a histogram of each statistic over permutations, with the network's own value.

    After the figure in "Growing Brains" (arXiv:2310.07711) that marks the trained network on the
    histogram of permuted ones. The band is the 95 % interval of the null, the dotted line its mean.

    Parameters
    ----------
    brain : Dataset
        As from :func:`brainrnn.analysis.analyse` or :func:`brainrnn.analysis.permutation_test`.
    member : int
        Which network.
    ax : Axes, optional
        Axes that the panels replace; a new figure by default.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no such network, or the dataset lacks what is drawn, or a null is not known
        because no neuron is active.

    Examples
    --------
    >>> import brainrnn as br
    >>> import numpy as np
    >>> kind = np.repeat([0, 1], 8)
    >>> test = br.permutation_test({"first": lambda labels: labels[:, :8].double().mean(1)}, kind)
    >>> [ax.get_xlabel() for ax in plot_nulls(test).axes]
    ['first']
    """
    one = one_member(brain, member, *_NEEDED)
    figure = canvas(ax, 4.5 * one.sizes["statistic"], 3.3)
    axes = figure.subplots(1, one.sizes["statistic"], squeeze=False)[0]
    for name, panel in zip(one.statistic.values, axes, strict=True):
        _draw(panel, one.sel(statistic=name), MEASURES.get(name, name))
    axes[0].set_ylabel("permutations")
    legend_below(figure, axes[0])
    return figure_of(figure)


def _draw(ax: Axes, test: xr.Dataset, label: str) -> None:
    null, observed = test.null.values, float(test.observed)
    if not np.isfinite(null).all():
        raise InputError(f"the null of {label!r} is not known: has the network an active neuron?")
    counts, edges = np.histogram(null, bins=_bins(null))
    ax.stairs(counts, edges, fill=True, color=FAINT, alpha=0.75)
    ax.axvspan(
        float(test.null_low),
        float(test.null_high),
        color=FAINT,
        alpha=0.15,
        lw=0,
        label="95 % of permutations",
    )
    ax.axvline(float(test.null_mean), color=INK, lw=1, ls=":", label="their mean")
    ax.axvline(observed, color=NEGATIVE, lw=2, label="this network")
    z = float(test.z)
    ax.set_title(
        f"{'' if math.isnan(z) else f'z = {z:.1f}, '}p = {float(test.p):.2g}",
        loc="left",
        fontsize=10,
        color=INK,
    )
    ax.set_xlabel(label)
    ax.set_ylim(0, 1.05 * counts.max())
    open_frame(ax)


def _bins(null: Float[np.ndarray, " permutation"]) -> Float[np.ndarray, " edge"]:
    """Edges of at most about 50 bins; one per value, centred, where the values are few."""
    values = np.unique(null)
    if len(values) == 1:
        return values[0] + np.array([-0.5, 0.5]) * max(1e-3, 0.01 * abs(values[0]))
    step = np.diff(values).min()
    if np.ptp(values) / step <= 50:
        return np.arange(values[0] - step / 2, values[-1] + step, step)
    return np.linspace(values[0], values[-1], 51)
