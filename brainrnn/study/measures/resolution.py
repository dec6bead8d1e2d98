"""Can a network change its resolution? Refined or coarse-grained, then trained on."""

from __future__ import annotations

from typing import ClassVar, Literal

import pandas as pd
from pydantic import Field

from brainrnn.config import Count
from brainrnn.errors import InputError
from brainrnn.networks import RNN, RNNNetwork
from brainrnn.networks.resize import grid_shape
from brainrnn.study.answers import Answer
from brainrnn.study.claims import resolution as claims
from brainrnn.study.drawings.resolution import accuracy_after, map_through_stages
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.report.settings import name_settings
from brainrnn.study.report.tables import summarise
from brainrnn.study.resizing import CHANGES, resized
from brainrnn.study.stages import against_controls, described, staged
from brainrnn.study.subject import Cell, Subject, untrained
from brainrnn.study.tables import resolution as tables
from brainrnn.task import Suite
from brainrnn.training.loop import Trainer
from brainrnn.wiring_cost.method import BIMT


class ResolutionMeasure(Measure):
    """Accuracy and map before a change of resolution, right after it, and after training on.

    A network on the coarse grid is refined with its function kept
    (:func:`brainrnn.networks.resize.refine`). One on the fine grid is merged to the coarse one
    (:func:`brainrnn.networks.resize.merge`): neurons that share a cell of it; neurons that are
    active together; or, as a control, random sets of equal size. All train on as the network did,
    with the full strength of its penalty, beside two controls: the network as it was, trained on
    for as many steps; and a new network of the other resolution, trained for as many steps by the
    network's own method, whose schedule then runs over these steps.
    """

    dense: ClassVar[bool] = True
    held: ClassVar[tuple[str, ...]] = ("moment_trials", "batch", "trials")
    kind: Literal["resolution"] = "resolution"
    shape: tuple[Count, ...] = Field(
        (10, 10),
        min_length=1,
        max_length=3,
        description="the coarse grid: networks on it are refined, those on the fine one merged",
    )
    factor: int = Field(
        2, ge=2, le=100, description="sites of the fine grid for one along every side"
    )
    spread: float = Field(
        0.5, ge=0, lt=1, description="how unequally what a neuron sent is divided, 0: equally"
    )
    moment_trials: Count = Field(16, description="trials per task to correlate activity in")
    steps: Count = Field(1000, description="training steps after the change")
    batch: Count = Field(64, description="trials per step")
    every: Count = Field(50, description="steps between two measurements of accuracy")
    trials: Count = Field(50, description="trials per task to measure accuracy in")

    def answer(self, subject: Subject) -> Answer:
        """An item for every change and step at which accuracy is measured.

        ``change`` says what became of the network, ``step`` how many steps it has trained since.
        What belongs to the map is there at the first and the last step.
        """
        method = subject.cell.experiment.method
        on = method.model_copy(update={"schedule": ((0.0, 1.0),)})
        spec = subject.cell.experiment.network
        other = spec.model_copy(update={"shape": self._other(grid_shape(subject.net))})
        new = untrained(other, subject.suite, subject.seed)
        changed = {"kept": subject.net.select(0)} | resized(
            subject.net,
            subject.suite,
            self.shape,
            factor=self.factor,
            spread=self.spread,
            trials=self.moment_trials,
            seed=subject.seed,
        )
        tables = [self._train(subject, change, net, on) for change, net in changed.items()]
        tables.append(self._train(subject, "scratch", new, method))
        return Answer(pd.concat(tables, ignore_index=True), {"ceiling": subject.ceiling})

    def check_one(self, cell: Cell, suite: Suite) -> None:
        """Its grid must be the coarse or the fine one."""
        spec = cell.experiment.network
        assert isinstance(spec, RNNNetwork)
        if spec.geometry != "grid":
            raise InputError("only networks on a grid can change its resolution: network.geometry")
        self._other(spec.shape)

    def _other(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The fine grid for the coarse, and the coarse one for the fine."""
        fine = tuple(self.factor * side for side in self.shape)
        if shape not in (self.shape, fine):
            raise InputError(
                f"a network on a grid of {list(shape)} sites is neither on the coarse grid "
                f"{list(self.shape)} nor on the fine one {list(fine)}: change measure.shape"
            )
        return fine if shape == self.shape else self.shape

    def _train(self, subject: Subject, change: str, net: RNN, method: BIMT) -> pd.DataFrame:
        """Train a network and follow its accuracy, always in the same trials."""
        spec = subject.cell.experiment.training.model_copy(
            update={
                "steps": self.steps,
                "batch": self.batch,
                "log_every": self.steps,
                "evaluate_every": self.every,
                "evaluation_trials": self.trials,
            }
        )
        trainer = Trainer(net, subject.suite, method, spec, seed=subject.seed)
        scores = {0: float(trainer.evaluate()[1].mean())}
        about = {0: described(net, subject)}
        for record in trainer.records():
            for row in record.metrics:
                scores[record.step] = row["accuracy"]
        about[self.steps] = described(net, subject)
        known = {"change": change, "neurons": net.n_hidden}
        return pd.DataFrame(
            [
                known | {"step": step, "accuracy": score} | about.get(step, {})
                for step, score in scores.items()
            ]
        )

    def findings(self, rows: pd.DataFrame) -> Findings:
        """What a change costs, what training on gives back, and what becomes of the map."""
        rows = name_settings(rows)
        each = staged(rows)
        rows = rows.assign(change=rows.change.map(CHANGES))
        stages = each.assign(change=each.change.map(CHANGES))
        compared = against_controls(stages)
        network = {"label": "method", "change": "network"}
        found = Findings()
        found.tables["Accuracy"] = summarise(stages, network, tables.accuracy)
        found.tables["Against the controls, paired by seed"] = compared
        found.tables["Map"] = summarise(stages, network, tables.maps)
        found.tables["Each network"] = each.drop(columns="method")
        found.claims = [*claims.costs(compared), *claims.kept(stages)]
        found.notes = claims.NOTES
        found.figures["accuracy"] = accuracy_after(rows)
        found.figures["map"] = map_through_stages(stages)
        return found
