"""What is claimed of the trade-off: which method is more accurate at the same cost."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from brainrnn.study.report.claims import Claim, by_test
from brainrnn.study.report.comparisons import planned

PRUNED = "With at least {:.1%} of the recurrent weights absent, trained so or pruned"
SHORT = "With a wiring length of at most {:g}"


def more_accurate(
    when: str, tests: pd.DataFrame, pairs: tuple[tuple[str, str], ...], rows: pd.DataFrame
) -> Iterator[Claim]:
    """Which method is more accurate at the same cost, level by level."""
    for _, level in tests.groupby("level"):
        for test, networks in planned(level, pairs, rows):
            claim = f"{when.format(test['level'])}, the first is more accurate."
            yield by_test(claim, networks, test)
