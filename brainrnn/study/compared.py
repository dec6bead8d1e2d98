"""Settings of a sweep, compared by what their networks answer: the best, the front, the ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from brainrnn.study.fronts import front

_BEST = 10  # rows of the table of the best


def is_number(values: pd.Series) -> bool:
    """Whether values of a setting have an axis of numbers, rather than names."""
    return is_numeric_dtype(values) and not is_bool_dtype(values)


def on_front(means: pd.DataFrame, goals: tuple[str, str]) -> pd.Series:
    """Which settings no other beats in both goals; none where a goal is not known."""
    first, second = (signed(means, goal) for goal in goals)
    known = first.notna() & second.notna()
    found = pd.Series(False, index=means.index)
    found[known] = front(-second[known].to_numpy(), first[known].to_numpy())
    return found


def signed(rows: pd.DataFrame, goal: str) -> pd.Series:
    """A goal, so that more is better."""
    return -rows[goal[1:]] if goal.startswith("-") else rows[goal]


def best(means: pd.DataFrame, goals: Sequence[str]) -> pd.DataFrame:
    """The best settings by one goal, or those on the Pareto front of two, best first."""
    if len(goals) == 2:
        means = means[on_front(means, (goals[0], goals[1]))]
    order = signed(means, goals[0]).dropna().sort_values(ascending=False, kind="stable").index
    return means.loc[order if len(goals) == 2 else order[:_BEST]]


def rank_correlations(
    means: pd.DataFrame, keys: Sequence[str], quantities: Mapping[str, str]
) -> pd.DataFrame:
    """Spearman's correlation of each quantity with each key whose values are numbers."""
    numbers = [key for key in keys if is_number(means[key])]
    ranks = means[[*numbers, *quantities]].corr("spearman").loc[list(quantities), numbers]
    return ranks.rename(index=quantities).rename_axis("quantity").reset_index()
