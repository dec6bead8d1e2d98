"""Sub-functions of a formula as a network learned them, and fitted back (Appendix B.2).

A network with SiLU activations approximates x^2 or the like with a handful of weights. Here such a
part of a network is cut out, written as a formula, and its coefficients are fitted to the function
that it stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from scipy.optimize import least_squares
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from brainrnn.analysis.feedforward.activations import stage_activity
from brainrnn.errors import InputError
from brainrnn.networks import MLP
from brainrnn.plots.style import INK, NEGATIVE, POSITIVE, new_figure, open_frame
from paper_mlp.circuits.closed_form import (
    ClosedFormula,
    formula,
    layer,
    live_circuit,
    rounded,
    section,
)
from paper_mlp.circuits.quantities import quantities_of
from paper_mlp.circuits.structure import only_one_neuron_carries
from tasks.fixed import FixedTask

_POINTS = 201
_NEAR = 1e-5  # price of moving a coefficient by 1, in mean squared error

Function = Callable[[Float[np.ndarray, " point"]], Float[np.ndarray, " point"]]


@dataclass(frozen=True)
class SubFunction:
    """A term of a target, in one variable.

    Attributes
    ----------
    label, variable : str
        ``sin(πx)`` and ``x4``, say.
    function : callable
        (point,) to (point,).
    output : int
        The output of the network that has this term.
    direction : tuple of float
        Inputs at which the variable is 1; the inputs of other terms are kept at 0.
    interval : (float, float)
        The variable's range in the data.
    """

    label: str
    variable: str
    function: Function
    output: int
    direction: tuple[float, ...]
    interval: tuple[float, float] = (-1.0, 1.0)


SUBFUNCTIONS = {
    "independence": (
        SubFunction("x²", "x2", np.square, 0, (0.0, 1.0, 0.0, 0.0)),
        SubFunction("sin(πx)", "x4", lambda x: np.sin(np.pi * x), 0, (0.0, 0.0, 0.0, 1.0)),
        SubFunction("x³", "x1 + x3", lambda x: x**3, 1, (0.5, 0.0, 0.5, 0.0), (-2.0, 2.0)),
    ),
    "sharing": (
        SubFunction("x²", "x1", np.square, 0, (1.0, 0.0, 0.0)),
        SubFunction("x²", "x2", np.square, 1, (0.0, 1.0, 0.0)),
        SubFunction("x²", "x3", np.square, 2, (0.0, 0.0, 1.0)),
    ),
}


@dataclass(frozen=True)
class Fit:
    """A sub-function as the network learned it, and after its coefficients were fitted.

    Attributes
    ----------
    label, variable : str
        See :class:`SubFunction`.
    learned, fitted : ClosedFormula
        Of x, the variable, with their differences from the sub-function over its interval.
    points, target : (point,) float64
        The interval, and the sub-function there.
    values : (2, point) float64
        The two formulas there, as printed.
    """

    label: str
    variable: str
    learned: ClosedFormula
    fitted: ClosedFormula
    points: Float[np.ndarray, " point"]
    target: Float[np.ndarray, " point"]
    values: Float[np.ndarray, "2 point"]


def fit_subfunctions(net: MLP, task: FixedTask, member: int = 0, *, decimals: int = 2) -> list[Fit]:
    """Cut the sub-functions of a target out of one network, and fit them back.

    What the network makes of one term is its live circuit along a line of inputs, on which only
    the term's variable changes. Terms of a sum are known up to a constant, which is chosen so that
    the mean difference from the sub-function is 0. All coefficients that are printed, and the
    constant, are then fitted by least squares, starting from those of the network. A small price
    on moving away from these keeps large coefficients from cancelling each other, which a few
    digits could not express.

    For the composition y = sqrt(I), the term is the root, and its variable the activation a of the
    one neuron of A3 that carries I. As in Eq. A3, a is taken to be linear in I, by regression over
    the test examples, and the interval runs from I = 0 to the largest activation.

    Parameters
    ----------
    net : MLP
    task : FixedTask
        Of independence (Fig. 3a), sharing (3b) or composition (3c).
    member : int
        Which network.
    decimals : int
        Digits after the point.

    Returns
    -------
    list of Fit

    Raises
    ------
    InputError
        If the formula of the task is no sum of known terms, or no single neuron carries I.
    """
    if task.name == "composition":
        circuit, term = _root(net, task, member)
        return [_fit(circuit, term, decimals)]
    if task.name not in SUBFUNCTIONS:
        raise InputError(
            f"task {task.name!r} has no sub-functions in one variable: choose one of "
            + ", ".join([*SUBFUNCTIONS, "composition"])
        )
    circuit, fits = live_circuit(net, member), []
    for term in SUBFUNCTIONS[task.name]:
        part = section(circuit, term.output, term.direction)
        points = np.linspace(*term.interval, _POINTS)
        printed = rounded(part, decimals)
        with torch.no_grad():  # a term of a sum is known up to a constant
            constant = np.mean(term.function(points) - _along(printed, points))
            layer(part, -1)[1].copy_(layer(printed, -1)[1] + float(constant))
        fits.append(_fit(part, term, decimals))
    return fits


def plot_subfunctions(fits: Sequence[Fit]) -> Figure:
    """Draw every sub-function with what the network made of it, before and after the fit."""
    figure = new_figure(max(3.1 * len(fits), 4.0), 2.9)
    axes = figure.subplots(1, len(fits), squeeze=False)[0]
    for ax, fit in zip(axes, fits, strict=True):
        ax.plot(fit.points, fit.target, color=INK, lw=4, alpha=0.25, label="sub-function")
        ax.plot(fit.points, fit.values[0], color=NEGATIVE, lw=1.3, label="network")
        ax.plot(fit.points, fit.values[1], color=POSITIVE, lw=1.3, ls="--", label="fitted back")
        ax.set_title(f"{fit.label},  x = {fit.variable}", fontsize=10, color=INK)
        ax.set_xlabel("x")
        open_frame(ax)
    figure.legend(
        *axes[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=3,
        frameon=False,
        fontsize=8,
    )
    return figure


def _fit(circuit: MLP, term: SubFunction, decimals: int) -> Fit:
    points = np.linspace(*term.interval, _POINTS)
    target = term.function(points)
    printed = [
        rounded(one, decimals) for one in (circuit, _fitted(circuit, points, target, decimals))
    ]
    values = np.stack([_along(one, points) for one in printed])
    error = np.abs(values - target)
    learned, fitted = (
        ClosedFormula(
            formula(one, inputs=("x",), decimals=decimals),
            float(e.max()),
            float(np.sqrt(np.mean(e**2))),
        )
        for one, e in zip(printed, error, strict=True)
    )
    return Fit(term.label, term.variable, learned, fitted, points, target, values)


@torch.no_grad()
def _root(net: MLP, task: FixedTask, member: int) -> tuple[MLP, SubFunction]:
    """The circuit after the neuron that carries I, and the root that it stands for."""
    one = net.select(member)
    if not only_one_neuron_carries(one, task)[0]:
        raise InputError(
            f"no single neuron of A3 carries I in network {member}: choose one where one "
            "does, and no other is active"
        )
    circuit = live_circuit(net, member)
    quantities, values = quantities_of(net, task)
    activity = stage_activity(circuit, task.test.inputs, quantities.population)[0]
    neuron = int(activity.var(0).argmax())
    a = activity[:, neuron]
    slope, start = np.polyfit(values[:, 0], a, 1)  # a = start + slope I
    bounds = sorted([start, a.max() if slope > 0 else a.min()])
    direction = np.eye(activity.shape[1])[neuron]
    term = SubFunction(
        "√I",
        "a",
        lambda x: np.sqrt(np.clip((x - start) / slope, 0, None)),
        0,
        tuple(direction),
        (bounds[0], bounds[1]),
    )
    return section(circuit, 0, term.direction, first=3), term


def _fitted(
    learned: MLP,
    points: Float[np.ndarray, " point"],
    target: Float[np.ndarray, " point"],
    decimals: int,
) -> MLP:
    """Least squares over the coefficients that are printed, and the constant, rounded."""
    fitted = rounded(learned, decimals)
    vector = parameters_to_vector(fitted.parameters()).detach()
    free = vector != 0
    free[-1] = True  # the output's bias
    vector[free] = parameters_to_vector(learned.parameters()).detach()[free]
    sizes = [value.numel() for value in learned.parameters()]

    def residual(coefficients: Float[np.ndarray, " k"]) -> Float[np.ndarray, " residual"]:
        vector[free] = torch.from_numpy(coefficients)
        vector_to_parameters(vector, fitted.parameters())
        moved = np.sqrt(_NEAR * len(points)) * (coefficients - start)
        return np.concatenate([_along(fitted, points) - target, moved])

    # One parameter after the other, so that later ones make up for the rounding of earlier ones.
    for end in np.cumsum(sizes):
        start = vector[free].numpy()
        vector[free] = torch.from_numpy(least_squares(residual, start).x)
        vector[:end] = vector[:end].round(decimals=decimals)
        free[:end] = False
    vector_to_parameters(vector, fitted.parameters())
    return fitted


@torch.no_grad()
def _along(line: MLP, points: Float[np.ndarray, " point"]) -> Float[np.ndarray, " point"]:
    """Output of a network with one input and one output, (point,)."""
    return line(torch.from_numpy(points)[:, None])[0, :, 0].numpy()
