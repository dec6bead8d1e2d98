"""What is claimed of a change of resolution: what it costs, and whether the map stays."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from brainrnn.study.report.claims import Claim, by_share, by_test
from brainrnn.study.stages import CONTROLS, STAGES, beyond_chance

_SHARE = 0.8  # of networks, for a claim about the map
NOTES = [
    f"A claim about maps holds if it is true of {_SHARE:.0%} of networks. Right after a refinement "
    "it holds by construction: the parts of a divided neuron lie side by side and do the same."
]


def costs(tests: pd.DataFrame) -> Iterator[Claim]:
    """What a change costs in the end, beside both controls, and right after, beside chance."""
    for row in tests.to_dict("records"):
        claim = f"{row['network']}, {row['when']}: less accurate than {row['against']}."
        yield by_test(claim.capitalize(), row["method"], row, more=False)


def kept(stages: pd.DataFrame) -> Iterator[Claim]:
    """Whether the map is there after a change, and after training on."""
    changed = stages[~stages.change.isin(CONTROLS)]
    for change, group in changed.groupby("change", sort=False):
        for stage in ("after", "trained"):
            for label, networks in group.groupby("label", sort=False):
                claim = f"{change}, {STAGES[stage]}: both measures of the map are at p < 0.05."
                there = beyond_chance(networks, stage)
                yield by_share(claim.capitalize(), str(label), there, share=_SHARE)
