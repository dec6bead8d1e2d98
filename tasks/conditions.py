"""Trial conditions: everything that defines a trial except its noise, one condition per row.

A task of the suite is nothing but a table of its equally likely conditions. Drawing trials is
drawing rows, rendering a batch is one function of rows, and the ideal observer sums over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float, Int, Num

PERIODS = ("fixation", "stimulus", "stim1", "sample", "delay", "stim2", "test", "decision")
"""Every period of the 20 tasks, in temporal order; each task has some of them."""

DECISION = PERIODS.index("decision")
N_RING = 16
N_MODALITIES = 2

_BUMP_HEIGHT = 0.8


def bump(place: Num[np.ndarray, "*place"]) -> Float[np.ndarray, "*place unit"]:
    """Activity of one ring of units for a stimulus anywhere on it.

    ``0.8 exp(-(8 d / π)² / 2)``, with d the angle between them (Yang et al. 2019, Methods).

    Parameters
    ----------
    place : (...)
        On the ring, in units of 22.5°.

    Returns
    -------
    (..., unit) float32

    Examples
    --------
    >>> int(bump(np.array(3)).argmax())
    3
    """
    apart = np.abs(np.subtract.outer(place, np.arange(N_RING))) % N_RING
    apart = np.minimum(apart, N_RING - apart)
    return (_BUMP_HEIGHT * np.exp(-(apart**2) / 2)).astype(np.float32)


BUMP = bump(np.arange(N_RING))
"""(location, ring unit): tuning of one ring of units to a stimulus at each location."""


@dataclass(frozen=True)
class Conditions:
    """Columns of a table of trial conditions.

    Attributes
    ----------
    location : (condition, 2) int
        Place of the first and second stimulus on the ring, in units of 22.5°; -1 where a task
        has one stimulus only.
    strength : (condition, 2, 2) float32
        Strength of each stimulus in each modality; 0 where it is not shown.
    shown : (condition, 2) int
        Index into ``PERIODS`` of the period in which each stimulus is shown.
    noisy : (condition, 2) bool
        Whether a modality is noisy while a stimulus is shown.
    fixation : (condition, period) bool
        Whether the fixation input is on.
    duration : (condition, period) float32
        Duration in ms; 0 where a task lacks the period. For a random duration, the shortest.
    jitter : (condition,) float32
        Largest random prolongation of the fixation period, ms.
    target : (condition,) int
        Correct class in the decision period: 0 is fixate, 1 to 16 are the places on the ring.
    match : (condition,) float32
        1 where the two stimuli match, 0 where they do not, NaN where the task does not ask.
    turn : (condition,) int
        Which way around the ring the answer is shifted by the delay: 1, -1, or 0 not at all. Where
        it is shifted the delay is still to be drawn.
    drift : (condition,) int
        Which way around the ring the answer moves during the decision period.
    offset : (condition,) float32
        How far the first stimulus is from its location, places.
    """

    location: Int[np.ndarray, "condition stimulus"]
    strength: Float[np.ndarray, "condition stimulus modality"]
    shown: Int[np.ndarray, "condition stimulus"]
    noisy: Bool[np.ndarray, "condition modality"]
    fixation: Bool[np.ndarray, "condition period"]
    duration: Float[np.ndarray, "condition period"]
    jitter: Float[np.ndarray, " condition"]
    target: Int[np.ndarray, " condition"]
    match: Float[np.ndarray, " condition"]
    turn: Int[np.ndarray, " condition"]
    drift: Int[np.ndarray, " condition"]
    offset: Float[np.ndarray, " condition"]

    def __len__(self) -> int:
        """Count the conditions."""
        return len(self.target)

    def __getitem__(self, rows: np.ndarray | slice) -> Conditions:
        """Select conditions."""
        return Conditions(*(getattr(self, column.name)[rows] for column in fields(self)))

    @staticmethod
    def concatenate(tables: Sequence[Conditions]) -> Conditions:
        """Stack tables."""
        return Conditions(
            *(
                np.concatenate([getattr(table, column.name) for table in tables])
                for column in fields(Conditions)
            )
        )

    def bounds(
        self, dt: float, prolongation: Float[np.ndarray, " condition"] | float = 0.0
    ) -> Int[np.ndarray, "condition bound"]:
        """First step of every period and, last, the number of steps: one bound more than periods.

        Every duration is floored to a whole number of steps, and boundaries are truncated to
        steps, as neurogym does it: ``t // dt * dt``, then ``int(t / dt)``.

        Parameters
        ----------
        dt : float
            Step, ms.
        prolongation : (condition,) or float
            How much of the largest prolongation the fixation period gets, 0 to 1.
        """
        duration = self.duration.astype(np.float64)
        duration[:, 0] += self.jitter * prolongation
        ends = np.cumsum(duration // dt * dt, axis=1)
        return np.concatenate(
            [np.zeros((len(self), 1), np.int64), (ends / dt).astype(np.int64)], axis=1
        )

    def rings(self) -> Float[np.ndarray, "condition period unit"]:
        """Noise-free activity of both rings in every period; 2 * 16 units.

        The sum over stimuli of strength times ``BUMP``.
        """
        activity = np.zeros((len(self), len(PERIODS), N_MODALITIES * N_RING), np.float32)
        self.add_rings(activity)
        return activity

    def add_rings(self, activity: Float[np.ndarray, "condition period unit"]) -> None:
        """Add what :meth:`rings` returns, in place."""
        every = np.arange(len(self))
        tuning = BUMP[self.location]
        if self.offset.any():
            tuning[:, 0] = bump(self.location[:, 0] + self.offset)
        bumps = self.strength[..., None] * tuning[:, :, None]
        for stimulus in range(2):  # one after the other: both may share a period
            activity[every, self.shown[:, stimulus]] += bumps[:, stimulus].reshape(len(self), -1)

    def noise(self) -> Bool[np.ndarray, "condition period modality"]:
        """Whether each modality is noisy in each period."""
        every = np.arange(len(self))
        noise = np.zeros((len(self), len(PERIODS), N_MODALITIES), bool)
        for stimulus in range(2):
            noise[every, self.shown[:, stimulus]] = self.noisy
        return noise

    def labels(self) -> dict[str, Float[np.ndarray, " condition"]]:
        """Name the conditions for analysis, NaN where a name does not apply.

        ``modality`` (1 or 2, where only one shows stimuli), ``theta_1`` and ``theta_2`` (radians),
        ``coherence_S_mod_M`` (strength of stimulus S in modality M), ``match`` and ``target``.
        """
        strength = np.where(self.strength > 0, self.strength, np.nan).astype(np.float64)
        visible = (self.strength[:, 0] > 0) | (self.strength[:, 1] > 0)
        both = visible[:, 0] & visible[:, 1]
        theta = np.where(self.location >= 0, self.location * (2 * np.pi / N_RING), np.nan)
        return {
            "modality": np.where(both, np.nan, 1.0 + visible[:, 1]),
            "theta_1": theta[:, 0],
            "theta_2": theta[:, 1],
            **{
                f"coherence_{stimulus + 1}_mod_{modality + 1}": strength[:, stimulus, modality]
                for modality in range(N_MODALITIES)
                for stimulus in range(2)
            },
            "match": self.match.astype(np.float64),
            "target": self.target.astype(np.float64),
        }
