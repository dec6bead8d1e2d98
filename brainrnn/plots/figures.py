"""All figures of one run at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from brainrnn.anatomy.placed import Placed
from brainrnn.plots.maps.brain_map import plot_map
from brainrnn.plots.maps.variance_map import plot_task_variance
from brainrnn.plots.networks.network import draw_networks
from brainrnn.plots.statistics.lengths import plot_lengths
from brainrnn.plots.statistics.null import plot_nulls
from brainrnn.plots.statistics.observed import plot_statistics
from brainrnn.plots.style import save_figure
from brainrnn.plots.training import plot_training
from brainrnn.task import Task

_COLUMNS = 5  # graphs in a row


def draw_all(
    brain: xr.Dataset, metrics: pd.DataFrame, folder: str | os.PathLike[str]
) -> list[Path]:
    """Draw and save the map, the task variances, the nulls and the training curves.

    Parameters
    ----------
    brain : Dataset
        As from :func:`brainrnn.analysis.analyse`.
    metrics : DataFrame
        As for :func:`plot_training`.
    folder : path
        Made if it does not exist. With several networks the names end in the network's number.

    Returns
    -------
    list of Path
        The files, a PNG and an SVG of each figure.

    Examples
    --------
    >>> import tempfile
    >>> import brainrnn as br
    >>> from tasks import cog20
    >>> suite = cog20(names=["go", "anti"])
    >>> net = br.RNN.for_suite(suite, sites=br.grid(4, 4))
    >>> metrics = br.train(net, suite, steps=2, progress=False)
    >>> spec = br.AnalysisSpec(k=2, trials=4, accuracy_trials=2, permutations=20)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = draw_all(br.analyse(net, suite, spec), metrics, folder)
    >>> [path.name for path in files if path.suffix == ".png"]
    ['map.png', 'task_variance.png', 'nulls.png', 'training.png']
    """
    return [
        path
        for name, figure in _figures(brain, metrics)
        for path in save_figure(figure, Path(folder) / name)
    ]


def draw_statistics(statistics: xr.Dataset, folder: str | os.PathLike[str]) -> list[Path]:
    """Draw and save every statistic beside its null, and connection lengths with their fits.

    Parameters
    ----------
    statistics : Dataset
        As from :func:`brainrnn.analysis.map_statistics`.
    folder : path
        Made if it does not exist. With several networks the names end in the network's number.

    Returns
    -------
    list of Path
        The files, a PNG and an SVG of each figure.

    Examples
    --------
    >>> import tempfile
    >>> import brainrnn as br
    >>> place = br.grid(4, 4).numpy()
    >>> brain = br.analyse_recorded(positions=place, modules=(place[:, 0] > 0.5).astype(int))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = draw_statistics(br.map_statistics(brain, permutations=20), folder)
    >>> [path.name for path in files]
    ['statistics.png', 'statistics.svg']
    """
    written: list[Path] = []
    for member in range(statistics.sizes["member"]):
        if not bool(statistics.z.isel(member=member).notnull().any()):  # too few active neurons
            continue
        ending = f"_{member}" if statistics.sizes["member"] > 1 else ""
        plots = {"statistics": plot_statistics}
        if "length_bin_pairs" in statistics:  # where weights and places are known
            plots["lengths"] = plot_lengths
        for name, plot in plots.items():
            written += save_figure(plot(statistics, member), Path(folder) / f"{name}{ending}")
    return written


def draw_graphs(
    net: Placed, task: Task, metrics: pd.DataFrame, folder: str | os.PathLike[str]
) -> list[Path]:
    """Draw and save the connectivity graphs of feed-forward networks and the training curves.

    Parameters
    ----------
    net : Placed
        Feed-forward.
    task : Task
        Its ``input_labels`` and ``output_labels``, if it has any, are written at the graphs.
    metrics : DataFrame
        As for :func:`plot_training`.
    folder : path
        Made if it does not exist.

    Returns
    -------
    list of Path
        The files, a PNG and an SVG of each figure.

    Examples
    --------
    >>> import tempfile
    >>> import brainrnn as br
    >>> from tasks import formulas
    >>> task = formulas(["independence"])
    >>> net = br.MLP.on_lines(task.n_inputs, task.n_outputs, br.MLPSpec(hidden=(3,)))
    >>> metrics = br.train(net, task, steps=2, progress=False)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = draw_graphs(net, task, metrics, folder)
    >>> [path.name for path in files if path.suffix == ".png"]
    ['graphs.png', 'training.png']
    """
    panels = [(f"network {m}" if net.members > 1 else "", net, m) for m in range(net.members)]
    graphs = draw_networks(
        panels,
        columns=min(net.members, _COLUMNS),
        input_labels=getattr(task, "input_labels", ()),
        output_labels=getattr(task, "output_labels", ()),
    )
    figures = {"graphs": graphs} | ({"training": plot_training(metrics)} if len(metrics) else {})
    return [path for name, f in figures.items() for path in save_figure(f, Path(folder) / name)]


def _figures(brain: xr.Dataset, metrics: pd.DataFrame) -> Iterator[tuple[str, Figure]]:
    for member in range(brain.sizes["member"]):
        ending = f"_{member}" if brain.sizes["member"] > 1 else ""
        yield f"map{ending}", plot_map(brain, member)
        if not bool(brain.active.isel(member=member).any()):  # a silent network has no more
            continue
        if "task_variance" in brain:
            yield f"task_variance{ending}", plot_task_variance(brain, member)
        if "null" in brain:
            yield f"nulls{ending}", plot_nulls(brain, member)
    if len(metrics):
        yield "training", plot_training(metrics)
