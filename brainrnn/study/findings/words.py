"""Sentences with numbers that the findings of several measures share."""

from __future__ import annotations

from typing import Any

import pandas as pd


def ranking(values: pd.Series, nothing: str = "none") -> str:
    """Names with their numbers, the largest first; NaN is left out.

    Parameters
    ----------
    values : Series
        Indexed by name.
    nothing : str
        What is said where no number is known.

    Examples
    --------
    >>> ranking(pd.Series({"L1": 0.96, "BIMT": 0.97, "none": float("nan")}))
    'BIMT 0.970, L1 0.960'
    """
    return listed(values.dropna().sort_values(ascending=False)) or nothing


def listed(values: pd.Series, digits: int = 3) -> str:
    """Names with their numbers, as they are ordered.

    Examples
    --------
    >>> listed(pd.Series({"L1": 20.7, "BIMT": 21.2}), 0)
    'L1 21, BIMT 21'
    """
    return ", ".join(f"{name} {value:.{digits}f}" for name, value in values.items())


def count(which: pd.Series) -> str:
    """How many of a truth value's rows are true.

    Examples
    --------
    >>> count(pd.Series([True, False, True]))
    '2 of 3'
    """
    return f"{which.sum()} of {len(which)}"


def each(rows: pd.DataFrame, template: str) -> list[str]:
    """A sentence, or a part of one, for each row of a table, whose columns the template names.

    Examples
    --------
    >>> tests = pd.DataFrame({"against": ["L1"], "difference": [0.021], "p": [0.0312]})
    >>> each(tests, "{difference:+.3f} against {against} (p = {p:.2g})")
    ['+0.021 against L1 (p = 0.031)']
    """
    records: Any = rows.to_dict("records")
    return [template.format(**row) for row in records]
