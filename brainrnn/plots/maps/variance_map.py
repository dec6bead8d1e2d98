"""Which neurons take part in which tasks, ordered by module."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainrnn.analysis.activity.variance import normalise
from brainrnn.errors import InputError
from brainrnn.plots.member import is_active, one_member
from brainrnn.plots.style import INK, canvas, figure_of, module_colours, no_frame, write_at


def plot_task_variance(brain: xr.Dataset, member: int = 0, ax: Axes | None = None) -> Figure:
    """Draw a heat map of normalised task variance: tasks by active neurons, ordered by module.

    As in Yang et al. (2019, Fig. 2): a neuron's value is its task variance over the largest of
    its task variances. The strip below shows the modules in the colours of :func:`plot_map`.

    Parameters
    ----------
    brain : Dataset
        As from :func:`brainrnn.analysis.analyse`.
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
        If there is no such network, none of its neurons is active, or the dataset lacks task
        variances.

    Examples
    --------
    >>> import xarray as xr
    >>> data = xr.Dataset(
    ...     {"task_variance": (("unit", "task"), [[1.0, 0.1], [0.2, 0.9], [0.8, 0.0]])},
    ...     {"task": ["go", "wait"]},
    ... )
    >>> figure = plot_task_variance(data.assign(module=("unit", [0, 1, 0])))
    >>> figure.axes[1].get_xlabel()
    '3 active neurons, by module'
    """
    one = one_member(brain, member, "task_variance", "module")
    active = np.flatnonzero(is_active(one))
    if not len(active):
        raise InputError("no neuron of this network is active: there are no variances to draw")
    # Inside a module, neurons with the same preferred task stand together.
    share = normalise(one.task_variance).transpose("unit", "task").values
    order = active[np.lexsort((share[active].argmax(1), one.module.values[active]))]
    module = one.module.values[order]

    tasks = one.sizes["task"]
    figure = canvas(ax, 9.0, 1.6 + 0.19 * tasks)
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
            middle = ((start + end - 1) / 2, 0)
            style = {"ha": "center", "va": "center", "fontsize": 8, "annotation_clip": False}
            write_at(strip, str(module[start]), middle, (0, -14), color=INK, **style)
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
    return figure_of(figure)
