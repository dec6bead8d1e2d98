"""Tables of how much a map depends on choices of the analysis."""

from __future__ import annotations

import pandas as pd

from brainrnn.analysis.map_statistics import MEASURES
from brainrnn.study.report.tables import spread

CHOICES = ("rule", "threshold", "clustering", "neighbourhood")


def ranges(own: pd.DataFrame, share: float) -> dict[str, object]:
    """A method's mean z over all combinations, from the least to the greatest."""
    holds = int((own.both >= share * own.networks).sum())
    by_measure = {MEASURES["isolated"]: own.z, MEASURES["cluster_size"]: own.z_size}
    return {
        **{
            f"mean z, {words}": f"{z.min():.1f} to {z.max():.1f}" for words, z in by_measure.items()
        },
        f"combinations with {share:.0%} of networks beyond chance": f"{holds} of {len(own)}",
    }


def by_choice(rows: pd.DataFrame) -> pd.DataFrame:
    """Median z, and the share of maps beyond chance, with each single choice held."""
    return pd.DataFrame(
        [
            {"choice": choice, "value": value}
            | {
                str(label): f"{one.z.median():.1f} ({one.beyond.mean():.0%})"
                for label, one in group.groupby("label", sort=False)
            }
            for choice in CHOICES
            for value, group in rows.groupby(choice, sort=False)
        ]
    )


def combined(rows: pd.DataFrame) -> pd.DataFrame:
    """Both measures side by side; the cluster size is the same whatever the neighbourhood."""
    keys = ["label", "rule", "threshold", "clustering"]
    isolated, size = (rows[rows.statistic == statistic] for statistic in MEASURES)
    pair = isolated.merge(size[["seed", *keys, "z", "beyond"]], on=["seed", *keys])
    pair = pair.assign(both=(pair.beyond_x == 1) & (pair.beyond_y == 1))
    return (
        pair.rename(columns={"z_x": "z", "z_y": "z_size"})
        .groupby([*keys, "neighbourhood"], sort=False)
        .agg({"z": "mean", "z_size": "mean", "both": "sum", "seed": "size"})
        .rename(columns={"seed": "networks"})
        .reset_index()
    )


def each_combination(both: pd.DataFrame) -> pd.DataFrame:
    """A row for each combination, a column for each method."""
    values = zip(both.z, both.z_size, both.both, both.networks, strict=True)
    cells = [f"{z:.1f}, {size:.1f} ({beyond} of {n})" for z, size, beyond, n in values]
    return spread(both.assign(cell=cells), CHOICES, "label", "cell")
