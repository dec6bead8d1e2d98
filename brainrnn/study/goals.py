"""What settings are compared by, and what a search looks for: goals, by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from brainrnn.errors import unknown
from brainrnn.runs.experiment import Experiment
from brainrnn.study.mapped import OF_MAP
from brainrnn.study.outcomes import QUANTITIES as OF_ANY

QUANTITIES = {**OF_MAP, **{k: words for k, words in OF_ANY.items() if k not in OF_MAP}}


def known_goal(goal: str) -> str:
    """The goal itself, a quantity with a minus sign if it is to be small; an error otherwise."""
    sign = "-" if goal.startswith("-") else ""
    if goal.removeprefix("-") not in QUANTITIES:
        raise ValueError(unknown("goal", goal, [sign + name for name in QUANTITIES]))
    return goal


def quantities(experiment: Experiment) -> dict[str, str]:
    """What is known of such a network, by name, in words."""
    return OF_MAP if experiment.network.kind == "rnn" else OF_ANY


def usual_goals(known: dict[str, str]) -> tuple[str, ...]:
    """What is compared if no goals are given: one of these two, against the wiring."""
    right = "accuracy" if "accuracy" in known else "-loss"
    names = [right.removeprefix("-"), "wiring_length"]
    return (right, "-wiring_length") if all(name in known for name in names) else ()


def goals_first(goals: Sequence[str], shown: Iterable[str]) -> list[str]:
    """Quantities, the goals before the others."""
    return list(dict.fromkeys([*(goal.removeprefix("-") for goal in goals), *shown]))
