"""Paths through a feed-forward network: which neurons are reached, and which lead on.

Whoever follows paths says what a step along the connections of one parameter does; the order of the
stages, and a residual stream that passes by some of them, are taken care of here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Bool
from torch import Tensor

from brainrnn.analysis.graph.stages import Stage
from brainrnn.anatomy.placed import Placed

Step = Callable[[str, Tensor, bool], Tensor]
"""From a parameter's name, (member, start, neuron) and whether backwards, to where one comes."""


def steps(net: Placed, live: Mapping[str, Bool[Tensor, "member _ _"]]) -> Step:
    """Step along some of the connections; a neuron is reached if any of its folds is.

    Parameters
    ----------
    net : Placed
    live : mapping of str to (member, out, in) bool
        Which connections of each parameter may be taken.
    """
    joins = {}  # (member, neuron, source) by parameter
    for name, taken in live.items():
        out, source = net.anatomy.wiring[name]
        folded = taken.unflatten(2, (source.folds, -1)).unflatten(1, (out.folds, -1))
        joins[name] = folded.any(3).any(1).float()

    def step(parameter: str, state: Tensor, backwards: bool) -> Tensor:
        matrix = joins[parameter]
        return state.float() @ (matrix if backwards else matrix.mT) > 0

    return step


def reached(
    chain: Sequence[Stage],
    start: Bool[Tensor, "member start _"],
    step: Step,
    among: Mapping[str, Bool[Tensor, "member _"]] | None = None,
) -> list[Bool[Tensor, "member start _"]]:
    """Neurons that paths reach, for every stage.

    Parameters
    ----------
    chain : sequence of Stage
    start : (member, start, neuron) bool
        Where paths begin in the first stage. Several starts are followed side by side.
    step : Step
    among : mapping of str to (member, neuron) bool, optional
        Neurons that paths may pass, for every stage; all if not given.
    """

    def allowed(stage: Stage, state: Tensor) -> Tensor:
        return state if among is None else state & among[stage.name][:, None]

    states = [allowed(chain[0], start)]
    for stage in chain[1:]:
        state = step(str(stage.parameter), states[-1], False)
        if stage.carried is not None:
            state = state | states[stage.carried]
        states.append(allowed(stage, state))
    return states


def leading(
    chain: Sequence[Stage], end: Bool[Tensor, "member start _"], step: Step
) -> list[Bool[Tensor, "member start _"]]:
    """Neurons from which paths lead to some neurons of the last stage, for every stage."""
    states = {len(chain) - 1: end}
    for index in reversed(range(1, len(chain))):
        stage, here = chain[index], states[index]
        sources = [(index - 1, step(str(stage.parameter), here, True))]
        if stage.carried is not None:
            sources.append((stage.carried, here))
        for before, found in sources:
            states[before] = states[before] | found if before in states else found
    return [states[index] for index in range(len(chain))]


def on_paths(
    chain: Sequence[Stage],
    start: Bool[Tensor, "member start _"],
    end: Bool[Tensor, "member start _"],
    step: Step,
) -> dict[str, Bool[Tensor, "member start _"]]:
    """Neurons on a path from a start to an end, by the name of their stage."""
    both = zip(chain, reached(chain, start, step), leading(chain, end, step), strict=True)
    return {stage.name: to & fro for stage, to, fro in both}


def all_neurons(net: Placed, stage: Stage) -> Bool[Tensor, "member 1 neuron"]:
    """Every neuron of a stage, as a start or an end."""
    places = net.anatomy.places(stage.population)
    return torch.ones_like(places, dtype=torch.bool)[:, None]
