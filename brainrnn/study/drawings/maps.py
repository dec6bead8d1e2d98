"""What is drawn of the map: both of its measures in every network, and maps side by side."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from brainrnn.analysis import load
from brainrnn.analysis.map_statistics import MEASURES
from brainrnn.plots import plot_map
from brainrnn.plots.style import new_figure, open_frame
from brainrnn.study.findings.figures import Drawing, chance_band, colours, dots, name_rows, panels

_LINES = 200  # in each of the maps side by side


def z_of_networks(rows: pd.DataFrame) -> Drawing:
    """A dot for each network, methods in rows, measures in columns."""
    looks = colours(rows.label)
    figure = new_figure(9.5, 1.4 + 0.36 * len(looks))
    axes = figure.subplots(1, 2, sharey=True)
    for ax, (name, words) in zip(axes, MEASURES.items(), strict=True):
        chance_band(ax, "x")
        for i, (label, colour) in enumerate(looks.items()):
            z = rows[(rows.label == label) & (rows.statistic == name)].z
            dots(ax, z, i, colour, width=0.16, bar=0.3, size=5.0)
        ax.set_xlabel(f"z of {words}")
        open_frame(ax)
    name_rows(axes[0], list(looks))
    return figure, (
        "Both measures of every network, as z against random arrangements of its own modules "
        "over its own active neurons: below 0 is more modular in space than chance. "
        "A dot is a network, a bar the mean of its method; the band holds 95 % of a normal null."
    )


def side_by_side(paths: dict[str, Path], seed: int) -> Drawing:
    """The maps of several networks of a seed, the analysis file of each by its label."""
    figure, axes = panels(len(paths), 3.2, 3.35)
    figure.draw_without_rendering()  # discs are as large as the axes are
    for ax, (label, path) in zip(axes.flat, paths.items(), strict=False):
        brain = load(path)
        plot_map(brain, ax=ax, max_lines=_LINES)
        ax.get_legend().remove()
        z = [float(brain.z.isel(member=0).sel(statistic=name)) for name in MEASURES]
        title = f"{label}\nz {z[0]:.1f} isolated, {z[1]:.1f} size"
        ax.set_title(title, fontsize=8.5, loc="left", linespacing=1.2)
    return figure, (
        f"Every method's network of seed {seed}. Discs are active neurons where they sit, coloured "
        "by functional module (numbered by size, so colours of different networks have nothing to "
        "do with each other); grey dots are silent neurons, lines each network's "
        f"{_LINES} strongest recurrent connections."
    )
