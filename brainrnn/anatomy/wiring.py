"""Wiring patterns: which axis of a parameter runs over which population."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jaxtyping import Num
from torch import Tensor

from brainrnn.errors import InputError


@dataclass(frozen=True)
class Axis:
    """One axis of a parameter: ``folds`` copies of a population, or an axis without places.

    Attributes
    ----------
    population : str or None
    folds : int

    Examples
    --------
    >>> parse_wiring("(3 hidden) _")[0]
    Axis(population='hidden', folds=3)
    """

    population: str | None
    folds: int = 1


@dataclass(frozen=True)
class Layout:
    """How a parameter of any network lies in memory, read from its wiring pattern.

    The engine computes on weights of one form, (member, out, in), and biases, (member, out).
    :meth:`canonical` and :meth:`spread` lead there and back.

    Attributes
    ----------
    axes : tuple of Axis
        The axis of the outputs, and that of the inputs where there is one.
    runs : tuple of int
        Entries in a row that belong to one neuron, along each of these axes.
    kernel : int
        Number of further axes, such as the two of an image kernel.
    source_first : bool
        Whether the parameter has its axis of inputs first.

    Examples
    --------
    A kernel of three entries between two channels counts as one weight:

    >>> import torch
    >>> parse_layout("b a _").canonical(torch.tensor([[[1.0, -2.0, 0.5]]]))
    tensor([[[3.5000]]])
    """

    axes: tuple[Axis, ...]
    runs: tuple[int, ...]
    kernel: int = 0
    source_first: bool = False

    def sizes(self, populations: dict[str, int]) -> tuple[int | None, ...]:
        """Length that each axis of the parameter must have, in its own order; None: any."""
        sizes = [
            axis.folds * populations[axis.population] * run if axis.population else None
            for axis, run in zip(self.axes, self.runs, strict=True)
        ]
        return (*(sizes[::-1] if self.source_first else sizes), *[None] * self.kernel)

    def canonical(self, value: Num[Tensor, "*parameter"]) -> Num[Tensor, "1 out *source"]:
        """The parameter as one member's weights: (1, out, in), or of a bias (1, out).

        Where several entries join the same two neurons, as those of a kernel, their magnitudes are
        added up: together they cost what each of them costs.
        """
        if self.source_first:
            value = value.transpose(0, 1)
        for dim, run in enumerate(self.runs):
            if run > 1:
                value = value.unflatten(dim, (-1, run)).movedim(dim + 1, -1)
        if value.ndim > len(self.axes):
            value = value.abs().flatten(len(self.axes)).sum(-1)
        return value[None]

    def spread(self, weight: Num[Tensor, "*weight"]) -> Num[Tensor, "*parameter"]:
        """Values for each of the canonical weights, laid out as the parameter (to broadcast)."""
        if weight.ndim == 0:
            return weight
        value = weight[0]
        for dim, run in enumerate(self.runs):
            if run > 1 and value.shape[dim] > 1:
                value = value.repeat_interleave(run, dim)
        value = value.reshape(*value.shape, *[1] * self.kernel)
        return value.transpose(0, 1) if self.source_first else value


_AXIS = re.compile(
    r"(?P<free>_)(?!\w)|(?P<name>[A-Za-z]\w*)"
    r"|\(\s*(?P<folds>\d+)\s+(?P<folded>[A-Za-z]\w*)\s*\)"
    r"|\(\s*(?P<runner>[A-Za-z]\w*)\s+(?P<run>\d+)\s*\)"
)


def parse_wiring(pattern: str) -> tuple[Axis, ...]:
    """Read the wiring pattern of a network of this package: the output axis, then the input axis.

    ``_`` is an axis without places, ``hidden`` one that runs over the neurons of a population,
    ``(3 hidden)`` three copies of it one after the other (the gates of a GRU, two tokens that
    share their places).

    Parameters
    ----------
    pattern : str

    Returns
    -------
    tuple of Axis

    Raises
    ------
    InputError
        If it cannot be read.

    Examples
    --------
    >>> parse_wiring("(3 hidden) _")
    (Axis(population='hidden', folds=3), Axis(population=None, folds=1))
    """
    axes = _read(pattern.strip())
    if not axes or len(axes) > 2 or any(run > 1 for _, run in axes):
        raise InputError(
            f"cannot read the wiring pattern {pattern!r}: expected one or two axes, each '_', a "
            "population's name or '(2 name)', for example 'hidden _' or '(3 hidden) hidden'"
        )
    return tuple(axis for axis, _ in axes)


def parse_layout(pattern: str) -> Layout:
    """Read the wiring pattern of a parameter of any network.

    Besides the forms of :func:`parse_wiring` there are

    ``"in -> out"``
        the axis of inputs first, as in an embedding or in GPT-2's ``Conv1D``;
    ``"(channels 16)"``
        16 entries in a row for every neuron, as behind ``nn.Flatten``;
    ``"out in _ _"``
        further axes, over which a weight is shared by the same two neurons, as a kernel is.

    Parameters
    ----------
    pattern : str

    Returns
    -------
    Layout

    Raises
    ------
    InputError
        If it is none of these.

    Examples
    --------
    >>> parse_layout("h2 h1 _ _").kernel
    2
    >>> parse_layout("stream -> (3 heads)").axes
    (Axis(population='heads', folds=3), Axis(population='stream', folds=1))
    """
    first, arrow, second = (part.strip() for part in pattern.partition("->"))
    axes = _read(first)
    if arrow:
        others = _read(second)
        axes = others[:1] + axes + others[1:] if axes and others and len(axes) == 1 else None
    if not axes or any(axis.population for axis, _ in axes[2:]):
        raise InputError(
            f"cannot read the wiring pattern {pattern!r}: expected the axis of outputs, then that "
            "of inputs, each '_', a population's name, '(3 name)' or '(name 16)', then '_' for "
            "each axis of a kernel, for example 'hidden _', 'h2 h1 _ _' or 'stream -> mlp'"
        )
    return Layout(
        axes=tuple(axis for axis, _ in axes[:2]),
        runs=tuple(run for _, run in axes[:2]),
        kernel=max(0, len(axes) - 2),
        source_first=bool(arrow),
    )


def _read(text: str) -> list[tuple[Axis, int]] | None:
    """Axes and runs, from left to right; None if something else is there."""
    axes: list[tuple[Axis, int]] = []
    while text:
        match = _AXIS.match(text)
        if match is None:
            return None
        text, tail = text[match.end() :].lstrip(), text[match.end() :]
        if text and tail == text:  # two axes that run into each other
            return None
        name = match["name"] or match["folded"] or match["runner"]
        folds, run = int(match["folds"] or 1), int(match["run"] or 1)
        if folds < 1 or run < 1:
            return None
        axes.append((Axis(name, folds), run))
    return axes
