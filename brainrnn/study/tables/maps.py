"""Tables of maps: each method, tests over networks, lengths of connections."""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainrnn.analysis.map_statistics import MEASURES, STATISTICS
from brainrnn.analysis.space.lengths import MODELS
from brainrnn.study.claims import maps as claims
from brainrnn.study.report.comparisons import control
from brainrnn.study.report.inference import Control, across
from brainrnn.study.report.tables import mean_sd, median_range, spread, summarise


def describe(group: pd.DataFrame, level: float) -> dict[str, object]:
    """A method's networks, and how many of them have a map beyond chance."""
    z, p = (group.pivot(index="seed", columns="statistic", values=v) for v in ("z", "p"))
    network = group.groupby("seed").first()
    below = p[list(MEASURES)] < level
    return {
        "accuracy": mean_sd(network.accuracy, 3),
        "active": mean_sd(network.active, 0),
        "modules": f"{network.modules.median():g}",
        "weights absent": f"{group.absent.mean():.1%}",
        "wiring length": f"{network.wiring_length.mean():.0f}",
        **{f"z {words}: median (range)": median_range(z[n]) for n, words in MEASURES.items()},
        f"p < {level:g}: isolated, size, both": f"{below.isolated.sum()}, "
        f"{below.cluster_size.sum()}, {below.all(axis=1).sum()} of {len(below)}",
    }


def over_networks(rows: pd.DataFrame, method: Control) -> pd.DataFrame:
    """The z of a method's networks, tested against 0; p controlled over all that is asked here.

    Statistics that do not look at places are the same in networks that differ by their places
    alone: that is one question, not several.
    """
    keys = ("statistic", "alternative")
    tests = summarise(
        rows,
        {"label": "method"} | {key: key for key in keys},
        lambda group: (
            {"asked": (group.statistic.iloc[0], *group.sort_values("seed").z)}
            | across(group.z.to_numpy(), group.alternative.iloc[0])
        ),
    )
    return control(tests, "p_t", method)


def side_by_side(over: pd.DataFrame) -> pd.DataFrame:
    """Mean z of every statistic and method, with a star where its p, controlled, is below 0.05."""
    cell = over["mean"].map(lambda z: f"{z:.1f}" if np.isfinite(z) else "-")
    star = np.where(over.p_controlled < 0.05, "*", "")
    wide = spread(over.assign(cell=cell + star), ["statistic"], "method", "cell")
    wide.insert(1, "side", wide.statistic.map(over.set_index("statistic").alternative.to_dict()))
    return wide.assign(statistic=wide.statistic.map(lambda name: STATISTICS[name][0]))


def lengths(group: pd.DataFrame) -> dict[str, object]:
    """How the probability of a connection falls with its length: mean over a method's networks.

    The Akaike weight of a model is its share of the evidence among those that were fitted; a
    network's power law is rejected for a model that is better at p < 0.05.
    """
    row: dict[str, object] = {"mean length": round(group.mean_length.mean(), 3)}
    row["exponent"] = round(group.exponent.mean(), 3)
    for model in MODELS:
        weight = round(group[f"akaike_weight_{model}"].mean(), 3)
        row[f"weight of {model.replace('_', ' ')}"] = weight
    for model in (model for model in MODELS if model != "power_law"):
        known = group[f"ratio_p_{model}"].notna()
        rejected = f"{claims.rejected(group, model).sum()} of {known.sum()}"
        row[f"power law rejected for {model.replace('_', ' ')}"] = rejected
    return row
