"""How strongly each neuron is wired, which are wired at all, and which connections are there."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from brainrnn.anatomy.placed import Placed

ABSENT = 1e-3
"""Weights up to this fraction of a network's largest count as absent."""


def present(
    weight: Float[Tensor, "member out source"],
) -> Bool[Tensor, "member out source"]:
    """Which weights of each member's matrix are there: above 1e-3 of its largest.

    Parameters
    ----------
    weight : (member, out, source)

    Returns
    -------
    (member, out, source) bool

    Examples
    --------
    >>> present(torch.tensor([[[1.0, 1e-4], [-0.5, 0.0]]])).tolist()
    [[[True, False], [True, False]]]
    """
    magnitude = weight.abs()
    return magnitude > ABSENT * magnitude.amax((1, 2), keepdim=True)


@torch.no_grad()
def magnitudes(net: Placed) -> dict[str, Float[Tensor, "member out *source"]]:
    """|w| of every parameter, by name."""
    return {name: value.abs() for name, value in net.weights().items()}


@torch.no_grad()
def wiring_strength(
    net: Placed, population: str, magnitude: Mapping[str, Tensor] | None = None
) -> tuple[Float[Tensor, "member neuron"], Float[Tensor, "member neuron"]]:
    """Sum of |weights| into and out of every neuron of a population.

    Biases do not count; a weight inside the population counts for both of its neurons.

    Parameters
    ----------
    net : Placed
    population : str
    magnitude : mapping of str to tensor, optional
        What :func:`magnitudes` returns, where that is at hand.

    Returns
    -------
    incoming, outgoing : (member, neuron)

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(2, 1, br.MLPSpec(hidden=(3,)))
    >>> net.fc0.weight.data[:] = torch.tensor([[1.0, -2.0], [0.0, 0.5], [0.0, 0.0]])
    >>> wiring_strength(net, "h1")[0].tolist()
    [[3.0, 0.5, 0.0]]
    """
    magnitude = magnitudes(net) if magnitude is None else magnitude
    n = len(net.anatomy.populations[population])
    strength = next(iter(magnitude.values())).new_zeros(2, net.members, n)
    for name, value in magnitude.items():
        axes = net.anatomy.wiring[name]
        for side, axis in enumerate(axes):
            if len(axes) == 2 and axis.population == population:
                partners = net.anatomy.partners(name) if side else None
                if partners is None:
                    total = value.sum(2 - side)
                else:
                    total = value.new_zeros(net.members, axis.folds * n)
                    total.scatter_add_(1, partners.flatten(1).long(), value.flatten(1))
                strength[side] += total.view(net.members, axis.folds, n).sum(1)
    return strength[0], strength[1]


@torch.no_grad()
def live_neurons(
    net: Placed, population: str, *, threshold: float = 1e-3
) -> Bool[Tensor, "member neuron"]:
    """Neurons that are wired on every side that the wiring gives them.

    A side is live when its strength is above 0 and above ``threshold`` of that of the member's
    strongest neuron on that side; an input population has only an outgoing side.

    Parameters
    ----------
    net : Placed
    population : str
    threshold : float

    Returns
    -------
    (member, neuron) bool

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(2, 1, br.MLPSpec(hidden=(3,)))
    >>> net.fc1.weight.data[:] = torch.tensor([[1.0, 0.0, -1.0]])  # nothing leaves the second
    >>> live_neurons(net, "h1").tolist()
    [[True, False, True]]
    """
    alive = torch.ones_like(net.anatomy.places(population), dtype=torch.bool)
    strengths = wiring_strength(net, population)
    for side in _sides(net)[population]:
        strength = strengths[side]
        alive &= (strength > 0) & (strength >= threshold * strength.max(1, keepdim=True).values)
    return alive


def count_live(net: Placed) -> Int[Tensor, " member"]:
    """Live neurons of every member, over the populations that are wired on both sides.

    Parameters
    ----------
    net : Placed

    Returns
    -------
    (member,) int64

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(2, 1, br.MLPSpec(hidden=(3,)))
    >>> net.fc1.weight.data[:] = torch.tensor([[1.0, 0.0, -1.0]])
    >>> count_live(net).tolist()
    [2]
    """
    inner = [name for name, sides in _sides(net).items() if len(sides) == 2]
    counts = [live_neurons(net, name).sum(1) for name in inner]
    return torch.stack(counts).sum(0) if counts else torch.zeros(net.members, dtype=torch.int64)


def _sides(net: Placed) -> dict[str, set[int]]:
    """Whether anything comes into (0) and goes out of (1) each population, by the wiring."""
    sides: dict[str, set[int]] = {name: set() for name in net.anatomy.populations}
    for axes in net.anatomy.wiring.values():
        for side, axis in enumerate(axes):
            if len(axes) == 2 and axis.population:
                sides[axis.population].add(side)
    return sides
