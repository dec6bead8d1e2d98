"""What does wiring buy? Accuracy against sparsity and against wiring length."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pandas as pd
from pydantic import Field

from brainrnn.analysis import accuracy
from brainrnn.config import Count, Positive
from brainrnn.streams import Stream, generator
from brainrnn.study.answers import Answer
from brainrnn.study.claims import tradeoff as claims
from brainrnn.study.drawings.tradeoff import accuracy_and_cost
from brainrnn.study.fronts import at_equal
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.pruning import absence, connections, prune
from brainrnn.study.subject import Subject
from brainrnn.study.tables import tradeoff as tables
from brainrnn.study.wiring import wiring_length


class TradeOffMeasure(Measure):
    """Every network as trained, and with its weakest recurrent weights taken away."""

    held: ClassVar[tuple[str, ...]] = ("trials",)
    kind: Literal["tradeoff"] = "tradeoff"
    pruned: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995),
        description="fractions of recurrent weights to be without, weakest first, where a network "
        "has more than that",
    )
    lengths: tuple[Positive, ...] = Field(
        (10.0, 30.0, 100.0, 300.0), description="wiring lengths to compare methods at"
    )
    trials: Count = Field(200, description="trials per task to measure accuracy in")

    def answer(self, subject: Subject) -> Answer:
        """An item for the network as it is, and one for each fraction it is pruned to."""
        net = subject.net
        absent = absence(net)
        rows = []
        for target in (None, *(f for f in self.pruned if f > absent)):
            lean = net.select(0)
            if target is not None:
                prune(lean, target)
            total, mean = wiring_length(lean)
            # The same trials for every fraction, so that they differ by the pruning alone.
            rng = generator(subject.seed, Stream.PRUNED_TRIALS)
            score = accuracy(lean, subject.suite, trials=self.trials, rng=rng)
            rows.append(
                {
                    "pruned": target is not None,
                    "absent": absent if target is None else target,
                    "connections": connections(lean),
                    "wiring_length": float(total[0]),
                    "mean_length": float(mean[0]),
                    "accuracy": float(score.mean()),
                }
            )
        return Answer(pd.DataFrame(rows), {"ceiling": subject.ceiling})

    def findings(self, rows: pd.DataFrame) -> Findings:
        """Fronts of each method, and methods compared at equal sparsity."""
        found = Findings()
        matched = at_equal(rows, "absent", self.pruned)
        short = at_equal(rows, "wiring_length", self.lengths)
        compared, shorter = tables.compared(matched), tables.compared(short)
        found.tables["Pareto fronts"] = tables.fronts(rows)
        found.tables["Accuracy at equal sparsity"] = tables.wide(matched, "{:.1%} absent")
        found.tables["Methods at equal sparsity, paired by seed"] = compared
        found.tables["Accuracy at equal wiring length"] = tables.wide(short, "at most {:g}")
        found.tables["Methods at equal wiring length, paired by seed"] = shorter
        found.tables["Every network"] = rows.drop(columns=["method"])
        found.figures["tradeoff"] = accuracy_and_cost(rows)
        found.claims = [
            *claims.more_accurate(claims.PRUNED, compared, self.pairs, rows),
            *claims.more_accurate(claims.SHORT, shorter, self.pairs, rows),
        ]
        return found
