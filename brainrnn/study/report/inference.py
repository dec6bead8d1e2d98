"""Inference over networks: each has one z, and networks, not neurons, are the sample."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Num
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.multitest import multipletests

Control = Literal["benjamini-hochberg", "holm"]


def across(
    values: Num[np.ndarray, " network"], alternative: str = "less"
) -> dict[str, float | int]:
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
        ``n``, ``mean``, ``sd``, ``low`` and ``high`` (95 % confidence interval of the mean), ``t``
        and ``p_t`` (one-sample t test), and ``p_wilcoxon`` (signed ranks, exact; of five networks
        it cannot be below 1/32 one-sided). NaN where there are too few networks.
    """
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if len(known) < 2 or _alike(known):
        nothing = dict.fromkeys(("low", "high", "t", "p_t", "p_wilcoxon"), np.nan)
        mean = known.mean() if len(known) else np.nan
        return {"n": len(known), "mean": mean, "sd": 0.0 if len(known) > 1 else np.nan} | nothing
    t = stats.ttest_1samp(known, 0, alternative=alternative)
    w = stats.wilcoxon(known, alternative=alternative)
    low, high = stats.ttest_1samp(known, 0).confidence_interval(0.95)
    return {
        "n": len(known),
        "mean": known.mean(),
        "sd": known.std(ddof=1),
        "low": low,
        "high": high,
        "t": t.statistic,
        "p_t": t.pvalue,
        "p_wilcoxon": w.pvalue,
    }


def paired(one: pd.Series, other: pd.Series) -> dict[str, float | int]:
    """Whether two methods differ over the seeds that both have, two-sided.

    Parameters
    ----------
    one, other : Series
        One number per network, indexed by seed.

    Returns
    -------
    dict
        ``n``, ``difference`` (mean of one - other), ``low`` and ``high`` (its 95 % confidence
        interval), ``t``, ``p`` (paired t test).
    """
    both = pd.concat([one, other], axis=1, join="inner").dropna()
    difference = both.iloc[:, 0] - both.iloc[:, 1]
    if len(both) < 2 or _alike(difference.to_numpy()):
        mean = difference.mean() if len(both) else np.nan
        nothing = dict.fromkeys(("low", "high", "t", "p"), np.nan)
        return {"n": len(both), "difference": mean} | nothing
    test = stats.ttest_1samp(difference, 0)
    low, high = test.confidence_interval(0.95)
    return {
        "n": len(both),
        "difference": difference.mean(),
        "low": low,
        "high": high,
        "t": test.statistic,
        "p": test.pvalue,
    }


def rank_correlation(x: pd.Series, y: pd.Series) -> float:
    """Spearman's rank correlation over the networks that have both numbers.

    NaN of fewer than three, or where one number is the same in all.

    Examples
    --------
    >>> rank_correlation(pd.Series([0.1, 0.5, 0.9]), pd.Series([0.9, 0.8, 0.2]))
    -1.0
    """
    both = pd.concat([x, y], axis=1, keys=["x", "y"]).dropna()
    if len(both) < 3 or both.x.nunique() < 2 or both.y.nunique() < 2:
        return float("nan")
    return float(stats.spearmanr(both.x, both.y).statistic)


def correlation_inside(x: pd.Series, y: pd.Series, group: pd.Series) -> tuple[float, float]:
    """Partial correlation of two numbers inside groups, and its p, by an analysis of covariance.

    The model is y = a mean for each group + slope x, with one slope for all. NaN where fewer than
    three networks are left, or a number is the same in all of every group.

    Examples
    --------
    >>> x, y = pd.Series([1.0, 2, 3, 11, 12, 13]), pd.Series([1.0, 2, 3, 0, 1, 2])
    >>> round(correlation_inside(x, y, pd.Series(list("aaabbb")))[0], 6)
    1.0
    """
    rows = pd.DataFrame({"x": x.to_numpy(), "y": y.to_numpy(), "group": group.to_numpy()})
    inside = rows[["x", "y"]] - rows.groupby("group")[["x", "y"]].transform("mean")
    freedom = len(rows) - rows.group.nunique() - 1
    if freedom < 2 or (inside.abs().max() <= 1e-12 * rows[["x", "y"]].abs().max()).any():
        return float("nan"), float("nan")
    fit = ols("y ~ x + C(group)", rows).fit()
    t = float(fit.tvalues["x"])
    return float(np.sign(t) * np.sqrt(t**2 / (t**2 + freedom))), float(fit.pvalues["x"])


def _alike(values: np.ndarray) -> bool:
    """Whether numbers differ by rounding alone, so that their spread says nothing."""
    return bool(np.ptp(values) <= 1e-9 * np.abs(values).max())


def controlled(p: pd.Series, method: Control = "benjamini-hochberg") -> pd.Series:
    """Adjust p values for how many were asked; NaN stays.

    Parameters
    ----------
    p : Series
    method : {"benjamini-hochberg", "holm"}
        The first (1995) bounds the share of false ones among discoveries, for exploring; Holm's
        (1979) the probability of a single false one, for what is claimed.
    """
    known = p.dropna().astype(float)
    if known.empty:
        return p.astype(float)
    name = {"benjamini-hochberg": "fdr_bh", "holm": "holm"}[method]
    adjusted = multipletests(known, method=name)[1]
    return pd.Series(adjusted, known.index).reindex(p.index)
