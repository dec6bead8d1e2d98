"""The report of all experiments, and what it says of structures and of the order of methods."""

from itertools import pairwise

import pytest

from paper_mlp.experiments import EXPERIMENTS
from paper_mlp.report import modularity_order, structure_rates
from tests.paper_mlp.small import measured


def test_structures_are_rates_by_method():
    outcome = measured(
        EXPERIMENTS["fig6"],
        **{
            "method": ["l1"] * 4 + ["bimt"] * 2,
            "nine active dimensions": [True, False, False, False, True, True],
            "sign neuron": [False] * 6,
        },
    )
    rates = structure_rates([outcome])
    assert rates.rate.tolist() == [0.25, 1.0, 0.0, 0.0]
    assert rates.networks.tolist() == [4, 2, 4, 2]
    assert rates.method.tolist() == ["l1", "bimt"] * 2
    assert rates.structure.tolist() == ["nine active dimensions"] * 2 + ["sign neuron"] * 2


@pytest.mark.parametrize(
    ("name", "modularity", "expected"),
    [
        ("fig3a", {"vanilla": 0.1, "l1": 0.5, "bimt": 0.6}, ["holds", "holds"]),
        ("fig3a", {"vanilla": 0.6, "l1": 0.5, "bimt": 0.4}, ["does NOT hold", "does NOT hold"]),
        ("fig3a", {"l1": 0.5, "bimt": 0.6}, ["holds"]),
        ("fig3a", {"vanilla": 0.5, "bimt": 0.6}, []),
        # The paper's L1 (0.289) stands below its vanilla (0.291).
        ("fig4", {"vanilla": 0.1, "l1": 0.2}, ["is not what the paper reports, but ours has it"]),
        ("fig4", {"vanilla": 0.2, "l1": 0.1}, ["is not what the paper reports, nor ours"]),
        ("fig2", {"vanilla": 0.1, "l1": 0.5, "bimt": 0.6}, []),
    ],
)
def test_the_order_of_methods_is_judged_where_the_paper_has_one(name, modularity, expected):
    doubled = {method: [q - 0.01, q + 0.01] for method, q in modularity.items()}
    outcome = measured(
        EXPERIMENTS[name],
        method=[method for method in doubled for _ in range(2)],
        modularity=[q for values in doubled.values() for q in values],
    )
    lines = modularity_order([outcome])
    assert len(lines) == len(expected)
    for line, words, (low, high) in zip(
        lines, expected, pairwise(modularity.values()), strict=bool(lines)
    ):
        assert line.endswith(f" {words} ({high:.3f}, {low:.3f})")
