"""Cognitive tasks in whole batches: the 20 of Yang et al. (2019), and what Mod-Cog makes of them.

Trials have the law of ``neurogym.envs.collections.yang19`` (see ``tasks.yang2019`` for what is
peculiar about its tasks), with two deliberate differences: the modality is drawn independently
for every trial, where neurogym's ``RandomSchedule`` never repeats one and so strictly alternates
between the two; and tasks are mixed in equal numbers and random order within a batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from brainrnn.errors import InputError, unknown
from brainrnn.memory import require_memory
from brainrnn.task import Trials
from tasks.arguments import check_period, check_step, check_weight, draw_tasks
from tasks.conditions import DECISION, N_MODALITIES, N_RING, PERIODS, Conditions
from tasks.ideal_observer import ceiling
from tasks.motion import Motion
from tasks.supervised import choice_loss, choice_score, follow_score
from tasks.yang2019 import COG20, DESCRIPTIONS, condition_table

_N_RINGS = N_MODALITIES * N_RING
_RINGS = slice(1, 1 + _N_RINGS)
_RING_1 = slice(1, 1 + N_RING)
_RING_2 = slice(1 + N_RING, 1 + _N_RINGS)
_NOISY = {1: _RING_1, 2: _RING_2, 3: _RINGS}  # by modality 1 plus twice modality 2
_RULE = 1 + _N_RINGS


class CognitiveSuite:
    """Cognitive tasks, each a table of conditions; follows ``brainrnn.task.Suite``.

    Inputs are fixation, two rings of 16 units (one per modality) and a one-hot rule that is on
    throughout the trial. Outputs are 17 classes: 0 to fixate, 1 to 16 for the places on the ring.
    Make one with ``cog20`` or ``modcog``.

    Parameters
    ----------
    dt : float
        Step, ms.
    tables : mapping of str to Conditions
        Equally likely conditions of every task, by name.
    decision_weight : float
        Weight in the loss of a step of the decision period.
    descriptions : mapping of str to str
        What each task asks for.
    observed_as : sequence of str
        For each task the one of the 20 that an ideal observer does as well in; None: not known.
    motion : Motion
        How answers move around the ring, where any does.

    Examples
    --------
    >>> cog20(names=["go"]).input_groups["rule"]
    slice(33, 34, None)
    """

    def __init__(
        self,
        dt: float,
        tables: Mapping[str, Conditions],
        decision_weight: float,
        *,
        descriptions: Mapping[str, str],
        observed_as: Sequence[str | None],
        motion: Motion = Motion(),  # noqa: B008 - frozen
    ) -> None:
        """Lay out the tasks' conditions; ``cog20`` and ``modcog`` check the arguments."""
        self.names = tuple(tables)
        self.descriptions = dict(descriptions)
        self.dt = dt
        self.decision_weight = decision_weight
        self.n_inputs = _RULE + len(self.names)
        self.n_outputs = 1 + N_RING
        self.input_groups = {
            "fixation": slice(0, 1),
            "modality 1": _RING_1,
            "modality 2": _RING_2,
            "rule": slice(_RULE, self.n_inputs),
        }
        self._motion, self._observed_as = motion, tuple(observed_as)
        self.table = Conditions.concatenate(list(tables.values()))
        self._n_conditions = np.array([len(table) for table in tables.values()])
        self._turns = bool(self.table.turn.any())
        self._moving = torch.tensor([bool(table.drift.any()) for table in tables.values()])
        self._first_condition = np.cumsum(self._n_conditions) - self._n_conditions
        occurs = (self.table.duration > 0).any(axis=0)
        self._occurring = np.flatnonzero(occurs)
        self._period_names = tuple(PERIODS[period] for period in self._occurring)

    def sample(
        self,
        n: int | None,
        rng: np.random.Generator,
        *,
        task: Sequence[int] | np.ndarray | None = None,
    ) -> Trials:
        """Draw ``n`` trials; ``task`` gives each one's task index, else a balanced random mix.

        Every condition of a task is equally likely. Noise has a standard deviation of
        ``1 / sqrt(dt)``, dt in ms, and is independent over steps and channels.

        Raises
        ------
        InputError
            If ``n`` is not a positive number or ``task`` is not ``n`` task indices.
        """
        tasks = draw_tasks(n, len(self.names), rng, task)
        row = self._first_condition[tasks] + rng.integers(self._n_conditions[tasks])
        drawn = self.table[row]
        if self._turns:
            drawn = self._motion.with_delays(drawn, rng)
        return self.render(tasks, drawn, rng.random(n), rng)

    def render(
        self,
        task: Int[np.ndarray, " trial"],
        drawn: Conditions,
        prolongation: Float[np.ndarray, " trial"] | float = 0.0,
        rng: np.random.Generator | None = None,
    ) -> Trials:
        """Make trials of given conditions.

        Parameters
        ----------
        task : (trial,) int64
            Task index of every trial.
        drawn : Conditions
            Its conditions, such as rows of ``tasks.yang2019.condition_table(name)``.
        prolongation : (trial,) or float
            How much of the largest prolongation the fixation period gets, 0 to 1.
        rng : numpy.random.Generator, optional
            Source of the noise; trials are noise-free without it.
        """
        n = len(drawn)
        bounds = drawn.bounds(self.dt, prolongation)
        n_steps = bounds[:, -1].max()
        needed = 4 * n * int(n_steps) * self.n_inputs
        require_memory(needed, f"{n:,} trials of {n_steps:,} steps", "use fewer, or a larger dt")

        # All but noise is constant in a period: a frame per trial and period, and an empty one.
        frames = np.zeros((n, len(PERIODS) + 1, self.n_inputs), np.float32)
        shown = frames[:, :-1]
        shown[..., 0] = drawn.fixation
        drawn.add_rings(shown[..., _RINGS])
        shown[np.arange(n), :, _RULE + task] = 1
        targets = np.zeros(frames.shape[:2], np.int64)
        targets[:, DECISION] = drawn.target
        weights = np.ones(frames.shape[:2], np.float32)
        weights[:, DECISION] = self.decision_weight
        weights[:, -1] = 0

        # Which frame each step shows: (time, trial).
        ends = np.column_stack([bounds[:, 1:], np.full(n, n_steps)])
        in_turn = np.repeat(np.arange(targets.size), (ends - bounds).ravel())
        frame = np.ascontiguousarray(in_turn.reshape(n, n_steps).T)
        inputs = frames.reshape(targets.size, -1).take(frame, axis=0)
        if rng is not None:
            noisy = np.zeros(targets.shape, np.uint8)
            noisy[:, :-1] = drawn.noise() @ np.array([1, 2], np.uint8)
            noisy_step = noisy.take(frame).ravel()
            # Torch draws Gaussian numbers in half of NumPy's time, from a seed of 32 bits.
            source = torch.Generator().manual_seed(int(rng.integers(2**32)))
            for which, channels in _NOISY.items():
                step = np.flatnonzero(noisy_step == which)
                noise = torch.empty(len(step), channels.stop - channels.start)
                noise.normal_(0, self.dt**-0.5, generator=source)
                inputs.reshape(-1, self.n_inputs)[step, channels] += noise.numpy()

        shown_targets = targets.take(frame)
        self._motion.move(shown_targets, drawn, bounds[:, DECISION], self.dt)
        start, end = bounds[:, self._occurring], ends[:, self._occurring]
        periods = np.stack([np.where(start < end, t, -1) for t in (start, end)], axis=2)
        return Trials(
            inputs=torch.from_numpy(inputs),
            targets=torch.from_numpy(shown_targets),
            weights=torch.from_numpy(weights.take(frame)),
            lengths=torch.from_numpy(bounds[:, -1].copy()),
            task=torch.from_numpy(task),
            period_names=self._period_names,
            periods=torch.from_numpy(periods),
            conditions=drawn.labels(),
        )

    def held_out(self, n: int, rng: np.random.Generator) -> Trials:
        """Draw ``n`` trials of each task, task after task."""
        task = np.repeat(np.arange(len(self.names)), n)
        return self.sample(len(task), rng, task=task)

    def loss(
        self, outputs: Float[Tensor, "member time trial output"], trials: Trials
    ) -> Float[Tensor, " member"]:
        """Weighted mean cross entropy of every member; see ``choice_loss``."""
        return choice_loss(outputs, trials)

    def score(
        self, outputs: Float[Tensor, "member time trial output"], trials: Trials
    ) -> Float[Tensor, "member trial"]:
        """Whether each trial was answered correctly, 0 or 1; see ``choice_score``.

        An answer that moves must be right at every step of the decision period.
        """
        window = trials.period("decision")
        score = choice_score(outputs, trials, window)
        if not bool(self._moving.any()):
            return score
        moving = self._moving.to(trials.task.device)[trials.task]
        return torch.where(moving, follow_score(outputs, trials, window), score)

    def ceiling(self) -> Float[np.ndarray, " task"]:
        """Accuracy of an ideal observer in every task, NaN where it is not known.

        See ``tasks.ideal_observer``.
        """
        return np.array([ceiling(n, self.dt) if n else np.nan for n in self._observed_as])


def cog20(
    dt: float = 100, names: Sequence[str] | None = None, *, decision_weight: float = 5.0
) -> CognitiveSuite:
    """Make a suite of the 20 cognitive tasks of Yang et al. (2019), or of some of them.

    Parameters
    ----------
    dt : float
        Step, ms.
    names : sequence of str, optional
        Tasks to include, in this order; see ``COG20``. All by default.
    decision_weight : float
        Weight in the loss of a step of the decision period; all other steps of a trial weigh 1.

    Returns
    -------
    CognitiveSuite

    Raises
    ------
    InputError
        For an unknown or repeated task, or a step that is not positive or is longer than a period.

    Examples
    --------
    >>> import numpy as np
    >>> suite = cog20(dt=100, names=["go", "dms"])
    >>> trials = suite.sample(8, np.random.default_rng(0))
    >>> tuple(trials.inputs.shape)
    (32, 8, 35)
    """
    chosen = chosen_tasks(names, COG20, COG20)
    tables = {name: condition_table(name) for name in chosen}
    check_tables(tables, dt)
    check_weight(decision_weight)
    return CognitiveSuite(
        dt,
        tables,
        decision_weight,
        descriptions={name: DESCRIPTIONS[name] for name in chosen},
        observed_as=chosen,
    )


def chosen_tasks(
    names: Sequence[str] | None, known: Sequence[str], default: Sequence[str]
) -> tuple[str, ...]:
    """The tasks that were asked for, or the default ones.

    Raises
    ------
    InputError
        If a name is not known, or occurs twice, or there is none.
    """
    chosen = tuple(default) if names is None else tuple(names)
    if isinstance(names, str) or not chosen:
        raise InputError(f"task names are {names!r}: expected a list such as ['go', 'dm1']")
    for name in chosen:
        if name not in known:
            raise InputError(unknown("task", name, known))
    if len(set(chosen)) < len(chosen):
        raise InputError(f"names is {list(chosen)}: a task occurs twice, name each once")
    return chosen


def check_tables(tables: Mapping[str, Conditions], dt: float) -> None:
    """Raise ``InputError`` if ``dt`` is not a step, or is longer than a period of these tasks."""
    check_step(dt)
    for name, table in tables.items():
        shortest = np.where(table.duration > 0, table.duration, np.inf).min(axis=0)
        period = int(shortest.argmin())
        check_period(name, PERIODS[period], float(shortest[period]), dt)
