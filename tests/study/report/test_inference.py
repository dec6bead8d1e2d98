"""Inference over networks, against scipy and by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from brainrnn.study.report.inference import (
    across,
    controlled,
    correlation_inside,
    paired,
    rank_correlation,
)

NUMBERS = st.lists(st.floats(-10, 10), min_size=2, max_size=30, unique=True)


@given(NUMBERS)
def test_across_is_scipys(values):
    found = across(np.array(values))
    if np.ptp(values) <= 1e-9 * np.abs(values).max():
        assert np.isnan(found["p_t"])
        return
    test = stats.ttest_1samp(values, 0, alternative="less")
    assert found["n"] == len(values)
    assert found["p_t"] == pytest.approx(test.pvalue, nan_ok=True)


def test_five_networks_on_one_side():
    found = across(np.array([-1.0, -2, -3, -4, -5, np.nan]))
    assert found["n"] == 5
    assert found["p_wilcoxon"] == pytest.approx(1 / 32)
    assert across(-np.array([-1.0, -2, -3, -4, -5]))["p_wilcoxon"] == 1


def test_too_few_networks():
    alone = across(np.array([-3.0]))
    assert np.isnan(alone["p_t"])
    assert np.isnan(alone["sd"])
    assert across(np.array([np.nan]))["n"] == 0


def test_pairs_are_made_by_seed():
    one = pd.Series([1.0, 2, 3, 9], index=[1, 2, 3, 7])
    other = pd.Series([4.0, 2, 0], index=[3, 2, 1])
    found = paired(one, other)
    test = stats.ttest_rel([1.0, 2, 3], [0.0, 2, 4])
    assert (found["n"], found["difference"]) == (3, 0)
    assert found["p"] == pytest.approx(test.pvalue)
    low, high = test.confidence_interval()
    assert (found["low"], found["high"]) == pytest.approx((low, high))


def test_control_of_many_p_values():
    p = pd.Series([0.01, np.nan, 0.04, 0.03])
    assert controlled(p).tolist() == pytest.approx([0.03, np.nan, 0.04, 0.04], nan_ok=True)
    holm = controlled(p, "holm").tolist()
    assert holm == pytest.approx([0.03, np.nan, 0.06, 0.06], nan_ok=True)


# statsmodels collects garbage in every call
@settings(max_examples=20)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0.001, 0.999))
def test_holm_rejects_step_by_step(p, level):
    rising, rejected = np.sort(p), 0
    while rejected < len(p) and rising[rejected] * (len(p) - rejected) <= level:
        rejected += 1
    assert (controlled(pd.Series(p), "holm") <= level).sum() == rejected


def test_a_spread_of_rounding_is_none():
    one, other = pd.Series([0.3, 0.6]), pd.Series([0.1, 0.4])
    assert np.ptp(one - other) > 0
    assert np.isnan(paired(one, other)["p"])
    assert paired(one, other)["difference"] == pytest.approx(0.2)


def test_rank_correlation_is_pearsons_of_ranks():
    x, y = pd.Series([0.1, 0.4, 0.2, np.nan, 0.9]), pd.Series([3.0, 1.0, 2.0, 5.0, -7.0])
    assert rank_correlation(x, y) == pytest.approx(-1)
    assert np.isnan(rank_correlation(x[:2], y[:2]))
    assert np.isnan(rank_correlation(x * 0, y))


def test_correlation_inside_groups_is_the_slope_of_a_regression_with_a_mean_of_each_group():
    rng = np.random.default_rng(2)
    group = pd.Series(np.repeat(list("abc"), 5))
    x = pd.Series(rng.random(15)) + group.map({"a": 0, "b": 5, "c": -5})
    y = -0.5 * x + 0.2 * pd.Series(rng.random(15)) + group.map({"a": 0, "b": 9, "c": -9})
    r, p = correlation_inside(x, y, group)
    inside = [values - values.groupby(group).transform("mean") for values in (x, y)]
    expected = np.corrcoef(*inside)[0, 1]
    t = expected * np.sqrt(11 / (1 - expected**2))  # 15 networks, less 3 means and a slope
    assert r == pytest.approx(expected)
    assert p == pytest.approx(2 * stats.t.sf(abs(t), 11))
    assert r < -0.5
    assert np.corrcoef(x, y)[0, 1] > 0.5  # what the groups alone would say
    assert np.isnan(correlation_inside(x[:3], y[:3], group[:3])[0])
    steps = group.map({"a": 0.1, "b": 0.2, "c": 0.3})  # the same inside every group
    assert np.isnan(correlation_inside(steps, y, group)).all()
    assert np.isnan(correlation_inside(x, steps, group)).all()


def test_both_ways_to_control_by_hand():
    p = pd.Series(np.random.default_rng(3).random(12) ** 3)
    rising = p.sort_values()
    rank = np.arange(1, 13)
    share = (rising * 12 / rank)[::-1].cummin()[::-1]  # Benjamini and Hochberg's steps from above
    assert controlled(p).tolist() == pytest.approx(share.reindex(p.index).tolist())
    assert controlled(p).tolist() == pytest.approx(stats.false_discovery_control(p.to_numpy()))
    single = (rising * (13 - rank)).cummax().clip(upper=1)
    assert controlled(p, "holm").tolist() == pytest.approx(single.reindex(p.index).tolist())
    assert controlled(p[:0]).empty


@given(NUMBERS)
def test_the_interval_of_a_mean_is_students(values):
    found = across(np.array(values), "greater")
    if not np.isfinite(found["p_t"]):
        return
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    assert (found["low"], found["high"]) == pytest.approx(
        (np.mean(values) - half, np.mean(values) + half)
    )


def test_four_networks_of_one_group_are_enough_for_a_correlation_and_three_are_not():
    x, y = pd.Series([1.0, 2, 3, 4]), pd.Series([1.0, 3, 2, 5])
    group = pd.Series(["a"] * 4)
    r, p = correlation_inside(x, y, group)
    expected = stats.pearsonr(x, y)
    assert (r, p) == pytest.approx((expected.statistic, expected.pvalue))
    assert np.isnan(correlation_inside(x[:3], y[:3], group[:3])).all()
    small = correlation_inside(1e-9 * x, 1e9 * y, group)  # whatever the units are
    assert small == pytest.approx((r, p))
