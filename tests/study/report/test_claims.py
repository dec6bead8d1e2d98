"""A claim holds, fails or is undecided as its networks and tests say."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainrnn.study.report.claims import (
    Claim,
    by_share,
    by_test,
    by_verdict,
    claims_table,
    effect_and_p,
)
from brainrnn.study.report.comparisons import compare, planned


@pytest.mark.parametrize(
    ("yes", "no", "verdict"),
    [
        ([1, 1, 1, 1, 0], [0, 0, 0, 0, 1], "holds"),
        ([1, 1, 1, 0, 0], [0, 0, 0, 1, 1], "undecided"),
        ([0, 0, 0, 0, 1], [1, 1, 1, 1, 0], "fails"),
        ([0, 0, 0, 0, 0], [0, 0, 0, 0, 0], "undecided"),  # neither so nor the opposite
        ([], [], "undecided"),
    ],
)
def test_a_claim_about_single_networks(yes, no, verdict):
    found = by_share("a", "b", yes, no=no, share=0.8)
    assert found == Claim("a", "b", verdict, f"{sum(yes)} of {len(yes)}")


def test_without_an_opposite_it_is_what_is_not_so():
    assert by_share("a", "b", [0, 0, 0, 0, 1], share=0.8).verdict == "fails"


@given(st.floats(-1, 1), st.floats(0.001, 1), st.floats(0, 1), st.booleans())
def test_the_opposite_claim_never_has_the_same_verdict_unless_both_are_open(mean, half, p, more):
    test = {"difference": mean, "low": mean - half, "high": mean + half, "p_controlled": p}
    one, other = (by_test("a", "b", test, more=side).verdict for side in (more, not more))
    assert (one, other) in {("holds", "fails"), ("fails", "holds"), ("undecided", "undecided")}
    assert (one != "undecided") == (p < 0.05 and mean != 0)
    assert one != "holds" or (mean > 0) == more
    sided = by_test("a", "b", test, more=more, one_sided=True).verdict
    assert sided != "holds" or one == "holds"
    assert sided != "fails" or ((test["high"] < 0) if more else (test["low"] > 0))


@pytest.mark.parametrize(
    ("mean", "low", "high", "p", "verdict"),
    [
        (0.2, 0.1, 0.3, 0.01, "holds"),
        (0.2, 0.1, 0.3, 0.06, "undecided"),  # beyond 0 alone, not among so many
        (-0.2, -0.3, -0.1, 0.01, "fails"),
        (-0.2, -0.3, -0.1, 0.06, "undecided"),
        (-0.2, -0.3, 0.1, 0.3, "undecided"),
        (np.nan, np.nan, np.nan, np.nan, "undecided"),
    ],
)
def test_a_claim_about_a_mean(mean, low, high, p, verdict):
    test = {"difference": mean, "low": low, "high": high, "p_controlled": p}
    found = by_test("a", "b", test)
    assert (found.claim, found.networks, found.verdict) == ("a", "b", verdict)


def test_a_one_sided_test_fails_by_the_interval():
    test = {"mean": 0.2, "low": 0.1, "high": 0.3, "p_controlled": 1.0}
    found = by_test("a", "b", test, effect="mean", more=False, one_sided=True)
    assert (found.verdict, found.numbers) == ("fails", "0.2, 0.1 to 0.3, p = 1")
    test |= {"low": -0.1}
    assert by_test("a", "b", test, effect="mean", more=False, one_sided=True).verdict == "undecided"


def test_a_p_is_never_rounded_to_one_that_it_is_not():
    assert effect_and_p(1.0, 0.9996) == "1, p = 1"
    assert effect_and_p(-0.01234, 0.994) == "-0.0123, p = 0.99"
    assert effect_and_p(float("nan"), 0.5) == "no number"
    assert effect_and_p(0.5, float("nan")) == "0.5"


def test_each_network_stands_in_the_column_of_its_verdict():
    claims = [
        Claim("a", "L1", "fails", "0 of 5"),
        Claim("a", "BIMT", "holds", "4 of 5"),
        Claim("a", "L1 + swap", "holds", "5 of 5"),
        Claim("b", "L1", "undecided", "2 of 5"),
    ]
    table = by_verdict(claims_table(claims))
    assert table.claim.tolist() == ["a", "b"]
    assert table.holds.tolist() == ["BIMT (4 of 5); L1 + swap (5 of 5)", ""]
    assert table.undecided.tolist() == ["", "L1 (2 of 5)"]
    assert table.fails.tolist() == ["L1 (0 of 5)", ""]
    assert by_verdict(claims_table([])).empty


def test_a_pair_is_turned_to_how_the_claim_names_it():
    rows = pd.DataFrame(
        {"method": m, "label": m.upper(), "seed": s, "z": z + 0.1 * s, "of": "x"}
        for m, z in (("a", 1.0), ("b", 3.0), ("c", 0.0))
        for s in (1, 2, 3)
    )
    rows.loc[0, "z"] += 0.3
    tests = compare(rows, "z", within={"of": "of"})
    (forth, words), (back, said) = planned(tests, [("a", "b"), ("b", "a")], rows)
    assert (words, said) == ("A against B", "B against A")
    assert forth["difference"] == pytest.approx(-1.9)
    assert back["difference"] == -forth["difference"]
    assert (back["low"], back["high"]) == (-forth["high"], -forth["low"])
    assert back["p"] == forth["p"]
    assert not list(planned(tests, [("a", "unknown")], rows))
