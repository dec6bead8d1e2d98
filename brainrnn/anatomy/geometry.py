"""Where neurons can sit: fixed sites in space, and the distance between two of them.

Sites are float64 tensors of shape (site, dimension) in units in which a layer is about one unit
wide, as in Eq. 1 of "Seeing Is Believing" (Entropy 2024, 26, 41) with A = 1: the strength of
locality A multiplies the distance in the cost, not the coordinates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from brainrnn.errors import InputError, unknown

Distance = Callable[[Tensor, Tensor], Tensor]  # (i, dimension), (j, dimension) -> (i, j)
Array = Tensor | np.ndarray | Sequence[Sequence[float]]  # of two axes, (site, ...)


def _positive(value: int, what: str) -> int:
    whole = not isinstance(value, bool) and hasattr(value, "__index__")
    if not whole or value < 1:
        raise InputError(f"{what} must be a whole number of at least 1, got {value!r}")
    return int(value)


def line(n: int, *, centred: bool = True) -> Float[Tensor, "site dimension"]:
    """``n`` sites on the unit interval, (n, 1): at (j + 1/2)/n, or at j/n if not ``centred``.

    Eq. 1 of "Seeing Is Believing" has j/n. Its published notebooks use (j + 1/2)/n, which keeps
    layers of different sizes centred on each other.

    Parameters
    ----------
    n : int
        Number of sites.
    centred : bool
        Whether a site is in the middle of its share of the line, or at its start.

    Returns
    -------
    (site, dimension) float64

    Raises
    ------
    InputError
        If ``n`` is not a whole number of at least 1.

    Examples
    --------
    >>> line(4).squeeze().tolist()
    [0.125, 0.375, 0.625, 0.875]
    """
    n = _positive(n, "the number of sites on a line")
    return ((torch.arange(n, dtype=torch.float64) + (0.5 if centred else 0.0)) / n)[:, None]


def grid(*shape: int) -> Float[Tensor, "site dimension"]:
    """Cell centres of a regular grid whose longest side is one unit long, (site, dimension).

    ``grid(20, 20)`` has 400 sites, 1/20 apart, in the unit square; three numbers give a cube.
    The last coordinate runs fastest.

    Parameters
    ----------
    *shape : int
        Number of sites along each side.

    Returns
    -------
    (site, dimension) float64

    Raises
    ------
    InputError
        If there is no side, or one is not a whole number of at least 1.

    Examples
    --------
    >>> grid(1, 2).tolist()
    [[0.25, 0.25], [0.25, 0.75]]
    """
    if not shape:
        raise InputError("a grid needs at least one side, for example grid(20, 20)")
    sides = [_positive(n, "a side of a grid") for n in shape]
    axes = [(torch.arange(n, dtype=torch.float64) + 0.5) / max(sides) for n in sides]
    return torch.cartesian_prod(*axes).reshape(math.prod(sides), len(sides))


def ring(
    n: int, *, radius: float = 0.5, centre: Sequence[float] = (0.5, 0.5)
) -> Float[Tensor, "site dimension"]:
    """``n`` sites equally spaced on a circle in the plane, (n, 2).

    The first site is at the angle 0; the others follow counter-clockwise.

    Parameters
    ----------
    n : int
        Number of sites.
    radius : float
        Of the circle.
    centre : (float, float)
        Of the circle.

    Returns
    -------
    (site, dimension) float64

    Raises
    ------
    InputError
        If ``n`` is not a whole number of at least 1.

    Examples
    --------
    >>> ring(4, radius=1, centre=(0, 0))[0].tolist()
    [1.0, 0.0]
    """
    n = _positive(n, "the number of sites on a ring")
    angle = torch.arange(n, dtype=torch.float64) * (2 * math.pi / n)
    circle = torch.stack([angle.cos(), angle.sin()], dim=1)
    return radius * circle + torch.tensor(centre, dtype=torch.float64)


def sphere(n: int, *, radius: float = 0.5) -> Float[Tensor, "site dimension"]:
    """``n`` almost equally spaced sites on a sphere about the origin, (n, 3).

    Sites follow a Fibonacci spiral from pole to pole: site i is at the height 1 - (2i + 1)/n, in
    units of the radius, and at the angle i π (3 - √5).

    Parameters
    ----------
    n : int
        Number of sites.
    radius : float
        Of the sphere.

    Returns
    -------
    (site, dimension) float64

    Raises
    ------
    InputError
        If ``n`` is not a whole number of at least 1.

    Examples
    --------
    >>> bool(torch.allclose(sphere(100).norm(dim=1), torch.tensor(0.5, dtype=torch.float64)))
    True
    """
    n = _positive(n, "the number of sites on a sphere")
    i = torch.arange(n, dtype=torch.float64)
    height = 1 - (2 * i + 1) / n
    around = i * math.pi * (3 - math.sqrt(5))
    width = (1 - height**2).sqrt()
    return radius * torch.stack([width * around.cos(), width * around.sin(), height], dim=1)


GEOMETRIES: dict[str, Callable[..., Tensor]] = {
    "grid": grid,
    "line": line,
    "ring": ring,
    "sphere": sphere,
}


def _shown(value: object) -> str:
    shape = getattr(value, "shape", None)
    return f"the shape {tuple(shape)}" if shape is not None else repr(value)[:60]


def _numbers(values: Any) -> Tensor:
    """An array as float64, or an empty one if it is not an array of numbers."""
    try:
        return torch.as_tensor(values, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        return torch.empty(0, dtype=torch.float64)


def as_sites(sites: Any) -> Float[Tensor, "site dimension"]:
    """Any array of places as float64 sites.

    Parameters
    ----------
    sites : (site, dimension) array
        A tensor, a NumPy array, or a list of rows.

    Raises
    ------
    InputError
        If the array is not two-dimensional, empty, or not finite.

    Examples
    --------
    >>> as_sites([[0, 0], [0, 1]]).dtype
    torch.float64
    """
    places = _numbers(sites)
    if places.ndim != 2 or not places.numel():
        raise InputError(
            f"sites must be numbers, (site, dimension), got {_shown(sites)}; use "
            "brainrnn.grid(20, 20), or one row of coordinates for each site"
        )
    if not bool(places.isfinite().all()):
        raise InputError("sites must be finite numbers, got NaN or infinity")
    return places


def l1(a: Float[Tensor, "i dimension"], b: Float[Tensor, "j dimension"]) -> Float[Tensor, "i j"]:
    """City-block distance, Σ |a - b| over dimensions.

    Parameters
    ----------
    a, b : (site, dimension)
        Two arrays of sites.

    Returns
    -------
    (site of a, site of b)

    Examples
    --------
    >>> l1(as_sites([[0, 0]]), as_sites([[3, 4]])).item()
    7.0
    """
    return torch.cdist(a, b, p=1)


def l2(a: Float[Tensor, "i dimension"], b: Float[Tensor, "j dimension"]) -> Float[Tensor, "i j"]:
    """Euclidean distance, √Σ (a - b)².

    Parameters
    ----------
    a, b : (site, dimension)
        Two arrays of sites.

    Returns
    -------
    (site of a, site of b)

    Examples
    --------
    >>> l2(as_sites([[0, 0]]), as_sites([[3, 4]])).item()
    5.0
    """
    # cdist's default goes through a matrix product, whose round-off leaves a non-zero diagonal.
    return torch.cdist(a, b, p=2, compute_mode="donot_use_mm_for_euclid_dist")


@dataclass(frozen=True)
class Torus:
    """Distance on a torus; what :func:`periodic` makes."""

    period: tuple[float, ...]
    norm: int

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """Between sites (i, dimension) and (j, dimension), (i, j)."""
        return self.between(a[:, None], b[None])

    def between(self, a: Tensor, b: Tensor) -> Tensor:
        """Of sites entry by entry, (..., dimension) to (...)."""
        wrap = torch.tensor(self.period, dtype=a.dtype, device=a.device)
        gap = (a - b).abs().remainder(wrap)
        return torch.linalg.vector_norm(torch.minimum(gap, wrap - gap), ord=self.norm, dim=-1)


def periodic(period: float | Sequence[float] = 1.0, *, norm: int = 2) -> Torus:
    """Distance on a torus: in each dimension the shorter way round a circle ``period`` long.

    Parameters
    ----------
    period : float or sequence of float
        Length of the circle, of every dimension or of each in turn.
    norm : int
        2 for the Euclidean distance of the gaps, 1 for their sum.

    Returns
    -------
    function
        Of two arrays of sites, as :func:`l2`.

    Raises
    ------
    InputError
        If a period is not positive.

    Examples
    --------
    >>> distance = periodic(1.0)
    >>> round(distance(as_sites([[0.1]]), as_sites([[0.9]])).item(), 6)
    0.2
    """
    length = torch.as_tensor(period, dtype=torch.float64).reshape(-1)
    if bool((length <= 0).any()):
        raise InputError(f"the period of a torus must be positive, got {period}")
    return Torus(tuple(length.tolist()), norm)


def great_circle(
    a: Float[Tensor, "i dimension"], b: Float[Tensor, "j dimension"]
) -> Float[Tensor, "i j"]:
    """Length of the shortest arc between places on one sphere about the origin.

    2 r asin(c / 2r), with r the radius and c the length of the chord.

    Parameters
    ----------
    a, b : (site, 3)
        Two arrays of sites.

    Returns
    -------
    (site of a, site of b)

    Raises
    ------
    InputError
        If the places are not in three dimensions or not all equally far from the origin.

    Examples
    --------
    >>> poles = as_sites([[0, 0, 1], [0, 0, -1]])
    >>> round(great_circle(poles, poles)[0, 1].item(), 6)
    3.141593
    """
    return _arc(l2(a, b), a, b)


def _arc(
    chord: Float[Tensor, "*pair"], a: Float[Tensor, "*place"], b: Float[Tensor, "*place"]
) -> Float[Tensor, "*pair"]:
    """Length of the arc over a chord of the sphere on which the sites are."""
    radii = torch.cat([a.norm(dim=-1).flatten(), b.norm(dim=-1).flatten()])
    radius = radii.mean()
    if a.shape[-1] != 3 or bool((radii - radius).abs().max() > 1e-6 * radius):
        raise InputError(
            "great-circle distance needs sites on one sphere about the origin; "
            "use brainrnn.sphere(n), or another distance"
        )
    return 2 * radius * torch.asin((chord / (2 * radius)).clamp(max=1.0))


DISTANCES: dict[str, Distance] = {
    "l1": l1,
    "l2": l2,
    "periodic": periodic(),
    "great_circle": great_circle,
}


def between(distance: Distance) -> Distance | None:
    """The same distance of sites entry by entry, (..., dimension) twice to (...).

    None for a distance that is not one of this package, which takes two lists of sites only.

    Examples
    --------
    >>> sites = grid(2, 2)
    >>> between(l1)(sites, sites.flip(0)).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    return distance.between if isinstance(distance, Torus) else _BETWEEN.get(distance)


_BETWEEN: dict[Distance, Distance] = {
    l1: lambda a, b: (a - b).abs().sum(-1),
    l2: lambda a, b: torch.linalg.vector_norm(a - b, dim=-1),
    great_circle: lambda a, b: _arc(torch.linalg.vector_norm(a - b, dim=-1), a, b),
}


def distance_function(distance: str | Distance) -> Distance:
    """The distance of that name, or the function itself.

    Raises
    ------
    InputError
        If no distance has that name.

    Examples
    --------
    >>> distance_function("l1") is l1
    True
    """
    if callable(distance):
        return distance
    if distance not in DISTANCES:
        raise InputError(unknown("distance", distance, DISTANCES))
    return DISTANCES[distance]


def as_distances(matrix: Any, n: int) -> Float[Tensor, "site site"]:
    """Any matrix of the distances between ``n`` sites, as float64.

    Parameters
    ----------
    matrix : (site, site) array
        A tensor, a NumPy array, or a list of rows.
    n : int
        Number of sites.

    Raises
    ------
    InputError
        If it has another shape, or its entries are not distances; see :func:`check_distances`.

    Examples
    --------
    >>> as_distances([[0, 3], [3, 0]], 2).dtype
    torch.float64
    """
    distances = _numbers(matrix)
    if tuple(distances.shape) != (n, n):
        raise InputError(
            f"the distance matrix must be {n} x {n}, a row and a column for every site, got "
            f"{_shown(matrix)}"
        )
    check_distances(distances, "the distance matrix")
    return distances


def check_distances(distances: Float[Tensor, "site site"], what: str) -> None:
    """Check that these can be the distances between the sites of one set.

    Raises
    ------
    InputError
        If one is negative or not finite, a site is not at 0 from itself, or a distance depends on
        the order of its two sites.

    Examples
    --------
    >>> check_distances(l1(line(3), line(3)), "the distance")
    """
    if not bool((distances.isfinite() & (distances >= 0)).all()):
        raise InputError(f"{what} has negative or non-finite values")
    largest = float(distances.max()) or 1.0
    if float(distances.diagonal().abs().max()) > 1e-9 * largest:
        raise InputError(
            f"{what} must be 0 from a site to itself (torch.cdist needs "
            "compute_mode='donot_use_mm_for_euclid_dist')"
        )
    if float((distances - distances.T).abs().max()) > 1e-9 * largest:
        raise InputError(f"{what} must be symmetric: it may not depend on the order of two sites")
