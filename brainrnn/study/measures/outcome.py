"""What became of networks of any kind: accuracy, sparsity, wiring, modularity, also pruned."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pandas as pd
from pydantic import Field

from brainrnn.config import Count
from brainrnn.streams import Stream, generator
from brainrnn.study.answers import Answer
from brainrnn.study.drawings.outcome import dots_by_setting, pruning_curves
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.outcomes import QUANTITIES, member_settings, outcome
from brainrnn.study.pruning import prune
from brainrnn.study.report.tables import mean_sd, summarise
from brainrnn.study.subject import Subject


class OutcomeMeasure(Measure):
    """What every network gets right and with how much wiring, whole and pruned.

    It asks any network: recurrent, perceptron, transformer; and all that train side by side.
    """

    asks: ClassVar[Literal["recurrent", "any"]] = "any"

    kind: Literal["outcome"] = "outcome"
    trials: Count = Field(
        200, description="held-out trials per task, where they are drawn, not fixed"
    )
    modularity: bool = Field(
        True,
        description="whether to find Newman's modularity, which takes minutes for a network of "
        "100,000 connections",
    )
    pruned: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (), description="fractions of the connections to be without, weakest first"
    )

    def answer(self, subject: Subject) -> Answer:
        """An item for every network side by side, whole and at each fraction it is pruned to."""
        lean = subject.net.select(*range(subject.net.members))
        told = member_settings(subject.cell.experiment)
        told.insert(0, "member", range(len(told)))
        tables = []
        for fraction in (None, *sorted(self.pruned)):
            if fraction is not None:
                prune(lean, fraction)
            # The same trials for every fraction, so that they differ by the pruning alone.
            table = outcome(
                lean,
                subject.suite,
                trials=self.trials,
                rng=generator(subject.seed, Stream.OUTCOME_TRIALS),
                modularity=self.modularity and fraction is None,
            )
            table.insert(0, "pruned", 0.0 if fraction is None else fraction)
            tables.append(pd.concat([told, table], axis=1))
        return Answer(pd.concat(tables, ignore_index=True), {"ceiling": subject.ceiling})

    def findings(self, rows: pd.DataFrame) -> Findings:
        """Means of each setting, over seeds and starts; and what pruning does to accuracy."""
        settings = [key for key in map(str, rows) if _is_setting(key) and rows[key].nunique() > 1]
        rows = rows.assign(**{key: rows[key].fillna("-") for key in settings})
        by = [*(["label"] if rows.label.nunique() > 1 or not settings else []), *settings]
        known = {name: words for name, words in QUANTITIES.items() if rows[name].notna().any()}
        whole = rows[rows.pruned == 0]
        found = Findings()
        found.tables["Each setting"] = summarise(
            whole,
            {name: "method" if name == "label" else name for name in by},
            lambda group: (
                {"networks": len(group)}
                | {words: _mean_sd(group[name]) for name, words in known.items()}
            ),
        )
        found.figures["outcome"] = dots_by_setting(whole, by, known)
        if self.pruned:
            quantity = "accuracy" if "accuracy" in known else "loss"
            pruned = {name: known[name] for name in (quantity, "wiring_length")}
            found.tables["Pruned"] = summarise(
                rows,
                {name: name for name in (*by, "pruned")},
                lambda group: {words: _mean_sd(group[name]) for name, words in pruned.items()},
            )
            found.figures["pruned"] = pruning_curves(rows, by, quantity)
        found.tables["Every network"] = rows.drop(columns="method").dropna(axis=1, how="all")
        return found


def _is_setting(column: str) -> bool:
    """Whether it is swept over networks, or tells those apart that train side by side."""
    return "." in column or column in ("strength", "locality", "swap_locality", "perturbation")


def _mean_sd(values: pd.Series) -> str:
    """Mean ± standard deviation with as many digits as the numbers need."""
    small = 0 < values.abs().max() < 0.1
    return f"{values.mean():.2e} ± {values.std():.1e}" if small else mean_sd(values)
