"""A cognitive task as a neurogym environment, trial for trial what the suite draws in batches."""

from __future__ import annotations

from typing import Any

import numpy as np
from neurogym.core import TrialEnv
from neurogym.utils import spaces

from tasks.conditions import N_MODALITIES, N_RING, PERIODS
from tasks.modcog import EXTENSIONS, modcog
from tasks.motion import DELAY, DELAYS

_N_OBSERVED = 1 + N_MODALITIES * N_RING


class CognitiveEnvironment(TrialEnv):
    """One of the 20 cognitive tasks, or one of Mod-Cog's that extend them.

    Observations are fixation and two rings of 16 units; there is no rule, since there is one task.
    Actions are to fixate, 0, or one of 16 places. As in neurogym's own 20 tasks, acting in the
    fixation period costs 0.1 and the first action in the decision period ends the trial, with a
    reward of 1 if it is right. Not to act until the end, where that is right, earns 1 as well; in
    neurogym's own matching tasks it earns nothing. An answer that moves is not over with its first
    step: each step of the decision period that is right earns its share of 1, and the performance
    is 1 if all are.

    Parameters
    ----------
    task : str
        One of ``tasks.modcog.EXTENSIONS``.
    dt : float
        Step, ms.
    reference : bool
        Whether to do as Mod-Cog's published code does; see ``tasks.modcog``.
    """

    metadata = {  # noqa: RUF012 - as gymnasium has it
        "paper_link": "https://arxiv.org/abs/2207.03523",
        "paper_name": "Winning the lottery with neural connectivity constraints",
        "tags": ["perceptual", "working memory", "supervised"],
        "render_modes": [],
    }

    def __init__(self, task: str = "go", dt: float = 100, *, reference: bool = False) -> None:
        super().__init__(dt=dt)
        self.suite = modcog(dt, [task], reference=reference)
        self.moves = EXTENSIONS[task].sequence != 0
        self.rewards = {"abort": -0.1, "correct": 1.0, "fail": 0.0}
        self.timing = self._timing()
        self.observation_space = spaces.Box(
            -np.inf,
            np.inf,
            shape=(_N_OBSERVED,),
            dtype=np.float32,
            name={
                "fixation": 0,
                "stimulus_mod1": range(1, 1 + N_RING),
                "stimulus_mod2": range(1 + N_RING, _N_OBSERVED),
            },
        )
        self.action_space = spaces.Discrete(
            1 + N_RING, name={"fixation": 0, "choice": range(1, 1 + N_RING)}
        )
        self._right = 0  # steps of this trial's decision period that were answered correctly

    def _timing(self) -> dict[str, Any]:
        """Durations of the periods, as neurogym writes them: a number, choices, or a range."""
        table = self.suite.table
        timing: dict[str, Any] = {}
        for period in np.flatnonzero((table.duration > 0).any(axis=0)):
            values = np.unique(table.duration[:, period]).tolist()
            timing[PERIODS[period]] = values if len(values) > 1 else values[0]
        jitter = float(table.jitter.max())
        if jitter:
            shortest = timing[PERIODS[0]]
            timing[PERIODS[0]] = ("uniform", (shortest, shortest + jitter))
        if table.turn.any():
            timing[PERIODS[DELAY]] = DELAYS.tolist()
        return timing

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin anew, with a seed if one is given."""
        if seed is not None:
            self.seed(seed)
        return super().reset(seed=seed, options=options)

    def _new_trial(self, **_: Any) -> dict[str, float]:
        seed = self.rng.randint(2**32, dtype=np.uint64)
        trials = self.suite.sample(1, np.random.default_rng(int(seed)))
        self.ob = trials.inputs[:, 0, :_N_OBSERVED].numpy().copy()
        self.gt = trials.targets[:, 0].numpy()
        self._ob_built = self._gt_built = True
        self._tmax = self.tmax = len(self.gt) * self.dt
        self._right = 0
        for name, (start, end) in zip(trials.period_names, trials.periods[0].tolist(), strict=True):
            self.start_ind[name], self.end_ind[name] = max(start, 0), max(end, 0)
            self.start_t[name] = self.start_ind[name] * self.dt
            self.end_t[name] = self.end_ind[name] * self.dt
        return {name: float(values[0]) for name, values in trials.conditions.items()}

    # ``ob_now`` is neurogym's placeholder: its ``step`` puts the observation there.
    def _step(self, action: int | np.integer) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        reward, over = 0.0, False
        right = bool(action == self.gt_now)
        if self.in_period("fixation") and action != 0:
            reward = self.rewards["abort"]
        elif self.in_period("decision"):
            if self.moves:
                steps = self.end_ind["decision"] - self.start_ind["decision"]
                self._right += right
                reward = self.rewards["correct" if right else "fail"] / steps
                self.performance = float(self._right == steps)
            elif action != 0:
                over = True
                reward = self.rewards["correct" if right else "fail"]
                self.performance = float(right)
            elif right and self.t_ind == self.end_ind["decision"] - 1:
                reward, self.performance = self.rewards["correct"], 1.0
        return self.ob_now, reward, False, False, {"new_trial": over, "gt": self.gt_now}
