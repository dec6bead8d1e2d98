"""Inference over networks: each has one z, and networks, not neurons, are the sample."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats


def across(values: np.ndarray, alternative: str = "less") -> dict[str, float]:
    """Whether the networks of a method lie on one side of 0.

    Parameters
    ----------
    values : (network,)
        One number per network, such as the z of its map; networks with NaN are left out.
    alternative : str
        ``less``, ``greater`` or ``two-sided``.

    Returns
    -------
    dict
        ``n``, ``mean``, ``sd``, ``t`` and ``p_t`` (one-sample t test), and ``p_wilcoxon`` (signed
        ranks, exact; of five networks it cannot be below 1/32 one-sided). NaN where there are too
        few networks.
    """
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if len(known) < 2 or _alike(known):
        nothing = dict.fromkeys(("t", "p_t", "p_wilcoxon"), np.nan)
        mean = known.mean() if len(known) else np.nan
        return {"n": len(known), "mean": mean, "sd": 0.0 if len(known) else np.nan} | nothing
    t = stats.ttest_1samp(known, 0, alternative=alternative)
    w = stats.wilcoxon(known, alternative=alternative)
    return {
        "n": len(known),
        "mean": known.mean(),
        "sd": known.std(ddof=1),
        "t": t.statistic,
        "p_t": t.pvalue,
        "p_wilcoxon": w.pvalue,
    }


def paired(one: pd.Series, other: pd.Series) -> dict[str, float]:
    """Whether two methods differ over the seeds that both have, two-sided.

    Parameters
    ----------
    one, other : Series
        One number per network, indexed by seed.

    Returns
    -------
    dict
        ``n``, ``difference`` (mean of one - other), ``t``, ``p`` (paired t test).
    """
    both = pd.concat([one, other], axis=1, join="inner").dropna()
    difference = both.iloc[:, 0] - both.iloc[:, 1]
    if len(both) < 2 or _alike(difference.to_numpy()):
        mean = difference.mean() if len(both) else np.nan
        return {"n": len(both), "difference": mean, "t": np.nan, "p": np.nan}
    test = stats.ttest_1samp(difference, 0)
    return {
        "n": len(both),
        "difference": difference.mean(),
        "t": test.statistic,
        "p": test.pvalue,
    }


def _alike(values: np.ndarray) -> bool:
    """Whether numbers differ by rounding alone, so that their spread says nothing."""
    return bool(np.ptp(values) <= 1e-9 * np.abs(values).max())


def tabulate(tests: Iterable[dict[str, Any]], p: str = "p") -> pd.DataFrame:
    """Tests as a table, with ``p_controlled`` over all of them (:func:`controlled`).

    Parameters
    ----------
    tests : iterable of dict
    p : str
        The key of the p value that is to be controlled.
    """
    table = pd.DataFrame(list(tests))
    if len(table):
        table["p_controlled"] = controlled(table[p])
    return table


def controlled(p: pd.Series) -> pd.Series:
    """Adjust p values for how many were asked (Benjamini and Hochberg 1995); NaN stays."""
    known = p.notna()
    adjusted = p.astype(float).copy()
    if known.any():
        adjusted[known] = stats.false_discovery_control(p[known].to_numpy(float))
    return adjusted
