"""Tables of tests over networks: p controlled for all that a table asks, methods paired by seed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from brainrnn.study.report.inference import Control, across, controlled, paired, rank_correlation
from brainrnn.study.report.tables import summarise

Planned = Iterator[tuple[dict[str, Any], str]]  # rows of tests, and which two they are of


def control(
    tests: pd.DataFrame, p: str = "p", method: Control = "benjamini-hochberg"
) -> pd.DataFrame:
    """Add ``p_controlled`` to a table: its p values adjusted for how many it asks.

    Parameters
    ----------
    tests : DataFrame
        Where it has a column ``asked``, rows that are alike in it are one question, which counts
        once: the same networks under another name, say. That column is taken out.
    p : str
        The column of the p value that is to be controlled.
    method : {"benjamini-hochberg", "holm"}

    Examples
    --------
    >>> control(pd.DataFrame({"asked": ["a", "a", "b"], "p": [0.02, 0.02, 0.5]}), method="holm")
          p  p_controlled
    0  0.02          0.04
    1  0.02          0.04
    2  0.50          0.50
    """
    if tests.empty:
        return tests
    asked = tests.asked if "asked" in tests else pd.Series(tests.index, tests.index)
    first = asked.drop_duplicates()
    once = dict(zip(first, controlled(tests[p][first.index], method), strict=True))
    return tests.drop(columns="asked", errors="ignore").assign(p_controlled=asked.map(once))


def compare(
    rows: pd.DataFrame,
    value: str | Mapping[str, str],
    *,
    within: Mapping[str, str],
    between: tuple[str, str] = ("label", "method"),
    pairs: Iterable[tuple[str, str]] | None = None,
    quantity: str = "quantity",
) -> pd.DataFrame:
    """Pairs of methods, or of anything that has a number for each seed, by a paired t test.

    Parameters
    ----------
    rows : DataFrame
        With a column ``seed``; one row for each group, side of a pair and seed.
    value : str, or dict
        The column to compare; or several of them, and what the table calls each.
    within : dict
        Columns that must be the same in both sides, and what the table calls them.
    between : (str, str)
        The column that names the sides of a pair, and what the table calls it.
    pairs : iterable of (str, str), optional
        The pairs to compare, where a group has both; every two by default.
    quantity : str
        What the table calls the column that tells several values apart.

    Returns
    -------
    DataFrame
        Names, ``against``, what :func:`~brainrnn.study.report.inference.paired` says, and
        ``p_controlled``.
    """
    side, called = between
    values = {value: ""} if isinstance(value, str) else value
    asked = None if pairs is None else list(pairs)
    table = [
        dict(zip(within.values(), names, strict=True))
        | {called: one, "against": other}
        | ({} if isinstance(value, str) else {quantity: words})
        | paired(by[one][column], by[other][column])
        for names, group in rows.groupby(list(within), sort=False)
        for by in [{name: g.set_index("seed") for name, g in group.groupby(side, sort=False)}]
        for one, other in (combinations(by, 2) if asked is None else asked)
        if one in by and other in by
        for column, words in values.items()
    ]
    names = [*within.values(), called, "against"]  # also where there is nothing to compare
    return control(pd.DataFrame(table) if table else pd.DataFrame(columns=names))


def correlate(rows: pd.DataFrame, x: str, y: str, *, within: Mapping[str, str]) -> pd.DataFrame:
    """Rank correlations of two numbers of each network, one for each seed, tested against 0.

    Networks of one seed saw the same trials and noise, so each seed gives one correlation over its
    networks, and these are the sample.

    Parameters
    ----------
    rows : DataFrame
        A row for each network, with ``seed``.
    x, y : str
        Its columns.
    within : dict
        Columns that make a group, and what the table calls them.

    Returns
    -------
    DataFrame
        ``n`` networks and ``rho`` of all of them; ``seeds``, ``mean rho of a seed``, ``sd``,
        ``low`` and ``high`` (95 % interval of the mean), ``p_t`` (two-sided) and ``p_controlled``
        of one number for each seed.
    """

    def test(group: pd.DataFrame) -> dict[str, object]:
        each = [rank_correlation(one[x], one[y]) for _, one in group.groupby("seed")]
        over = across(np.array(each), "two-sided")
        return {
            "n": len(group),
            "rho": rank_correlation(group[x], group[y]),
            "seeds": over["n"],
            "mean rho of a seed": over["mean"],
            "sd": over["sd"],
            "low": over["low"],
            "high": over["high"],
            "p_t": over["p_t"],
        }

    return control(summarise(rows, within, test), "p_t")


def planned(tests: pd.DataFrame, pairs: Iterable[tuple[str, str]], rows: pd.DataFrame) -> Planned:
    """The tests between methods that a study's claims are about, each pair the way it is named.

    Parameters
    ----------
    tests : DataFrame
        As from :func:`compare`, of pairs ``method`` and ``against``.
    pairs : iterable of (str, str)
        Methods by name.
    rows : DataFrame
        With ``method`` and ``label`` of every network.

    Yields
    ------
    dict, str
        A row of ``tests``, whose difference is of the first less the second; and the two in words.
    """
    names = dict(zip(rows.label, rows.method, strict=True))
    found: Any = tests.to_dict("records")
    for one, other in pairs:
        for test in found:
            sides = test["method"], test["against"]
            if (names.get(sides[0]), names.get(sides[1])) == (other, one):
                turned = {"difference": "difference", "low": "high", "high": "low", "t": "t"}
                test = test | {name: -test[of] for name, of in turned.items()}
                sides = sides[1], sides[0]
            elif (names.get(sides[0]), names.get(sides[1])) != (one, other):
                continue
            yield test, f"{sides[0]} against {sides[1]}"
