"""On which inputs a neuron depends, and which neurons are on the way to an answer."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Bool
from torch import Tensor

from brainrnn.analysis.graph.live import live_connections
from brainrnn.analysis.graph.paths import Step, on_paths, reached, steps
from brainrnn.analysis.graph.stages import connections, stages
from brainrnn.anatomy.placed import Placed
from brainrnn.errors import InputError

_ATTENTION = 3  # folds: queries, keys and values of a head share its neurons


@torch.no_grad()
def input_dependence(
    net: Placed,
    *,
    threshold: float = 0.05,
    among: Mapping[str, Bool[Tensor, "member _"]] | None = None,
) -> dict[str, Bool[Tensor, "member _ input"]]:
    """On which input neurons every neuron depends through live connections.

    A neuron depends on an input neuron if a path of live connections leads from the one to the
    other. The folds of a population, such as the places of two tokens, count as one.

    Parameters
    ----------
    net : Placed
        Feed-forward.
    threshold : float
        See :func:`brainrnn.analysis.live_connections`.
    among : mapping of str to (member, neuron) bool, optional
        Neurons that paths may pass, for every stage, such as the
        :func:`brainrnn.analysis.active_neurons`; all if not given.

    Returns
    -------
    dict of str to (member, neuron, input) bool
        For every stage (:func:`brainrnn.analysis.stages`).

    Raises
    ------
    InputError
        If the network is not feed-forward, or the threshold is out of range.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(2, 1, br.MLPSpec(hidden=(2,)))
    >>> for value in net.parameters():
    ...     _ = value.data.zero_()
    >>> net.wired("fc0.weight").data[0] = torch.eye(2)  # h1 neuron i sees input i alone
    >>> net.wired("fc1.weight").data[0, 0, 1] = 1.0
    >>> depends = input_dependence(net)
    >>> depends["h1"][0].tolist()
    [[True, False], [False, True]]
    >>> depends["out"][0].tolist()
    [[False, True]]
    """
    chain, step = stages(net), steps(net, live_connections(net, threshold=threshold))
    places = net.anatomy.places(chain[0].population)
    start = torch.eye(places.shape[1], dtype=torch.bool, device=places.device)
    states = reached(chain, start.expand(net.members, -1, -1), step, among)
    return {stage.name: state.mT for stage, state in zip(chain, states, strict=True)}


@torch.no_grad()
def sequence_paths(
    net: Placed,
    given: Bool[Tensor, "position input"],
    asked: Bool[Tensor, "_ output"],
    *,
    threshold: float = 0.05,
) -> dict[str, Bool[Tensor, "member position _"]]:
    """Neurons on a path of live connections through a sequence, position by position.

    As :func:`brainrnn.analysis.active_neurons`, but every position of the sequence has neurons of
    its own, and a path goes from one position to a later one only through the keys and values of
    causal attention. A parameter is taken for one of attention if it leads to three folds of a
    population: queries, keys and values, in this order.

    Parameters
    ----------
    net : Placed
        A transformer.
    given : (position, input) bool
        Inputs that carry something.
    asked : (position, output) bool
        Outputs that are asked for.
    threshold : float
        See :func:`brainrnn.analysis.live_connections`.

    Returns
    -------
    dict of str to (member, position, neuron) bool
        For every stage (:func:`brainrnn.analysis.stages`).

    Raises
    ------
    InputError
        If the network is not feed-forward, the threshold is out of range, or the inputs or outputs
        are not those of the network.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.Transformer(2, 2, br.TransformerSpec(width=4, layers=1))
    >>> given = torch.tensor([[True, True], [True, True]])  # both inputs, at both positions
    >>> asked = torch.tensor([[True, True], [False, False]])  # outputs at the first position
    >>> paths = sequence_paths(net, given, asked)
    >>> paths["input"][0].any(1).tolist()  # the second position comes too late
    [True, False]
    """
    chain, live = stages(net), live_connections(net, threshold=threshold)
    for shown, stage, what in ((given, chain[0], "inputs"), (asked, chain[-1], "outputs")):
        n = len(net.anatomy.populations[stage.population])
        if shown.shape != (len(given), n):
            raise InputError(
                f"{what} of a sequence must be (position, {n}) here, as many positions as inputs "
                f"and outputs have, got {tuple(shown.shape)}"
            )
    device = net.anatomy.places(chain[0].population).device
    start, end = (x.to(device).expand(net.members, -1, -1) for x in (given, asked))
    return on_paths(chain, start, end, _through_attention(net, live))


def is_attention(net: Placed, parameter: str) -> bool:
    """Whether a parameter makes queries, keys and values, so that positions meet."""
    return net.anatomy.wiring[parameter][0].folds == _ATTENTION


def _through_attention(net: Placed, live: Mapping[str, Tensor]) -> Step:
    """Step within a position, or, by keys and values, from it to the later ones."""
    attention = {name for name in connections(net) if is_attention(net, name)}
    within = steps(net, {name: taken for name, taken in live.items() if name not in attention})

    def step(parameter: str, state: Tensor, backwards: bool) -> Tensor:
        if parameter not in attention:
            return within(parameter, state, backwards)
        on = state.float()
        query, key, value = live[parameter].float().chunk(_ATTENTION, dim=1)
        shared = key + value  # of all positions so far
        if backwards:
            return on @ query + on.flip(1).cumsum(1).flip(1) @ shared > 0
        return on @ query.mT + on.cumsum(1) @ shared.mT > 0

    return step
