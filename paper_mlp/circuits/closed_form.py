"""The circuit that a sparse network is, written as a closed formula (Appendix B.2 and Eq. A4)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from brainrnn.analysis.feedforward.paths import input_dependence
from brainrnn.analysis.graph.live import active_neurons, live_connections
from brainrnn.errors import InputError
from brainrnn.networks import MLP, MLPSpec
from tasks.fixed import FixedTask

_SYMBOLS = {"silu": "σ"}  # as in the paper; other activations go by their names


@dataclass(frozen=True)
class ClosedFormula:
    """A formula, and how far it is from what it stands for.

    Attributes
    ----------
    text : str
        Such as ``y1 ≈ 1.84 σ(1.53 x1) - 1.33 σ(0.75 x2 + 0.20)``, where σ(x) = x / (1 + exp(-x)).
    max_error, rms_error : float
        Largest and root-mean-square difference of the formula, as printed.
    """

    text: str
    max_error: float
    rms_error: float


@torch.no_grad()
def closed_formulas(
    net: MLP, task: FixedTask, member: int = 0, *, decimals: int = 2, max_terms: int = 100
) -> list[ClosedFormula]:
    """Write every output of one network as a closed formula of its live circuit.

    Of two classes, the outputs matter only by their difference, so there is one formula: that of
    s = y2 - y1, where the probability of class 2 is exp(s) / (1 + exp(s)) (Eq. A4).

    Parameters
    ----------
    net : MLP
    task : FixedTask
    member : int
        Which network.
    decimals : int
        Digits after the point, 2 in the paper.
    max_terms : int
        Most weights that a formula may contain, counted as often as they are printed.

    Returns
    -------
    list of ClosedFormula
        With the difference from the whole network over the test examples, in the unit of y or s.

    Raises
    ------
    InputError
        If the live circuit has more terms than that, or the inputs are tokens.
    """
    whole, circuit = net.select(member).double(), live_circuit(net, member)
    names = {f"y{i + 1}": i for i in range(task.n_outputs)}
    if task.classes and task.n_outputs == 2:
        names = {"s": 1}
        for one in (whole, circuit):
            weight, bias = layer(one, -1)
            weight[:, 1] -= weight[:, 0]
            bias[:, 1] -= bias[:, 0]
    circuit = rounded(circuit, decimals)
    error = (circuit(task.test.inputs) - whole(task.test.inputs))[0].abs()
    return [
        ClosedFormula(
            f"{name} ≈ {formula(circuit, i, decimals=decimals, max_terms=max_terms)}",
            float(error[:, i].max()),
            float(error[:, i].square().mean().sqrt()),
        )
        for name, i in names.items()
    ]


@torch.no_grad()
def live_circuit(net: MLP, member: int = 0) -> MLP:
    """One network with nothing but its live connections and active neurons, in float64.

    See :func:`brainrnn.analysis.live_connections`; :func:`fold_constants` follows.

    Raises
    ------
    InputError
        If the inputs are tokens.
    """
    if net.tokens:
        raise InputError("a network of tokens has no closed formula: its inputs are not numbers")
    circuit = net.select(member).double()
    for name, live in live_connections(circuit).items():
        circuit.get_parameter(name).mul_(live)
    return fold_constants(circuit)


@torch.no_grad()
def fold_constants(circuit: MLP) -> MLP:
    """Remove, in place, all neurons that are on no path of non-zero weights from input to output.

    The function stays the same: what a neuron that depends on no input adds to its targets is
    added to their biases.
    """
    depends = input_dependence(circuit, threshold=0.0)
    states = circuit.layers(torch.zeros(1, len(circuit.anatomy.populations["input"])))
    hidden = list(circuit.anatomy.populations)[1:-1]
    for i, name in enumerate(hidden, start=1):
        weight, bias = layer(circuit, i)
        constant = ~depends[name].any(2)[:, None]  # (member, 1, neuron)
        bias += (weight * (constant * states[name])).sum(2)
        weight *= ~constant
    active = active_neurons(circuit, threshold=0.0)
    for i, name in enumerate(hidden):
        weight, bias = layer(circuit, i)
        weight *= active[name][:, :, None]
        bias *= active[name]
    return circuit


@torch.no_grad()
def section(
    circuit: MLP,
    output: int,
    direction: Sequence[float] | Float[np.ndarray, " source"],
    *,
    first: int = 0,
) -> MLP:
    """One output of a single network as a function of one variable along a line.

    Parameters
    ----------
    circuit : MLP
        With one member.
    output : int
    direction : sequence of float
        The line is this times the variable: of inputs, or of the activations of hidden layer
        ``first``.
    first : int
        0 for the inputs.

    Returns
    -------
    MLP
        With one input and one output; neurons that do not change along the line are folded into
        biases.
    """
    sizes = [len(population) for population in circuit.anatomy.populations.values()]
    spec = MLPSpec(hidden=tuple(sizes[first + 1 : -1]), activation=circuit.activation)
    line = MLP.on_lines(1, 1, spec, dtype=torch.float64)
    for i in range(line.depth):
        for own, given in zip(layer(line, i), layer(circuit, first + i), strict=True):
            value = given[:, [output]] if i == line.depth - 1 else given
            if i == 0 and value.ndim == 3:
                value = value @ torch.tensor(direction, dtype=torch.float64)[:, None]
            own.copy_(value)
    return fold_constants(line)


@torch.no_grad()
def rounded(circuit: MLP, decimals: int) -> MLP:
    """Copy a network with every parameter rounded."""
    circuit = copy.deepcopy(circuit)
    for value in circuit.parameters():
        value.copy_(value.round(decimals=decimals))
    return circuit


@torch.no_grad()
def formula(
    circuit: MLP,
    output: int = 0,
    *,
    inputs: tuple[str, ...] | None = None,
    decimals: int = 2,
    max_terms: int = 100,
) -> str:
    """Write one output of a single network as a closed formula of its non-zero parameters.

    Round them first (:func:`rounded`), so that the formula is what it says.

    Parameters
    ----------
    circuit : MLP
        With one member.
    output : int
    inputs : tuple of str, optional
        What to call the inputs; x1, x2 and so on by default.
    decimals : int
        Digits after the point.
    max_terms : int
        See :func:`closed_formulas`.

    Raises
    ------
    InputError
        If the formula has more terms than that.
    """
    names = inputs or tuple(f"x{i + 1}" for i in range(len(circuit.anatomy.populations["input"])))
    terms = count_terms(circuit)[output]
    if terms > max_terms:
        raise InputError(
            f"the live circuit of output {output + 1} has {terms} terms, more than {max_terms}: "
            "train a sparser network, or raise max_terms"
        )
    function = _SYMBOLS.get(circuit.activation, circuit.activation)
    texts = list(names)
    for i in range(circuit.depth):
        weight, bias = layer(circuit, i)
        texts = [
            _sum(texts, weight[0, j].tolist(), float(bias[0, j]), decimals)
            for j in range(weight.shape[1])
        ]
        if i < circuit.depth - 1:
            texts = [f"{function}({text})" for text in texts]
    return texts[output]


def count_terms(circuit: MLP) -> list[int]:
    """Number of weights in the formula of each output, counted as often as they are printed."""
    terms = torch.zeros(len(circuit.anatomy.populations["input"]), dtype=torch.float64)
    for i in range(circuit.depth):
        terms = (layer(circuit, i)[0][0] != 0).double() @ (1 + terms)
    return terms.long().tolist()


def layer(
    net: MLP, i: int
) -> tuple[Float[Tensor, "member out source"], Float[Tensor, "member out"]]:
    """Weight (member, out, in) and bias (member, out) of a layer; -1 is the last."""
    i %= net.depth
    return net.get_parameter(f"fc{i}.weight"), net.get_parameter(f"fc{i}.bias")


def _sum(texts: list[str], weights: list[float], bias: float, decimals: int) -> str:
    """Text of a weighted sum, without what is zero."""
    parts = [(w, f"{abs(w):.{decimals}f} {t}") for t, w in zip(texts, weights, strict=True) if w]
    if bias or not parts:
        parts.append((bias, f"{abs(bias):.{decimals}f}"))
    text = "".join(f" {'-' if value < 0 else '+'} {part}" for value, part in parts)
    return f"-{text[3:]}" if text[1] == "-" else text[3:]
