"""Tables in the order of the rows that they are made of."""

import pandas as pd
import pytest

from brainrnn.study.report.tables import mean_sd, median_range, spread, summarise

ROWS = pd.DataFrame(
    {
        "label": ["z", "z", "a", "a"],
        "seed": [2, 1, 2, 1],
        "p": [0.5, 0.1, 0.2, 0.3],
        "x": [1.0, 2.0, 3.0, 4.0],
    }
)


def test_a_group_is_a_row_in_the_order_of_the_rows():
    table = summarise(ROWS, {"label": "method"}, lambda group: {"sum": group.x.sum()})
    assert table.to_dict("list") == {"method": ["z", "a"], "sum": [3.0, 7.0]}
    both = summarise(ROWS, {"seed": "seed", "label": "method"}, lambda group: {"n": len(group)})
    assert list(both.seed) == [2, 1, 2, 1]
    assert list(both.columns) == ["seed", "method", "n"]


def test_spread_sorts_nothing():
    wide = spread(ROWS, ["seed"], "label", "p")
    assert list(wide.columns) == ["seed", "z", "a"]
    assert wide.to_dict("list") == {"seed": [2, 1], "z": [0.5, 0.1], "a": [0.2, 0.3]}
    two = spread(ROWS, ["seed"], "label", ["p", "x"]).set_index("seed")
    assert two.loc[1].to_dict() == {"p a": 0.3, "p z": 0.1, "x a": 4.0, "x z": 2.0}


def test_what_is_not_there_is_nan():
    wide = spread(ROWS.iloc[:3], ["seed"], "label", "p").set_index("seed")
    assert pd.isna(wide.a[1])


def test_cells():
    assert mean_sd(pd.Series([float("nan")])) == "-"
    assert mean_sd(pd.Series([2.0])) == "2.000"
    assert mean_sd(pd.Series([1.0, 3.0]), 1) == f"2.0 ± {2**0.5:.1f}"
    assert median_range(pd.Series([5.0, -1.0, 2.0])) == "2.0 (-1.0 to 5.0)"


def test_a_name_that_is_twice_in_a_row_is_refused():
    with pytest.raises(ValueError, match="duplicate"):
        spread(ROWS.assign(one=1), ["one"], "label", "p")
