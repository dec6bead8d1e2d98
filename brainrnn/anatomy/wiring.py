"""Wiring patterns: which axis of a parameter runs over which population."""

from __future__ import annotations

import re
from dataclasses import dataclass

from brainrnn.errors import InputError


@dataclass(frozen=True)
class Axis:
    """One axis of a parameter: ``folds`` copies of a population, or an axis without places."""

    population: str | None
    folds: int = 1


_AXIS = re.compile(
    r"(?P<free>_)(?!\w)|(?P<name>[A-Za-z]\w*)|\(\s*(?P<folds>\d+)\s+(?P<folded>[A-Za-z]\w*)\s*\)"
)


def parse_wiring(pattern: str) -> tuple[Axis, ...]:
    """Read a wiring pattern: axes from the output axis on, separated by spaces.

    ``_`` is an axis without places, ``hidden`` one that runs over the neurons of a population,
    ``(3 hidden)`` three copies of it one after the other (the gates of a GRU, two tokens that
    share their places).

    >>> parse_wiring("(3 hidden) _")
    (Axis(population='hidden', folds=3), Axis(population=None, folds=1))
    """
    axes: list[Axis] = []
    rest = pattern.strip()
    while rest:
        match = _AXIS.match(rest)
        if match is None:
            break
        if match["free"]:
            axes.append(Axis(None))
        elif match["name"]:
            axes.append(Axis(match["name"]))
        else:
            axes.append(Axis(match["folded"], int(match["folds"])))
        rest, tail = rest[match.end() :].lstrip(), rest[match.end() :]
        if rest and tail == rest:  # two axes that run into each other
            break
    if rest or not 1 <= len(axes) <= 2 or any(axis.folds < 1 for axis in axes):
        raise InputError(
            f"cannot read the wiring pattern {pattern!r}: expected one or two axes, each '_', a "
            "population's name or '(2 name)', for example 'hidden _' or '(3 hidden) hidden'"
        )
    return tuple(axes)
