"""Tables of accuracy against wiring: Pareto fronts, and methods at equal cost."""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainrnn.study.fronts import front
from brainrnn.study.report.comparisons import compare
from brainrnn.study.report.settings import name_settings
from brainrnn.study.report.tables import count, spread


def fronts(rows: pd.DataFrame) -> pd.DataFrame:
    """Networks on the Pareto front of their method and seed, and of all methods of their seed.

    Seeds are counted, and the numbers means over them.
    """
    costs = {"sparsity": -rows.absent, "wiring": rows.wiring_length}
    families = {"own": ["label", "seed"], "common": ["seed"]}
    on = {
        f"{family} front, {name}": _on_front(rows, cost, keys)
        for family, keys in families.items()
        for name, cost in costs.items()
    }
    kept = np.where(rows.pruned, rows.absent.map("pruned to {:.1%} absent".format), "as trained")
    table = rows.assign(method=name_settings(rows).label, networks=kept, **on)
    groups = table.groupby(["method", "networks"], sort=False)
    result = groups[["absent", "wiring_length", "accuracy"]].mean()
    result = result.join(groups[list(on)].agg(count))
    return result[groups[list(on)].any().any(axis=1)].reset_index()


def _on_front(rows: pd.DataFrame, cost: pd.Series, family: list[str]) -> pd.Series:
    """Whether no other network of its family is better in both."""
    accuracy = rows.groupby(family).accuracy
    best = accuracy.transform(lambda gain: front(cost[gain.index].to_numpy(), gain.to_numpy()))
    return best.astype(bool)


def wide(matched: pd.DataFrame, words: str) -> pd.DataFrame:
    """Means over seeds, and over how many where not all of them have such a network."""
    seeds = matched.seed.nunique()
    groups = matched.groupby(["label", "level"], sort=False).accuracy
    cells = groups.agg(
        lambda one: f"{one.mean():.3f}" + f" ({len(one)} of {seeds})" * (len(one) < seeds)
    )
    wide = spread(cells.reset_index(), ["label"], "level", "accuracy").set_index("label")
    wide = wide.sort_index(axis=1).fillna("-").rename(columns=words.format)
    return wide.rename_axis("method").reset_index()


def compared(matched: pd.DataFrame) -> pd.DataFrame:
    """Every two methods at each level, paired by seed; those that are the same are asked once."""

    def distinct(group: pd.DataFrame) -> pd.DataFrame:
        by = group.pivot(index="label", columns="seed", values="accuracy")
        return group[group.label.isin(by.drop_duplicates().index)]

    levels = [distinct(group) for _, group in matched.groupby("level")]
    return compare(pd.concat(levels), "accuracy", within={"level": "level"})
