"""What every suite is asked for: a step, and trials of some mix of its tasks."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np
from jaxtyping import Int

from brainrnn.errors import InputError


def check_step(dt: float) -> None:
    """Raise ``InputError`` unless ``dt`` can be a step in ms."""
    if not isinstance(dt, int | float | np.number) or not (isfinite(dt) and dt > 0):
        raise InputError(f"dt is {dt!r}: expected a step in ms above 0, such as dt=100")


def check_period(task: str, period: str, shortest: float, dt: float) -> None:
    """Raise ``InputError`` if a period that may be as short as this many ms would have no step."""
    if shortest < dt:
        raise InputError(
            f"dt is {dt:g} ms, but period {period!r} of {task!r} may last only {shortest:g} ms and "
            f"would vanish: use dt <= {shortest:g}"
        )


def check_weight(decision_weight: float) -> None:
    """Raise ``InputError`` unless this can be a weight in the loss."""
    if not isinstance(decision_weight, int | float | np.number) or not 0 < decision_weight <= 1e9:
        raise InputError(
            f"decision_weight is {decision_weight!r}: expected a number above 0, at most 1e9"
        )


def draw_tasks(
    n: int | None,
    n_tasks: int,
    rng: np.random.Generator,
    task: Sequence[int] | np.ndarray | None = None,
) -> Int[np.ndarray, " trial"]:
    """Give every trial a task: as asked for, else balanced to within one trial, in random order.

    Parameters
    ----------
    n, n_tasks : int
        Number of trials and of tasks.
    rng : numpy.random.Generator
        Source of the order, and of which tasks get one trial more where ``n`` leaves a remainder.
    task : (trial,) int, optional
        Task index of every trial; nothing is then drawn.

    Returns
    -------
    (trial,) int64

    Raises
    ------
    InputError
        If ``n`` is not a positive whole number, or ``task`` is not ``n`` indices of tasks.

    Examples
    --------
    >>> sorted(draw_tasks(4, 2, np.random.default_rng(0)).tolist())
    [0, 0, 1, 1]
    """
    if not isinstance(n, int | np.integer) or n < 1:
        raise InputError(f"n is {n!r}: expected a whole number of trials, 1 or more")
    if task is None:
        once_more = rng.permutation(n_tasks)[: n % n_tasks]
        return rng.permutation(
            np.concatenate([np.repeat(np.arange(n_tasks), n // n_tasks), once_more])
        )
    tasks = np.asarray(task)
    if tasks.shape != (n,) or not np.issubdtype(tasks.dtype, np.integer):
        raise InputError(
            f"task has shape {tasks.shape} and type {tasks.dtype}: "
            f"expected {n} whole numbers, the task index of every trial"
        )
    if tasks.min() < 0 or tasks.max() >= n_tasks:
        raise InputError(
            f"task has an index outside 0 to {n_tasks - 1}: the suite has {n_tasks} tasks"
        )
    return tasks.astype(np.int64)
