"""The best networks at a cost: Pareto fronts, and the best at no more than a given cost."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Num


def front(
    cost: Num[np.ndarray, " point"], gain: Num[np.ndarray, " point"]
) -> Bool[np.ndarray, " point"]:
    """Points that no other beats: lower in cost or higher in gain, and no worse in the other.

    Examples
    --------
    >>> front(np.array([3, 1, 2, 4]), np.array([0.8, 0.5, 0.4, 0.8])).tolist()
    [True, True, False, False]
    """
    no_worse = (cost <= cost[:, None]) & (gain >= gain[:, None])
    better = (cost < cost[:, None]) | (gain > gain[:, None])
    return np.logical_not(np.any(no_worse & better, axis=1))


def at_equal(
    rows: pd.DataFrame, cost: Literal["absent", "wiring_length"], levels: tuple[float, ...]
) -> pd.DataFrame:
    """Best accuracy that any network of a method and seed has at no more than a cost.

    Parameters
    ----------
    rows : DataFrame
    cost : {"absent", "wiring_length"}
        At least so much absent, or wiring of at most such a length.
    levels : tuple of float

    Returns
    -------
    DataFrame
        ``label``, ``seed``, ``level`` and ``accuracy``, where there is such a network.
    """
    sign = -1 if cost == "absent" else 1
    return pd.DataFrame(
        [
            {"label": label, "seed": seed, "level": level, "accuracy": group.accuracy[lean].max()}
            for (label, seed), group in rows.groupby(["label", "seed"], sort=False)
            for level in levels
            if (lean := sign * group[cost] <= sign * level + 1e-9).any()
        ],
        columns=["label", "seed", "level", "accuracy"],
    )
