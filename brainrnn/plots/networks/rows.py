"""Layers on lines, painted as rows of neurons one above the other."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from brainrnn.anatomy.placed import Placed
from brainrnn.plots.networks.connections import (
    HALO,
    THICKEST,
    draw_lines,
    touched_neurons,
    visible_connections,
)
from brainrnn.plots.networks.labels import points_per_unit, write_labels
from brainrnn.plots.networks.layers import Layout
from brainrnn.plots.style import FAINT, INACTIVE, INK


def paint_rows(ax: Axes, net: Placed, member: int, layout: Layout) -> None:
    """Paint a network on lines: strong connections over weak ones, and neurons over all.

    Parameters
    ----------
    ax : Axes
        With its final limits.
    net : Placed
    member : int
    layout : Layout
        Of that member, on lines.
    """
    most = max(row.shape[1] for row in layout.rows.values())
    gap = points_per_unit(ax) * np.ptp(ax.get_xlim()) / most  # where it is most crowded, points
    lines = visible_connections(net, member, layout).values()
    segments, strength = (np.concatenate(part) for part in zip(*lines, strict=True))
    order = np.argsort(np.abs(strength), kind="stable")
    thickest = min(THICKEST, 0.24 * gap)
    draw_lines(ax, segments[order], strength[order], thickest=thickest, zorder=1.0)
    touched = touched_neurons(net, member, layout)
    size = min(max(0.5 * gap, 2), 4.5)
    for dark, colour in ((False, INACTIVE), (True, INK)):
        discs = np.concatenate([row[touched[name] == dark] for name, row in layout.rows.items()])
        ax.scatter(discs[:, 0], discs[:, 1], s=size**2, color=colour, lw=0, zorder=2 + dark)


def label_rows(
    ax: Axes,
    net: Placed,
    member: int,
    layout: Layout,
    *,
    numbers: Collection[str],
    input_labels: Sequence[str],
    output_labels: Sequence[str],
) -> float:
    """Write the numbers of sites, and labels under the lowest row and over the highest.

    Returns
    -------
    float
        How far words reach above the highest row, points.
    """
    below = 5.0
    for level, stage in enumerate(layout.chain):
        if stage.name not in numbers:
            continue
        sites = [str(site + 1) for site in net.anatomy.places(stage.population)[member].tolist()]
        row, written = layout.rows[stage.name][-1], len(ax.texts)
        reach = write_labels(ax, row, sites, offset=-5.0, largest=7, colour=FAINT)
        if level == 0:
            below += reach
            continue
        for number in ax.texts[written:]:  # among lines
            number.set(color=INK, path_effects=[HALO])
    inputs, outputs = layout.rows[layout.chain[0].name][-1], layout.rows[layout.chain[-1].name][0]
    write_labels(ax, inputs, input_labels, offset=-below, largest=_label_size(inputs))
    return write_labels(ax, outputs, output_labels, offset=5, largest=_label_size(outputs))


def _label_size(row: Float[np.ndarray, "neuron coordinate"]) -> float:
    return 10.0 if len(row) <= 10 else 7.0
