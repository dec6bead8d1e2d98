"""Sentences say the numbers that they are given."""

import pandas as pd

from brainrnn.study.findings.words import count, listed, ranking


def test_the_largest_comes_first_and_what_is_not_known_is_left_out():
    values = pd.Series({"a": 0.1, "b": float("nan"), "c": 0.9})
    assert ranking(values) == "c 0.900, a 0.100"
    assert ranking(values[["b"]], "none to tell") == "none to tell"
    assert listed(values.dropna(), 1) == "a 0.1, c 0.9"


def test_counts():
    assert count(pd.Series([True, False, True])) == "2 of 3"
    assert count(pd.Series([], dtype=bool)) == "0 of 0"
