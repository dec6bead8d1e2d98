"""Mod-Cog (Khona, Chandra et al. 2022, arXiv:2207.03523): the 20 tasks with answers that move.

Any of the 20 cognitive tasks may be extended by a *sequence*: during the decision period, which
then lasts 1,000 ms (500 ms in the reaction-time tasks), the correct answer moves around the ring,
to the right (``seqr``) or left (``seql``). The eleven tasks with a delay may be extended by
*integration*: the answer is shifted in proportion to the delay, right (``intr``) or left
(``intl``), and the delay is 0, 100, ..., or 1,100 ms. Both move by one place, 22.5°, in 100 ms.
That makes 20 + 40 + 22 = 82 tasks, the paper's list, and 44 more with both, ``dlygointrseql`` and
so on: 126. (There is also talk of 84 and of 132, as if twelve tasks had a delay: 20 + 40 + 24, and
48 more.) To fixate where that is right, on half the trials of matching tasks, stays right.

The answer is always a place: the nearest one, and the farther of two that are equally near.
An answer that moves must be right at every step of the decision period, any other where it is
first given, as in the 20 tasks. Whoever sees a whole trial sees when a delay begins and ends, by
the stimuli, and can undo all motion; so the best possible accuracies are those of the 20 tasks.

The authors' published code differs from what it describes. ``reference=True`` does as it does:

- Motion is taken modulo 16 on the class (1 to 16, 0 is to fixate) and not on the place: place 16
  becomes "fixate", in all tasks, whether their answers move or not.
- A place is entered when the motion has reached it and not when it comes nearest, which differs at
  steps other than 100 ms.
- ``go`` and ``anti`` have a delay of 500 ms, extended or not.
- In the reaching tasks integration shifts the stimulus and not the answer, by 0.01 rad per ms,
  which is 2.5 places and not one in 100 ms, and between the places.
- In the delayed decision-making tasks with integration the delay is always 500 ms.

It also draws delays from NumPy's global generator, so that seeds do not hold; that is not repeated.
All else is that of the 20 tasks here, where the published code follows an older neurogym: its
fixation input goes off at the decision only, all stimuli of ``dm1`` last 500 ms, and without
integration the delay is 500 ms in decision-making tasks and, in matching tasks, a length between
200 and 1,200 ms that is drawn once for all trials. It has both extensions together as
``dlygointseq``, to the right, and in no other direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from tasks.arguments import check_period, check_weight
from tasks.cognitive import CognitiveSuite, check_tables, chosen_tasks
from tasks.conditions import DECISION, Conditions
from tasks.motion import DELAY, DELAYS, REFERENCE_DELAY, Motion, ReferenceMotion
from tasks.yang2019 import COG20, DESCRIPTIONS, condition_table

_REACTION = ("rtgo", "rtanti")
_SEQUENCE_MS = 1000
_TOWARDS = {1: "right", -1: "left"}


@dataclass(frozen=True)
class Extension:
    """One of the 20 tasks, and which way its answer moves: 1 right, -1 left, 0 not at all."""

    base: str
    integration: int = 0
    sequence: int = 0

    @property
    def name(self) -> str:
        """The task's name, such as ``dlygointrseql``."""
        return self.base + _suffix("int", self.integration) + _suffix("seq", self.sequence)

    @property
    def description(self) -> str:
        """What the task asks for."""
        text = DESCRIPTIONS[self.base]
        if self.integration:
            way = _TOWARDS[self.integration]
            text += f" Shift the answer to the {way}, one place for every 100 ms of the delay."
        if self.sequence:
            text += f" Then move on to the {_TOWARDS[self.sequence]}, one place in 100 ms."
        return text


def _suffix(kind: str, way: int) -> str:
    return kind + {1: "r", -1: "l"}[way] if way else ""


def _has_delay(base: str) -> bool:
    return bool(condition_table(base).duration[:, DELAY].any())


_DELAYED = tuple(base for base in COG20 if _has_delay(base))
_ALL = (
    *(Extension(base) for base in COG20),
    *(Extension(base, sequence=way) for way in (1, -1) for base in COG20),
    *(Extension(base, way) for way in (1, -1) for base in _DELAYED),
    *(Extension(b, way, onward) for way, onward in product((1, -1), repeat=2) for b in _DELAYED),
)
EXTENSIONS = {extension.name: extension for extension in _ALL}
"""Every task by name: the 20, with a sequence, with integration, and with both; 126."""

MODCOG = tuple(n for n, e in EXTENSIONS.items() if not (e.integration and e.sequence))
"""Names of the paper's 82 tasks."""


def modcog(
    dt: float = 100,
    names: Sequence[str] | None = None,
    *,
    decision_weight: float = 5.0,
    reference: bool = False,
) -> CognitiveSuite:
    """Make a suite of Mod-Cog's tasks, or of some of them.

    Parameters
    ----------
    dt : float
        Step, ms.
    names : sequence of str, optional
        Tasks to include, in this order, of all in ``EXTENSIONS``; the 82 in ``MODCOG`` by default.
    decision_weight : float
        Weight in the loss of a step of the decision period; all other steps of a trial weigh 1.
    reference : bool
        Whether to do as the authors' published code does, where that is not what it describes.

    Raises
    ------
    InputError
        For an unknown or repeated task, or a step that is not positive or is longer than a period.

    Examples
    --------
    >>> suite = modcog(names=["goseqr"])
    >>> trials = suite.sample(1, np.random.default_rng(0))
    >>> trials.targets[-10:, 0].tolist()
    [12, 13, 14, 15, 16, 1, 2, 3, 4, 5]
    """
    chosen = [EXTENSIONS[name] for name in chosen_tasks(names, list(EXTENSIONS), MODCOG)]
    tables = {extension.name: _table(extension, reference) for extension in chosen}
    check_tables(tables, dt)
    for extension in chosen:
        if extension.integration:
            check_period(extension.name, "delay", DELAYS[1], dt)
    check_weight(decision_weight)
    return CognitiveSuite(
        dt,
        tables,
        decision_weight,
        descriptions={extension.name: extension.description for extension in chosen},
        observed_as=[None if reference else extension.base for extension in chosen],
        motion=ReferenceMotion() if reference else Motion(),
    )


def _table(extension: Extension, reference: bool) -> Conditions:
    """Conditions of an extended task; the delays that shift an answer are still to be drawn."""
    table = condition_table(extension.base)
    if not (extension.integration or extension.sequence or reference):
        return table
    duration = table.duration.copy()
    if extension.sequence and extension.base not in _REACTION:
        duration[:, DECISION] = _SEQUENCE_MS
    if reference and extension.base in ("go", "anti"):
        duration[:, DELAY] = REFERENCE_DELAY
    return replace(
        table,
        duration=duration,
        turn=np.full(len(table), extension.integration, np.int8),
        drift=np.full(len(table), extension.sequence, np.int8),
    )
