"""One trial of a task: what the network sees and what it should answer."""

from __future__ import annotations

from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainrnn.errors import InputError
from brainrnn.plots.style import (
    FAINT,
    INK,
    POSITIVE,
    canvas,
    figure_of,
    no_frame,
    open_frame,
    write_at,
)
from brainrnn.task import Suite, Trials

_TITLE_WIDTH = 105  # characters


def plot_trial(suite: Suite, trials: Trials, index: int = 0, ax: Axes | None = None) -> Figure:
    """Draw one trial's inputs, by group of channels, its target and its periods, time in ms.

    Parameters
    ----------
    suite : Task
        Where the trials come from.
    trials : Trials
    index : int
        Which of the trials.
    ax : Axes, optional
        Axes that the panels replace; a new figure by default.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no such trial.

    Examples
    --------
    >>> import numpy as np
    >>> from tasks import cog20
    >>> suite = cog20(dt=100)
    >>> trials = suite.sample(1, np.random.default_rng(0), task=[0])
    >>> plot_trial(suite, trials).get_suptitle().split(":")[0]
    'go'
    """
    if not 0 <= index < len(trials):
        raise InputError(f"trial {index} does not exist: choose 0 to {len(trials) - 1}")
    length = int(trials.lengths[index])
    end = length * suite.dt
    inputs = trials.inputs[:length, index].cpu().numpy()
    heights = [_height(group) for group in suite.input_groups.values()]
    figure = canvas(ax, 8.0, 1.5 + 0.62 * (sum(heights) + 2))
    axes = figure.subplots(len(heights) + 1, 1, sharex=True, height_ratios=[*heights, 2])
    bound = max(1.0, float(np.abs(inputs).max()))
    for panel, (name, group) in zip(axes, suite.input_groups.items(), strict=False):
        channels = group.stop - group.start
        image = panel.imshow(
            inputs[:, group].T,
            aspect="auto",
            origin="lower",
            cmap="RdBu_r",
            vmin=-bound,
            vmax=bound,
            extent=(0, end, -0.5, channels - 0.5),
            interpolation="nearest",
        )
        panel.set_yticks([] if channels == 1 else [0, channels - 1])
        panel.set_ylabel(
            name, rotation=0, ha="right", va="center", labelpad=18 if channels == 1 else 4
        )
    _draw_target(axes[-1], trials, index, length, suite)
    _mark_periods(axes, trials, index, suite.dt)
    axes[-1].set_xlim(0, end)
    axes[-1].set_xlabel("time (ms)")
    bar = figure.colorbar(image, ax=list(axes), pad=0.01, aspect=40)
    bar.set_label("input")
    no_frame(bar.ax)
    name = suite.names[int(trials.task[index])]
    title = fill(f"{name}: {suite.descriptions[name]}", _TITLE_WIDTH)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5)
    return figure_of(figure)


def _height(group: slice) -> float:
    return min(2.0, 0.45 + 0.1 * (group.stop - group.start - 1))


def _draw_target(ax: Axes, trials: Trials, index: int, length: int, suite: Suite) -> None:
    target = trials.targets[:length, index].cpu().numpy()
    edges = np.arange(length + 1) * suite.dt
    for column in target.reshape(length, -1).T:
        ax.stairs(column, edges, baseline=None, color=POSITIVE, lw=2)
    ax.set_ylabel("target", rotation=0, ha="right", va="center", labelpad=4)
    if target.ndim == 1:  # classes
        ax.set_ylim(-0.6, suite.n_outputs - 0.4)
        ax.set_yticks([0, suite.n_outputs - 1])
    open_frame(ax)


def _mark_periods(axes: np.ndarray, trials: Trials, index: int, dt: float) -> None:
    for name, (start, stop) in zip(
        trials.period_names, trials.periods[index].tolist(), strict=True
    ):
        if start < 0:
            continue
        for ax in axes:
            ax.axvline(start * dt, color=INK, lw=0.8, ls=(0, (4, 3)))
        style = {"xycoords": ("data", "axes fraction"), "ha": "center", "fontsize": 8.5}
        write_at(axes[0], name, ((start + stop) / 2 * dt, 1), (0, 5), color=FAINT, **style)
