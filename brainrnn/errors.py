"""The one exception that means: what the user passed in is wrong, and here is what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Bad input from the user: one line saying what, expected, got, and the remedy.

    The command line prints the message alone and exits with status 2; from Python it is an
    ordinary ``ValueError``.
    """


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """One line for a name nobody knows: the nearest known one, or all of them if none is near."""
    names = list(known)
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    if near:
        return f"unknown {what} {name!r}: did you mean {near[0]!r}?"
    return f"unknown {what} {name!r}: choose one of {', '.join(names)}"
