"""Is a statistic of a map smaller (or larger) than if its labels lay at random?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from brainrnn.errors import InputError
from brainrnn.threads import in_pieces, share

# Labels (batch, unit), integers from 0 without gaps, to one number per arrangement, (batch,), or
# to several that are computed together, (batch, number).
Statistic: TypeAlias = Callable[[Tensor], Tensor]
Alternative: TypeAlias = Literal["less", "greater", "two-sided"]

_CHUNK = 100_000  # labels at a time: the working set of a statistic stays in the cache
_DEVICE_CHUNK = 1 << 24  # on a GPU, which only many labels at a time keep busy
_SORTED = 2000  # labels above which NumPy's sort is no quicker than its shuffle
_TIE = 1e-9  # relative difference below which two values count as equal


def permutation_test(
    statistics: Mapping[str, Statistic] | Mapping[str | tuple[str, ...], Statistic],
    labels: Shaped[np.ndarray, " unit"] | xr.DataArray | Sequence[Any],
    *,
    n: int = 10_000,
    seed: int | np.random.SeedSequence = 0,
    alternative: Alternative | Mapping[str, Alternative] = "less",
    device: torch.device | str = "cpu",
) -> xr.Dataset:
    r"""Compare statistics of a labelling with those of the same labels in random order.

    .. math:: p = (b + 1) / (n + 1)

    where :math:`b` counts the permutations whose statistic is at least as extreme as the observed
    one. Values that differ by less than 1e-9 of the observed one are ties and count, so that the
    order in which a sum is taken decides nothing. The two-sided p is twice the smaller one-sided
    p, at most 1.

    Labels ``arange(unit)`` are the neurons themselves, and what is permuted is then who sits
    where: this tests statistics of anything that neurons have, such as :func:`morans_i` and
    :func:`mantel`.

    Parameters
    ----------
    statistics : mapping of str to function
        Each maps labels, a tensor (batch, unit), to (batch,), a tensor or an array. All see the
        same permutations. The labels are consecutive integers from 0, in sorted order of those
        given; their transpose is contiguous in memory. Several threads may call a function at once.
        A tuple of names is for a function that computes as many numbers at once, (batch, number).
    labels : (unit,)
        Any labels, one per place.
    n : int
        Number of permutations.
    seed : int or SeedSequence
        The same permutations come from one seed on one kind of device.
    alternative : {"less", "greater", "two-sided"}, or a mapping of str to these
        Which values are more extreme than the observed one; a mapping has one for every name.
    device : torch device
        Where permutations are drawn and statistics computed; only the values come back, at the end.

    Returns
    -------
    Dataset
        ``observed``, ``null_mean``, ``null_sd``, ``null_low`` and ``null_high`` (2.5 and 97.5 %
        quantiles), ``z``, ``p``, all (statistic,), and ``null`` (statistic, permutation) float32.
        If the null does not vary, z is NaN and p is 1; of a statistic that is NaN, both are NaN.

    Raises
    ------
    InputError
        If ``n`` is below 1, ``alternative`` is unknown or missing for a statistic, the labels are
        not one for each place, or a function does not return one number for each labelling.

    Notes
    -----
    Source: "Growing Brains" (arXiv:2310.07711), which marks the trained network's value on the
    histogram of about 10,000 permutations. Adding 1 to both counts makes the p-value valid
    (Phipson and Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39).

    Examples
    --------
    Neurons in a row whose modules are blocks, and a statistic of one's own: how often the module
    changes from one neuron to the next.

    >>> changes = lambda labels: (labels[:, 1:] != labels[:, :-1]).double().sum(1)
    >>> test = permutation_test({"changes": changes}, ["a"] * 8 + ["b"] * 8, n=500)
    >>> float(test.observed[0]), float(test.p[0]) < 0.01
    (1.0, True)
    """
    if n < 1:
        raise InputError(f"a permutation test needs at least 1 permutation, got n={n}")
    groups = [(names,) if isinstance(names, str) else names for names in statistics]
    names = [name for group in groups for name in group]
    alternatives(names, alternative)  # which says so before the work if one is unknown
    if np.ndim(labels) != 1:
        raise InputError(
            f"labels must be one for each place, (unit,), got the shape {np.shape(labels)}: choose "
            "one network, for example brain.module[0]"
        )
    dense = np.unique(np.asarray(labels), return_inverse=True)[1]
    dense = dense.astype(np.min_scalar_type(-1 - int(dense.max(initial=0))))  # int8 up to 128

    device = torch.device(device)
    cpu = device.type == "cpu"
    draw = _on_cpu(dense) if cpu else _on_device(dense, device)
    size = max(1, (_CHUNK if cpu else _DEVICE_CHUNK) // max(1, len(dense)))

    def evaluate(
        moved: Shaped[Tensor, "unit batch"],
    ) -> Float[Tensor, "statistic batch"]:
        values = [
            _checked(f(moved.T), group, moved.shape[1], moved.device)
            for group, f in zip(groups, statistics.values(), strict=True)
        ]
        return torch.cat(values)

    observed_first = [evaluate(torch.from_numpy(dense)[:, None].to(device))]
    # Each chunk has a stream of its own, so that it does not matter which thread takes it.
    numbers = [min(size, n - done) for done in range(0, n, size)]
    streams = np.random.default_rng(seed).integers(2**63, size=len(numbers)).tolist()
    with in_pieces(cpu):
        chunks = share(
            lambda chunk: evaluate(draw(*chunk)), list(zip(numbers, streams, strict=True))
        )
    values = torch.cat(observed_first + chunks, dim=1).cpu().numpy()
    return compare(values[:, 0], values[:, 1:], names, alternative=alternative)


def compare(
    observed: Float[np.ndarray, " statistic"],
    null: Float[np.ndarray, "statistic draw"],
    names: Sequence[str],
    *,
    alternative: Alternative | Mapping[str, Alternative] = "less",
) -> xr.Dataset:
    """Set values beside their distributions under a null, however those were drawn.

    Parameters
    ----------
    observed : (statistic,)
    null : (statistic, draw)
    names : sequence of str
        Of the statistics.
    alternative : {"less", "greater", "two-sided"}, or a mapping of str to these

    Returns
    -------
    Dataset
        As from :func:`permutation_test`.

    Raises
    ------
    InputError
        If ``alternative`` is unknown or missing for a statistic.

    Examples
    --------
    >>> test = compare(np.array([3.0]), np.array([[1.0, 2.0, 3.0]]), ["mine"])
    >>> float(test.p[0])
    1.0
    """
    sides = alternatives(names, alternative)
    n = null.shape[1]
    tie = np.where(np.isfinite(observed), _TIE * np.abs(observed), 0)
    with np.errstate(invalid="ignore", divide="ignore"):  # of values that are NaN or infinite
        mean, sd = null.mean(1), null.std(1)
        sd[sd <= _TIE * np.abs(mean)] = 0
        low, high = np.quantile(null, [0.025, 0.975], axis=1)
        z = np.where(sd > 0, (observed - mean) / sd, np.nan)
        less = (1 + (null <= (observed + tie)[:, None]).sum(1)) / (n + 1)
        greater = (1 + (null >= (observed - tie)[:, None]).sum(1)) / (n + 1)
    p = {
        "less": less,
        "greater": greater,
        "two-sided": np.minimum(1, 2 * np.minimum(less, greater)),
    }
    of_each = np.array([p[side][i] for i, side in enumerate(sides)])
    fields = {
        "observed": (observed, "value in the network"),
        "null_mean": (mean, "mean over permutations"),
        "null_sd": (sd, "standard deviation over permutations"),
        "null_low": (low, "2.5 % quantile over permutations"),
        "null_high": (high, "97.5 % quantile over permutations"),
        "z": (z, "observed value in standard deviations from the null's mean"),
        "p": (np.where(np.isnan(observed), np.nan, of_each), "p-value of the permutation test"),
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
        coords={"statistic": list(names)},
        attrs={
            "alternative": alternative if isinstance(alternative, str) else sides,
            "permutations": n,
        },
    )


def _checked(
    values: Any, names: tuple[str, ...], batch: int, device: torch.device
) -> Float[Tensor, "statistic batch"]:
    """What a function of labels returned, a row for each of its names.

    Raises
    ------
    InputError
        If it is not one number for each labelling and name.
    """
    what = f"the statistic {', '.join(names)!r} must return "
    if not isinstance(values, Tensor | np.ndarray):
        raise InputError(f"{what}a tensor or an array, got {type(values).__name__}")
    shape = (batch,) if len(names) == 1 else (batch, len(names))
    if values.shape != shape and values.shape != (batch, len(names)):
        raise InputError(
            f"{what}one number for each labelling of the batch, the shape {shape}, got "
            f"{tuple(values.shape)} for labels of shape (batch, unit) with {batch} in the batch"
        )
    rows = torch.as_tensor(values, device=device).detach().reshape(batch, len(names)).T
    return rows.to(torch.float64)


def alternatives(
    names: Sequence[str], alternative: Alternative | Mapping[str, Alternative]
) -> list[Alternative]:
    """Alternative of each of these statistics.

    Raises
    ------
    InputError
        If one is unknown or missing.
    """
    if isinstance(alternative, str):
        alternative = dict.fromkeys(names, alternative)
    missing = [name for name in names if name not in alternative]
    if missing:
        raise InputError(f"no alternative is given for the statistic {missing[0]!r}")
    for name in names:
        if alternative[name] not in ("less", "greater", "two-sided"):
            raise InputError(
                f"unknown alternative {alternative[name]!r}: use 'less', 'greater' or 'two-sided'"
            )
    return [alternative[name] for name in names]


def _on_cpu(labels: Int[np.ndarray, " unit"]) -> Callable[[int, int], Tensor]:
    """Draw permutations of labels: a function from their number and a seed to (unit, permutation).

    Random numbers that carry a label in their last bits are sorted. Where all of them differ in
    their random bits, every order is equally likely; where two agree, the permutation is drawn
    anew. So every order is exactly as likely, in a third of the time of a shuffle.
    """
    bits = int(labels.max(initial=0)).bit_length()
    carried, last = labels.astype(np.uint32), np.uint32(2**bits - 1)

    def sort(n: int, rng: np.random.Generator) -> np.ndarray:
        pairs = rng.integers(2**64, size=(n, (len(labels) + 1) // 2), dtype=np.uint64)
        keys = pairs.view(np.uint32)[:, : len(labels)]
        keys <<= np.uint32(bits)
        keys |= carried
        keys.sort(axis=1)
        tied = np.flatnonzero(((keys[:, 1:] ^ keys[:, :-1]) <= last).any(axis=1))
        if len(tied):
            keys[tied] = sort(len(tied), rng)
        return keys

    def draw(n: int, seed: int) -> Tensor:
        rng = np.random.Generator(np.random.SFC64(seed))  # NumPy's quickest
        if len(labels) > _SORTED:
            moved = rng.permuted(np.broadcast_to(labels[:, None], (len(labels), n)), axis=0)
        else:
            moved = np.ascontiguousarray((sort(n, rng) & last).astype(labels.dtype).T)
        return torch.from_numpy(moved)

    return draw


def _on_device(
    labels: Int[np.ndarray, " unit"], device: torch.device
) -> Callable[[int, int], Tensor]:
    """Draw permutations as ``_on_cpu`` does, without a word from the device in between.

    So that nobody has to look for ties, the keys have 63 bits: among 4096 labels of 12 kinds the
    random bits of two agree in one permutation of 7e10.
    """
    generator = torch.Generator(device)
    bits = int(labels.max(initial=0)).bit_length()
    carried = torch.from_numpy(labels).to(device)

    def draw(n: int, seed: int) -> Tensor:
        generator.manual_seed(seed)
        keys = torch.randint(2 ** (63 - bits), (n, len(labels)), generator=generator, device=device)
        moved = (keys << bits | carried).sort(dim=1).values & (2**bits - 1)
        return moved.to(carried.dtype).T.contiguous()

    return draw
