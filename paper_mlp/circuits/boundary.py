"""Decision boundaries of networks that classify points of the plane (Fig. 4, bottom)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from brainrnn.analysis.graph.live import check_member
from brainrnn.errors import InputError
from brainrnn.networks import MLP
from brainrnn.plots.style import FAINT, INK, module_colours, new_figure
from tasks.fixed import FixedTask

_COLOURS = tuple(tuple(module_colours(i)) for i in (0, 1))  # of the two classes
_SHADES = LinearSegmentedColormap.from_list("probability", [_COLOURS[0], "white", _COLOURS[1]])


@torch.no_grad()
def class_probability(net: MLP, task: FixedTask, *, resolution: int = 160) -> xr.DataArray:
    """Probability that every member gives the second class, on a grid over the task's points.

    Parameters
    ----------
    net : MLP
    task : FixedTask
        With two inputs and two classes.
    resolution : int
        Grid points along each side.

    Returns
    -------
    (member, x2, x1)
        Softmax of the outputs; the coordinates are the inputs, from a little below the smallest to
        a little above the largest of all examples.

    Raises
    ------
    InputError
        If the task does not divide the plane in two.
    """
    _check_plane(task)
    points = torch.cat([task.train.inputs, task.test.inputs]).double()
    low, high = points.amin(0), points.amax(0)
    margin = 0.15 * (high - low)
    x1, x2 = (
        torch.linspace(a, b, resolution, dtype=torch.float64)
        for a, b in torch.stack([low - margin, high + margin], dim=1).tolist()
    )
    grid = torch.cartesian_prod(x2, x1).flip(1)
    probability = net(grid).double().softmax(2)[..., 1]
    return xr.DataArray(
        probability.view(-1, resolution, resolution).cpu().numpy(),
        dims=("member", "x2", "x1"),
        coords={"x2": x2.numpy(), "x1": x1.numpy()},
        attrs={"long_name": "probability of the second class", "units": "1"},
    )


def plot_boundary(net: MLP, task: FixedTask, member: int = 0) -> Figure:
    """Draw one network's decision boundary, and the test points in the colours of their classes.

    The deeper a shade, the surer the network is of that class.

    Raises
    ------
    InputError
        If the task does not divide the plane in two, or there is no such network.
    """
    check_member(net, member)
    figure = new_figure(3.4, 2.8)
    draw_boundary(figure.add_subplot(), class_probability(net.select(member), task)[0], task)
    return figure


def plot_evolution(
    snapshots: Sequence[tuple[int, MLP]], task: FixedTask, member: int = 0
) -> Figure:
    """Draw one network's decision boundary as it changes in training (Fig. 4, bottom).

    Parameters
    ----------
    snapshots : sequence of (step, net)
    task : FixedTask
    member : int
        Which network of each snapshot.

    Raises
    ------
    InputError
        If there is no snapshot, the task does not divide the plane in two, or there is no such
        network.
    """
    if not snapshots:
        raise InputError("no snapshot to draw: give pairs of a training step and a network")
    figure = new_figure(2.1 * len(snapshots), 2.1)
    axes = figure.subplots(1, len(snapshots), squeeze=False)[0]
    for ax, (step, net) in zip(axes, snapshots, strict=True):
        check_member(net, member)
        draw_boundary(ax, class_probability(net.select(member), task)[0], task)
        ax.set_title(f"step {step}", fontsize=10, color=INK)
        ax.label_outer()
    return figure


def draw_boundary(ax: Axes, probability: xr.DataArray, task: FixedTask) -> None:
    """Draw a map of the second class's probability, (x2, x1), and the task's test points."""
    x1, x2 = probability.x1.values, probability.x2.values
    ax.imshow(
        probability.values,
        cmap=_SHADES,
        vmin=0,
        vmax=1,
        alpha=0.45,
        origin="lower",
        extent=(x1[0], x1[-1], x2[0], x2[-1]),
        aspect="auto",
        interpolation="bilinear",
    )
    if probability.min() < 0.5 < probability.max():
        ax.contour(x1, x2, probability.values, levels=[0.5], colors=INK, linewidths=1.2)
    points, targets = task.test.inputs.cpu().numpy(), task.test.targets.cpu().numpy()
    for kind, colour in enumerate(_COLOURS):
        one, two = points[targets == kind].T
        ax.scatter(one, two, s=7, color=colour, lw=0.3, edgecolor="white")
    ax.set_xlabel(task.input_labels[0])
    ax.set_ylabel(task.input_labels[1], rotation=0, va="center")
    ax.tick_params(labelsize=8, color=FAINT)
    for spine in ax.spines.values():
        spine.set_color(FAINT)


def _check_plane(task: FixedTask) -> None:
    if not (task.classes and task.positions is None and task.n_inputs == task.n_outputs == 2):
        raise InputError(
            f"a decision boundary is drawn for two classes of points in the plane, and task "
            f"{task.name!r} has {task.n_inputs} inputs and {task.n_outputs} outputs"
        )
