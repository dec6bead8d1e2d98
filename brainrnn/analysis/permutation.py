"""Is a statistic of a map smaller (or larger) than if its labels lay at random?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import numpy as np
import torch
import xarray as xr
from threadpoolctl import threadpool_limits
from torch import Tensor

from brainrnn.errors import InputError

# Labels (batch, unit), integers from 0 without gaps, to one number per arrangement, (batch,).
Statistic: TypeAlias = Callable[[Tensor], Tensor]
Alternative: TypeAlias = Literal["less", "greater", "two-sided"]

_CHUNK = 400_000  # labels at a time: the working set of a statistic stays in the cache
_TIE = 1e-9  # relative difference below which two values count as equal


def permutation_test(
    statistics: Mapping[str, Statistic],
    labels: np.ndarray | xr.DataArray,
    *,
    n: int = 10_000,
    seed: int | np.random.SeedSequence = 0,
    alternative: Alternative = "less",
    device: torch.device | str = "cpu",
) -> xr.Dataset:
    r"""Compare statistics of a labelling with those of the same labels in random order.

    .. math:: p = (b + 1) / (n + 1)

    where :math:`b` counts the permutations whose statistic is at least as extreme as the observed
    one. Values that differ by less than 1e-9 of the observed one are ties and count, so that the
    order in which a sum is taken decides nothing. The two-sided p is twice the smaller one-sided
    p, at most 1.

    Parameters
    ----------
    statistics : mapping of str to function
        Each maps labels, (batch, unit), to (batch,) float64. All see the same permutations. The
        labels are consecutive integers from 0; their transpose is contiguous in memory.
    labels : (unit,)
        Any labels, one per place.
    n : int
        Number of permutations.
    seed : int or SeedSequence
    alternative : {"less", "greater", "two-sided"}
        Which values are more extreme than the observed one.
    device : torch device
        Where the statistics are computed.

    Returns
    -------
    Dataset
        ``observed``, ``null_mean``, ``null_sd``, ``null_low`` and ``null_high`` (2.5 and 97.5 %
        quantiles), ``z``, ``p``, all (statistic,), and ``null`` (statistic, permutation) float32.
        If the null does not vary, z is NaN and p is 1.

    Raises
    ------
    InputError
        If ``n`` is below 1 or ``alternative`` unknown.

    Notes
    -----
    Source: "Growing Brains" (arXiv:2310.07711), which marks the trained network's value on the
    histogram of about 10,000 permutations. Adding 1 to both counts makes the p-value valid
    (Phipson and Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39).
    """
    if n < 1:
        raise InputError(f"a permutation test needs at least 1 permutation, got n={n}")
    if alternative not in ("less", "greater", "two-sided"):
        raise InputError(
            f"unknown alternative {alternative!r}: use 'less', 'greater' or 'two-sided'"
        )
    dense = np.unique(np.asarray(labels), return_inverse=True)[1]
    dense = dense.astype(np.min_scalar_type(-1 - int(dense.max(initial=0))))  # int8 up to 128

    def evaluate(batch: np.ndarray) -> np.ndarray:  # (unit, batch) -> (statistic, batch)
        moved = torch.from_numpy(batch).to(device).T
        return np.stack([f(moved).cpu().numpy() for f in statistics.values()])

    rng = np.random.default_rng(seed)
    size = max(1, _CHUNK // max(1, len(dense)))
    with threadpool_limits(1):  # chunks are small: more threads would only wait for each other
        observed = evaluate(dense[:, None])[:, 0]
        chunks = [
            evaluate(np.ascontiguousarray(_permuted(dense, min(size, n - done), rng)))
            for done in range(0, n, size)
        ]
    null = np.concatenate(chunks, axis=1)
    mean, sd = null.mean(1), null.std(1)
    tie = _TIE * np.abs(observed)
    sd[sd <= _TIE * np.abs(mean)] = 0
    low, high = np.quantile(null, [0.025, 0.975], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(sd > 0, (observed - mean) / sd, np.nan)
    less = (1 + (null <= (observed + tie)[:, None]).sum(1)) / (n + 1)
    greater = (1 + (null >= (observed - tie)[:, None]).sum(1)) / (n + 1)
    p = {
        "less": less,
        "greater": greater,
        "two-sided": np.minimum(1, 2 * np.minimum(less, greater)),
    }
    fields = {
        "observed": (observed, "value in the network"),
        "null_mean": (mean, "mean over permutations"),
        "null_sd": (sd, "standard deviation over permutations"),
        "null_low": (low, "2.5 % quantile over permutations"),
        "null_high": (high, "97.5 % quantile over permutations"),
        "z": (z, "observed value in standard deviations from the null's mean"),
        "p": (p[alternative], "p-value of the permutation test"),
    }
    return xr.Dataset(
        {k: ("statistic", v, {"long_name": name, "units": "1"}) for k, (v, name) in fields.items()}
        | {
            "null": (
                ("statistic", "permutation"),
                null.astype(np.float32),
                {"long_name": "values under permutation", "units": "1"},
            )
        },
        coords={"statistic": list(statistics)},
        attrs={"alternative": alternative, "permutations": n},
    )


def _permuted(labels: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.permuted(np.broadcast_to(labels[:, None], (len(labels), n)), axis=0)
