"""The 20 cognitive tasks of Yang et al. (2019), Nature Neuroscience 22:297, as condition tables.

Definitions, timings (ms) and strengths are those of ``neurogym.envs.collections.yang19``, with
what is peculiar about them:

- In the decision-making and matching tasks the fixation input goes off when the first stimulus
  comes on; only the end of the last stimulus says when to answer. In the paper it stays on.
- In the matching-to-category tasks the sample belongs to category 2 if its index is *above* 8
  (9 of 16 places in category 1, 7 in 2), the test from index 8 on (8 and 8): place 8 changes
  category.
- Where the evidence for both choices is equal (one eighth of ``multidm`` trials, one sixth of
  ``multidlydm`` trials) the target is a coin flip.
- Only ``dm1`` has stimuli of 200, 400 or 600 ms; they last 500 ms everywhere else.
- Noise accompanies stimuli only: both modalities of decision-making tasks, even one that shows
  nothing; only the modality shown in matching tasks; none at all in the reaching tasks.
- ``go`` and ``anti`` have no delay; a no-go trial is answered by fixating to the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache, partial
from itertools import permutations, product

import numpy as np

from tasks.conditions import N_MODALITIES, N_RING, PERIODS, Conditions


def _table(
    target: np.ndarray,
    *,
    timing: Mapping[str, float | np.ndarray],
    fixation: tuple[str, ...],
    shown: tuple[str, str],
    location: np.ndarray,
    strength: np.ndarray,
    noisy: np.ndarray,
    jitter: float = 0.0,
    match: float | np.ndarray = np.nan,
) -> Conditions:
    """Fill in the columns that are the same in all conditions of a task."""
    n = len(target)
    duration = np.zeros((n, len(PERIODS)), np.float32)
    for period, ms in timing.items():
        duration[:, PERIODS.index(period)] = ms
    return Conditions(
        location=location.astype(np.int8),
        strength=strength.astype(np.float32),
        shown=np.tile(np.array([PERIODS.index(period) for period in shown], np.int8), (n, 1)),
        noisy=np.broadcast_to(noisy, (n, N_MODALITIES)),
        fixation=np.tile([period in fixation for period in PERIODS], (n, 1)),
        duration=duration,
        jitter=np.full(n, jitter, np.float32),
        target=target.astype(np.int8),
        match=np.broadcast_to(match, n).astype(np.float32),
        turn=np.zeros(n, np.int8),
        drift=np.zeros(n, np.int8),
        offset=np.zeros(n, np.float32),
    )


def _grid(*sizes: int) -> np.ndarray:
    """Every combination of indices below ``sizes``: (axis, combination)."""
    return np.indices(sizes).reshape(len(sizes), -1)


def _one_modality(modality: np.ndarray, n_stimuli: int) -> np.ndarray:
    """Full strength in one modality for the first ``n_stimuli``: (condition, 2, 2)."""
    shown = np.eye(N_MODALITIES)[modality]
    return np.stack([shown, shown * (n_stimuli > 1)], axis=1)


def _reach(*, anti: bool, delay: float = 0, reaction: bool = False) -> Conditions:
    """Point to the stimulus, or opposite to it."""
    modality, goal = _grid(N_MODALITIES, N_RING)
    stimulus = (goal + anti * N_RING // 2) % N_RING
    timing: dict[str, float] = {"fixation": 500, "decision": 500}
    if not reaction:
        timing |= {"stimulus": 500, "delay": delay}
    period = "decision" if reaction else "stimulus"
    return _table(
        goal + 1,
        timing=timing,
        fixation=("fixation", "stimulus", "delay"),
        shown=(period, period),
        location=np.stack([stimulus, np.full_like(stimulus, -1)], axis=1),
        strength=_one_modality(modality, 1),
        noisy=np.zeros(N_MODALITIES, bool),
    )


_COHERENCES = (0.08, 0.16, 0.32, 0.64)
_AT_ONCE = [(0.5 + c / 2, 0.5 - c / 2) for c in (*_COHERENCES, *(-c for c in _COHERENCES))]
_IN_TURN = list(permutations((0.3, 0.6, 1.0), 2))


def _decision(
    *,
    visible: tuple[bool, bool],
    attended: tuple[bool, bool],
    delayed: bool,
    stimulus_ms: tuple[float, ...] = (500,),
) -> Conditions:
    """Point to the stronger of two stimuli, summed over the attended modalities."""
    pairs = np.array([(i, j) for i, j in product(range(N_RING), repeat=2) if i != j])
    evidence = np.array(_IN_TURN if delayed else _AT_ONCE)  # (option, stimulus)
    may_tie = all(visible) and all(attended)
    pair, *option, coin, ms = _grid(
        len(pairs),
        *(len(evidence) if seen else 1 for seen in visible),
        2 if may_tie else 1,
        len(stimulus_ms),
    )
    strength = np.stack([evidence[option[m]] * visible[m] for m in range(N_MODALITIES)], axis=2)
    advantage = (strength[:, 0] - strength[:, 1]) @ np.array(attended, float)
    tie = np.abs(advantage) < 1e-6
    location = pairs[pair]
    first = np.where(tie, coin == 0, advantage > 0)
    if delayed:
        timing = {"fixation": 200, "stim1": 500, "delay": 1000, "stim2": 500, "decision": 200}
    else:
        timing = {"fixation": 200, "stimulus": np.array(stimulus_ms)[ms], "decision": 200}
    return _table(
        np.where(first, location[:, 0], location[:, 1]) + 1,
        timing=timing,
        jitter=300,
        fixation=("fixation",),
        shown=("stim1", "stim2") if delayed else ("stimulus", "stimulus"),
        location=location,
        strength=strength,
        noisy=np.ones(N_MODALITIES, bool),
    )


def _match(*, category: bool, go_on_match: bool) -> Conditions:
    """Point to the second stimulus if it matches the first (or if it does not), else fixate."""
    half = N_RING // 2
    modality, sample, match, within = _grid(N_MODALITIES, N_RING, 2, half if category else 1)
    if category:
        test = within + half * np.where(match == 1, sample > half, sample <= half)
    else:
        test = np.where(match == 1, sample, (sample + half) % N_RING)
    return _table(
        np.where(match == go_on_match, test + 1, 0),
        timing={"fixation": 300, "sample": 500, "delay": 1000, "test": 500, "decision": 900},
        fixation=("fixation",),
        shown=("sample", "test"),
        location=np.stack([sample, test], axis=1),
        strength=_one_modality(modality, 2),
        noisy=np.eye(N_MODALITIES, dtype=bool)[modality],
        match=match,
    )


_MOD_1, _MOD_2, _BOTH = (True, False), (False, True), (True, True)
_dm = partial(_decision, delayed=False)
_dlydm = partial(_decision, delayed=True)

_TABLES: dict[str, Callable[[], Conditions]] = {
    "go": partial(_reach, anti=False),
    "anti": partial(_reach, anti=True),
    "rtgo": partial(_reach, anti=False, reaction=True),
    "rtanti": partial(_reach, anti=True, reaction=True),
    "dlygo": partial(_reach, anti=False, delay=500),
    "dlyanti": partial(_reach, anti=True, delay=500),
    "dm1": partial(_dm, visible=_MOD_1, attended=_BOTH, stimulus_ms=(200, 400, 600)),
    "dm2": partial(_dm, visible=_MOD_2, attended=_BOTH),
    "ctxdm1": partial(_dm, visible=_BOTH, attended=_MOD_1),
    "ctxdm2": partial(_dm, visible=_BOTH, attended=_MOD_2),
    "multidm": partial(_dm, visible=_BOTH, attended=_BOTH),
    "dlydm1": partial(_dlydm, visible=_MOD_1, attended=_BOTH),
    "dlydm2": partial(_dlydm, visible=_MOD_2, attended=_BOTH),
    "ctxdlydm1": partial(_dlydm, visible=_BOTH, attended=_MOD_1),
    "ctxdlydm2": partial(_dlydm, visible=_BOTH, attended=_MOD_2),
    "multidlydm": partial(_dlydm, visible=_BOTH, attended=_BOTH),
    "dms": partial(_match, category=False, go_on_match=True),
    "dnms": partial(_match, category=False, go_on_match=False),
    "dmc": partial(_match, category=True, go_on_match=True),
    "dnmc": partial(_match, category=True, go_on_match=False),
}

COG20 = tuple(_TABLES)
"""Names of the 20 tasks, in neurogym's order."""

DESCRIPTIONS: dict[str, str] = {
    "go": "Point to the stimulus when the fixation input goes off.",
    "anti": "Point opposite to the stimulus when the fixation input goes off.",
    "rtgo": "Point to the stimulus as soon as it appears.",
    "rtanti": "Point opposite to the stimulus as soon as it appears.",
    "dlygo": "Remember the stimulus through a delay, then point to where it was.",
    "dlyanti": "Remember the stimulus through a delay, then point opposite to where it was.",
    "dm1": "Point to the stronger of two simultaneous stimuli, shown in modality 1.",
    "dm2": "Point to the stronger of two simultaneous stimuli, shown in modality 2.",
    "ctxdm1": "Point to the stimulus stronger in modality 1 and ignore modality 2.",
    "ctxdm2": "Point to the stimulus stronger in modality 2 and ignore modality 1.",
    "multidm": "Point to the stimulus stronger in the sum of both modalities.",
    "dlydm1": "Point to the stronger of two successive stimuli, shown in modality 1.",
    "dlydm2": "Point to the stronger of two successive stimuli, shown in modality 2.",
    "ctxdlydm1": "Of two successive stimuli, point to the one stronger in modality 1; ignore 2.",
    "ctxdlydm2": "Of two successive stimuli, point to the one stronger in modality 2; ignore 1.",
    "multidlydm": "Of two successive stimuli, point to the one stronger over both modalities.",
    "dms": "Point to the second stimulus if it is where the first was, else keep fixating.",
    "dnms": "Point to the second stimulus if it is opposite to the first, else keep fixating.",
    "dmc": "Point to the second stimulus if it is in the first one's half, else keep fixating.",
    "dnmc": "Point to the second stimulus if it is in the other half, else keep fixating.",
}


@cache
def condition_table(name: str) -> Conditions:
    """Table of the equally likely conditions of one of the 20 tasks; read-only.

    Examples
    --------
    >>> len(condition_table("go"))  # two modalities, 16 places
    32
    """
    table = _TABLES[name]()
    for column in fields(table):
        getattr(table, column.name).setflags(write=False)
    return table
