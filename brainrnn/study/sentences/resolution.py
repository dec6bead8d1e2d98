"""What is said of a change of resolution: what it costs, and what becomes of the map."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from brainrnn.study.findings.words import count, each
from brainrnn.study.resizing import CHANGES
from brainrnn.study.stages import CONTROLS, beyond_chance

_IN_FULL = dict(
    zip(CONTROLS, ("as many steps from scratch", "the network as it was, trained on"), strict=True)
)


def _changed(stages: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Networks of each method and change, without the controls."""
    for (label, change), group in stages.groupby(["label", "change"], sort=False):
        if change not in CONTROLS:
            yield str(label), str(change), group


def cost(stages: pd.DataFrame, compared: pd.DataFrame) -> Iterator[str]:
    """Accuracy through the stages, and in the end against both controls."""
    tests = compared[compared.when == "trained on"]
    tests = tests.assign(control=tests.against.map(_IN_FULL))
    for label, change, group in _changed(stages):
        own = tests[(tests.method == label) & (tests.network == change) & tests.control.notna()]
        against = each(own, "{difference:+.3f} against {control} (p = {p_controlled:.2g})")
        yield (
            f"**{label}**, {change}: accuracy {group.accuracy_before.mean():.3f} "
            f"before, {group.accuracy_after.mean():.3f} right after, "
            f"{group.accuracy_trained.mean():.3f} after training on: {'; '.join(against)}."
        )


def maps(stages: pd.DataFrame) -> Iterator[str]:
    """In how many networks the map is beyond chance, stage by stage."""
    for label, networks in stages.groupby("label", sort=False):
        before = beyond_chance(networks[networks.change == CHANGES["kept"]], "before")
        parts = [
            f"{change}, in {beyond_chance(group, 'after').sum()} right after"
            + " (by construction: copies lie side by side)" * (change == CHANGES["refined"])
            + f" and {beyond_chance(group, 'trained').sum()} after training on"
            for _, change, group in _changed(networks)
        ]
        yield (
            f"**{label}**: the map is beyond chance by both measures (p < 0.05) in "
            f"{count(before)} networks before; {'; '.join(parts)}."
        )
