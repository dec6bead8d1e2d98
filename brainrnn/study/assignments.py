"""What a user writes to sweep: lists of values, ranges, and distributions of keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from brainrnn.config import build, override, put, refusal, toml_value
from brainrnn.errors import InputError, unknown
from brainrnn.runs.experiment import Experiment
from brainrnn.study.distributions import KINDS, Distribution, is_distribution

_CALL = re.compile(r"([a-z]+)\(.*\)")
_RANGE = re.compile(r"(logspace|linspace)\(\s*([^,()]+),\s*([^,()]+),\s*([^,()]+)\)")

_MOST = 100_000


@dataclass
class Assignments:
    """What each assignment is for.

    Attributes
    ----------
    swept : dict
        Values to try, by key.
    drawn : dict
        Distributions, by key.
    seeds : list of int
    others : list of str
        ``key=value`` for all networks.
    """

    swept: dict[str, list[Any]] = field(default_factory=dict)
    drawn: dict[str, str] = field(default_factory=dict)
    seeds: list[int] = field(default_factory=lambda: [0])
    others: list[str] = field(default_factory=list)


def sort_out(assignments: Iterable[str], base: Mapping[str, Any]) -> Assignments:
    """Tell what is swept from what is set.

    A list is swept if each of its values alone fits the key. It is set if it fits as a whole, such
    as ``network.shape=[10, 10]``.

    Parameters
    ----------
    assignments : iterable of str
    base : mapping
        The experiment, as nested values.

    Raises
    ------
    InputError
        If one is not understood, a key is given twice, or a list fits in neither way.

    Examples
    --------
    >>> found = sort_out(["network.shape=[[4, 4], [5, 5]]", "training.steps=9", "seeds=2"], {})
    >>> found.swept, found.others, found.seeds
    ({'network.shape': [[4, 4], [5, 5]]}, ['training.steps=9'], [0, 1])
    """
    found, lists = Assignments(), dict[str, str]()
    keys = []
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        key, text = key.strip(), text.strip()
        if not equals:
            raise InputError(f"{assignment!r} is not KEY=VALUE, such as method.strength=[0, 1e-4]")
        keys.append(key)
        if key == "seeds":
            found.seeds = _seeds(text)
        elif key == "seed":
            raise InputError("a sweep has seeds: seeds=5 or seeds=[1, 2]")
        elif is_distribution(text):
            found.drawn[key] = _distribution(key, text)
        elif called := _CALL.fullmatch(text):
            found.swept[key] = _range(key, text, called[1])
        elif isinstance(toml_value(text), list):
            lists[key] = assignment
        else:
            found.others.append(assignment)
    _require_distinct(keys)
    start = override(base, found.others)
    for key, assignment in lists.items():
        each = toml_value(assignment.partition("=")[2])
        if _is_swept(key, each, start, base):
            found.swept[key] = each
        else:
            found.others.append(assignment)
    firsts = [(key, values[0]) for key, values in found.swept.items() if values]
    build(Experiment, put(override(base, found.others), firsts))
    return found


def _is_swept(key: str, each: list[Any], start: dict[str, Any], base: Mapping[str, Any]) -> bool:
    """Whether a list holds values to try, rather than being one value.

    Raises
    ------
    InputError
        If it fits in neither way.
    """
    errors = [refusal(Experiment, put(start, [(key, value)]), key) for value in each]
    if not any(errors):
        return True
    whole = refusal(Experiment, put(start, [(key, each)]), key)
    if whole is None:
        return False
    by_nature = all(errors) and isinstance(_known(key, base), list | type(None))
    raise whole if by_nature else next(error for error in errors if error)


def _known(key: str, base: Mapping[str, Any]) -> object:
    value: Any = base
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _require_distinct(keys: list[str]) -> None:
    for one, other in combinations(keys, 2):
        if one == other:
            raise InputError(f"{one} is given twice: leave one of them out")
        inner, outer = (one, other) if len(one) > len(other) else (other, one)
        if inner.startswith(f"{outer}."):
            raise InputError(f"{inner} is a part of {outer}: leave one of them out")


def _distribution(key: str, text: str) -> str:
    try:
        return str(Distribution.parse(text))
    except InputError as error:
        raise InputError(f"{key}: {error}") from None


def _range(key: str, text: str, name: str) -> list[float]:
    if name not in ("logspace", "linspace"):
        raise InputError(f"{key}: {unknown('function', name, ('logspace', 'linspace', *KINDS))}")
    match = _RANGE.fullmatch(text)
    if not match:
        raise InputError(f"{key}={text}: write logspace(FIRST, LAST, NUMBER), such as (-5, -3, 9)")
    kind, *words = match.groups()
    try:
        first, last, number = float(words[0]), float(words[1]), int(words[2])
        if not 1 <= number <= 10_000 or not np.isfinite([first, last]).all():
            raise ValueError
    except ValueError:
        raise InputError(
            f"{key}: {kind} needs two numbers, and how many values (1 to 10000), got {words}"
        ) from None
    space = np.logspace if kind == "logspace" else np.linspace
    return [float(f"{value:.12g}") for value in space(first, last, number)]  # as files are named


def _seeds(text: str) -> list[int]:
    value = toml_value(text)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST:
        return list(range(value))
    if isinstance(value, list) and value and all(type(v) is int and v >= 0 for v in value):
        return value
    raise InputError(
        f"seeds={text:.60}: give a number of seeds (1 to {_MOST}), or a list such as [1, 2]"
    )
