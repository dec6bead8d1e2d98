"""What do networks withstand? Noise on inputs, units and weights, and the loss of neurons."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from brainrnn.config import Count, Positive
from brainrnn.memory import require_memory
from brainrnn.study.answers import Answer
from brainrnn.study.claims import robustness as claims
from brainrnn.study.disturbance import disturbed
from brainrnn.study.drawings.robustness import accuracy_curves, against_presence
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.pruning import absence, prune
from brainrnn.study.report.comparisons import planned
from brainrnn.study.report.settings import name_settings
from brainrnn.study.report.tables import spread, summarise
from brainrnn.study.subject import Cell, Subject
from brainrnn.study.tables import robustness as tables
from brainrnn.study.tolerance import (
    DAMAGES,
    NETWORK,
    against_sparsity,
    between_methods,
    curves,
    robustness,
)

Levels = tuple[Positive, ...]


class RobustnessMeasure(Measure):
    """Accuracy of every network at rising levels of four kinds of damage, without retraining.

    *Inputs*: Gaussian noise on every input channel at every step. *Units*: private noise inside
    every unit's activation, sqrt(2 / alpha) sigma N(0, 1) (as in training with noise; Yang et al.
    2019), sigma in units of the network's own rms state, for networks may differ in how active
    they are. *Weights*: Gaussian noise on every weight that is there, of inputs, recurrence and
    readout, in units of the rms of those weights of the same matrix: what is absent stays absent.
    *Loss*: random active neurons held at 0.

    A network's *robustness* to one of them is the area under its accuracy, as a fraction of the
    undamaged one, over levels from 0 to the highest, divided by the highest level: 1 is unharmed.

    Methods differ in how sparse their networks are. So each network is tested as trained, and once
    more *at matched sparsity*: with its weakest recurrent weights taken away until ``pruned`` of
    them are absent. A network that is sparser as trained stays as it is, and is not compared there.
    """

    dense: ClassVar[bool] = True
    held: ClassVar[tuple[str, ...]] = ("trials",)
    kind: Literal["robustness"] = "robustness"
    inputs: Levels = Field(
        (0.1, 0.2, 0.3, 0.4), min_length=1, description="sd of noise on each input"
    )
    units: Levels = Field(
        (0.02, 0.05, 0.1, 0.15, 0.2),
        min_length=1,
        description="sigma of private noise, in units of the rms state of active neurons",
    )
    weights: Levels = Field(
        (0.05, 0.1, 0.15, 0.2, 0.3),
        min_length=1,
        description="sd of noise on present weights, in units of their rms",
    )
    loss: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        (0.02, 0.05, 0.1, 0.15, 0.2),
        min_length=1,
        description="fractions of active neurons to lose",
    )
    draws: Count = Field(8, description="draws of noise, or of lost neurons, for each level")
    trials: Count = Field(20, description="trials per task, the same for every level and draw")
    pruned: float = Field(
        0.97, gt=0, lt=1, description="fraction of recurrent weights absent at matched sparsity"
    )
    least: float = Field(
        0.9,
        ge=0,
        le=1,
        description="undamaged accuracy, as a share of the best possible, below which a network "
        "has no robustness to compare",
    )

    def check_one(self, cell: Cell, suite: Any) -> None:
        """Its scores, of every task, must fit into memory."""
        runs = self.draws * sum(len(getattr(self, damage)) for damage in DAMAGES)
        needed = 8 * runs * len(suite.names)
        require_memory(needed, f"scores of {runs:,} disturbances", "lower measure.draws")

    def answer(self, subject: Subject) -> Answer:
        """An item for every variant, damage, level and draw; one of level 0 for the undamaged."""
        suite, trained, absent = subject.suite, subject.net, absence(subject.net)
        levels = {name: getattr(self, name) for name in DAMAGES}
        disturb = partial(
            disturbed,
            suite=suite,
            levels=levels,
            draws=self.draws,
            trials=self.trials,
            spec=subject.cell.experiment.analysis,
            seed=subject.seed,
        )
        rows = disturb(trained).assign(variant="as trained", absent=absent)
        matched = rows
        if absent < self.pruned:
            lean = trained.select(0)
            prune(lean, self.pruned)
            matched = disturb(lean).assign(absent=self.pruned)
        rows = pd.concat([rows, matched.assign(variant="matched")], ignore_index=True)
        first = ["variant", "absent", "damage", "level", "draw", "accuracy"]
        rows = rows[[*first, *(column for column in rows if column not in first)]]
        return Answer(rows, {"ceiling": subject.ceiling})

    def findings(self, rows: pd.DataFrame) -> Findings:
        """Robustness of each method, at its own and at matched sparsity, and against sparsity."""
        names = dict(zip(rows.method, rows.label, strict=True))
        rows = name_settings(rows)
        curve = curves(rows)
        under = robustness(curve, self.least)
        sparser = (under.variant == "matched") & (under.absent > self.pruned + 1e-9)
        under.loc[sparser, "robustness"] = np.nan
        settings = rows.set_index("label")[[c for c in rows.columns if "." in c]]
        settings = settings[~settings.index.duplicated()]
        compared, sparsity = between_methods(under, settings), against_sparsity(under, settings)
        found = Findings()
        found.tables["Each method"] = summarise(
            under, {"label": "method", "variant": "networks"}, tables.describe
        ).sort_values("networks", kind="stable")
        found.tables["Between methods, paired by seed"] = compared
        found.tables["Robustness and sparsity"] = sparsity
        found.tables["Each task, as trained"] = summarise(
            curve[curve.variant == "as trained"],
            {"label": "method", "damage": "damage"},
            tables.each_task,
        )
        network = [*NETWORK[1:], "absent", "undamaged"]
        found.tables["Each network"] = spread(under, network, "damage", "robustness")
        found.claims = [
            *claims.sparsity(sparsity),
            *claims.between(planned(compared, self.pairs, rows)),
        ]
        found.notes = claims.notes(self.pruned, self.least)
        found.figures["curves"] = accuracy_curves(curve, self.pruned)
        found.figures["sparsity"] = against_presence(under[under.variant == "as trained"], names)
        return found
