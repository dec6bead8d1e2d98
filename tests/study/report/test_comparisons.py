"""Tables of tests against scipy and statsmodels, and against what was planted."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from brainrnn.study.report.comparisons import compare, control, correlate


def networks(seed: int = 0) -> pd.DataFrame:
    """Three methods in two conditions: b is above a by 1 in the first, and all alike in the other.

    One network is missing, so that not all pairs have all seeds.
    """
    rng = np.random.default_rng(seed)
    rows = [
        {
            "condition": condition,
            "label": label,
            "seed": seed,
            "value": (label == "b") * (condition == "one") + 0.1 * rng.standard_normal(),
            "other": rng.standard_normal(),
        }
        for condition in ("one", "two")
        for label in ("b", "a", "c")
        for seed in (3, 1, 2, 5, 4)
    ]
    return pd.DataFrame(rows).drop(index=12)


def test_every_two_are_compared_by_seed_as_scipy_does():
    rows = networks()
    table = compare(rows, "value", within={"condition": "where"})
    pairs = [(w, *pair) for w in ("one", "two") for pair in combinations("bac", 2)]
    assert list(zip(table["where"], table.method, table.against, strict=True)) == pairs
    p = []
    for row, (where, one, other) in zip(table.itertuples(), pairs, strict=True):
        some = rows[rows.condition == where]
        both = some.pivot(index="seed", columns="label", values="value")[[one, other]].dropna()
        test = stats.ttest_rel(both[one], both[other])
        assert row.n == len(both)
        assert row.difference == pytest.approx(both[one].mean() - both[other].mean())
        assert (row.t, row.p) == pytest.approx((test.statistic, test.pvalue))
        assert (row.low, row.high) == pytest.approx(tuple(test.confidence_interval()))
        p.append(test.pvalue)
    assert table.p_controlled.tolist() == pytest.approx(multipletests(p, method="fdr_bh")[1])


def test_what_was_planted_is_found_on_its_side_and_nothing_else():
    table = compare(networks(), "value", within={"condition": "where"})
    first = table[table["where"] == "one"].set_index(["method", "against"])
    assert (first.p_controlled[[("b", "a"), ("b", "c")]] < 0.001).all()
    assert (first.low[[("b", "a"), ("b", "c")]] > 0.5).all()
    assert first.p_controlled["a", "c"] > 0.05
    assert (table[table["where"] == "two"].p_controlled > 0.05).all()


def test_pairs_and_quantities_that_are_asked_for():
    table = compare(
        networks(),
        {"value": "v", "other": "o"},
        within={"label": "method"},
        between=("condition", "condition"),
        pairs=[("two", "one"), ("one", "nowhere")],
        quantity="what",
    )
    assert list(table.columns[:4]) == ["method", "condition", "against", "what"]
    assert table.what.tolist() == ["v", "o"] * 3
    assert set(table.condition) == {"two"}
    assert table[(table.method == "b") & (table.what == "v")].difference.item() < -0.5


def test_what_is_asked_twice_counts_once():
    tests = pd.DataFrame({"asked": list("aabc"), "p": [0.01, 0.01, 0.03, np.nan]})
    table = control(tests, method="holm")
    assert list(table.columns) == ["p", "p_controlled"]
    assert table.p_controlled.tolist() == pytest.approx([0.02, 0.02, 0.03, np.nan], nan_ok=True)
    alone = control(tests.drop(columns="asked"), method="holm")
    assert alone.p_controlled.tolist() == pytest.approx([0.03, 0.03, 0.03, np.nan], nan_ok=True)
    assert control(pd.DataFrame()).empty


def test_correlations_within_a_seed_are_the_sample():
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"seed": np.repeat([1, 2, 3, 4], 6), "group": "g"})
    rows["x"] = rng.random(24)
    rows["y"] = -rows.x + 0.1 * rng.random(24) + 10 * rows.seed  # seeds differ far more
    row = correlate(rows, "x", "y", within={"group": "group"}).iloc[0]
    each = [stats.spearmanr(one.x, one.y).statistic for _, one in rows.groupby("seed")]
    test = stats.ttest_1samp(each, 0)
    assert (row.n, row.seeds) == (24, 4)
    assert row["mean rho of a seed"] == pytest.approx(np.mean(each))
    assert row["mean rho of a seed"] < -0.8
    assert row.p_t == pytest.approx(test.pvalue)
    assert row.p_t < 0.001
    assert row.rho == pytest.approx(stats.spearmanr(rows.x, rows.y).statistic)
    assert abs(row.rho) < 0.5
