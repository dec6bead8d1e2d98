"""What does a setting do? Accuracy, sparsity, wiring and map of networks over swept settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

import pandas as pd
from pydantic import AfterValidator, Field, field_validator

from brainrnn.analysis.map_statistics import MEASURES
from brainrnn.errors import InputError, unknown
from brainrnn.streams import Stream, generator
from brainrnn.study.answers import Answer
from brainrnn.study.compared import best, rank_correlations
from brainrnn.study.drawings.samples import history, parallel, scatter
from brainrnn.study.drawings.sweeps import heat_maps, lines, pareto
from brainrnn.study.goals import QUANTITIES, goals_first, known_goal, quantities, usual_goals
from brainrnn.study.mapped import answer_of_map
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.outcomes import QUANTITIES as OF_ANY
from brainrnn.study.outcomes import outcome
from brainrnn.study.report.tables import mean_sd, summarise
from brainrnn.study.subject import Cell, Subject
from brainrnn.study.values import POINT, columns
from brainrnn.task import Suite

_FACTS = {*QUANTITIES, "ceiling", *(f"{name}_p" for name in MEASURES)}


class SweepMeasure(Measure):
    """Each network's accuracy, sparsity, wiring and map, beside the settings that are swept.

    It asks any network: a recurrent one for its map too, another one for its modularity. Of
    networks that train side by side in one run it keeps the means.
    """

    asks: ClassVar[Literal["recurrent", "any"]] = "any"
    dataset: ClassVar[bool] = True

    kind: Literal["sweep"] = "sweep"
    goals: tuple[Annotated[str, AfterValidator(known_goal)], ...] = Field(
        (),
        description="what settings are compared by, and what a search looks for: one or two of the "
        "quantities in the report, such as accuracy, with a minus sign if it is to be small, such "
        "as -wiring_length; unset: accuracy and -wiring_length, without a search",
    )

    @field_validator("goals")
    @classmethod
    def _distinct(cls, goals: tuple[str, ...]) -> tuple[str, ...]:
        if len(goals) > 2:
            raise ValueError("give one or two goals")
        if len({goal.removeprefix("-") for goal in goals}) < len(goals):
            raise ValueError("goals must differ from each other")
        return goals

    def check(self, cells: Sequence[Cell]) -> None:
        """As of every measure; and whether these networks know the goals."""
        super().check(cells)
        for cell in cells:
            known = quantities(cell.experiment)
            for name in (goal.removeprefix("-") for goal in self.goals):
                if name not in known:
                    kind = cell.experiment.network.kind
                    raise InputError(unknown(f"goal of network.kind {kind!r}:", name, known))

    def answer(self, subject: Subject) -> Answer:
        """An item for every network in the run, of tasks in time for each of its tasks."""
        if isinstance(subject.suite, Suite):
            return answer_of_map(subject)
        rng = generator(subject.seed, Stream.OUTCOME_TRIALS)
        trials = subject.cell.experiment.analysis.accuracy_trials
        table = outcome(subject.net, subject.suite, trials=trials, rng=rng)
        items = table[list(OF_ANY)].add_prefix("member_")
        items.insert(0, "member", range(len(items)))
        return Answer(items, {name: float(table[name].mean()) for name in OF_ANY})

    def findings(self, rows: pd.DataFrame) -> Findings:
        """Means over seeds of each setting; lines, heat maps or dots; and the Pareto front."""
        settings = columns(rows)
        by = ["label", *settings]
        several = rows.label.nunique() > 1
        named = by if several or not settings else settings
        networks = rows[[*by, "seed", *(c for c in rows if c in _FACTS)]]
        networks = networks.drop_duplicates([*by, "seed"], ignore_index=True)
        shown = {k: words for k, words in QUANTITIES.items() if k in rows and rows[k].notna().any()}
        goals = self.goals or usual_goals(shown)
        means = networks.groupby(by, sort=False, dropna=False)[list(shown)].mean().reset_index()
        found = Findings()
        if self.goals:
            found.tables["The best"] = best(means, self.goals)[[*named, *goals_first(goals, shown)]]
        found.tables["Each setting"] = summarise(
            networks.astype(dict.fromkeys(settings, object)).fillna(dict.fromkeys(settings, "-")),
            {name: name for name in named},
            lambda group: (
                {"seeds": len(group)}
                | {words: mean_sd(group[name]) for name, words in shown.items()}
            ),
        )
        keys = [key for key in settings if key != POINT]
        if POINT in settings:
            _add_points(found, networks, means, keys, goals, shown)
            if self.goals:
                found.figures["history"] = history(means, self.goals)
        elif len(keys) == 2:
            for ending, _, one in _each_method(networks):
                found.figures[f"heat_maps{ending}"] = heat_maps(one, keys, shown)
        else:
            for key in keys:
                found.figures[f"lines_{key.split('.')[-1]}"] = lines(networks, key, shown)
        if len(goals) == 2:
            found.figures["pareto"] = pareto(networks, means, (goals[0], goals[1]))
        found.tables["Each network"] = networks.drop(columns=[] if several else ["label"])
        return found


def _each_method(rows: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Each method's rows with its label, and an ending for files if there are several."""
    groups = list(rows.groupby("label", sort=False))
    for i, (label, one) in enumerate(groups):
        yield f"_{i + 1}" if len(groups) > 1 else "", str(label), one


def _add_points(
    found: Findings,
    networks: pd.DataFrame,
    means: pd.DataFrame,
    keys: list[str],
    goals: Sequence[str],
    shown: dict[str, str],
) -> None:
    """What shows points that are drawn, which are no grid."""
    ranks = []
    for ending, label, one in _each_method(means):
        own = [key for key in keys if one[key].notna().any()]
        rank = rank_correlations(one, own, shown)
        if ending:
            rank.insert(0, "method", label)
        ranks += [rank] if own else []
        if len(own) > 1 and goals:
            figure, caption = parallel(one, own, goals)
            found.figures[f"parallel{ending}"] = (
                figure,
                f"{label}: {caption}" if ending else caption,
            )
    if ranks:
        found.tables["Rank correlations"] = pd.concat(ranks, ignore_index=True)
    for key in keys:
        found.figures[f"scatter_{key.split('.')[-1]}"] = scatter(networks, key, shown)
