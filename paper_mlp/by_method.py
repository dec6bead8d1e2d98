"""Curves of networks by their training method."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import xarray as xr
from matplotlib.axes import Axes

from brainrnn.errors import InputError, unknown
from brainrnn.plots.style import module_colours
from paper_mlp.methods import METHODS

Mean = Callable[[xr.DataArray], xr.DataArray]


def check_methods(members: int, methods: Sequence[str]) -> None:
    """See that there is a known method for every network.

    Raises
    ------
    InputError
        If not.
    """
    if len(methods) != members:
        raise InputError(
            f"{members} networks, but {len(methods)} methods were given: name the method of each"
        )
    for method in methods:
        if method not in METHODS:
            raise InputError(unknown("method", method, METHODS))


def method_colour(method: str) -> tuple[float, ...]:
    """Colour of a training method."""
    i = list(METHODS).index(method)
    return tuple(module_colours(i + (i > 3)))  # the fifth is too close to the first


def draw_by_method(ax: Axes, curves: xr.DataArray, methods: Sequence[str], mean: Mean) -> None:
    """Draw a thick line for the mean over a method's networks and thin lines for the networks.

    Lines of later methods are a little thinner, because some coincide: swaps change no weight where
    training knows no distance.

    Parameters
    ----------
    ax : Axes
    curves : (member, ...)
        Over one dimension.
    methods : sequence of str
        Each member's, of ``paper_mlp.methods.METHODS``.
    mean : function
        Over the dimension ``member``.

    Raises
    ------
    InputError
        If there is no known method for every network.
    """
    check_methods(curves.sizes["member"], methods)
    (dim,) = set(curves.dims) - {"member"}
    for i, method in enumerate(dict.fromkeys(methods)):
        mine = curves.isel(member=[m == method for m in methods])
        colour, width = method_colour(method), max(3.4 - 0.5 * i, 1)
        ax.plot(curves[dim], mine.T, color=colour, lw=0.5, alpha=0.35)
        ax.plot(curves[dim], mean(mine), color=colour, lw=width, label=METHODS[method].title)
