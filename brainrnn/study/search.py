"""A search: Optuna chooses settings by what networks of earlier settings answer."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainrnn.errors import InputError
from brainrnn.streams import Stream, generator
from brainrnn.study.answers import read_answer
from brainrnn.study.distributions import Distribution
from brainrnn.study.plan import Study
from brainrnn.study.sample import Sample
from brainrnn.study.subject import Cell
from brainrnn.study.values import POINT, Setting, written

Value = tuple[float, ...]


def rounds(study: Study, answers: Path) -> Iterator[list[Cell]]:
    """The networks of a study, in the rounds in which they are measured.

    There is one round, unless methods search. Of these a round has a few points. The next round
    begins when every network of the last one has answered. A search that was stopped is played
    again from its first point: with one seed and the same answers it asks for the same points.

    Parameters
    ----------
    study : Study
    answers : path
        The folder in which networks leave their answers.

    Raises
    ------
    InputError
        If a method searches and Optuna is missing, or answers are of other points.
    """
    goals = getattr(study.measure, "goals", ())
    searches = {
        name: Search(method.sample, goals)
        for name, method in study.chosen.items()
        if method.sample and method.searches
    }
    cells = study.cells()
    names = {cell.name for cell in cells}
    while True:
        asked = {name: search.ask() for name, search in searches.items() if search.left}
        found = study.cells(asked)
        if twice := names.intersection(cell.name for cell in found):
            raise InputError(
                f"two networks would have files called {min(twice)!r}: give a method another name"
            )
        names |= {cell.name for cell in found}
        cells += found
        if not cells:
            return
        yield cells
        for name, settings in asked.items():
            of_method = [cell for cell in found if cell.method == name]
            values = [_value(s, of_method, answers, searches[name].goals) for s in settings]
            searches[name].tell(values)
        cells = []


def ends(study: Study) -> list[Cell]:
    """Networks that no search trains, at the ends of its space: a key may refuse their values."""
    spaces = {
        name: method.sample.ends()
        for name, method in study.chosen.items()
        if method.sample and method.searches
    }
    return study.cells(spaces)


class Search:
    """Optuna's search over a space.

    Points of a round are asked for together and told in order. So neither the number of workers
    nor the order in which they end decides what comes next.

    Parameters
    ----------
    sample : Sample
    goals : sequence of str
        What to maximise or, with a minus sign, to minimise.

    Raises
    ------
    InputError
        If Optuna is not installed.
    """

    def __init__(self, sample: Sample, goals: Sequence[str]) -> None:
        try:
            import optuna
        except ImportError:
            raise InputError("a search needs Optuna: pip install 'brainrnn[optuna]'") from None
        self.goals = [goal.removeprefix("-") for goal in goals]
        self.left = sample.points
        self._sample, self._optuna, self._next = sample, optuna, 0
        self._space = {k: _as_optuna(optuna, each) for k, each in sample.distributions.items()}
        seed = int(generator(sample.seed, Stream.POINTS).integers(2**32))
        with _quietly(optuna):
            self._study = optuna.create_study(
                sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True),
                directions=["minimize" if goal[0] == "-" else "maximize" for goal in goals],
            )
        self._trials: list[Any] = []

    def ask(self) -> list[Setting]:
        """The points of the next round."""
        number = min(self._sample.at_once, self.left)
        with _quietly(self._optuna):
            self._trials = [self._study.ask(self._space) for _ in range(number)]
        self.left -= number
        settings: list[Setting] = []
        for trial in self._trials:
            values = {
                key: each.values[trial.params[key]]
                if each.kind == "choice"
                else each.rounded(trial.params[key])
                for key, each in self._sample.distributions.items()
            }
            settings.append({POINT: trial.number} | values)
        return settings

    def tell(self, values: Sequence[Value | None]) -> None:
        """What the points of the round are worth; None if a goal is not known."""
        failed = self._optuna.trial.TrialState.FAIL
        with _quietly(self._optuna):
            for trial, value in zip(self._trials, values, strict=True):
                self._study.tell(trial, value, state=failed if value is None else None)


def _as_optuna(optuna: Any, distribution: Distribution) -> Any:
    kinds = optuna.distributions
    if distribution.kind == "choice":  # Optuna knows no lists: the number of a choice
        return kinds.CategoricalDistribution(range(len(distribution.values)))
    low, high = distribution.values
    if distribution.kind == "integers":
        return kinds.IntDistribution(low, high)
    return kinds.FloatDistribution(low, high, log=distribution.kind == "loguniform")


@contextmanager
def _quietly(optuna: Any) -> Iterator[None]:
    """Without a line for every study and trial, and the notice that a setting is new."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def _value(
    setting: Setting, cells: Sequence[Cell], answers: Path, goals: Sequence[str]
) -> Value | None:
    """The goals at a point: means over seeds."""
    rows = []
    for cell in cells:
        if cell.setting == setting:
            row = read_answer(answers, cell)
            if any(written(row[key]) != written(value) for key, value in setting.items()):
                raise InputError(
                    f"{answers.parent} holds a search that went another way, as another version of "
                    "Optuna goes: use the version with which it began, or choose another --name"
                )
            rows.append(row)
    value = tuple(pd.DataFrame(rows)[list(goals)].astype(float).mean())
    return value if np.isfinite(value).all() else None
