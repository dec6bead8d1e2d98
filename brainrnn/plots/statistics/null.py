"""The two measures of the map beside their distributions under chance."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainrnn.plots.style import FAINT, INK, NEGATIVE, new_figure, open_frame

_NAMES = {"isolated": "fraction of neurons isolated", "cluster_size": "average cluster size"}


def plot_nulls(brain: xr.Dataset, member: int = 0) -> Figure:
    """Histogram of each statistic over permutations, with the network's own value.

    After the figure in "Growing Brains" (arXiv:2310.07711) that marks the trained network on the
    histogram of permuted ones. The band is the 95 % interval of the null, the dotted line its mean.

    Parameters
    ----------
    brain : Dataset
        As from :func:`brainrnn.analysis.analyse`.
    member : int
        Which network.

    Returns
    -------
    Figure
    """
    one = brain.isel(member=member)
    figure = new_figure(4.5 * one.sizes["statistic"], 3.3)
    axes = figure.subplots(1, one.sizes["statistic"], squeeze=False)[0]
    for name, ax in zip(one.statistic.values, axes, strict=True):
        _draw(ax, one.sel(statistic=name), _NAMES.get(name, name))
    axes[0].set_ylabel("permutations")
    figure.legend(
        *axes[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=3,
        frameon=False,
        fontsize=8,
    )
    return figure


def _draw(ax: Axes, test: xr.Dataset, label: str) -> None:
    null, observed = test.null.values, float(test.observed)
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


def _bins(null: np.ndarray) -> np.ndarray:
    """Edges of at most about 50 bins; one per value, centred, where the values are few."""
    values = np.unique(null)
    if len(values) == 1:
        return values[0] + np.array([-0.5, 0.5]) * max(1e-3, 0.01 * abs(values[0]))
    step = np.diff(values).min()
    if np.ptp(values) / step <= 50:
        return np.arange(values[0] - step / 2, values[-1] + step, step)
    return np.linspace(values[0], values[-1], 51)
