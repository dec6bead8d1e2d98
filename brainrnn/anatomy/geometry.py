"""Where neurons can sit: fixed sites in space, and the distance between two of them.

Sites are float64 tensors of shape (site, dimension) in units in which a layer is about one unit
wide, as in Eq. 1 of "Seeing Is Believing" (Entropy 2024, 26, 41) with A = 1: the strength of
locality A multiplies the distance in the cost, not the coordinates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from brainrnn.errors import InputError, unknown

Distance = Callable[[Tensor, Tensor], Tensor]  # (i, d), (j, d) -> (i, j)


def _positive(value: int, what: str) -> int:
    whole = not isinstance(value, bool) and hasattr(value, "__index__")
    if not whole or value < 1:
        raise InputError(f"{what} must be a whole number of at least 1, got {value!r}")
    return int(value)


def line(n: int, *, centred: bool = True) -> Tensor:
    """``n`` sites on the unit interval, (n, 1): at (j + 1/2)/n, or at j/n if not ``centred``.

    The paper's Eq. 1 has j/n; its published notebooks use (j + 1/2)/n, which keeps layers of
    different sizes centred on each other.
    """
    n = _positive(n, "the number of sites on a line")
    return ((torch.arange(n, dtype=torch.float64) + (0.5 if centred else 0.0)) / n)[:, None]


def grid(*shape: int) -> Tensor:
    """Cell centres of a regular grid whose longest side is one unit long, (site, dimension).

    ``grid(20, 20)`` has 400 sites, 1/20 apart, in the unit square; three numbers give a cube.
    The last coordinate runs fastest.
    """
    if not shape:
        raise InputError("a grid needs at least one side, for example grid(20, 20)")
    sides = [_positive(n, "a side of a grid") for n in shape]
    axes = [(torch.arange(n, dtype=torch.float64) + 0.5) / max(sides) for n in sides]
    return torch.cartesian_prod(*axes).reshape(math.prod(sides), len(sides))


def ring(n: int, *, radius: float = 0.5, centre: Sequence[float] = (0.5, 0.5)) -> Tensor:
    """``n`` sites equally spaced on a circle in the plane, counter-clockwise from 0, (n, 2)."""
    n = _positive(n, "the number of sites on a ring")
    angle = torch.arange(n, dtype=torch.float64) * (2 * math.pi / n)
    circle = torch.stack([angle.cos(), angle.sin()], dim=1)
    return radius * circle + torch.tensor(centre, dtype=torch.float64)


def sphere(n: int, *, radius: float = 0.5) -> Tensor:
    """``n`` almost equally spaced sites on a sphere about the origin (Fibonacci), (n, 3)."""
    n = _positive(n, "the number of sites on a sphere")
    i = torch.arange(n, dtype=torch.float64)
    height = 1 - (2 * i + 1) / n
    around = i * math.pi * (3 - math.sqrt(5))
    width = (1 - height**2).sqrt()
    return radius * torch.stack([width * around.cos(), width * around.sin(), height], dim=1)


def _shown(value: object) -> str:
    shape = getattr(value, "shape", None)
    return f"the shape {tuple(shape)}" if shape is not None else repr(value)[:60]


def as_sites(sites: Tensor | Sequence[Sequence[float]]) -> Tensor:
    """Any array of places as float64 sites, (site, dimension).

    Raises
    ------
    InputError
        If the array is not two-dimensional, empty, or not finite.
    """
    try:
        places = torch.as_tensor(sites, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        places = torch.empty(0)
    if places.ndim != 2 or not places.numel():
        raise InputError(
            f"sites must be an array of numbers, (site, dimension), got {_shown(sites)}; use "
            "brainrnn.grid(20, 20) or an array with one row per site"
        )
    if not bool(places.isfinite().all()):
        raise InputError("sites must be finite numbers, got NaN or infinity")
    return places


def l1(a: Tensor, b: Tensor) -> Tensor:
    """City-block distance, sum over dimensions of |a - b|."""
    return torch.cdist(a, b, p=1)


def l2(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distance."""
    # cdist's default goes through a matrix product, whose round-off leaves a non-zero diagonal.
    return torch.cdist(a, b, p=2, compute_mode="donot_use_mm_for_euclid_dist")


def periodic(period: float | Sequence[float] = 1.0, *, norm: int = 2) -> Distance:
    """Distance on a torus: in each dimension the shorter way round a circle ``period`` long."""
    length = torch.as_tensor(period, dtype=torch.float64)
    if bool((length <= 0).any()):
        raise InputError(f"the period of a torus must be positive, got {period}")

    def distance(a: Tensor, b: Tensor) -> Tensor:
        wrap = length.to(a)
        gap = (a[:, None] - b[None]).abs().remainder(wrap)
        return torch.linalg.vector_norm(torch.minimum(gap, wrap - gap), ord=norm, dim=-1)

    return distance


def great_circle(a: Tensor, b: Tensor) -> Tensor:
    """Length of the shortest arc between places on one sphere about the origin.

    Raises
    ------
    InputError
        If the places are not in three dimensions or not all equally far from the origin.
    """
    radii = torch.cat([a, b]).norm(dim=1)
    radius = radii.mean()
    if a.shape[1] != 3 or bool((radii - radius).abs().max() > 1e-6 * radius):
        raise InputError(
            "great-circle distance needs sites on one sphere about the origin; "
            "use brainrnn.sphere(n), or another distance"
        )
    chord = l2(a, b) / (2 * radius)
    return 2 * radius * torch.asin(chord.clamp(max=1.0))


DISTANCES: dict[str, Distance] = {
    "l1": l1,
    "l2": l2,
    "periodic": periodic(),
    "great_circle": great_circle,
}


def distance_function(distance: str | Distance) -> Distance:
    """The distance of that name, or the function itself.

    Raises
    ------
    InputError
        If no distance has that name.
    """
    if callable(distance):
        return distance
    if distance not in DISTANCES:
        raise InputError(unknown("distance", distance, DISTANCES))
    return DISTANCES[distance]
