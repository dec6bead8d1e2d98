"""Values of keys that are swept: numbers, words, lists and tables, as files and tables say them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from numbers import Real
from typing import Any

import numpy as np

from brainrnn.config import toml_text

Setting = Mapping[str, Any]  # values by key; the number of a drawn point is its "point"
POINT = "point"
_LONG = 30  # characters of a file's name


def written(value: object) -> str:
    """A value in words: a number in at most twelve digits, a word as it is, others as in TOML.

    Examples
    --------
    >>> [written(value) for value in (1e-4, True, "relu", [10, 10])]
    ['0.0001', 'true', 'relu', '[10, 10]']
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    return f"{float(value):.12g}" if isinstance(value, Real) else toml_text(value)


def fact(value: Any) -> int | float | str | bool:
    """A value as tables hold it: numbers and truth as they are, all others in words.

    Examples
    --------
    >>> [fact(value) for value in (1e-4, True, [10, 10])]
    [0.0001, True, '[10, 10]']
    """
    return value if isinstance(value, int | float | bool) else written(value)


def in_file_name(value: object) -> str:
    """A value as a part of a file's name, another one for each value.

    Examples
    --------
    >>> [in_file_name(value) for value in (1e-4, "relu", [10, 20], {"every": 5})]
    ['0.0001', 'relu', '10x20', 'every_5_d94150']
    """
    text = written(value)
    if isinstance(value, list | tuple) and value and all(isinstance(v, Real) for v in value):
        text = "x".join(map(written, value))
    plain = re.sub(r"[^\w.+-]+", "_", text).strip("_")
    if plain == text and 0 < len(text) <= _LONG:
        return text
    return f"{plain[: _LONG - 10]}_{sha256(text.encode()).hexdigest()[:6]}"


def columns(names: Iterable[object]) -> list[str]:
    """The columns of a table that are a setting's: keys have a dot in their names.

    Examples
    --------
    >>> columns(["label", "seed", "point", "method.strength", "accuracy"])
    ['point', 'method.strength']
    """
    return [name for name in map(str, names) if name == POINT or "." in name]
