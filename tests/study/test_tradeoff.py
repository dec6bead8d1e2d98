"""Accuracy against sparsity and wiring length: lengths, fronts, equal sparsity."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import brainrnn as br
from brainrnn.study.fronts import at_equal, front
from brainrnn.study.measures.tradeoff import TradeOffMeasure
from brainrnn.study.subject import rearrange
from brainrnn.study.wiring import wiring_length
from tasks import cog20
from tests.study.small import verdicts


@pytest.fixture
def net():
    return br.RNN.for_suite(cog20(names=["go", "dm1"]), sites=br.grid(4, 3), members=2, seed=5)


def test_wiring_length_is_a_sum_over_pairs(net):
    br.relocate(net, br.CostSpec(strength=1.0, locality=1.0), br.SwapSpec())
    total, mean = wiring_length(net)
    for m in range(2):
        place = net.anatomy.positions("hidden")[m].numpy()
        weight = net.w_rec[m].detach().abs().numpy()
        length = sum(
            weight[i, j] * np.linalg.norm(place[i] - place[j]) for i in range(12) for j in range(12)
        )
        others = weight.sum() - np.trace(weight)
        assert float(total[m]) == pytest.approx(length)
        assert float(mean[m]) == pytest.approx(length / others)


@pytest.mark.parametrize("algorithm", ["descent", "assignment"])
def test_rearranging_keeps_the_function_and_shortens_the_wiring(net, algorithm):
    trials = cog20(names=["go", "dm1"]).sample(4, np.random.default_rng(0))
    before, long = net.respond(trials).detach(), wiring_length(net)[0]
    rearrange(net, algorithm)
    assert torch.equal(net.respond(trials), before)
    assert bool((wiring_length(net)[0] < long).all())


def test_at_equal_sparsity_the_best_network_that_is_sparse_enough_counts():
    rows = pd.DataFrame(
        {
            "label": ["a", "a", "a", "b"],
            "seed": [1, 1, 1, 1],
            "absent": [0.2, 0.9, 0.95, 0.5],
            "accuracy": [0.9, 0.6, 0.7, 0.8],
        }
    )
    found = at_equal(rows, "absent", (0.5, 0.9, 0.99))
    assert found.to_dict("records") == [
        {"label": "a", "seed": 1, "level": 0.5, "accuracy": 0.7},
        {"label": "a", "seed": 1, "level": 0.9, "accuracy": 0.7},
        {"label": "b", "seed": 1, "level": 0.5, "accuracy": 0.8},
    ]
    rows["wiring_length"] = [100.0, 30.0, 20.0, 30.0]
    found = at_equal(rows, "wiring_length", (10.0, 30.0))
    assert found.to_dict("records") == [
        {"label": "a", "seed": 1, "level": 30.0, "accuracy": 0.7},
        {"label": "b", "seed": 1, "level": 30.0, "accuracy": 0.8},
    ]


def test_findings_compare_methods_at_equal_sparsity():
    levels = (0.8, 0.9)
    rows = pd.DataFrame(
        [
            {
                "method": name,
                "label": name.upper(),
                "seed": seed,
                "pruned": level > 0.8,
                "absent": level,
                "connections": 10,
                "wiring_length": 1 - level,
                "mean_length": 0.3,
                "accuracy": 0.9 - 0.1 * (name == "none") * (level > 0.8) - 0.001 * seed,
                "ceiling": 0.98,
            }
            for name in ("none", "bimt")
            for seed in (1, 2, 3)
            for level in levels
        ]
    )
    found = TradeOffMeasure(pruned=levels, pairs=(("bimt", "none"),)).findings(rows)
    table = found.tables["Accuracy at equal sparsity"].set_index("method")
    assert table.loc["NONE", "90.0% absent"] == "0.798"
    assert table.loc["BIMT", "90.0% absent"] == "0.898"
    said = verdicts(found)
    claim = (
        "With at least 90.0% of the recurrent weights absent, trained so or pruned, the first is "
    )
    claim += "more accurate."
    assert said[claim, "BIMT against NONE"] == "undecided"  # no spread, no test
    fronts = found.tables["Pareto fronts"].set_index(["method", "networks"])
    # All are as accurate as each other but none's pruned ones, so that the sparsest is the best.
    assert fronts.index.tolist() == [
        ("NONE", "as trained"),
        ("NONE", "pruned to 90.0% absent"),
        ("BIMT", "pruned to 90.0% absent"),
    ]
    assert fronts["own front, sparsity"].tolist() == ["3 of 3"] * 3
    assert fronts["common front, wiring"].tolist() == ["0 of 3", "0 of 3", "3 of 3"]
    assert set(found.figures) == {"tradeoff"}
    # The same networks under another name are not asked again.
    copy = rows[rows.method == "bimt"].assign(method="placed", label="PLACED")
    again = TradeOffMeasure(pruned=levels).findings(pd.concat([rows, copy], ignore_index=True))
    name = "Methods at equal sparsity, paired by seed"
    pd.testing.assert_frame_equal(again.tables[name], found.tables[name])
    # A level that one of three seeds reaches is not ranked.
    few = TradeOffMeasure(pruned=levels).findings(rows.drop(index=rows.index[[1, 3]]))
    assert (
        few.tables["Accuracy at equal sparsity"].set_index("method").loc["NONE", "90.0% absent"]
        == "0.797 (1 of 3)"
    )


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=40))
def test_front_is_what_no_point_beats(points):
    cost, gain = np.array(points, float).T
    beaten = [any((c <= a and g > b) or (c < a and g >= b) for c, g in points) for a, b in points]
    assert front(cost, gain).tolist() == [not one for one in beaten]
