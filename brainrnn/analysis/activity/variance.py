"""How much each neuron takes part in each task: the task variance of Yang et al. (2019)."""

from __future__ import annotations

import xarray as xr


def task_variance(activity: xr.DataArray) -> xr.DataArray:
    r"""Variance of each neuron across the trials of one task, averaged over time.

    .. math:: TV_u = \sum_t n_t \, \mathrm{Var}_i[r_u(i, t)] \, / \, \sum_t n_t

    where :math:`i` runs over the :math:`n_t` trials that are still under way at time :math:`t` (and
    in which the neuron was recorded), and the variance is the population variance (divided by
    :math:`n_t`).

    Parameters
    ----------
    activity : (member, trial, time, unit)
        Activity in the trials of one task, as from :func:`record`; NaN after a trial's end, and
        where a neuron was not recorded.

    Returns
    -------
    (member, unit)
        Task variance, in squared units of the activity.

    Notes
    -----
    Yang et al. (2019, Nature Neuroscience 22:297, Methods) average over time without weights,
    because their trials of a task are equally long. Here they may differ, and each time counts by
    the trials it has; for equally long trials the two are the same.

    Examples
    --------
    >>> two_trials = [[[[0.0], [1.0]], [[2.0], [1.0]]]]
    >>> activity = xr.DataArray(two_trials, dims=("member", "trial", "time", "unit"))
    >>> task_variance(activity).values  # 1 in the first step, 0 in the second
    array([[0.5]])
    """
    count = activity.notnull().sum("trial")
    variance = (activity.var("trial") * count).sum("time") / count.sum("time")
    return variance.assign_attrs(long_name="task variance", units="activity^2")


def normalise(variance: xr.DataArray) -> xr.DataArray:
    """Divide each neuron's task variances by the largest of them; a silent neuron stays at 0.

    Parameters
    ----------
    variance : (..., unit, task)

    Returns
    -------
    (..., unit, task)
        Between 0 and 1 (Yang et al. 2019, Methods).

    Examples
    --------
    >>> normalise(xr.DataArray([[1.0, 4.0], [0.0, 0.0]], dims=("unit", "task"))).values
    array([[0.25, 1.  ],
           [0.  , 0.  ]])
    """
    largest = variance.max("task")
    return (variance / largest.where(largest > 0, 1)).assign_attrs(
        long_name="normalised task variance", units="1"
    )


def active_units(variance: xr.DataArray, threshold: float) -> xr.DataArray:
    """Say which neurons take part in anything at all.

    A neuron is active if its variance summed over tasks is above 0 and at least ``threshold``
    times that of the most active neuron of its network. Yang et al. (2019) use an absolute
    threshold of 1e-3, which depends on the scale of the activity.

    Parameters
    ----------
    variance : (member, unit, task)
    threshold : float
        Fraction of the most active neuron's summed variance, 0 to 1.

    Returns
    -------
    (member, unit) bool

    Examples
    --------
    >>> variance = xr.DataArray([[[1.0, 4.0], [0.0, 0.0]]], dims=("member", "unit", "task"))
    >>> active_units(variance, 0.01).values
    array([[ True, False]])
    """
    total = variance.sum("task")
    active = (total >= threshold * total.max("unit")) & (total > 0)
    return active.assign_attrs(long_name="neuron is active", threshold=threshold)
