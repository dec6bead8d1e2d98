"""What is claimed of lesions: whether they are more specific than those of random neurons."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from brainrnn.study.report.claims import Claim, by_test
from brainrnn.study.specificity import NULLS, STATISTICS


def beside_random_sets(over: pd.DataFrame) -> Iterator[Claim]:
    """Whether lesions are more specific than random sets; those of modules alone in the table."""
    if over.empty:
        return
    for row in over[over["random sets"] != NULLS["matched"]].to_dict("records"):
        claim = (
            f"Lesion of a {row['lesion']}: {STATISTICS[row['statistic']]} exceeds that of random "
            f"sets {row['random sets']}."
        )
        yield by_test(claim, row["method"], row, effect="excess", one_sided=True)
