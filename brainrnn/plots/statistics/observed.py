"""Every statistic of a network on one scale, beside its null."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainrnn.plots.member import one_member
from brainrnn.plots.style import (
    FAINT,
    INK,
    draw_tested,
    figure_of,
    legend_below,
    new_figure,
    open_frame,
)

_SIDES = {"less": "←", "greater": "→", "two-sided": "↔"}
_NEEDED = ("z", "p", "null_mean", "null_sd", "null_low", "null_high")


def plot_statistics(statistics: xr.Dataset, member: int = 0, ax: Axes | None = None) -> Figure:
    """Draw a dot for the z of each statistic, on the 95 % interval of its null.

    Full where p is below 0.05 (of the single statistic, on the side where a map would be), open
    elsewhere; the arrow shows that side. Statistics that do not vary under the null are left out.

    Parameters
    ----------
    statistics : Dataset
        As from :func:`brainrnn.analysis.map_statistics` or
        :func:`brainrnn.analysis.permutation_test`.
    member : int
        Which network.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no such network, or the dataset lacks what is drawn.

    Examples
    --------
    >>> import brainrnn as br
    >>> import numpy as np
    >>> kind = np.repeat([0, 1], 8)
    >>> test = br.permutation_test({"first": lambda labels: labels[:, :8].double().mean(1)}, kind)
    >>> (ax,) = plot_statistics(test).axes
    >>> ax.get_yticklabels()
    [Text(0, 0, 'first  ←')]
    """
    one = one_member(statistics, member, *_NEEDED)
    known = np.isfinite(one.z.values)
    labels = np.array(_labels(one))[known]
    one = one.sel(statistic=known)
    n = one.sizes["statistic"]
    alone = ax is None
    ax = ax or new_figure(6.8, 1.3 + 0.21 * n).subplots()
    row, z = np.arange(n), one.z.values
    low, high = (
        ((one[f"null_{end}"] - one.null_mean) / one.null_sd).values for end in ("low", "high")
    )
    ax.hlines(row, low, high, color=FAINT, alpha=0.4, lw=6, label="95 % of the null")
    ax.axvline(0, color=INK, lw=0.8, ls=":")
    draw_tested(ax, z, row, one.p.values, s=26)
    ax.set_yticks(row, labels, fontsize=8)
    ax.set_ylim(n - 0.4, -0.6)
    ax.set_xlabel("standard deviations from the mean of the null")
    if n and np.abs(z).max() > 10:  # some of a trained network's are ten times others
        ax.set_xscale("symlog", linthresh=4, linscale=1.5)
        ax.set_xlim(min(-5, 1.3 * z.min()), max(5, 1.3 * z.max()))
        ticks = [t for size in (2, 4, 10, 20, 50, 100) for t in (-size, size)]
        ticks = [0, *(t for t in ticks if ax.get_xlim()[0] < t < ax.get_xlim()[1])]
        ax.set_xticks(ticks, list(map(str, ticks)))
        ax.minorticks_off()
    ax.grid(axis="y", lw=0.3, color=FAINT, alpha=0.5)
    ax.set_axisbelow(True)
    ax.tick_params(axis="y", length=0)
    open_frame(ax)
    ax.spines["left"].set_visible(False)
    figure = figure_of(ax)
    if alone:
        legend_below(figure, ax)
    else:
        ax.legend(frameon=False, fontsize=8)
    return figure


def _labels(one: xr.Dataset) -> list[str]:
    """Name and side of every statistic."""
    names = one["name" if "name" in one.coords else "statistic"].values
    said = one["alternative"].values if "alternative" in one.coords else one.attrs["alternative"]
    sides = np.broadcast_to(said, len(names))
    return [f"{name}  {_SIDES[str(side)]}" for name, side in zip(names, sides, strict=True)]
