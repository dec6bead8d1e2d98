"""What is drawn of a sweep: lines over one setting, heat maps over two, and the Pareto front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from brainrnn.plots.style import FAINT, NEGATIVE, new_figure, open_frame
from brainrnn.study.fronts import front
from brainrnn.study.report.colours import colours
from brainrnn.study.report.figures import Drawing, band, heat, panels

_WIDE = 30  # greatest over least value, from which a logarithmic axis shows more


def lines(networks: pd.DataFrame, key: str, quantities: Mapping[str, str]) -> Drawing:
    """Each quantity against one setting."""
    figure, axes = panels(len(quantities), 2.9, 2.3)
    colour = colours([key])[key]
    for ax, (name, words) in zip(axes.flat, quantities.items(), strict=False):
        known = networks[[key, name]].dropna()
        if known.empty:
            ax.set_axis_off()
            continue
        band(ax, known, key, name, alpha=0.2, color=colour)
        ax.plot(known[key], known[name], "o", ms=3, mew=0, alpha=0.6, color=colour)
        if known[key].min() > 0 and known[key].max() >= _WIDE * known[key].min():
            ax.set_xscale("log")
        ax.set_xlabel(key, fontsize=8)
        ax.set_title(words, fontsize=9, loc="left")
    return figure, (
        f"Each quantity against {key}. A dot is a network, the line the mean over seeds and all "
        "other settings, the band from the least to the greatest."
    )


def heat_maps(
    networks: pd.DataFrame, keys: Sequence[str], quantities: Mapping[str, str]
) -> Drawing:
    """Each quantity over two settings, mean over seeds."""
    down, across = keys
    counts = networks[down].nunique(), networks[across].nunique()
    figure, axes = panels(
        len(quantities), 0.8 + 0.55 * counts[1], 1.1 + 0.32 * counts[0], margins=(0.6, 0.4)
    )
    for ax, (name, words) in zip(axes.flat, quantities.items(), strict=False):
        mean = networks.pivot_table(index=down, columns=across, values=name, dropna=False)
        mean.columns = [f"{value:g}" for value in mean.columns]
        if not np.isfinite(mean.to_numpy()).any():
            ax.set_axis_off()
            continue
        names = [f"{value:g}" for value in mean.index]
        style = {"cmap": "viridis", "annot": True, "fmt": ".3g", "annot_kws": {"fontsize": 6.5}}
        heat(ax, mean, names, below=True, **style)
        ax.set_xlabel(across, fontsize=8)
        ax.set_ylabel(down, fontsize=8)
        ax.set_title(words, fontsize=9, loc="left")
    return figure, f"Each quantity over {down} and {across}: the mean over seeds."


def pareto(networks: pd.DataFrame) -> Drawing:
    """Accuracy against the length of the wiring, with the networks that no other beats in both."""
    known = networks.dropna(subset=["wiring_length", "accuracy"]).sort_values("wiring_length")
    best = known[front(known.wiring_length.to_numpy(), known.accuracy.to_numpy())]
    figure = new_figure(5, 3.6)
    ax = figure.subplots()
    ax.plot(known.wiring_length, known.accuracy, "o", ms=4, mew=0, color=FAINT)
    ax.step(best.wiring_length, best.accuracy, "o-", where="post", ms=4, lw=1, color=NEGATIVE)
    if known.wiring_length.min() > 0:
        ax.set_xscale("log")
    ax.set_xlabel("wiring length, sum of |w| d")
    ax.set_ylabel("accuracy")
    open_frame(ax)
    return figure, (
        "Accuracy against the length of the wiring. A dot is a network. Those on the line are the "
        "Pareto front: no other network is better in one and as good in the other."
    )
