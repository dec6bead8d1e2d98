"""What is claimed of new tasks: how many are learned, how fast, and what is forgotten."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from brainrnn.study.plasticity import CONDITIONS
from brainrnn.study.report.claims import LEVEL, Claim, Verdict, by_share, by_test, effect_and_p
from brainrnn.study.report.comparisons import Planned
from brainrnn.study.report.inference import correlation_inside
from brainrnn.study.slowness import ASKED

_SHARE = 0.9  # of new tasks, over networks
_LESS = {"slowness": "learns faster", "forgetting": "forgets less"}
NOTES = [
    "Slowness is the share of all learnings of the same task, by any network in any condition, "
    "that took fewer steps.",
    "Where only a module is free, methods differ in how many neurons it has, so a module compares "
    "with as many random neurons of its network.",
]


def learned(rows: pd.DataFrame) -> Iterator[Claim]:
    """Whether each method's networks learn the new tasks at all."""
    for (condition, label), group in rows.groupby(["condition", "label"], sort=False):
        claim = f"With {condition}, at least {_SHARE:.0%} of new tasks are learned."
        yield by_share(claim, str(label), group.reached, share=_SHARE)


def conditions(tests: pd.DataFrame) -> Iterator[Claim]:
    """What a module is worth beside random neurons, and training before beside none."""
    for row in tests.to_dict("records"):
        if (row["condition"], row["against"]) in ASKED:
            claim = f"{row['condition']} {_LESS[row['quantity']]} than {row['against']}."
            yield by_test(claim[0].upper() + claim[1:], row["method"], row, more=False)


def between(tests: Planned) -> Iterator[Claim]:
    """Which method learns faster, and which forgets less."""
    for test, words in tests:
        claim = f"With {test['condition']}, the first {_LESS[test['quantity']]} than the second."
        yield by_test(claim, words, test, more=False)


def known(networks: pd.DataFrame) -> Iterator[Claim]:
    """Whether how accurate a network is says how quickly it learns."""
    first = networks[networks.condition == CONDITIONS["all"]]
    r, p = correlation_inside(first.old_before, first.slowness, first.label)
    verdict: Verdict = "holds" if r < 0 and p < LEVEL else "fails" if p < LEVEL else "undecided"
    claim = "Among networks of one method, those more accurate in known tasks learn faster."
    yield Claim(claim, f"n = {len(first)}", verdict, f"r = {effect_and_p(r, p)}")
