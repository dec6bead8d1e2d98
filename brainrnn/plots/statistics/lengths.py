"""How the probability of a connection falls with distance."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import beta

from brainrnn.plots.member import one_member
from brainrnn.plots.style import (
    FAINT,
    INK,
    NEGATIVE,
    POSITIVE,
    canvas,
    figure_of,
    legend_below,
    module_colours,
    open_frame,
)

_NEEDED = ("distance", "pairs", "connected", "probability")
_STYLE = {
    "power_law": (NEGATIVE, "-"),
    "exponential": (POSITIVE, "-"),
    "lognormal": (module_colours(1), "--"),
    "stretched_exponential": (module_colours(2), "-."),
    "truncated_power_law": (module_colours(3), ":"),
}
_DEVIATIONS = 0.683  # the share of a normal distribution within one


def plot_lengths(statistics: xr.Dataset, member: int = 0, ax: Axes | None = None) -> Figure:
    """Draw the probability of a connection at each distance, and what was fitted to it.

    Once on logarithmic axes, where a power law is straight, and once on a linear axis of distance,
    where an exponential is. Bars are 68 % intervals (Clopper and Pearson), as if pairs were
    independent; an arrow points down where no pair is connected. Below, the pairs that there are.

    Parameters
    ----------
    statistics : Dataset
        As from :func:`brainrnn.analysis.map_statistics`.
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
        If there is no such network, or the dataset lacks what is drawn.

    Examples
    --------
    Neurons on a line, connected less often the farther apart they are:

    >>> import brainrnn as br
    >>> import numpy as np
    >>> from brainrnn.analysis import connection_lengths
    >>> place = np.arange(30.0)
    >>> distance = np.abs(place[:, None] - place)
    >>> connected = np.random.default_rng(0).random((30, 30)) < np.exp(-distance / 3)
    >>> fitted = connection_lengths(distance, connected)
    >>> figure = plot_lengths(fitted.rename({name: f"length_{name}" for name in fitted.data_vars}))
    >>> [ax.get_ylabel() for ax in figure.axes if ax.get_ylabel()]
    ['probability of a connection', 'pairs']
    """
    needed = (*(f"length_bin_{name}" for name in _NEEDED), "length_akaike_weight")
    one = one_member(statistics, member, *needed)
    one = one.sel(bin=(one.length_bin_pairs > 0).values)
    figure = canvas(ax, 9.0, 4.4)
    axes = figure.subplots(2, 2, sharex="col", height_ratios=(4, 1))
    d = one.length_bin_distance.values
    for column, scale in enumerate(("log", "linear")):
        top, bottom = axes[:, column]
        _draw(top, one)
        top.set(xscale=scale, yscale="log")
        bottom.vlines(d, 0, one.length_bin_pairs, color=FAINT, lw=2)
        bottom.set(xlabel="distance, in spacings of the sites", ylim=(0, None))
        if scale == "log":
            near, far = d.min(initial=np.inf) / 1.3, 1.15 * d.max(initial=0)
            ticks = [t for t in (1, 2, 3, 5, 10, 20, 30, 50, 100) if near < t < far]
            bottom.set_xticks(ticks, list(map(str, ticks)))
            bottom.minorticks_off()
        for panel in (top, bottom):
            open_frame(panel)
    axes[0, 0].set_ylabel("probability of a connection")
    axes[1, 0].set_ylabel("pairs")
    legend_below(figure, axes[0, 0])
    return figure_of(figure)


def _draw(ax: Axes, one: xr.Dataset) -> None:
    d, pairs, hits = (one[f"length_bin_{n}"].values for n in ("distance", "pairs", "connected"))
    share = hits / pairs
    tail = (1 - _DEVIATIONS) / 2
    low = np.where(hits > 0, beta.ppf(tail, np.maximum(hits, 1), pairs - hits + 1), 0)
    high = np.where(hits < pairs, beta.ppf(1 - tail, hits + 1, np.maximum(pairs - hits, 1)), 1)
    some = hits > 0
    ax.errorbar(
        d[some], share[some], [share[some] - low[some], high[some] - share[some]],
        fmt="o", ms=4, color=INK, lw=1, label="connections",
    )  # fmt: skip
    if not some.all():
        ax.scatter(d[~some], high[~some], marker="$\\downarrow$", color=INK, s=40)
    weight = one.length_akaike_weight.to_series()
    for model, (colour, dash) in _STYLE.items():
        fitted = one.length_bin_probability.sel(model=model).values
        if np.isfinite(fitted).all():
            label = f"{model.replace('_', ' ')} ({weight[model]:.0%})"
            ax.plot(d, fitted, dash, color=colour, lw=1.6, label=label)
    if some.any():
        ax.set_ylim(0.3 * share[some].min(), min(1.5, 2 * share.max()))
    else:  # logarithmic axes want to know
        ax.set_ylim(1e-3, 1)
    if not len(d):
        ax.set_xlim(1, 10)
