"""What is drawn of the map: both of its measures in every network, and maps side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from brainrnn.analysis.map_statistics import MEASURES
from brainrnn.plots import plot_map
from brainrnn.plots.style import new_figure, open_frame
from brainrnn.study.report.colours import method_colours
from brainrnn.study.report.figures import Drawing, chance_band, dots, name_rows, panels

_LINES = 200  # in each of the maps side by side
_AXES = ["x", "y", "z"]


def z_of_networks(rows: pd.DataFrame) -> Drawing:
    """A dot for each network, methods in rows, measures in columns."""
    looks = method_colours(rows.label)
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


def portray(brains: Mapping[str, xr.Dataset]) -> dict[str, pd.DataFrame]:
    """What a map shows of each network: its neurons, and its strongest connections.

    Parameters
    ----------
    brains : dict of Dataset
        Analyses of one network each, by label.

    Returns
    -------
    dict of DataFrame
        ``neurons``: ``label``, ``neuron``, coordinates, ``module``, ``active`` and ``variance``,
        the task variance summed over tasks. ``connections``: ``label``, ``neuron``, ``source``,
        ``weight``.
    """
    ones = {label: brain.isel(member=0) for label, brain in brains.items()}
    tables = {
        "neurons": {label: _neurons(one) for label, one in ones.items()},
        "connections": {label: _strongest(one) for label, one in ones.items()},
    }
    return {
        name: pd.concat(each, names=["label"]).reset_index("label").reset_index(drop=True)
        for name, each in tables.items()
    }


def _neurons(one: xr.Dataset) -> pd.DataFrame:
    place = one.position.transpose("unit", "space").values
    about = {"module": one.module, "active": one.active, "variance": one.task_variance.sum("task")}
    table = pd.DataFrame(place, columns=_AXES[: place.shape[1]])
    table.insert(0, "neuron", range(len(table)))
    return table.assign(**{name: values.values for name, values in about.items()})


def _strongest(one: xr.Dataset) -> pd.DataFrame:
    """The connections between different neurons that are largest."""
    weight = one.weight.transpose("unit", "source").values.copy()
    np.fill_diagonal(weight, 0)
    unit, source = np.nonzero(weight)
    table = pd.DataFrame({"neuron": unit, "source": source, "weight": weight[unit, source]})
    return table.loc[table.weight.abs().nlargest(_LINES).index].sort_index()


def _brain(neurons: pd.DataFrame, connections: pd.DataFrame) -> xr.Dataset:
    """One network, as :func:`brainrnn.plots.plot_map` draws it."""
    weight = np.zeros((len(neurons), len(neurons)))
    weight[connections.neuron, connections.source] = connections.weight
    place = neurons[[axis for axis in _AXES if axis in neurons]].to_numpy()
    return xr.Dataset(
        {
            "position": (("unit", "space"), place),
            "weight": (("unit", "source"), weight),
            "module": ("unit", neurons.module.to_numpy()),
            "active": ("unit", neurons.active.to_numpy()),
            "task_variance": (("unit", "task"), neurons[["variance"]].to_numpy()),
        }
    )


def side_by_side(portraits: Mapping[str, pd.DataFrame], rows: pd.DataFrame) -> Drawing:
    """The maps of several networks of one seed, with what both measures say of each.

    Parameters
    ----------
    portraits : dict of DataFrame
        As from :func:`portray`.
    rows : DataFrame
        ``label``, ``seed``, ``statistic`` and ``z`` of these networks.
    """
    neurons, connections = portraits["neurons"], portraits["connections"]
    labels = neurons.label.drop_duplicates().tolist()
    z = rows.pivot(index="label", columns="statistic", values="z")
    figure, axes = panels(len(labels), 3.2, 3.35)
    figure.draw_without_rendering()  # discs are as large as the axes are
    for ax, label in zip(axes.flat, labels, strict=False):
        brain = _brain(neurons[neurons.label == label], connections[connections.label == label])
        plot_map(brain, ax=ax, max_lines=_LINES)
        ax.get_legend().remove()
        isolated, size = z.loc[label, list(MEASURES)]
        title = f"{label}\nz {isolated:.1f} isolated, {size:.1f} size"
        ax.set_title(title, fontsize=8.5, loc="left", linespacing=1.2)
    return figure, (
        f"Every method's network of seed {rows.seed.iloc[0]}. Discs are active neurons where they "
        "sit, coloured by functional module (numbered by size, so colours of different networks "
        "have nothing to do with each other); grey dots are silent neurons, lines each network's "
        f"{_LINES} strongest recurrent connections."
    )
