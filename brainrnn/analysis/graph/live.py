"""The graph of a network's connections: which matter, what they join, and how modular it is."""

from __future__ import annotations

import torch
from jaxtyping import Bool
from torch import Tensor

from brainrnn.analysis.graph.paths import on_paths, steps
from brainrnn.analysis.graph.stages import connections, stages
from brainrnn.anatomy.placed import Placed
from brainrnn.errors import InputError


@torch.no_grad()
def live_connections(
    net: Placed, *, threshold: float = 0.05
) -> dict[str, Bool[Tensor, "member out source"]]:
    """Connections that are not negligible beside the strongest of their parameter.

    A connection is live if its |weight| is above ``threshold`` times the largest |weight| of its
    parameter in its member. The paper has no such number: it draws thickness relative to the
    layer's largest weight and leaves the rest to the eye ("Seeing Is Believing", Section 3).

    Parameters
    ----------
    net : Placed
    threshold : float
        At least 0 and below 1.

    Returns
    -------
    dict of str to (member, out, in) bool
        For every parameter that joins neurons with places.

    Raises
    ------
    InputError
        If the threshold is out of range.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(3, 2, br.MLPSpec(hidden=(4,)))
    >>> {name: tuple(alive.shape) for name, alive in live_connections(net).items()}
    {'fc0.weight': (1, 4, 3), 'fc1.weight': (1, 2, 4)}
    """
    if not 0 <= threshold < 1:
        raise InputError(
            f"the threshold of live connections must be a fraction of the largest weight, at least "
            f"0 and below 1, got {threshold!r}"
        )
    sizes = {name: net.wired(name).abs() for name in connections(net)}
    return {n: size > threshold * size.amax(dim=(1, 2), keepdim=True) for n, size in sizes.items()}


@torch.no_grad()
def active_neurons(
    net: Placed, *, threshold: float = 0.05
) -> dict[str, Bool[Tensor, "member neuron"]]:
    """Neurons on a path of live connections from an input to an output.

    Where inputs are tokens, no path starts at an input neuron in which every token's embedding is
    negligible (at most ``threshold`` times the member's largest), and a neuron is active if any of
    its folds is. Where inputs or outputs have no places, paths start at neurons of the first
    population with a live connection from an input, and end at those of the last with one to an
    output. Paths also follow a residual stream from each of its moments to the next; one into
    a head of attention may be that of a query or a key.

    Parameters
    ----------
    net : Placed
        Feed-forward.
    threshold : float
        As in :func:`live_connections`.

    Returns
    -------
    dict of str to (member, neuron) bool
        For every stage (:func:`brainrnn.analysis.stages`), inputs and outputs included; the stages
        of a perceptron are its populations.

    Raises
    ------
    InputError
        If the threshold is out of range, or the network is not feed-forward.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(3, 2, br.MLPSpec(hidden=(4,)))
    >>> net.fc0.weight.data[:, 0] = 0  # nothing reaches the first hidden neuron
    >>> active_neurons(net)["h1"].tolist()
    [[False, True, True, True]]
    """
    chain = stages(net)
    live = live_connections(net, threshold=threshold)
    start = _sources(net, chain[0].population, threshold)[:, None]
    end = _outside(net, chain[-1].population, side=1, threshold=threshold)[:, None]
    paths = on_paths(chain, start, end, steps(net, live))
    return {name: on[:, 0] for name, on in paths.items()}


def check_member(net: Placed, member: int) -> None:
    """See that a network has this member.

    Raises
    ------
    InputError
        If not.
    """
    if not 0 <= member < net.members:
        raise InputError(f"network {member} does not exist: choose 0 to {net.members - 1}")


def _sources(net: Placed, population: str, threshold: float) -> Bool[Tensor, "member neuron"]:
    """Where paths may start."""
    pairs = {n: axes for n, axes in net.anatomy.wiring.items() if len(axes) == 2}
    if any(out.population == population for out, _ in pairs.values()):  # inputs without places
        return _outside(net, population, side=0, threshold=threshold)
    start = torch.ones_like(net.anatomy.places(population), dtype=torch.bool)
    for name, (out, source) in pairs.items():
        if out.population is None and source.population == population:
            size = net.wired(name).abs().amax(1)  # a table of tokens: (member, input)
            start = size > threshold * size.amax(1, keepdim=True)
    return start


def _outside(
    net: Placed, population: str, *, side: int, threshold: float
) -> Bool[Tensor, "member neuron"]:
    """Neurons with a live connection from inputs (side 0) or to outputs (1) without places.

    All of them where there are no such inputs or outputs.
    """
    every = torch.ones_like(net.anatomy.places(population), dtype=torch.bool)
    found = torch.zeros_like(every)
    ends = [
        (name, axes[side])
        for name, axes in net.anatomy.wiring.items()
        if len(axes) == 2 and axes[side].population == population and not axes[1 - side].population
    ]
    for name, axis in ends:
        size = net.wired(name).abs()
        live = size > threshold * size.amax((1, 2), keepdim=True)
        found |= live.any(2 - side).unflatten(1, (axis.folds, -1)).any(1)
    return found if ends else every
