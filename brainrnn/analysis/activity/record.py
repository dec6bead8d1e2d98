"""What a network does when it performs its tasks. The only file here that runs a network."""

from __future__ import annotations

import numpy as np
import torch
import xarray as xr

from brainrnn.errors import InputError, unknown
from brainrnn.networks import RNN
from brainrnn.task import Suite, Trials


@torch.no_grad()
def record(
    net: RNN, suite: Suite, task: int | str, *, trials: int, rng: np.random.Generator
) -> xr.DataArray:
    """Activity of every neuron in trials of one task, aligned at the end of the first period.

    The steps before that, the fixation period, are dropped (Yang et al. 2019, Methods). Trials of
    a task that declares fewer than two periods are kept from their first step. The stimulus is as
    noisy as in training; the network's private noise is off.

    Parameters
    ----------
    net : RNN
    suite : Task
    task : int or str
        Index or name of a task in the suite.
    trials : int
        Number of trials.
    rng : numpy Generator
        Draws the trials.

    Returns
    -------
    (member, trial, time, unit) float32
        NaN after a trial's end. ``time`` is in ms from the end of the first period.

    Raises
    ------
    InputError
        If the suite has no such task.
    """
    index = _task_index(suite, task)
    batch = _sample(net, suite, index, trials, rng)
    hidden = net.activity(batch.inputs, batch.lengths)[1].cpu().numpy()
    start, length = _alignment(batch), batch.lengths.cpu().numpy()
    step = start[:, None] + np.arange((length - start).max())  # (trial, time)
    present = step < length[:, None]
    trial = np.arange(trials)[:, None]
    activity = hidden[:, np.where(present, step, 0), trial]  # (member, trial, time, unit)
    activity[:, ~present] = np.nan
    return xr.DataArray(
        activity,
        dims=("member", "trial", "time", "unit"),
        coords={
            "time": (
                "time",
                np.arange(step.shape[1]) * suite.dt,
                {"units": "ms", "long_name": "time from the end of the first period"},
            )
        },
        name="activity",
        attrs={"long_name": "activity", "units": "1", "task": suite.names[index]},
    )


@torch.no_grad()
def accuracy(net: RNN, suite: Suite, *, trials: int, rng: np.random.Generator) -> xr.DataArray:
    """Fraction of fresh trials answered correctly, by network and task.

    Parameters
    ----------
    net : RNN
    suite : Task
    trials : int
        Trials per task.
    rng : numpy Generator
        Draws the trials.

    Returns
    -------
    (member, task)
        Mean of ``suite.score``. Its standard error is at most ``0.5 / sqrt(trials)``.
    """
    scores = []
    for task in range(len(suite.names)):  # one task at a time bounds the memory
        batch = _sample(net, suite, task, trials, rng)
        outputs = net(batch.inputs, batch.lengths)
        scores.append(suite.score(outputs, batch).double().mean(1).cpu().numpy())
    return xr.DataArray(
        np.stack(scores, axis=1),
        dims=("member", "task"),
        coords={"task": list(suite.names)},
        name="accuracy",
        attrs={"long_name": "fraction of trials correct", "units": "1", "trials": trials},
    )


def _sample(net: RNN, suite: Suite, task: int, trials: int, rng: np.random.Generator) -> Trials:
    return suite.sample(trials, rng, task=np.full(trials, task)).to(
        net.get_parameter("w_rec").device
    )


def _alignment(batch: Trials) -> np.ndarray:
    """Step at which each trial's first period ends, 0 if it has fewer than two; (trial,)."""
    periods = batch.periods.cpu().numpy()
    present = periods[..., 0] >= 0
    if present.shape[1] == 0:
        return np.zeros(len(batch), dtype=np.int64)
    begin = np.where(present, periods[..., 0], np.iinfo(np.int64).max)
    first_end = np.take_along_axis(periods[..., 1], begin.argmin(1)[:, None], axis=1)[:, 0]
    return np.where(present.sum(1) >= 2, first_end, 0)


def _task_index(suite: Suite, task: int | str) -> int:
    names = list(suite.names)
    if isinstance(task, str):
        if task in names:
            return names.index(task)
        raise InputError(unknown("task", task, names))
    if not 0 <= task < len(names):
        raise InputError(f"task index {task} is outside 0 to {len(names) - 1}: use one of those")
    return int(task)
