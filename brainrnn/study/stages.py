"""A change of resolution in stages: before it, right after it, and after training on; compared."""

from __future__ import annotations

import pandas as pd

from brainrnn.analysis.map_statistics import MEASURES
from brainrnn.networks import RNN
from brainrnn.study.report.comparisons import compare, control
from brainrnn.study.subject import Subject
from brainrnn.study.wiring import wiring_length

STAGES = {"before": "before", "after": "right after", "trained": "later"}
CONTROLS = ("from scratch", "as it was")
_MERGED = ("merged by place", "merged by correlation", "merged at random")
_PAIRS = (
    *((one, other) for one in ("refined", *_MERGED) for other in CONTROLS),
    ("merged by place", "merged at random"),
    ("merged by correlation", "merged at random"),
    ("merged by correlation", "merged by place"),
)


def described(net: RNN, subject: Subject) -> dict[str, float]:
    """The wiring and the map of a network in one of its stages."""
    one = subject.analysed(net).isel(member=0)
    statistics = {
        f"{name}_{field}": float(one[field].sel(statistic=name))
        for name in MEASURES
        for field in ("z", "p")
    }
    return {
        "active": int(one.active.sum()),
        "modules": int(one.clusters),
        "absent": float(one.sparsity),
        "wiring_length": float(wiring_length(net)[0][0]),
    } | statistics


def staged(rows: pd.DataFrame) -> pd.DataFrame:
    """Each changed network once: before the change, right after it, and after training on.

    Returns
    -------
    DataFrame
        A row for each network and change, with ``neurons`` and, of every quantity x of the rows,
        ``x_before`` (of the network as it was), ``x_after`` and ``x_trained``.
    """
    key = ["method", "label", "seed"]
    first, last = rows[rows.step == 0], rows[rows.step == rows.step.max()]
    quantities = ["accuracy", "active", "modules", "absent", "wiring_length"]
    quantities += [f"{name}_{field}" for name in MEASURES for field in ("z", "p")]
    before = first[first.change == "kept"].set_index(key)[quantities].add_suffix("_before")
    after = first.set_index([*key, "change"])[["neurons", "ceiling", *quantities]]
    after = after.rename(columns={name: f"{name}_after" for name in quantities})
    trained = last.set_index([*key, "change"])[quantities].add_suffix("_trained")
    return after.join(trained).reset_index("change").join(before).reset_index()


def beyond_chance(group: pd.DataFrame, stage: str) -> pd.Series:
    """Which networks have a map beyond chance by both measures."""
    return (group[[f"{name}_p_{stage}" for name in MEASURES]] < 0.05).all(axis=1)


def against_controls(stages: pd.DataFrame) -> pd.DataFrame:
    """Changed networks against both controls, and ways to merge against each other."""
    table = compare(
        stages,
        {"accuracy_after": "right after", "accuracy_trained": "trained on"},
        quantity="when",
        within={"label": "method"},
        between=("change", "network"),
        pairs=_PAIRS,
    )
    # Right after the change, the network that it was and a new one say nothing new.
    asked = table[~(table.against.isin(CONTROLS) & (table.when == "right after"))]
    return control(asked.drop(columns="p_controlled"))
