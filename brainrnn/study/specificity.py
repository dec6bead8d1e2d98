"""How specific lesions are to tasks, and whether random sets of neurons are less so.

A lesion's *severity* is its mean damage over tasks, its *specificity* the largest less the median
damage: how much more it costs one task than the typical one. A lesion that harms all tasks alike
has none, however severe, and neither has one that harms nothing. Its *fit* asks whether it hits the
tasks that its neurons take part in: the rank correlation over tasks of the damage with the share
that its neurons have in the task variance of all active ones.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy import stats

from brainrnn.study.damage import damage
from brainrnn.study.report.comparisons import control
from brainrnn.study.report.inference import across
from brainrnn.study.report.tables import summarise

STATISTICS = {
    "specificity": "largest less median damage",
    "gini": "Gini coefficient of damage",
    "fit": "damage against share of task variance, Spearman",
}
KINDS = {"module": "module", "around": "module's place", "region": "region"}
NULLS = {
    "random": "of as many neurons",
    "matched": "of as many neurons, as active",
    "severe": "that do as much damage",
}
NETWORK = ["label", "seed"]
STAKE = 0.1  # accuracy that a network must have to lose in a task
AS_SEVERE = 0.05  # mean damages that differ by no more than this are alike


def profile(
    lost: Float[np.ndarray, "lesion task"], share: Float[np.ndarray, "lesion task"]
) -> dict[str, Float[np.ndarray, " lesion"]]:
    """Numbers that describe the damage that each lesion does.

    Parameters
    ----------
    lost : (lesion, task)
        Damage; NaN in tasks that have nothing to lose.
    share : (lesion, task)
        Share of the lesion's neurons in the task variance of all.

    Returns
    -------
    dict
        ``severity``, ``specificity``, ``gini`` and ``fit`` as the head of this file says; NaN with
        fewer than two tasks at stake, and a fit also where damage or share is the same in all.
        The Gini coefficient of no damage is 0.
    """
    stake = np.isfinite(lost).all(0) & np.isfinite(share).all(0)
    lost, share = lost[:, stake], share[:, stake]
    n = int(stake.sum())
    if n < 2:
        return dict.fromkeys(("severity", *STATISTICS), np.full(len(lost), np.nan))
    rising = np.sort(lost, axis=1)
    total = rising.sum(1)
    weighted = rising @ (2 * np.arange(1, n + 1) - n - 1)
    ranks = [stats.rankdata(values.round(9), axis=1) - (n + 1) / 2 for values in (lost, share)]
    length = np.sqrt((ranks[0] ** 2).sum(1) * (ranks[1] ** 2).sum(1))
    return {
        "severity": lost.mean(1),
        "specificity": lost.max(1) - np.median(lost, axis=1),
        "gini": weighted / np.where(total > 0, n * total, 1),
        "fit": (ranks[0] * ranks[1]).sum(1) / np.where(length > 0, length, np.nan),
    }


def damage_by_task(group: pd.DataFrame) -> pd.DataFrame:
    """Damage of a network's lesions by task, from the accuracies in its rows."""
    accuracy = group.filter(regex="^accuracy_")
    scores, kind = accuracy.to_numpy(), group.kind.to_numpy()
    lost = damage(scores, scores[kind == "intact"][0], scores[kind == "all"][0], STAKE)
    tasks = [str(column).removeprefix("accuracy_") for column in accuracy]
    return pd.DataFrame(lost, index=group.index, columns=tasks)


def observed(rows: pd.DataFrame) -> pd.DataFrame:
    """Modules, their places and regions, without random sets."""
    return rows[rows.kind.isin(KINDS) & (rows.null == "observed")]


def against_chance(rows: pd.DataFrame) -> pd.DataFrame:
    """Each observed lesion beside the random sets that it is compared with.

    Returns
    -------
    DataFrame
        A row for each lesion, null and statistic, with ``observed``, ``null_mean``, ``z``, ``p``
        (one-sided: the lesion has more than random sets), of single lesions and not controlled for
        how many there are. NaN where a network has no random sets as severe as the lesion.
    """
    table = []
    for (label, seed), group in rows.groupby(NETWORK, sort=False):
        drawn = group[group.null != "observed"]
        for lesion in observed(group).to_dict("records"):
            # A module's place has as many neurons as the module.
            kind = "region" if lesion["kind"] == "region" else "module"
            same = drawn[(drawn.kind == kind) & (drawn.lesion == lesion["lesion"])]
            nulls = {"random": same[same.null == "random"]}
            if lesion["kind"] == "module":
                nulls["matched"] = same[same.null == "matched"]
            away = (drawn.severity - lesion["severity"]).abs()
            nearest = away.nsmallest(len(nulls["random"])).index
            alike = away[nearest].mean() <= AS_SEVERE
            nulls["severe"] = drawn.loc[nearest] if alike else drawn[:0]
            about = {
                "label": label,
                "seed": seed,
                "kind": lesion["kind"],
                "lesion": lesion["lesion"],
            }
            table += [
                about
                | {"null": null, "statistic": name}
                | _beside(lesion[name], others[name].to_numpy())
                for null, others in nulls.items()
                for name in STATISTICS
            ]
    return pd.DataFrame(table)


def _beside(value: float, null: Float[np.ndarray, " draw"]) -> dict[str, float]:
    null = null[np.isfinite(null)]
    if len(null) < 2 or not np.isfinite(value):
        return {"observed": value} | dict.fromkeys(("null_mean", "z", "p"), np.nan)
    sd = null.std(ddof=1)
    return {
        "observed": value,
        "null_mean": null.mean(),
        "z": (value - null.mean()) / sd if sd > 0 else np.nan,
        "p": (1 + (null >= value - 1e-9).sum()) / (1 + len(null)),
    }


def network_means(rows: pd.DataFrame, tests: pd.DataFrame) -> pd.DataFrame:
    """The mean over each network's lesions: networks, not lesions, are the sample.

    ``p`` compares it with the same mean over each draw: the modules of a draw together are one
    random arrangement of all labels.
    """
    keys = [*NETWORK, "kind", "null", "statistic"]
    known = tests[tests.p.notna()].groupby(keys, sort=False)
    mean = known[["observed", "null_mean"]].mean()
    mean["excess"] = mean.observed - mean.null_mean
    drawn = rows[rows.null.isin(("random", "matched"))]
    each = [*NETWORK, "kind", "null", "draw"]
    draws = drawn.groupby(each)[list(STATISTICS)].mean().reset_index()
    draws = draws.melt(each, var_name="statistic").set_index(keys)
    beyond = draws.value >= mean.observed.reindex(draws.index) - 1e-9
    count = beyond.groupby(level=keys).agg(["sum", "size"])
    p = ((1 + count["sum"]) / (1 + count["size"])).rename("p")
    return mean.join(p).reset_index()


def over_networks(networks: pd.DataFrame, tests: pd.DataFrame) -> pd.DataFrame:
    """A method's networks against chance, and how many lesions are compared in them.

    ``p_t`` and ``p_wilcoxon`` take each network's mean excess as one number; ``p_fisher`` combines
    the permutation tests of single networks, so it says whether any of them is beyond chance.
    Modules do not look at places: networks that differ by these alone are asked once.
    """
    keys = ["label", "kind", "null", "statistic"]
    lesions = tests[tests.p.notna()].groupby(keys, sort=False).size()

    def test(group: pd.DataFrame) -> dict[str, object]:
        names, p = group[keys].iloc[0], group.p.dropna()
        over = across(group.excess.to_numpy(), "greater")
        return {
            "asked": (*names[1:], *group.sort_values("seed").excess),
            "observed": group.observed.mean(),
            "random": group.null_mean.mean(),
            "excess": over["mean"],
            "sd": over["sd"],
            "low": over["low"],
            "high": over["high"],
            "networks": over["n"],
            "p_t": over["p_t"],
            "p_wilcoxon": over["p_wilcoxon"],
            "p_fisher": stats.combine_pvalues(p).pvalue if len(p) else np.nan,
            "lesions": int(lesions.loc[tuple(names)]),
        }

    called = dict(zip(keys, ("method", "lesion", "random sets", "statistic"), strict=True))
    over = control(summarise(networks, called, test), "p_t")
    return over.replace({"lesion": KINDS, "random sets": NULLS})
