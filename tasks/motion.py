"""Answers that move around the ring: shifted by the length of a delay, or while they are given."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int, Num

from tasks.conditions import N_RING, PERIODS, Conditions

SPEED = 0.01
"""How fast answers move, places per ms: one place of 22.5° in every 100 ms."""
DELAYS = np.arange(0.0, 1200.0, 100.0)
"""Delays that shift an answer, ms, equally likely."""
REFERENCE_DELAY = 500.0
"""Delay of the tasks in which Mod-Cog's published code shifts answers but draws none, ms."""
DELAY = PERIODS.index("delay")


@dataclass(frozen=True)
class Motion:
    """Answers keep to the places of the ring; to answer by fixating does not move."""

    def with_delays(self, drawn: Conditions, rng: np.random.Generator) -> Conditions:
        """Draw the delays that shift an answer, and shift it."""
        some = np.flatnonzero(drawn.turn)
        delay = rng.choice(DELAYS, len(some))
        duration, target = drawn.duration.copy(), drawn.target.copy()
        duration[some, DELAY] = delay
        target[some] = self.moved(target[some], drawn.turn[some] * SPEED * delay)
        return replace(drawn, duration=duration, target=target, turn=np.zeros_like(drawn.turn))

    def move(
        self,
        targets: Int[np.ndarray, "time trial"],
        drawn: Conditions,
        start: Int[np.ndarray, " trial"],
        dt: float,
    ) -> None:
        """Let answers drift from the start of the decision period on, in place.

        Parameters
        ----------
        targets : (time, trial) int64
            Classes; 0 outside the decision period.
        drawn : Conditions
            Of every trial.
        start : (trial,) int
            First step of its decision period.
        dt : float
            Step, ms.
        """
        some = np.flatnonzero(drawn.drift)
        if len(some):
            elapsed = (np.arange(len(targets))[:, None] - start[some]) * dt
            targets[:, some] = self.moved(targets[:, some], drawn.drift[some] * SPEED * elapsed)

    def moved(
        self, target: Int[np.ndarray, "*answer"], places: Num[np.ndarray, "*answer"]
    ) -> Int[np.ndarray, "*answer"]:
        """Classes after a move by the nearest whole number of places, the larger of two."""
        whole = (np.sign(places) * np.floor(np.abs(places) + 0.5)).astype(np.int64)
        return np.where(target == 0, 0, (target - 1 + whole) % N_RING + 1)


@dataclass(frozen=True)
class ReferenceMotion(Motion):
    """Answers as in Mod-Cog's published code, for comparison; see ``tasks.modcog``."""

    def with_delays(self, drawn: Conditions, rng: np.random.Generator) -> Conditions:
        """Draw delays where that code does, and shift what it shifts."""
        turns = drawn.turn != 0
        reaches = turns & (drawn.location[:, 1] < 0)
        matches = turns & ~np.isnan(drawn.match)
        decides = turns & ~reaches & ~matches
        delay = np.where(decides, REFERENCE_DELAY, rng.choice(DELAYS, len(drawn)))
        duration, offset = drawn.duration.copy(), drawn.offset.copy()
        duration[turns, DELAY] = delay[turns]
        shift = drawn.turn * SPEED * delay
        offset[reaches] = (shift * (N_RING / (2 * np.pi)))[reaches]  # there SPEED is rad per ms
        place = np.mod(drawn.target - 1 + shift, N_RING).astype(np.int64)
        answers = (matches | decides) & (drawn.target > 0)
        target = np.where(answers, place + 1, drawn.target)
        turn = np.zeros_like(drawn.turn)
        return replace(drawn, duration=duration, target=target, offset=offset, turn=turn)

    def move(
        self,
        targets: Int[np.ndarray, "time trial"],
        drawn: Conditions,
        start: Int[np.ndarray, " trial"],
        dt: float,
    ) -> None:
        """Let answers drift, modulo the number of places on the class itself; all pass through."""
        elapsed = (np.arange(len(targets))[:, None] - start) * dt
        targets[:] = self.moved(targets, drawn.drift * SPEED * elapsed)

    def moved(
        self, target: Int[np.ndarray, "*answer"], places: Num[np.ndarray, "*answer"]
    ) -> Int[np.ndarray, "*answer"]:
        """Classes 1 to 16 modulo 16, so that place 16 becomes 0, to fixate."""
        return np.where(target == 0, 0, (target + np.trunc(places).astype(np.int64)) % N_RING)
