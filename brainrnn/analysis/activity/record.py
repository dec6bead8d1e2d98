"""What a network does when it performs its tasks. The only file here that runs a network."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int
from torch import Tensor, nn

from brainrnn.anatomy.placed import Placed
from brainrnn.errors import InputError, unknown
from brainrnn.task import Suite, Trials


@runtime_checkable
class Recordable(Protocol):
    """A network whose activity in time can be recorded, whoever wrote it.

    Examples
    --------
    A module of PyTorch, for one network (a leading member axis of 1):

    >>> import torch
    >>> class Mine:
    ...     def __init__(self):
    ...         self.rnn, self.readout = torch.nn.RNN(3, 8), torch.nn.Linear(8, 2)
    ...     def activity(self, inputs, lengths):
    ...         hidden = self.rnn(inputs)[0]  # (time, trial, unit)
    ...         return self.readout(hidden)[None], hidden[None]
    >>> isinstance(Mine(), Recordable)
    True
    """

    def activity(
        self, inputs: Float[Tensor, "time trial channel"], lengths: Int[Tensor, " trial"]
    ) -> tuple[Float[Tensor, "member time trial output"], Float[Tensor, "member time trial unit"]]:
        """Outputs and the activity of every neuron; what is after a trial's end does not count."""
        ...


@torch.no_grad()
def record(
    net: Recordable, suite: Suite, task: int | str, *, trials: int, rng: np.random.Generator
) -> xr.DataArray:
    """Activity of every neuron in trials of one task, aligned at the end of the first period.

    The steps before that, the fixation period, are dropped (Yang et al. 2019, Methods). Trials of
    a task that declares fewer than two periods are kept from their first step. The stimulus is as
    noisy as in training; the network's private noise is off.

    Parameters
    ----------
    net : RNN, or any other network that is :class:`Recordable`
    suite : Suite
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
        If the suite has no such task, or the network's activity lacks an axis.

    Examples
    --------
    >>> import brainrnn as br
    >>> from tasks import cog20
    >>> suite = cog20(dt=100, names=["go", "anti"])
    >>> net = br.RNN.for_suite(suite, sites=br.grid(3, 3))
    >>> activity = record(net, suite, "go", trials=4, rng=np.random.default_rng(0))
    >>> activity.dims, activity.sizes["unit"]
    (('member', 'trial', 'time', 'unit'), 9)
    """
    index = _task_index(suite, task)
    batch = _sample(net, suite, index, trials, rng)
    states = net.activity(batch.inputs, batch.lengths)[1]
    if states.ndim != 4:
        raise InputError(
            f"activity of a {type(net).__name__} must be (member, time, trial, unit), got the "
            f"shape {tuple(states.shape)}: a single network has a member axis of 1"
        )
    hidden = states.cpu().numpy()
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
def accuracy(
    net: Recordable, suite: Suite, *, trials: int, rng: np.random.Generator
) -> xr.DataArray:
    """Fraction of fresh trials answered correctly, by network and task.

    Parameters
    ----------
    net : RNN, or any other network that is :class:`Recordable`
    suite : Suite
    trials : int
        Trials per task.
    rng : numpy Generator
        Draws the trials.

    Returns
    -------
    (member, task)
        Mean of ``suite.score``. Its standard error is at most ``0.5 / sqrt(trials)``.

    Examples
    --------
    >>> import brainrnn as br
    >>> from tasks import cog20
    >>> suite = cog20(dt=100, names=["go", "anti"])
    >>> net = br.RNN.for_suite(suite, sites=br.grid(3, 3))
    >>> accuracy(net, suite, trials=4, rng=np.random.default_rng(0)).dims
    ('member', 'task')
    """
    scores = []
    for task in range(len(suite.names)):  # one task at a time bounds the memory
        batch = _sample(net, suite, task, trials, rng)
        outputs = net.activity(batch.inputs, batch.lengths)[0]
        scores.append(suite.score(outputs, batch).double().mean(1).cpu().numpy())
    return xr.DataArray(
        np.stack(scores, axis=1),
        dims=("member", "task"),
        coords={"task": list(suite.names)},
        name="accuracy",
        attrs={"long_name": "fraction of trials correct", "units": "1", "trials": trials},
    )


def _sample(
    net: Recordable, suite: Suite, task: int, trials: int, rng: np.random.Generator
) -> Trials:
    """Trials of one task, where the network is."""
    batch = suite.sample(trials, rng, task=np.full(trials, task))
    if isinstance(net, Placed):
        return batch.to(next(iter(net.weights().values())).device)
    return batch.to(next(net.parameters()).device) if isinstance(net, nn.Module) else batch


def _alignment(batch: Trials) -> Int[np.ndarray, " trial"]:
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
