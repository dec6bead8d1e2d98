"""What is said of new tasks: what was known, what is learned, and which differences stand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from brainrnn.study.findings.words import count, each, listed
from brainrnn.study.inference import correlation_inside
from brainrnn.study.plasticity import CONDITIONS
from brainrnn.study.slowness import ASKED, medians

_HOW = {
    "slowness": ("learns more quickly", "learns more slowly"),
    "forgetting": ("forgets less", "forgets more"),
}


def known_before(rows: pd.DataFrame) -> str:
    """How far accuracies in the known tasks are matched, and whether that matters."""
    first = rows[rows.condition == CONDITIONS["all"]].groupby(["label", "seed"], sort=False)
    networks = first.agg({"old_before": "first", "slowness": "mean"}).reset_index("label")
    mean = networks.groupby("label", sort=False).old_before.mean()
    words = (
        f"Accuracy in the tasks known before learning (best possible "
        f"{rows.old_ceiling.mean():.3f}): {listed(mean)}; methods differ by {np.ptp(mean):.3f} at "
        "most"
    )
    r, p = correlation_inside(networks.old_before, networks.slowness, networks.label)
    if np.isfinite(r):
        link = "how accurate one is says nothing about how quickly it learns"
        if p < 0.05:
            how = "slowly" if r > 0 else "quickly"
            link = f"those that are more accurate learn new tasks more {how}"
        test = f"r = {r:.2f}, p = {p:.2g}, n = {len(networks)}"
        words += f". Among networks of one method, {link} ({test})"
    return words + "."


def free_neurons(networks: pd.DataFrame) -> str:
    """What methods differ in besides the method where only a module is free."""
    some = networks[networks.condition == CONDITIONS["module"]]
    return (
        f"Neurons of the module that is free: "
        f"{listed(some.groupby('label', sort=False).neurons.mean(), 0)}. Where sizes differ, "
        "methods differ there in how much may change, and a module compares with as many random "
        "neurons of its network."
    )


def learned(rows: pd.DataFrame) -> Iterator[str]:
    """How many new tasks each method's networks learn, in how many steps, and what they forget."""
    for label, group in rows.groupby("label", sort=False):
        parts = []
        for condition, one in group.groupby("condition", sort=False):
            forgotten = one.forgetting.mean()
            lost = "" if np.isnan(forgotten) else f", forgetting {forgotten:.3f}"
            parts.append(f"{condition} {count(one.reached)} ({medians(one)}){lost}")
        yield f"**{label}**, new tasks learned (median steps): {'; '.join(parts)}."


def methods(tests: pd.DataFrame) -> Iterator[str]:
    """Which differences between methods stand, and that the others do not."""
    if tests.empty:
        return
    stand = tests[tests.p_controlled < 0.05]
    more = zip(stand.quantity, stand.difference > 0, strict=True)
    yield from each(
        stand.assign(how=[_HOW[quantity][int(greater)] for quantity, greater in more]),
        "With {condition}, **{method}** {how} than **{against}** "
        "({difference:+.3f}, p = {p_controlled:.2g}, n = {n}).",
    )
    yield (
        f"{len(tests) - len(stand)} of {len(tests)} comparisons between methods show no "
        "difference (controlled p of at least 0.05)."
    )


def conditions(tests: pd.DataFrame) -> Iterator[str]:
    """What a module is worth beside random neurons, and training before beside none."""
    keys = ["method", "condition", "against"]
    for (label, one, other), group in tests.groupby(keys, sort=False):
        if (one, other) in ASKED:
            parts = each(group, "{quantity} {difference:+.3f} (p = {p_controlled:.2g})")
            yield f"**{label}**, {one} against {other}: {', '.join(parts)}, n = {group.n.max()}."
