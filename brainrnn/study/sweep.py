"""A sweep: a study whose networks differ by the values of some keys, in every combination."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from brainrnn.config import build, toml_value
from brainrnn.errors import InputError
from brainrnn.runs.experiment import load_experiment
from brainrnn.study.plan import Study

_RANGE = re.compile(r"(logspace|linspace)\(\s*([^,()]+),\s*([^,()]+),\s*([^,()]+)\)")


def make_sweep(config: str, assignments: Iterable[str], *, name: str = "sweep") -> Study:
    """The study of a sweep.

    Parameters
    ----------
    config : str
        An experiment's file, or the name of one that comes with the package.
    assignments : iterable of str
        ``key=[1, 2, 3]``, ``key=logspace(-5, -3, 9)`` (powers of ten) or ``key=linspace(0, 4, 5)``
        sweeps a key; ``key=value`` sets it for all networks; ``seeds=5`` or ``seeds=[1, 2]``.
    name : str
        What the study's folder is called.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        If no key is swept, or a key or a value is wrong.

    Examples
    --------
    >>> study = make_sweep("quick", ["method.strength=logspace(-5, -3, 3)", "seeds=2"])
    >>> study.methods["sweep"].sweep
    {'method.strength': (1e-05, 0.0001, 0.001)}
    >>> len(study.cells())
    6
    """
    swept: dict[str, list[float]] = {}
    seeds: list[int] = [0]
    others: list[str] = []
    base = load_experiment(config).model_dump(mode="json")
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise InputError(f"{assignment!r} is not KEY=VALUE, such as method.strength=[0, 1e-4]")
        if key == "seeds":
            seeds = _seeds(text)
        elif key == "seed":
            raise InputError("a sweep has seeds: seeds=5 or seeds=[1, 2]")
        elif (values := _values(key, text, base)) is not None:
            swept[key] = values
        else:
            others.append(assignment)
    if not swept:
        raise InputError(
            "nothing is swept: give a key several values, such as 'method.strength=[0, 1e-4]' or "
            "'method.strength=logspace(-5, -3, 9)'"
        )
    method = {"label": "network", "sweep": swept}
    study: dict[str, Any] = {
        "name": name,
        "title": f"Sweep of {' and '.join(swept)}",
        "seeds": seeds,
        "experiment": load_experiment(config, others).model_dump(mode="json", exclude_none=True),
        "methods": {"sweep": method},
        "measure": {"kind": "sweep"},
    }
    return build(Study, study)


def _values(key: str, text: str, base: dict[str, Any]) -> list[float] | None:
    """The values of a key that is swept; None for one that is set."""
    if match := _RANGE.fullmatch(text.strip()):
        return _range(key, *match.groups())
    if text.strip().startswith(("logspace", "linspace")):
        raise InputError(f"{key}={text}: write logspace(FIRST, LAST, NUMBER), such as (-5, -3, 9)")
    value = toml_value(text)
    if not isinstance(value, list) or isinstance(_known(key, base), list):
        return None
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in value)
    return value if numbers else None


def _range(key: str, kind: str, *words: str) -> list[float]:
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


def _known(key: str, base: dict[str, Any]) -> object:
    value: Any = base
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _seeds(text: str) -> list[int]:
    value = toml_value(text)
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return list(range(value))
    if isinstance(value, list) and value and all(type(v) is int and v >= 0 for v in value):
        return value
    raise InputError(f"seeds={text}: give a number of seeds, or a list such as [1, 2]")
