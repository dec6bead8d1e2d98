"""Every statistic of a network beside chance, on one scale."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from brainrnn.plots.style import FAINT, INK, NEGATIVE, new_figure, open_frame

_LEVEL = 0.05


def plot_statistics(statistics: xr.Dataset, member: int = 0) -> Figure:
    """Dot for the z of each statistic, on the 95 % interval of its null.

    Full where p is below 0.05 (of the single statistic, on the side where a map would be), open
    elsewhere; the arrow shows that side. Statistics that do not vary under the null are left out.

    Parameters
    ----------
    statistics : Dataset
        As from :func:`brainrnn.analysis.map_statistics`.
    member : int
        Which network.

    Returns
    -------
    Figure
    """
    one = statistics.isel(member=member)
    one = one.sel(statistic=np.isfinite(one.z.values))
    n = one.sizes["statistic"]
    figure = new_figure(6.8, 1.3 + 0.21 * n)
    ax = figure.subplots()
    row = np.arange(n)
    z, significant = one.z.values, one.p.values < _LEVEL
    low, high = (
        ((one[f"null_{end}"] - one.null_mean) / one.null_sd).values for end in ("low", "high")
    )
    ax.hlines(row, low, high, color=FAINT, alpha=0.4, lw=6, label="95 % of the null")
    ax.axvline(0, color=INK, lw=0.8, ls=":")
    for full, label in ((True, f"p < {_LEVEL}"), (False, f"p ≥ {_LEVEL}")):
        some = significant == full
        ax.scatter(
            z[some], row[some], s=26, zorder=3, label=label,
            facecolor=NEGATIVE if full else "white", edgecolor=NEGATIVE,
        )  # fmt: skip
    side = {"less": "←", "greater": "→", "two-sided": "↔"}
    names = zip(one["name"].values, one.alternative.values, strict=True)
    ax.set_yticks(row, [f"{name}  {side[str(a)]}" for name, a in names], fontsize=8)
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
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure
