"""Neurogym's own version of the 20 tasks, made to play conditions of our choice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from neurogym.envs.collections import yang19

from tasks import COG20
from tasks.conditions import Conditions

REACH = COG20[:6]
DM = COG20[6:11]
DLYDM = COG20[11:16]
MATCH = COG20[16:]


class Script:
    """Stands in for an environment's random generator and gives the draws that it is told to.

    ``uniform`` consumes a fraction of its range, ``choice`` the chosen value itself.
    """

    def __init__(self, draws: Iterable[object], noise: np.random.RandomState | None = None) -> None:
        self.draws: Iterator[object] = iter(draws)
        self.noise = noise

    def choice(self, options: object, size: object = None, replace: bool = True) -> object:
        return next(self.draws)

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * next(self.draws)  # type: ignore[operator]

    def randn(self, *shape: int) -> np.ndarray:
        return np.zeros(shape) if self.noise is None else self.noise.randn(*shape)


@dataclass
class Played:
    """What neurogym showed in one trial, and its ground truth."""

    observed: np.ndarray  # (time, 33)
    target: np.ndarray  # (time,)
    periods: dict[str, tuple[int, int]]


def draws_for(name: str, row: Conditions, prolongation: float) -> list[object]:
    """The draws that make neurogym's task play a condition, in the order in which it asks."""
    first, second = (int(place) for place in row.location[0])
    target = int(row.target[0])
    if name in REACH:
        return [target - 1]
    if name in MATCH:
        draws: list[object] = ["match" if row.match[0] else "non-match", first]
        return [*draws, second % 8] if name in ("dmc", "dnmc") else draws
    draws = [first, second, prolongation]
    if name == "dm1":
        draws.append(int(row.duration[0].astype(int)[1]))
    strength = row.strength[0].astype(float).round(3)
    for modality in np.flatnonzero(strength.any(axis=0)):
        one, other = strength[:, modality]
        if name in DLYDM:
            draws.append((one, other))
        else:
            draws += [abs(one - other), np.sign(one - other)]
    tie = name in ("multidm", "multidlydm") and np.isclose(*strength.sum(axis=1))
    # A coin that falls the wrong way wherever it should not matter.
    return [*draws, 0.99 if (target == first + 1) == tie else 0.01]


def play(
    name: str,
    table: Conditions,
    dt: float,
    prolongation: np.ndarray,
    noise: np.random.RandomState | None = None,
) -> Iterator[Played]:
    """Have neurogym play every row of a table."""
    env = getattr(yang19, name)(dt=dt)
    for i in range(len(table)):
        row = table[i : i + 1]
        playing = env
        if name in REACH or name in MATCH:
            modality = int(row.strength[0, 0].argmax())
            env.next_i_env = modality
            playing = env.envs[modality]
        base = playing.unwrapped
        script = Script(draws_for(name, row, prolongation[i]), noise)
        base.rng = script
        env.new_trial()
        assert next(script.draws, None) is None, "neurogym asked for fewer draws than expected"
        yield Played(
            observed=base.ob,
            target=base.gt,
            periods={
                period: (start, base.end_ind[period]) for period, start in base.start_ind.items()
            },
        )
