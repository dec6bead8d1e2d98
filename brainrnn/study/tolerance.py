"""How much damage a network withstands: the area under its accuracy, and tests over networks."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.integrate import trapezoid

from brainrnn.study.report.comparisons import compare, correlate
from brainrnn.study.report.tables import summarise

DAMAGES = {
    "inputs": "noise on inputs",
    "units": "noise on units",
    "weights": "noise on weights",
    "loss": "loss of neurons",
}
VARIANTS = {"as trained": "as trained", "matched": "at matched sparsity"}
NETWORK = ["method", "label", "seed", "variant"]


def curves(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracies over draws at each level of each damage, from the undamaged on.

    Returns
    -------
    DataFrame
        ``method``, ``label``, ``seed``, ``variant``, ``absent``, ``ceiling``, ``damage``,
        ``level``, and accuracies.
    """
    scores = ["accuracy", *(str(c) for c in rows.columns if str(c).startswith("accuracy_"))]
    keys = [*NETWORK, "absent", "ceiling", "damage", "level"]
    mean = rows.groupby(keys, sort=False)[scores].mean().reset_index()
    undamaged = mean[mean.damage == "none"]
    return pd.concat(
        [part for d in DAMAGES for part in (undamaged.assign(damage=d), mean[mean.damage == d])],
        ignore_index=True,
    )


def robustness(curve: pd.DataFrame, least: float) -> pd.DataFrame:
    """Area under each network's relative accuracy for each damage.

    Parameters
    ----------
    curve : DataFrame
        As from :func:`curves`.
    least : float
        Undamaged accuracy, as a share of the best possible, below which it is NaN.

    Returns
    -------
    DataFrame
        A row for each network, variant and damage: ``undamaged`` and ``robustness``.
    """

    def under(group: pd.DataFrame) -> dict[str, object]:
        first = group.iloc[0]
        able = first.accuracy >= least * first.ceiling
        share = area(group.level, group.accuracy) if able else np.nan
        return {"absent": first.absent, "undamaged": first.accuracy, "robustness": share}

    return summarise(curve, {key: key for key in (*NETWORK, "damage")}, under)


def between_methods(under: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Every two methods under each damage, paired by seed; p controlled over all of these.

    Methods that are trained with several strengths are compared at the same one.
    """
    method = dict(zip(under.label, under.method, strict=True))
    alike = [
        (one, other)
        for one, other in combinations(method, 2)
        if method[one] != method[other]
        and (settings.loc[[one, other]].dropna(axis=1).nunique() <= 1).all()
    ]
    groups = {"variant": "networks", "damage": "damage"}
    return compare(under, "robustness", within=groups, pairs=alike)


def against_sparsity(under: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Rank correlation of robustness with the fraction of weights absent, as trained.

    Of all networks, and of those of methods with a sweep, for others may differ in more than
    sparsity.
    """
    trained = under[(under.variant == "as trained") & under.robustness.notna()]
    swept = trained.label.map(settings.notna().any(axis=1))
    some = trained.assign(networks="all")
    if not swept.all():
        some = pd.concat([some, trained[swept].assign(networks="of a sweep")])
    return correlate(
        some, "absent", "robustness", within={"damage": "damage", "networks": "networks"}
    )


def area(level: pd.Series, accuracy: pd.Series) -> float:
    """Area under accuracy relative to that of the first level, 0, over the highest level.

    Examples
    --------
    >>> area(pd.Series([0.0, 0.2, 0.4]), pd.Series([0.8, 0.8, 0.4]))
    0.875
    """
    order = level.to_numpy().argsort(kind="stable")
    x, y = (values.to_numpy(float)[order] for values in (level, accuracy))
    return float(trapezoid(y / y[0], x) / x[-1]) if y[0] > 0 else float("nan")
