"""What is said of robustness: who is robust, whether sparse networks are, who is not compared."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from brainrnn.study.findings.words import ranking
from brainrnn.study.tolerance import DAMAGES, VARIANTS


def methods(under: pd.DataFrame, compared: pd.DataFrame) -> Iterator[str]:
    """Methods by how robust they are, and which of those that compare differ."""
    for (variant, damage), group in under.groupby(["variant", "damage"], sort=False):
        mean = group.groupby("label").robustness.mean()
        line = f"Robustness to {DAMAGES[str(damage)]}, {VARIANTS[str(variant)]}: "
        line += ranking(mean, "none to tell")
        if len(compared):
            here = compared[(compared.networks == variant) & (compared.damage == damage)]
            beyond = here[here.p_controlled < 0.05]
            pairs = "; ".join(beyond.method + " and " + beyond.against)
            line += (
                f". Of {here.p_controlled.notna().sum()} pairs of methods at the same setting, "
                f"{len(beyond)} differ (controlled p < 0.05{': ' if pairs else ''}{pairs})"
            )
        yield f"{line}."


def sparsity(table: pd.DataFrame) -> Iterator[str]:
    """Whether sparser networks are more robust, or less, within a seed and over all of them."""
    for row in table.to_dict("records"):
        rho, p, seeds = row["mean rho of a seed"], row["p_controlled"], row["seeds"]
        side = f"are {'more' if rho > 0 else 'less'} robust"
        test = f"p = {p:.2g} over {seeds} seeds, controlled"
        if np.isnan(p):  # rank correlations of few networks are easily all alike
            test = f"alike in {seeds} seeds" if seeds > 1 else "one seed, no test"
        elif p >= 0.05:
            side = "are neither more nor less robust beyond chance"
        among = "" if row["networks"] == "all" else " of methods with a sweep"
        yield (
            f"Under {DAMAGES[row['damage']]}, sparser networks{among} {side}: Spearman {rho:.2f} "
            f"within a seed ({test}), {row['rho']:.2f} over all {row['n']} of them."
        )


def not_compared(under: pd.DataFrame, pruned: float) -> Iterator[str]:
    """Who is left out at matched sparsity: sparser as trained, or no longer able once pruned."""
    matched = under[(under.variant == "matched") & (under.damage == "loss")]
    for label, group in matched.groupby("label", sort=False):
        above = group.absent > pruned + 1e-9
        unable, sparser = int((group.robustness.isna() & ~above).sum()), int(above.sum())
        unmatched = "are not compared at matched sparsity."
        if unable:
            yield (
                f"{label}: with {pruned:.0%} of the recurrent weights absent, {unable} of "
                f"{len(group)} networks no longer perform (accuracy "
                f"{group.undamaged.mean():.3f}) and {unmatched}"
            )
        if sparser:
            yield (
                f"{label}: {sparser} of {len(group)} networks are sparser than {pruned:.0%} as "
                f"trained (mean {group.absent.mean():.1%} absent) and {unmatched}"
            )
