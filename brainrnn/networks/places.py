"""Places and distances as a configuration says them: by name, by file, or by a function.

What a file or a function of the user's says is stored in the configuration as numbers, when the
configuration is read. A run folder therefore does not depend on a file that may change or move.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from brainrnn.anatomy.geometry import (
    DISTANCES,
    GEOMETRIES,
    Array,
    Distance,
    as_distances,
    as_sites,
)
from brainrnn.arrays import as_data, is_array, is_data, read_array
from brainrnn.errors import InputError, unknown
from brainrnn.memory import require_memory
from brainrnn.own import is_reference, own_function


def stored_sites(source: str, shape: Sequence[int], names: Sequence[str]) -> str:
    """Sites that a configuration names, as it stores them.

    Parameters
    ----------
    source : str
        One of ``names``, which stays as it is; a ``.csv`` or ``.npy`` file, a row a site; or
        ``module:function``. The function gets the numbers of ``shape``, if it takes arguments,
        and returns (site, dimension).
    shape : sequence of int
        Neurons along each side.
    names : sequence of str
        Names that have a meaning there.

    Raises
    ------
    InputError
        If it is none of these, or the file or the function yields no sites.

    Examples
    --------
    >>> stored_sites("grid", (3, 3), ["grid"])
    'grid'
    """
    if source in names or is_data(source):
        return source
    if is_reference(source):
        function = own_function(source)
        places = function(*shape) if _takes_arguments(function) else function()
    elif is_array(source):
        places = read_array(source)
    else:
        what = unknown("geometry", source, names) if names else f"{source!r} is no geometry"
        raise InputError(f"{what} {_OR_OWN}")
    return _stored(as_sites, places, source)


def stored_distance(source: str, sites: Float[Tensor, "site dimension"] | None) -> str:
    """A distance that a configuration names, as it stores it.

    Parameters
    ----------
    source : str
        The name of a distance, which stays as it is; a ``.csv`` or ``.npy`` file of a matrix,
        (site, site); or ``module:function``. The function gets two arrays of sites and returns
        their distances.
    sites : (site, dimension), optional
        What the function is called with, as both arrays; without them a function is refused.

    Raises
    ------
    InputError
        If it is none of these, or the file or the function yields no distances.

    Examples
    --------
    >>> stored_distance("l2", None)
    'l2'
    """
    if source in DISTANCES or is_data(source):
        return source
    if is_reference(source):
        if sites is None:
            raise InputError(
                "a function can say the distance of a recurrent network only: give a matrix, or "
                "pass the function in Python, distance=function"
            )
        matrix = own_function(source)(sites, sites)
        return _stored(lambda values: as_distances(values, len(sites)), matrix, source)
    if is_array(source):
        matrix = read_array(source)
        n = len(matrix) if sites is None else len(sites)
        return _stored(lambda values: as_distances(values, n), matrix, source)
    raise InputError(f"{unknown('distance', source, DISTANCES)} {_OR_OWN}")


def sites_of(stored: str, shape: Sequence[int] = ()) -> Float[Tensor, "site dimension"]:
    """The sites of a geometry that is stored, by its name or as numbers.

    Examples
    --------
    >>> sites_of("line", [2]).tolist()
    [[0.25], [0.75]]
    """
    if stored in GEOMETRIES:
        n = math.prod(shape)
        require_memory(8 * 3 * n, f"places of {n:,} neurons", "use fewer")
        return GEOMETRIES[stored](*shape)
    return torch.from_numpy(read_array(stored))


def distance_of(stored: str) -> str | Distance | Array:
    """A distance that is stored: its name, or its matrix.

    Examples
    --------
    >>> distance_of("l1")
    'l1'
    """
    return stored if stored in DISTANCES else torch.from_numpy(read_array(stored))


_OR_OWN = "(your own: a .csv or .npy file, or module:function)"


def _takes_arguments(function: Callable[..., Any]) -> bool:
    try:
        return bool(inspect.signature(function).parameters)
    except ValueError:  # some functions written in C
        return True


def _stored(check: Callable[[Any], Tensor], values: Any, source: str) -> str:
    try:
        return as_data(check(values).cpu().numpy())
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
