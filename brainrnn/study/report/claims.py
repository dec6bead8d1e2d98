"""Claims: what is said of which networks, whether it holds, and the numbers that decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

Verdict = Literal["holds", "undecided", "fails"]
VERDICTS: tuple[Verdict, ...] = ("holds", "undecided", "fails")
LEVEL = 0.05  # of a controlled p, and of the interval beside it


@dataclass(frozen=True)
class Claim:
    """One claim about the networks of one method, or of one beside another.

    Attributes
    ----------
    claim : str
        A sentence that may be true or false.
    networks : str
        Of what it is said.
    verdict : {"holds", "undecided", "fails"}
    numbers : str
        What the verdict follows from.
    """

    claim: str
    networks: str
    verdict: Verdict
    numbers: str


def by_share(
    claim: str, networks: str, yes: Iterable[Any], *, share: float, no: Iterable[Any] | None = None
) -> Claim:
    """A claim about single networks: it holds if a large share of them are as it says.

    Parameters
    ----------
    claim, networks : str
    yes : iterable of bool
        Which networks are as the claim says.
    share : float
        How many must be.
    no : iterable of bool, optional
        Which networks are the opposite, where some may be neither; the claim fails if so many are.
        By default those that are not as it says.

    Examples
    --------
    >>> by_share("has a map", "BIMT", [True, True, True, True, False], share=0.8)
    Claim(claim='has a map', networks='BIMT', verdict='holds', numbers='4 of 5')
    """
    which = np.asarray(list(yes), bool)
    opposite = ~which if no is None else np.asarray(list(no), bool)
    verdict: Verdict = "undecided"
    if len(which) and which.mean() >= share:
        verdict = "holds"
    elif len(which) and opposite.mean() >= share:
        verdict = "fails"
    return Claim(claim, networks, verdict, f"{which.sum()} of {len(which)}")


def by_test(
    claim: str,
    networks: str,
    test: Mapping[Any, Any],
    *,
    effect: str = "difference",
    more: bool = True,
    one_sided: bool = False,
) -> Claim:
    """A claim that a mean over networks lies on one side of 0.

    It holds if the controlled p is below 0.05 and the mean lies on that side, and fails if the mean
    lies on the other side in the same way. A one-sided p says nothing of the other side: there the
    claim fails if the 95 % interval of the mean lies wholly on it. Elsewhere it is undecided.

    Parameters
    ----------
    claim, networks : str
    test : mapping
        A row of a table of tests, with the effect, ``low`` and ``high`` (its interval) and
        ``p_controlled``.
    effect : str
        The column of the mean.
    more : bool
        Whether the claim is that it lies above 0, rather than below.
    one_sided : bool
        Whether the p is.

    Examples
    --------
    >>> test = {"difference": 0.02, "low": 0.01, "high": 0.03, "p_controlled": 0.004}
    >>> by_test("is more accurate", "BIMT than L1", test).verdict
    'holds'
    >>> by_test("is less accurate", "BIMT than L1", test, more=False).verdict
    'fails'
    """
    value, low, high, p = (float(test[name]) for name in (effect, "low", "high", "p_controlled"))
    right, wrong = (value > 0, value < 0) if more else (value < 0, value > 0)
    opposite = (high < 0 if more else low > 0) if one_sided else wrong and p < LEVEL
    verdict: Verdict = "holds" if right and p < LEVEL else "fails" if opposite else "undecided"
    interval = "" if np.isnan(low) else f"{low:.3g} to {high:.3g}"
    return Claim(claim, networks, verdict, effect_and_p(value, p, interval))


def effect_and_p(value: float, p: float, interval: str = "") -> str:
    """A mean, its 95 % interval, and the p of its test.

    Examples
    --------
    >>> effect_and_p(-3.456, 0.0071, "-4.5 to -2.4")
    '-3.46, -4.5 to -2.4, p = 0.0071'
    """
    if np.isnan(value):
        return "no number"
    said = "" if np.isnan(p) else "p = 1" if p > 0.9995 else f"p = {p:.2g}"
    return ", ".join(part for part in (f"{value:.3g}", interval, said) if part)


def claims_table(claims: Iterable[Claim]) -> pd.DataFrame:
    """A row for each claim about each method: ``claim``, ``networks``, ``verdict``, ``numbers``."""
    return pd.DataFrame(map(asdict, claims), columns=["claim", "networks", "verdict", "numbers"])


def by_verdict(table: pd.DataFrame) -> pd.DataFrame:
    """A row for each claim, and in the column of each verdict those of whom it is true.

    Examples
    --------
    >>> claims = [
    ...     Claim("has a map", "L1", "fails", "0 of 5"),
    ...     Claim("has a map", "BIMT", "holds", "4 of 5"),
    ... ]
    >>> by_verdict(claims_table(claims)).iloc[0].to_dict()
    {'claim': 'has a map', 'holds': 'BIMT (4 of 5)', 'undecided': '', 'fails': 'L1 (0 of 5)'}
    """
    said = table.assign(said=table.networks + " (" + table.numbers + ")")
    return pd.DataFrame(
        [
            {"claim": claim}
            | {verdict: "; ".join(group.said[group.verdict == verdict]) for verdict in VERDICTS}
            for claim, group in said.groupby("claim", sort=False)
        ],
        columns=["claim", *VERDICTS],
    )
