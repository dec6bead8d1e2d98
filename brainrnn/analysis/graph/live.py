"""The graph of a network's connections: which matter, what they join, and how modular it is."""

from __future__ import annotations

import torch
from torch import Tensor

from brainrnn.analysis.graph.stages import connections, stages
from brainrnn.anatomy.placed import Placed
from brainrnn.errors import InputError


@torch.no_grad()
def live_connections(net: Placed, *, threshold: float = 0.05) -> dict[str, Tensor]:
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
    """
    if not 0 <= threshold < 1:
        raise InputError(
            f"the threshold of live connections must be a fraction of the largest weight, at least "
            f"0 and below 1, got {threshold!r}"
        )
    sizes = {name: net.weight(name).abs() for name in connections(net)}
    return {n: size > threshold * size.amax(dim=(1, 2), keepdim=True) for n, size in sizes.items()}


@torch.no_grad()
def active_neurons(net: Placed, *, threshold: float = 0.05) -> dict[str, Tensor]:
    """Neurons on a path of live connections from an input to an output.

    Where inputs are tokens, no path starts at an input neuron in which every token's embedding is
    negligible (at most ``threshold`` times the member's largest), and a neuron is active if any of
    its folds is. Paths also follow a residual stream from each of its moments to the next; one into
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
    """
    chain = stages(net)
    live = live_connections(net, threshold=threshold)
    # (member, fold, neuron) of every stage; folds of a target are one, of a source several
    reached = [_sources(net, chain[0].population, threshold)]
    for stage in chain[1:]:
        paths = _folded(net, live, stage.parameter)  # (member, fold, out, fold, source)
        arrived = (paths & reached[-1][:, None, None, : paths.shape[3]]).any((1, 3, 4))
        if stage.carried is not None:
            arrived |= reached[stage.carried].any(1)
        reached.append(arrived[:, None])
    leads = [torch.zeros_like(places) for places in reached]
    leads[-1] |= True
    for index in reversed(range(1, len(chain))):
        stage, on = chain[index], leads[index].any(1)
        paths = _folded(net, live, stage.parameter)
        leads[index - 1] = leads[index - 1] | (paths & on[:, None, :, None, None]).any((1, 2))
        if stage.carried is not None:
            leads[stage.carried] = leads[stage.carried] | on[:, None]
    return {
        stage.name: (to & fro).any(1) for stage, to, fro in zip(chain, reached, leads, strict=True)
    }


def check_member(net: Placed, member: int) -> None:
    """See that a network has this member.

    Raises
    ------
    InputError
        If not.
    """
    if not 0 <= member < net.members:
        raise InputError(f"network {member} does not exist: choose 0 to {net.members - 1}")


def _folded(net: Placed, live: dict[str, Tensor], parameter: str | None) -> Tensor:
    """Live connections of a parameter, (member, fold, out, fold, source)."""
    assert parameter is not None
    out, source = net.anatomy.wiring[parameter]
    return live[parameter].unflatten(2, (source.folds, -1)).unflatten(1, (out.folds, -1))


def _sources(net: Placed, population: str, threshold: float) -> Tensor:
    """Where paths may start, (member, fold, neuron of the inputs) bool."""
    wiring = net.anatomy.wiring.items()
    folds = next(
        axes[1].folds
        for _, axes in wiring
        if len(axes) == 2 and axes[1].population == population and axes[0].population
    )
    start = torch.ones_like(net.anatomy.places(population), dtype=torch.bool)
    for name, axes in wiring:
        if len(axes) == 2 and axes[0].population is None and axes[1].population == population:
            size = net.weight(name).abs().amax(1)  # a table of tokens: (member, input)
            start = size > threshold * size.amax(1, keepdim=True)
    return start[:, None].expand(-1, folds, -1)
