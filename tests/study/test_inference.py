"""Inference over networks, against scipy and by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from brainrnn.study.inference import across, controlled, paired
from brainrnn.study.measures.tradeoff import front

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


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0.001, 0.999))
def test_holm_rejects_step_by_step(p, level):
    rising, rejected = np.sort(p), 0
    while rejected < len(p) and rising[rejected] * (len(p) - rejected) <= level:
        rejected += 1
    assert (controlled(pd.Series(p), "holm") <= level).sum() == rejected


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=40))
def test_front_is_what_no_point_beats(points):
    cost, gain = np.array(points, float).T
    best = front(cost, gain)
    beaten = [any((c <= a and g > b) or (c < a and g >= b) for c, g in points) for a, b in points]
    assert {points[i] for i in best} == {p for p, b in zip(points, beaten, strict=True) if not b}
    assert (np.diff(cost[best]) > 0).all()


def test_a_spread_of_rounding_is_none():
    one, other = pd.Series([0.3, 0.6]), pd.Series([0.1, 0.4])
    assert np.ptp(one - other) > 0
    assert np.isnan(paired(one, other)["p"])
    assert paired(one, other)["difference"] == pytest.approx(0.2)
