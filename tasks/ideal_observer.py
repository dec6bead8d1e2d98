"""Best possible accuracy in a task: an ideal observer who knows all but the stimulus.

The observer knows the task, its timing and its noise law, sees a whole noisy trial and gives the
answer that is most probably correct. Time averages of the noisy channels over each noisy period
are sufficient statistics for it, since noise is Gaussian and white and stimuli are constant.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Shaped

from tasks.conditions import N_RING, Conditions
from tasks.yang2019 import condition_table

STANDARD_ERROR = 0.0015
_LEAST_DRAWS = 4096
_LIKELIHOODS_AT_ONCE = 1 << 22  # 16 MB of float32


def best_accuracy(table: Conditions, dt: float) -> float:
    """Accuracy of the ideal observer when every condition of a table is equally likely.

    ``E_x max_a P(a | x)`` over what may be seen, x, with ``P(a | x)`` the exact posterior of
    answer a, a sum over all conditions. The expectation over noise is a Monte Carlo mean with a
    fixed seed, of posteriors rather than of right and wrong answers; its standard error is below
    0.002.

    Parameters
    ----------
    table : Conditions
        Conditions of one task.
    dt : float
        Step, ms.

    Examples
    --------
    >>> best_accuracy(condition_table("go"), dt=100)
    1.0
    """
    rng = np.random.default_rng(0)
    evidence, visible = _observation(table, dt)
    answers = np.eye(N_RING + 1, dtype=np.float32)[table.target]
    look, group = np.unique(visible, axis=0, return_inverse=True)
    accuracy = 0.0
    for index in range(len(look)):  # only conditions that look alike can be confused
        alike = np.flatnonzero(group.ravel() == index)
        accuracy += _expected_best(evidence[alike], answers[alike], rng) * len(alike) / len(table)
    return accuracy


def _observation(
    table: Conditions, dt: float
) -> tuple[Float[np.ndarray, "condition noisy"], Float[np.ndarray, "condition visible"]]:
    """Split what is seen of each condition into noisy and noise-free channels.

    Returns
    -------
    evidence : (condition, noisy) float32
        Mean of the noisy time averages in units of their standard deviation.
    visible : (condition, noise-free) float32
        All else: durations, which channels are noisy, and what the others show. Channels on which
        all conditions agree tell nothing and are left out of both.
    """
    stimulated = np.unique(table.shown)
    steps = np.diff(table.bounds(dt), axis=1).astype(np.float32)
    noisy = np.repeat(table.noise()[:, stimulated], N_RING, axis=2)
    rings = table.rings()[:, stimulated]
    # The noise of a step has variance 1 / dt, so that of an average 1 / (steps dt).
    precision = np.sqrt(steps[:, stimulated, None] * np.float32(dt))
    evidence = _informative(np.where(noisy, rings * precision, 0))
    visible = [steps, noisy, np.where(noisy, 0, rings)]
    return evidence, np.concatenate([_informative(part) for part in visible], axis=1)


def _informative(channels: np.ndarray) -> Shaped[np.ndarray, "condition channel"]:
    """Keep channels that differ between conditions: (condition, ...) -> (condition, channel)."""
    flat = channels.reshape(len(channels), -1)
    return flat[:, (flat != flat[:1]).any(axis=0)]


def _expected_best(
    evidence: Float[np.ndarray, "condition channel"],
    answers: Float[np.ndarray, "condition answer"],
    rng: np.random.Generator,
) -> float:
    """Expected posterior of the most probable answer, seeing ``evidence[i] + N(0, 1)``.

    Parameters
    ----------
    evidence : (condition, channel) float32
    answers : (condition, answer) float32
        One-hot.
    """
    # Conditions with the same stimuli differ in a coin flip or the order of naming: one pattern.
    patterns, pattern, count = np.unique(evidence, axis=0, return_inverse=True, return_counts=True)
    pattern = pattern.ravel()
    answer_given_pattern = np.zeros((len(patterns), answers.shape[1]), np.float32)
    np.add.at(answer_given_pattern, pattern, answers)
    mean = torch.from_numpy(patterns)
    answer = torch.from_numpy(answer_given_pattern / count.astype(np.float32)[:, None])
    prior = torch.from_numpy(np.log(count, dtype=np.float32)) - 0.5 * mean.square().sum(dim=1)

    draws = min(_LEAST_DRAWS, max(1, _LIKELIHOODS_AT_ONCE // len(patterns)))
    best: list[float] = []
    while len(best) < _LEAST_DRAWS or np.std(best) > STANDARD_ERROR * np.sqrt(len(best)):
        truth = torch.from_numpy(pattern[rng.integers(len(pattern), size=draws)])
        noise = torch.from_numpy(rng.standard_normal((draws, mean.shape[1]), np.float32))
        posterior = torch.softmax((mean[truth] + noise) @ mean.T + prior, dim=1) @ answer
        best += posterior.amax(dim=1).tolist()
    return float(np.mean(best))


@cache
def ceiling(name: str, dt: float) -> float:
    """Best possible accuracy in one of the 20 tasks at a step of ``dt`` ms.

    Examples
    --------
    >>> ceiling("anti", 100.0)
    1.0
    """
    return best_accuracy(condition_table(name), dt)
