"""What is claimed of robustness: whether sparser networks withstand less, and which methods do."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from brainrnn.study.report.claims import Claim, by_test
from brainrnn.study.report.comparisons import Planned
from brainrnn.study.tolerance import DAMAGES, VARIANTS


def notes(pruned: float, least: float) -> list[str]:
    """What a reader of the tables must know."""
    return [
        f"At matched sparsity {pruned:.0%} of the recurrent weights are absent. Networks "
        "that are sparser as trained are not compared there, and neither are those that no "
        f"longer reach {least:.0%} of the best possible accuracy.",
        "A rank correlation is one number for each seed, over its networks; the seeds are the "
        "sample.",
    ]


def sparsity(tests: pd.DataFrame) -> Iterator[Claim]:
    """Whether sparser networks withstand less."""
    for row in tests.to_dict("records"):
        of = "all networks" if row["networks"] == "all" else "networks of methods with a sweep"
        claim = f"Within a seed, sparser networks withstand less {DAMAGES[row['damage']]}."
        yield by_test(claim, of, row, effect="mean rho of a seed", more=False)


def between(tests: Planned) -> Iterator[Claim]:
    """Whether one method withstands less than another at the same setting, where both can say."""
    for test, words in (asked for asked in tests if asked[0]["n"]):
        damage, variant = DAMAGES[test["damage"]], VARIANTS[test["networks"]]
        yield by_test(f"The first withstands less {damage}, {variant}.", words, test, more=False)
