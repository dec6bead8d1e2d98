"""How the probability of a connection falls with its length: a power law, or rather something else?

Neurons of a map can only be connected over the distances that there are between them: few pairs are
next to each other, most are half a map apart, none further than the map is wide, and on a grid
distances are discrete. A fit to the lengths of connections alone, as of incomes or earthquakes,
would mostly describe the map. So what is fitted here is the probability that a pair of neurons at
some distance is connected, given that there is such a pair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import xarray as xr
from jaxtyping import Bool, Num
from scipy.optimize import minimize
from scipy.stats import chi2, norm

PARAMETERS = ("intensity", "exponent", "rate", "curvature", "shape")
_FLAT = 1e-9  # standard deviations of a likelihood ratio up to which two fits are the same


@dataclass(frozen=True)
class Model:
    """How the logarithm of the expected number of contacts depends on distance.

    Attributes
    ----------
    parameters : tuple of str
        Besides the intensity, contacts at distance 1, or at 0 where they do not diverge there.
    of_distance : function
        Distances (class,) and parameters to the logarithm of the contacts less that of the
        intensity, (class,), and its derivatives by the parameters, (class, parameter).
    nests : bool
        Whether it is a power law where its last parameter is 0.
    bounds : mapping
        Of parameters, where they are not those of all models.
    """

    parameters: tuple[str, ...]
    of_distance: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    nests: bool = False
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def _linear(*features: Callable[[np.ndarray], np.ndarray]) -> Callable:
    def of_distance(d: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        slope = -np.stack([f(d) for f in features], axis=1)
        return slope @ theta, slope

    return of_distance


def _stretched(d: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rate, shape = theta
    power = d**shape
    return -rate * power, -np.stack([power, rate * power * np.log(d)], axis=1)


MODELS = {
    "power_law": Model(("exponent",), _linear(np.log)),
    "exponential": Model(("rate",), _linear(np.asarray)),
    "lognormal": Model(
        ("exponent", "curvature"),
        _linear(np.log, lambda d: np.log(d) ** 2),
        nests=True,
        bounds={"exponent": (-20.0, 20.0)},  # its mode may be anywhere
    ),
    "stretched_exponential": Model(("rate", "shape"), _stretched),
    "truncated_power_law": Model(("exponent", "rate"), _linear(np.log, np.asarray), nests=True),
}
_START = {"exponent": 1.0, "rate": 0.1, "curvature": 0.1, "shape": 1.0}
_BOUNDS = {
    "exponent": (0.0, 20.0),
    "rate": (0.0, 20.0),
    "curvature": (0.0, 20.0),
    "shape": (0.05, 10.0),
}


def connection_lengths(
    distance: Num[np.ndarray, "unit unit"],
    connected: Bool[np.ndarray, "unit source"],
    *,
    bins: int | None = None,
) -> xr.Dataset:
    r"""Fit the probability that two neurons are connected as a function of their distance.

    Contacts from one neuron to another are rare and independent, so that

    .. math:: p(d) = 1 - e^{-\mu(d)}

    which is :math:`\mu(d)` where connections are sparse, and stays below 1 where they are not. With
    d in units of the spacing of sites:

    ===================== ==========================================
    power_law             :math:`\mu = c \, d^{-\alpha}`
    exponential           :math:`\mu = c \, e^{-\lambda d}`
    lognormal             :math:`\mu = c \, d^{-\alpha - \kappa \ln d}`
    stretched_exponential :math:`\mu = c \, e^{-\lambda d^\beta}`
    truncated_power_law   :math:`\mu = c \, d^{-\alpha} e^{-\lambda d}`
    ===================== ==========================================

    All are fitted by maximum likelihood over all ordered pairs of neurons, connected or not; none
    of the parameters is negative, but the lognormal's α may be.

    Parameters
    ----------
    distance : (unit, unit)
        Between neurons, in units of the spacing of sites; above 0 but on the diagonal.
    connected : (unit, source) bool
        Connections that count, such as live ones; those of neurons with themselves do not.
    bins : int, optional
        Of the empirical probability, equally wide in the logarithm of distance; by default one for
        about every half octave.

    Returns
    -------
    Dataset
        Over model: ``log_likelihood``, ``aic``, ``akaike_weight`` and, with the axis parameter,
        ``estimate`` and ``standard_error`` (intensity c, exponent α, rate λ, curvature κ, shape β;
        on the edge of what a parameter can be, at 0, it has no error).
        ``ratio``, the log-likelihood of the power law less that of the model, is positive where the
        power law is better, ``ratio_z`` in units of its standard deviation, and ``ratio_p`` its
        two-sided p. Over bin: ``bin_distance`` (mean), ``bin_pairs``, ``bin_connected``, and with
        the axis model ``bin_probability`` as fitted. NaN where nothing or everything is connected.

    Notes
    -----
    The likelihood-ratio test of models that are not nested is Vuong's (1989, Econometrica 57:307),
    as in Clauset, Shalizi and Newman (2009, SIAM Review 51:661). Pairs that share a neuron are not
    independent: neurons differ in how many connections they have. Variances of the ratio and
    standard errors take this into account (Aronow, Samii and Assenova 2015, Political Analysis
    23:564), wherever it makes them larger. The lognormal and the truncated power law contain the
    power law, where κ or λ is 0, on the edge of what they can be: twice the ratio is then 0 or
    follows a χ² of one degree, with equal probability (Self and Liang 1987, JASA 82:605), and
    ``ratio_z`` is NaN. That p does take pairs as independent.

    The exponential distance rule, with the same notion of available distances: Ercsey-Ravasz et al.
    (2013, Neuron 80:184).

    Examples
    --------
    Neurons in a row, connected with a probability that falls by half with every step:

    >>> place = np.arange(60.0)
    >>> distance = np.abs(place[:, None] - place)
    >>> connected = np.random.default_rng(0).random((60, 60)) < 0.5**distance
    >>> fit = connection_lengths(distance, connected)
    >>> str(fit.model.values[fit.aic.values.argmin()])
    'exponential'
    """
    distance = np.asarray(distance, dtype=np.float64)
    off = ~np.eye(len(distance), dtype=bool)
    kind = np.zeros(distance.shape, int)
    d, kind[off] = np.unique(distance[off].round(9), return_inverse=True)
    pairs = np.bincount(kind[off], minlength=len(d)).astype(float)
    hits = np.bincount(kind[off & connected], minlength=len(d)).astype(float)
    there = np.where(off, connected, False)
    edges = _edges(d, bins)
    which = np.clip(np.searchsorted(edges, d, side="right") - 1, 0, len(edges) - 2)

    def binned(values: np.ndarray) -> np.ndarray:
        return np.bincount(which, values, minlength=len(edges) - 1)

    known = 0 < hits.sum() < pairs.sum() and len(d) > 3
    fits = {name: _fit(name, d, pairs, hits) for name in MODELS} if known else {}
    blank = np.full((len(MODELS), len(PARAMETERS)), np.nan)
    estimate, error, probability = blank, blank.copy(), np.full((len(MODELS), len(d)), np.nan)
    likelihood, ratio, ratio_z, ratio_p = np.full((4, len(MODELS)), np.nan)
    for i, (name, theta) in enumerate(fits.items()):
        columns = [PARAMETERS.index(p) for p in ("intensity", *MODELS[name].parameters)]
        mu, slope = _contacts(name, d, theta)
        estimate[i, columns] = [np.exp(theta[0]), *theta[1:]]
        inside = [low < x < high for x, (low, high) in zip(theta, _bounds(name), strict=True)]
        se = np.full(len(theta), np.nan)
        se[inside] = _standard_errors(mu, slope[:, inside], pairs, kind, there, off)
        error[i, columns] = [np.exp(theta[0]) * se[0], *se[1:]]
        probability[i] = -np.expm1(-mu)
        likelihood[i] = _log_likelihood(mu, pairs, hits)
        reference = _contacts("power_law", d, fits["power_law"])[0]
        if name != "power_law":
            ratio[i], ratio_z[i], ratio_p[i] = _compare(
                reference, mu, kind, there, off, nested=MODELS[name].nests
            )
    aic = 2 * np.array([1 + len(m.parameters) for m in MODELS.values()]) - 2 * likelihood
    relative = np.exp(-(aic - np.nanmin(aic, initial=np.inf)) / 2) if known else aic
    filled = binned(pairs)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = binned(pairs * d) / filled
        fitted = np.stack([binned(pairs * p) / filled for p in probability])
    keep = filled > 0
    fields: dict[str, tuple[str | tuple[str, ...], np.ndarray, str]] = {
        "log_likelihood": ("model", likelihood, "log-likelihood"),
        "aic": ("model", aic, "Akaike's information criterion"),
        "akaike_weight": ("model", relative / relative.sum(), "Akaike weight"),
        "ratio": ("model", ratio, "log-likelihood of the power law less the model's"),
        "ratio_z": ("model", ratio_z, "ratio in standard deviations"),
        "ratio_p": ("model", ratio_p, "two-sided p-value of the ratio"),
        "estimate": (("model", "parameter"), estimate, "maximum-likelihood estimate"),
        "standard_error": (("model", "parameter"), error, "standard error"),
        "bin_distance": ("bin", mean[keep], "mean distance of the pairs"),
        "bin_pairs": ("bin", filled[keep], "ordered pairs of neurons"),
        "bin_connected": ("bin", binned(hits)[keep], "connected pairs"),
        "bin_probability": (("model", "bin"), fitted[:, keep], "fitted probability"),
    }
    return xr.Dataset(
        {
            name: (dims, values, {"long_name": text, "units": _unit(name)})
            for name, (dims, values, text) in fields.items()
        },
        coords={
            "model": list(MODELS),
            "parameter": list(PARAMETERS),
            "bin": np.arange(keep.sum()),
        },
    )


def _unit(name: str) -> Literal["spacing", "1"]:
    return "spacing" if name == "bin_distance" else "1"


def _contacts(name: str, d: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expected contacts (class,), and derivatives of their logarithm (class, parameter)."""
    log, slope = MODELS[name].of_distance(d, theta[1:])
    return np.exp(np.clip(theta[0] + log, -300, 300)), np.insert(slope, 0, 1, axis=1)


def _log_likelihood(mu: np.ndarray, pairs: np.ndarray, hits: np.ndarray) -> float:
    return float((hits * _log_hit(mu) - (pairs - hits) * mu).sum())


def _log_hit(mu: np.ndarray) -> np.ndarray:
    return np.log(-np.expm1(-np.maximum(mu, 1e-300)))


def _score(mu: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of a pair's log-likelihood by log mu: connected, and not connected; (class,)."""
    small = np.maximum(mu, 1e-300)
    return small / np.expm1(np.minimum(small, 700)), -mu


def _fit(name: str, d: np.ndarray, pairs: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """Parameters of the highest likelihood: log intensity, and the model's own."""

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        mu, slope = _contacts(name, d, theta)
        hit, miss = _score(mu)
        gradient = (hits * hit + (pairs - hits) * miss) @ slope
        return -_log_likelihood(mu, pairs, hits) / pairs.sum(), -gradient / pairs.sum()

    own = MODELS[name].parameters
    start = [np.log(hits.sum() / pairs.sum()), *(_START[p] for p in own)]
    options = {"maxiter": 2000, "maxfun": 20_000, "ftol": 1e-15, "gtol": 1e-10}
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=_bounds(name), options=options
    )
    return np.asarray(found.x)


def _bounds(name: str) -> list[tuple[float, float]]:
    bounds = _BOUNDS | dict(MODELS[name].bounds)
    return [(-50.0, 50.0), *(bounds[p] for p in MODELS[name].parameters)]


def _standard_errors(
    mu: np.ndarray,
    slope: np.ndarray,
    pairs: np.ndarray,
    kind: np.ndarray,
    there: np.ndarray,
    off: np.ndarray,
) -> np.ndarray:
    """Of each parameter, (parameter,); NaN where the likelihood says nothing about one."""
    hit, miss = _score(mu)
    information = np.einsum("c,ci,cj->ij", pairs * hit * mu, slope, slope)
    score = np.where(there, hit[kind], miss[kind])[..., None] * slope[kind] * off[..., None]
    try:
        bread = np.linalg.inv(information)
    except np.linalg.LinAlgError:
        return np.full(len(information), np.nan)
    variance = np.einsum("ij,jk,ki->i", bread, _covariance(score), bread)
    return np.sqrt(np.maximum(variance, bread.diagonal()))


def _compare(
    one: np.ndarray,
    other: np.ndarray,
    kind: np.ndarray,
    there: np.ndarray,
    off: np.ndarray,
    *,
    nested: bool,
) -> tuple[float, float, float]:
    """Log-likelihood ratio of two fits (contacts by class), its z and its two-sided p."""
    more = np.where(there, (_log_hit(one) - _log_hit(other))[kind], (other - one)[kind]) * off
    ratio = float(more.sum())
    if nested:
        return ratio, np.nan, float(chi2.sf(max(0.0, -2 * ratio), 1) / 2) if ratio < 0 else 1.0
    centred = (more - more.sum() / off.sum()) * off
    independent = (centred**2).sum()
    sd = float(np.sqrt(max(independent, _covariance(centred[..., None])[0, 0])))
    if sd <= _FLAT:
        return ratio, np.nan, 1.0
    return ratio, ratio / sd, float(2 * norm.sf(abs(ratio) / sd))


def _covariance(term: np.ndarray) -> np.ndarray:
    """Covariance of the sum of terms (unit, unit, k) where only pairs that share a neuron covary.

    Every neuron's terms covary with each other; both directions of a pair are counted at both of
    its neurons, so they are taken off once.
    """
    both = term + term.transpose(1, 0, 2)
    neuron = both.sum(1)
    return neuron.T @ neuron - np.einsum("ijk,ijl->kl", both, both) / 2


def _edges(d: np.ndarray, bins: int | None) -> np.ndarray:
    """Edges of bins in distance, the first just below the shortest one."""
    if not len(d):
        return np.array([0.0, 1.0])
    low, high = 0.999 * d[0], 1.001 * d[-1]
    n = bins or max(1, round(2 * np.log2(high / low)))
    return np.geomspace(low, high, n + 1)
