"""Are lesions specific? Each module, and each region of space, silenced beside random neurons."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from brainrnn.config import Count
from brainrnn.memory import require_memory
from brainrnn.networks import RNNNetwork
from brainrnn.streams import Stream, generator
from brainrnn.study.answers import Answer
from brainrnn.study.claims import lesions as claims
from brainrnn.study.damage import damage, lesioned_scores
from brainrnn.study.drawings.lesions import against_severity, beside_random_sets, damage_maps
from brainrnn.study.lesion_sets import lesion_sets
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.report.settings import name_settings
from brainrnn.study.report.tables import summarise
from brainrnn.study.specificity import (
    AS_SEVERE,
    STAKE,
    against_chance,
    network_means,
    over_networks,
    profile,
)
from brainrnn.study.subject import Cell, Subject
from brainrnn.study.tables import lesions as tables

_NOTES = [
    "The p values of single lesions in the last table are not controlled for how many there are, "
    "and with so few random sets each cannot be small enough to be: networks are the sample.",
    f"A lesion is compared with sets that do as much damage if such sets (within {AS_SEVERE:g} on "
    "average) were drawn; the column *lesions* counts those that are.",
]


class LesionMeasure(Measure):
    """Accuracy in every task without each module, each region, and random sets of neurons.

    A lesion's *damage* in a task is the share of what the network has to lose there that it loses
    (:func:`brainrnn.study.damage.damage`); :mod:`brainrnn.study.specificity` says how specific it
    is to tasks. Modules are those of the study's analysis. *Regions* divide the active neurons into
    as many contiguous parts of equal number; a *module's place* is as many active neurons as the
    module has, those nearest to its centroid.
    """

    dense: ClassVar[bool] = True
    held: ClassVar[tuple[str, ...]] = ("trials",)
    kind: Literal["lesions"] = "lesions"
    trials: Count = Field(25, description="trials per task, the same for every lesion")
    draws: int = Field(
        50, ge=2, le=10**9, description="random sets of neurons for each lesion and null"
    )
    strata: Count = Field(
        10,
        description="groups of neurons of equal number and rising task variance, inside which the "
        "random sets that match a module's activity are drawn",
    )

    def check_one(self, cell: Cell, suite: Any) -> None:
        """Its random sets, three for every module, must fit into memory."""
        network, spec = cell.experiment.network, cell.experiment.analysis
        assert isinstance(network, RNNNetwork)  # check has seen to it
        neurons = math.prod(network.shape)
        sets = 3 * (spec.k or spec.k_range[0]) * self.draws
        require_memory(sets * neurons, f"{sets:,} random sets of neurons", "lower measure.draws")

    def answer(self, subject: Subject) -> Answer:
        """An item for every lesion, random ones and those of no and of all neurons included.

        Its columns are those of :func:`brainrnn.study.lesion_sets.lesion_sets`, what describes its
        damage, and the accuracy that is left in every task.
        """
        brain = subject.analysed().isel(member=0)
        rng = generator(subject.seed, Stream.LESIONS)
        about, neurons = lesion_sets(brain, draws=self.draws, strata=self.strata, rng=rng)
        batch = subject.suite.held_out(self.trials, rng)
        scores = lesioned_scores(subject.net, subject.suite, batch, neurons)
        silent = scores[about.kind == "all"][0]
        lost = damage(scores, scores[about.kind == "intact"][0], silent, STAKE)
        variance = brain.task_variance.transpose("unit", "task").values.astype(float)
        variance[~brain.active.values] = 0
        share = neurons @ variance / np.where(variance.any(0), variance.sum(0), np.nan)
        about["neurons"] = neurons.sum(1)
        about["activity"] = (neurons @ variance).sum(1) / max(variance.sum(), np.finfo(float).tiny)
        about = about.assign(**profile(lost, share))
        columns = [f"accuracy_{task}" for task in subject.suite.names]
        return Answer(pd.concat([about, pd.DataFrame(scores, columns=columns)], axis=1))

    def findings(self, rows: pd.DataFrame) -> Findings:
        """Every lesion beside its random sets, methods over seeds, and pictures of both."""
        rows = name_settings(rows)
        tests = against_chance(rows)
        networks = network_means(rows, tests)
        over = over_networks(networks, tests)
        found = Findings()
        found.tables["Each method"] = summarise(rows, {"label": "method"}, tables.describe)
        found.tables["More than random sets"] = over
        found.tables["Each lesion"] = tables.each_lesion(rows, tests)
        found.claims = list(claims.beside_random_sets(over))
        found.notes = _NOTES
        found.figures["damage"] = damage_maps(rows)
        found.figures["specificity"] = beside_random_sets(networks)
        found.figures["severity"] = against_severity(rows)
        return found
