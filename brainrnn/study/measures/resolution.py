"""Can a network change its resolution? Refined or coarse-grained, then trained on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from brainrnn.analysis import analyse
from brainrnn.analysis.map_statistics import MEASURES
from brainrnn.errors import InputError
from brainrnn.networks import RNN, RNNNetwork
from brainrnn.networks.resize import grid_shape
from brainrnn.runs.experiment import build_network
from brainrnn.study.drawings.resolution import accuracy_after, map_through_stages
from brainrnn.study.findings.comparisons import compare, control
from brainrnn.study.findings.settings import name_settings
from brainrnn.study.findings.tables import mean_sd, median_range, summarise
from brainrnn.study.findings.words import count
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.resizing import CHANGES, STAGES, resized
from brainrnn.study.subject import Cell, Subject
from brainrnn.study.wiring import wiring_length
from brainrnn.task import Suite
from brainrnn.training.loop import Trainer
from brainrnn.wiring_cost.method import BIMT

_CONTROLS = ("from scratch", "as it was")
_MERGED = ("merged by place", "merged by correlation", "merged at random")
_PAIRS = (
    *((one, other) for one in ("refined", *_MERGED) for other in _CONTROLS),
    ("merged by place", "merged at random"),
    ("merged by correlation", "merged at random"),
    ("merged by correlation", "merged by place"),
)


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

    kind: Literal["resolution"] = "resolution"
    shape: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (10, 10),
        min_length=1,
        max_length=3,
        description="the coarse grid: networks on it are refined, those on the fine one merged",
    )
    factor: int = Field(2, ge=2, description="sites of the fine grid for one along every side")
    spread: float = Field(
        0.5, ge=0, lt=1, description="how unequally what a neuron sent is divided, 0: equally"
    )
    moment_trials: int = Field(16, ge=1, description="trials per task to correlate activity in")
    steps: int = Field(1000, ge=1, description="training steps after the change")
    batch: int = Field(64, ge=1, description="trials per step")
    every: int = Field(50, ge=1, description="steps between two measurements of accuracy")
    trials: int = Field(50, ge=1, description="trials per task to measure accuracy in")

    def rows(self, subject: Subject) -> pd.DataFrame:
        """A row for every change and step at which accuracy is measured.

        ``change`` says what became of the network, ``step`` how many steps it has trained since.
        What belongs to the map is there at the first and the last step.
        """
        method = subject.cell.experiment.method
        on = method.model_copy(update={"schedule": ((0.0, 1.0),)})
        new = self._new(subject)
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
        return pd.concat(tables, ignore_index=True)

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

    def _new(self, subject: Subject) -> RNN:
        """An untrained network of the resolution that this one will get."""
        spec = subject.cell.experiment.network
        assert isinstance(spec, RNNNetwork)
        spec = spec.model_copy(update={"shape": self._other(grid_shape(subject.net))})
        net = build_network(spec, subject.suite, seed=subject.seed)
        assert isinstance(net, RNN)
        return net

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
        about = {0: _describe(net, subject)}
        for record in trainer.records():
            for row in record.metrics:
                scores[record.step] = row["accuracy"]
        about[self.steps] = _describe(net, subject)
        ceiling = float(np.mean(subject.suite.ceiling()))
        same = {"change": change, "neurons": net.n_hidden}
        return pd.DataFrame(
            [
                same | {"step": step, "accuracy": score, "ceiling": ceiling} | about.get(step, {})
                for step, score in scores.items()
            ]
        )

    def findings(self, rows: pd.DataFrame) -> Findings:
        """What a change costs, what training on gives back, and what becomes of the map."""
        rows = name_settings(rows)
        each = staged(rows)
        rows = rows.assign(change=rows.change.map(CHANGES))
        stages = each.assign(change=each.change.map(CHANGES))
        compared = _compared(stages)
        network = {"label": "method", "change": "network"}
        found = Findings()
        found.tables["Accuracy"] = summarise(stages, network, _accuracy)
        found.tables["Against the controls, paired by seed"] = compared
        found.tables["Map"] = summarise(stages, network, _maps)
        found.tables["Each network"] = each.drop(columns="method")
        found.words = [*_words(stages, compared), *_map_words(stages)]
        found.figures["accuracy"] = (
            accuracy_after(rows),
            "Accuracy on all tasks after a change of resolution, at step 0, and in training "
            "afterwards. Lines are means over seeds, bands from the lowest to the highest seed; "
            "dashed, the best possible. The networks as they were, and new ones of the other "
            "resolution, train for as many steps.",
        )
        found.figures["map"] = (
            map_through_stages(stages),
            "Both measures of the map before the change, right after it and after training on, as "
            "z against random arrangements of each network's own modules: below 0 is more modular "
            "in space than chance. A line is a network; the band holds 95 % of a normal null. The "
            "parts of a divided neuron lie side by side and do the same, so that a refined network "
            "is far below 0 by construction: it is not drawn right after the change, and after "
            "training on it compares with networks refined without a penalty.",
        )
        return found


def _describe(net: RNN, subject: Subject) -> dict[str, float]:
    """The network's wiring and map."""
    brain = analyse(net, subject.suite, subject.cell.experiment.analysis, seed=subject.seed)
    one = brain.isel(member=0)
    statistics = {
        f"{name}_{field}": float(one[field].sel(statistic=name))
        for name in MEASURES
        for field in ("z", "p")
    }
    return {
        "active": int(one.active.sum()),
        "modules": int(one.clusters),
        "absent": float(one.sparsity),
        "wiring_length": float(wiring_length(net)[0][0]),
    } | statistics


def staged(rows: pd.DataFrame) -> pd.DataFrame:
    """Each changed network once: before the change, right after it, and after training on.

    Returns
    -------
    DataFrame
        A row for each network and change, with ``neurons`` and, of every quantity x of the rows,
        ``x_before`` (of the network as it was), ``x_after`` and ``x_trained``.
    """
    key = ["method", "label", "seed"]
    first, last = rows[rows.step == 0], rows[rows.step == rows.step.max()]
    quantities = ["accuracy", "active", "modules", "absent", "wiring_length"]
    quantities += [f"{name}_{field}" for name in MEASURES for field in ("z", "p")]
    before = first[first.change == "kept"].set_index(key)[quantities].add_suffix("_before")
    after = first.set_index([*key, "change"])[["neurons", "ceiling", *quantities]]
    after = after.rename(columns={name: f"{name}_after" for name in quantities})
    trained = last.set_index([*key, "change"])[quantities].add_suffix("_trained")
    return after.join(trained).reset_index("change").join(before).reset_index()


def _accuracy(group: pd.DataFrame) -> dict[str, object]:
    new = group.change.iloc[0] == CHANGES["scratch"]
    return {
        "neurons": int(group.neurons.iloc[0]),
        "networks": len(group),
        "before": "" if new else mean_sd(group.accuracy_before),
        "right after": mean_sd(group.accuracy_after),
        "trained on": mean_sd(group.accuracy_trained),
        "best possible": f"{group.ceiling.mean():.3f}",
        "wiring length, trained on": f"{group.wiring_length_trained.mean():.1f}",
        "weights absent, trained on": f"{group.absent_trained.mean():.1%}",
    }


def _compared(stages: pd.DataFrame) -> pd.DataFrame:
    """Changed networks against both controls, and ways to merge against each other."""
    table = compare(
        stages,
        {"accuracy_after": "right after", "accuracy_trained": "trained on"},
        quantity="when",
        within={"label": "method"},
        between=("change", "network"),
        pairs=_PAIRS,
    )
    # Right after the change, the network that it was and a new one say nothing new.
    asked = table[~(table.against.isin(_CONTROLS) & (table.when == "right after"))]
    return control(asked.drop(columns="p_controlled"))


def _maps(group: pd.DataFrame) -> dict[str, object]:
    row: dict[str, object] = {}
    for stage, words in STAGES.items():
        known = stage != "before" or group.change.iloc[0] != CHANGES["scratch"]
        for name, what in MEASURES.items():
            z = group[f"{name}_z_{stage}"]
            row[f"z {what}, {words}"] = median_range(z) if known else ""
        row[f"both p < 0.05, {words}"] = count(_beyond(group, stage)) if known else ""
    return row | {"active, later": f"{group.active_trained.mean():.0f}"}


def _beyond(group: pd.DataFrame, stage: str) -> pd.Series:
    """Which networks have a map beyond chance by both measures."""
    return (group[[f"{name}_p_{stage}" for name in MEASURES]] < 0.05).all(axis=1)


def _changed(stages: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Networks of each method and change, without the controls."""
    for (label, change), group in stages.groupby(["label", "change"], sort=False):
        if change not in _CONTROLS:
            yield str(label), str(change), group


def _words(stages: pd.DataFrame, compared: pd.DataFrame) -> Iterator[str]:
    tests = compared[compared.when == "trained on"]
    controls = ("as many steps from scratch", "the network as it was, trained on")
    for label, change, group in _changed(stages):
        own = tests[(tests.method == label) & (tests.network == change)].set_index("against")
        against = [
            f"{row.difference:+.3f} against {words} (p = {row.p_controlled:.2g})"
            for other, words in zip(_CONTROLS, controls, strict=True)
            for row in [own.loc[other]]
        ]
        yield (
            f"**{label}**, {change}: accuracy {group.accuracy_before.mean():.3f} "
            f"before, {group.accuracy_after.mean():.3f} right after, "
            f"{group.accuracy_trained.mean():.3f} after training on: {'; '.join(against)}."
        )


def _map_words(stages: pd.DataFrame) -> Iterator[str]:
    for label, networks in stages.groupby("label", sort=False):
        before = _beyond(networks[networks.change == CHANGES["kept"]], "before")
        parts = [
            f"{change}, in {_beyond(group, 'after').sum()} right after"
            + " (by construction: copies lie side by side)" * (change == CHANGES["refined"])
            + f" and {_beyond(group, 'trained').sum()} after training on"
            for _, change, group in _changed(networks)
        ]
        yield (
            f"**{label}**: the map is beyond chance by both measures (p < 0.05) in "
            f"{count(before)} networks before; {'; '.join(parts)}."
        )
