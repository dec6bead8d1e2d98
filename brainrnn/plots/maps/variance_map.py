"""Which neurons take part in which tasks, ordered by module."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from brainrnn.analysis.activity.variance import normalise
from brainrnn.plots.style import INK, module_colours, new_figure, no_frame


def plot_task_variance(brain: xr.Dataset, member: int = 0) -> Figure:
    """Heat map of normalised task variance, tasks by active neurons in the order of the modules.

    As in Yang et al. (2019, Fig. 2): a neuron's value is its task variance over the largest of
    its task variances. The strip below shows the modules in the colours of :func:`plot_map`.

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
    active = np.flatnonzero(one.active.values)
    # Inside a module, neurons with the same preferred task stand together.
    share = normalise(one.task_variance).transpose("unit", "task").values
    order = active[np.lexsort((share[active].argmax(1), one.module.values[active]))]
    module = one.module.values[order]

    tasks = one.sizes["task"]
    figure = new_figure(9.0, 1.6 + 0.19 * tasks)
    heat, strip = figure.subplots(2, 1, sharex=True, height_ratios=[max(tasks, 6), 1])
    image = heat.imshow(
        share[order].T, aspect="auto", cmap="magma_r", vmin=0, vmax=1, interpolation="nearest"
    )
    strip.imshow(module_colours(module)[None], aspect="auto", interpolation="nearest")
    starts = np.flatnonzero(np.diff(module, prepend=-1))
    ends = np.append(starts[1:], len(module))
    for start, end in zip(starts, ends, strict=True):
        if start:
            heat.axvline(start - 0.5, color="white", lw=1.6)
            heat.axvline(start - 0.5, color=INK, lw=0.6)
            strip.axvline(start - 0.5, color="white", lw=1.6)
        if end - start >= 0.02 * len(module):
            strip.annotate(
                str(module[start]),
                ((start + end - 1) / 2, 0),
                xytext=(0, -14),
                textcoords="offset points",
                ha="center",
                va="center",
                fontsize=8,
                color=INK,
                annotation_clip=False,
            )
    heat.set_yticks(range(tasks), one.task.values, fontsize=8)
    heat.tick_params(length=0, labelbottom=False)
    strip.set_yticks([])
    strip.set_xticks([])
    strip.set_xlabel(f"{len(order)} active neurons, by module", labelpad=16)
    no_frame(heat)
    no_frame(strip)
    bar = figure.colorbar(image, ax=[heat, strip], pad=0.01, aspect=30)
    bar.set_label("task variance / the neuron's largest")
    no_frame(bar.ax)
    return figure
