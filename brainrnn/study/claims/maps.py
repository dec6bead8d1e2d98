"""What is claimed of maps: beyond chance, at full accuracy, and more so than in other methods."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from brainrnn.analysis.map_statistics import MEASURES
from brainrnn.analysis.space.lengths import MODELS
from brainrnn.study.report.claims import LEVEL, Claim, by_share, by_test
from brainrnn.study.report.comparisons import Planned


def each_method(
    rows: pd.DataFrame, over: pd.DataFrame, *, level: float, share: float, accuracy_share: float
) -> Iterator[Claim]:
    """What is asked of each method by itself: a map, accuracy, and how lengths fall off."""
    has_map = (
        f"Both measures are beyond chance (p < {level:g}) in at least {share:.0%} of networks."
    )
    able = (
        f"At least {share:.0%} of networks reach {accuracy_share:.0%} of the best "
        "possible accuracy."
    )
    for label, group in rows.groupby("label", sort=False):
        p = group.pivot(index="seed", columns="statistic", values="p")[list(MEASURES)]
        networks = group.groupby("seed").first()
        reached = networks.accuracy / networks.ceiling
        yield by_share(
            has_map,
            str(label),
            (p < level).all(axis=1),
            no=(p >= LEVEL).all(axis=1),
            share=share,
        )
        yield by_share(able, str(label), reached >= accuracy_share, share=share)
        better = pd.concat([rejected(networks, m) for m in MODELS if m != "power_law"], axis=1)
        fitted = networks.ratio_p_exponential.notna()
        yield by_share(
            "A power law of connection lengths is not rejected for another fall-off.",
            str(label),
            fitted & ~better.any(axis=1),
            no=better.any(axis=1),
            share=share,
        )
    for row in over.to_dict("records"):
        claim = f"Over networks, the {MEASURES[row['statistic']]} is below chance."
        yield by_test(claim, row["method"], row, effect="mean", more=False, one_sided=True)


def inside_modules(tests: pd.DataFrame) -> Iterator[Claim]:
    """What connectivity says of modules, wherever they lie."""
    if tests.empty:
        return
    for row in tests[tests.statistic == "within_module_weight"].to_dict("records"):
        claim = "Over networks, more weight than by chance is inside functional modules."
        yield by_test(claim, row["method"], row, effect="mean", one_sided=True)


def between(tests: Planned) -> Iterator[Claim]:
    """Whether one method's map is further beyond chance than another's, as z."""
    for test, words in tests:
        claim = f"The z of the {MEASURES[test['statistic']]} is lower in the first."
        yield by_test(claim, words, test, more=False)


def rejected(networks: pd.DataFrame, model: str) -> pd.Series:
    """In which networks a model is better than the power law."""
    return (networks[f"ratio_{model}"] < 0) & (networks[f"ratio_p_{model}"] < LEVEL)
