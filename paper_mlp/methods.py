"""The five training methods of the paper's Fig. 2, as members of one computation.

Each is brain-inspired modular training with parts of it taken away: the penalty, its locality
(A = 0), the swaps (swaps scored with A = 0 cost the same everywhere, so nothing moves).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from brainrnn.errors import InputError, unknown


@dataclass(frozen=True)
class Method:
    """Which parts of brain-inspired modular training a method has."""

    title: str
    penalty: bool
    local: bool
    swap: bool


METHODS = {
    "vanilla": Method("no penalty", False, False, False),
    "l1": Method("L1", True, False, False),
    "l1_local": Method("L1 + local", True, True, False),
    "l1_swap": Method("L1 + swap", True, False, True),
    "bimt": Method("BIMT", True, True, True),
}


def parse_methods(text: str) -> tuple[str, ...]:
    """Read a list of methods, such as ``vanilla,l1,bimt``.

    Raises
    ------
    InputError
        If it is empty, or a method is unknown or repeated.
    """
    methods = tuple(name.strip() for name in text.split(",") if name.strip())
    if not methods:
        raise InputError(f"no method given: expected some of {','.join(METHODS)}")
    for name in methods:
        if name not in METHODS:
            raise InputError(unknown("method", name, METHODS))
    if len(set(methods)) < len(methods):
        raise InputError(f"a method occurs twice in {text!r}: name each once")
    return methods


def method_settings(methods: Sequence[str], each: int, *, locality: float) -> dict[str, Any]:
    """What tells the methods apart, a value for every member, method after method.

    Parameters
    ----------
    methods : sequence of str
    each : int
        Networks of each method.
    locality : float
        A of the methods that know distances.

    Returns
    -------
    dict
        Fields of :class:`brainrnn.BIMT`.
    """
    chosen = [METHODS[name] for name in methods for _ in range(each)]
    return {
        "strength": tuple(float(m.penalty) for m in chosen),
        "locality": tuple(locality * m.local for m in chosen),
        "swap": {"locality": tuple(locality * m.swap for m in chosen)},
    }
