"""Relocation: neurons exchange places when that lowers the connection cost.

What neuron i would cost on site s, given where all others sit, is one entry of

    C[i, s] = sum over its connections of |w| d(s, site of the partner),

and exchanging neurons i and j, which sit on sites p and q, changes the cost by

    C[i, q] + C[j, p] - C[i, p] - C[j, q] + 2 T[i, j] d(p, q),

with T the symmetrised weights inside the population (diagonal zero): their mutual connection
keeps its length, but appears in both C[i, q] and C[j, p] as if it had vanished. All partners of a
neuron are scored by one such expression, in float64 and by the very cost that is trained.
"Seeing Is Believing", Section 2, step 3.
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from brainrnn.anatomy import PlacedNetwork, per_member
from brainrnn.arrange import exchanges, linear_assignment, quadratic_assignment
from brainrnn.config import PerMember, Settings
from brainrnn.cost import CostSpec
from brainrnn.strength import wiring_strength
from brainrnn.threads import one_thread

_SMALL = 300_000  # entries of all cost matrices together


class SwapSpec(Settings):
    """When and how neurons exchange places."""

    algorithm: Literal["none", "greedy", "assignment", "descent"] = Field(
        "greedy",
        description="greedy: each of the top_k neurons takes its best partner (the paper); "
        "descent: greedy passes over all neurons until no exchange helps; assignment: the "
        "cheapest arrangement given the other populations, exact unless a population is wired to "
        "itself, then approximate; none: no swaps",
    )
    every: int = Field(50, ge=1, description="training steps between two relocations")
    top_k: int | None = Field(
        None, ge=1, description="neurons per population that look for a partner; unset: all"
    )
    locality: PerMember | None = Field(
        None,
        description="A that scores the swaps, of all parameters alike; unset: what is trained. "
        "With A = 0 every arrangement costs the same, so L1 with swaps needs its own",
    )


@torch.no_grad()
def site_costs(net: PlacedNetwork, spec: CostSpec, population: str) -> tuple[Tensor, Tensor]:
    """Cost of every neuron on every site, and the weights inside the population.

    Returns
    -------
    costs : (member, neuron, site) float64
        C above; what does not depend on the neuron's place is left out.
    inside : (member, neuron, neuron) float64
        T above.
    """
    anatomy = net.anatomy
    places = anatomy.places(population)
    members, n = places.shape
    costs = torch.zeros(members, n, n, dtype=torch.float64, device=places.device)
    inside = torch.zeros_like(costs)
    for name, value in net.named_parameters():
        axes = anatomy.wiring[name]
        names = [axis.population for axis in axes]
        if len(axes) < 2 or None in names or population not in names:
            continue
        rows, columns = (a.folds for a in axes)
        folded = (
            value.abs()
            .to(torch.float64)
            .view(members, rows, value.shape[1] // rows, columns, value.shape[2] // columns)
        )
        weight = folded.sum((1, 3)) * spec.weight(name, value)
        weight = weight * spec.parameter_locality.get(name, 1.0)
        if names[0] == names[1]:
            inside += weight + weight.mT
            continue
        if names[0] != population:
            weight = weight.mT
        other = names[1] if names[0] == population else names[0]
        assert other is not None
        distance = anatomy.site_distances(population, other)
        costs += weight @ distance.T[anatomy.places(other)]
    inside.diagonal(dim1=1, dim2=2).zero_()
    if bool(inside.any()):
        distance = anatomy.site_distances(population, population)
        costs += inside @ distance[places]
    locality = per_member(spec.locality, net, "locality").to(torch.float64)[:, None, None]
    return costs * locality, inside * locality


def importance(net: PlacedNetwork, population: str) -> Tensor:
    """Score of every neuron: sum of |incoming| and |outgoing| weights, (member, neuron); Eq. 5."""
    incoming, outgoing = wiring_strength(net, population)
    return incoming + outgoing


@torch.no_grad()
def relocate(net: PlacedNetwork, cost: CostSpec, swap: SwapSpec) -> Tensor:
    """Let the neurons of every movable population exchange places; return moves, (member,).

    No parameter changes; the cost that scores the swaps, which is the connection cost unless they
    have a locality of their own, never rises. Members whose strength is 0 pay for
    nothing and stay where they are.
    """
    anatomy = net.anatomy
    paying = per_member(cost.strength, net, "strength")[:, None, None] > 0
    if swap.locality is not None:
        cost = cost.model_copy(update={"locality": swap.locality, "parameter_locality": {}})
    moves = torch.zeros(net.members, dtype=torch.int64, device=next(net.parameters()).device)
    if swap.algorithm == "none":
        return moves
    entries = sum(net.members * len(p) ** 2 for p in anatomy.populations.values())
    with one_thread(entries < _SMALL):
        for name, population in anatomy.populations.items():
            if population.movable and len(population) > 1:
                moves += _relocate(net, cost, swap, name, paying)
    return moves


def _relocate(
    net: PlacedNetwork, cost: CostSpec, swap: SwapSpec, name: str, paying: Tensor
) -> Tensor:
    """Rearrange one population; moves, (member,)."""
    anatomy, blocks = net.anatomy, net.anatomy.populations[name].blocks
    costs, inside = (paying * matrix for matrix in site_costs(net, cost, name))
    before = anatomy.places(name).clone()
    distance = anatomy.site_distances(name, name)
    order = importance(net, name).argsort(dim=1, descending=True, stable=True)
    if swap.algorithm == "assignment":
        if bool(inside.any()):
            places = quadratic_assignment(costs, inside, distance, before, order)
        else:
            places = linear_assignment(costs, before, blocks)
    else:
        greedy = swap.algorithm == "greedy"
        if greedy and swap.top_k is not None:
            order = order[:, : swap.top_k]
        places = exchanges(costs, inside, distance, before, order, blocks, repeat=not greedy)
    if not torch.equal(places, before):
        anatomy.move(name, places)
    return (places != before).sum(1)
