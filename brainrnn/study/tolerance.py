"""How much damage a network withstands: the area under its accuracy as damage rises."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.integrate import trapezoid

from brainrnn.study.findings.tables import summarise

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
