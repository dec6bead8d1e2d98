"""Exchanges with neurons nearby: time and memory grow with connections, not with pairs of neurons.

The same gains as in :mod:`brainrnn.wiring_cost.swap`, of a population that is wired to itself
alone. A neuron looks only at the sites around its own; all look at once, and then exchange at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

_ROUNDING = 1e-12  # share of the whole cost below which a gain is taken for round-off
_AT_ONCE = 1 << 20  # distances in memory at a time

Between = Callable[[Tensor, Tensor], Tensor]  # sites, entry by entry, to their distances


@dataclass(frozen=True)
class Edges:
    """Connections between different neurons, each once in either direction.

    Attributes
    ----------
    neuron, other : (edge,)
    weight : (edge,) float64
    """

    neuron: Int[Tensor, " edge"]
    other: Int[Tensor, " edge"]
    weight: Float[Tensor, " edge"]

    @classmethod
    def of(
        cls,
        out: Int[Tensor, " entry"],
        source: Int[Tensor, " entry"],
        weight: Float[Tensor, " entry"],
    ) -> Edges:
        """Those of weights above 0.

        Examples
        --------
        >>> one = torch.tensor([1])
        >>> Edges.of(one, 2 * one, 0.5 * one).other  # neuron 1 hears neuron 2
        tensor([2, 1])
        """
        there = (weight > 0) & (out != source)
        out, source, weight = out[there], source[there], weight[there]
        both = torch.cat([out, source]), torch.cat([source, out])
        return cls(*both, torch.cat([weight, weight]))

    def cost(self, places: Int[Tensor, " neuron"], between: Between) -> float:
        """What all connections cost where their neurons sit."""
        length = between(places[self.neuron], places[self.other])
        return float((self.weight * length).sum()) / 2


def nearby_exchanges(
    edges: Edges,
    near: Int[Tensor, "site near"],
    between: Between,
    places: Int[Tensor, " neuron"],
    order: Int[Tensor, " k"],
    *,
    repeat: bool,
) -> Int[Tensor, " neuron"]:
    """Let neurons exchange places with others nearby, where that lowers the cost.

    Each looks for its best partner among those who sit around it. Of exchanges that want the same
    neuron the first in order is made. Exchanges that were good one by one may be bad together,
    where their neurons are connected; then the better half of them is tried, and so on.

    Parameters
    ----------
    edges : Edges
    near : (site, near)
        Sites around every site.
    between : function
        Sites and sites, entry by entry, to their distances.
    places : (neuron,)
    order : (k,)
        The neurons that look for a partner, the first first.
    repeat : bool
        Whether to go on until nobody finds one.

    Returns
    -------
    (neuron,)
        The new site of every neuron; together they never cost more.
    """
    places, back = places.clone(), _way_back(near)
    rank = torch.full_like(places, len(places))
    rank[order] = torch.arange(len(order), device=order.device)
    before = edges.cost(places, between)
    while True:
        tolerance = _ROUNDING * before
        change, partner = best_exchanges(edges, near, back, between, places)
        looks = (change < -tolerance) & (rank < len(places))
        first = _compatible(looks, partner, rank)
        first = first[change[first].argsort(stable=True)]  # the best first
        while len(first):
            moved = places.clone()
            moved[first], moved[partner[first]] = places[partner[first]], places[first]
            cost = edges.cost(moved, between)
            if cost < before - tolerance:
                break
            first = first[: len(first) // 2]
        if not len(first):
            return places
        places, before = moved, cost
        if not repeat:
            return places


def best_exchanges(
    edges: Edges,
    near: Int[Tensor, "site near"],
    back: Int[Tensor, "site near"],
    between: Between,
    places: Int[Tensor, " neuron"],
) -> tuple[Float[Tensor, " neuron"], Int[Tensor, " neuron"]]:
    """Change of the cost by every neuron's best exchange nearby, and with whom.

    Parameters
    ----------
    edges : Edges
    near : (site, near)
    back : (site, near)
        Which of a nearby site's own nearby sites a site is; -1 where it is none.
    between : function
    places : (neuron,)

    Returns
    -------
    change : (neuron,)
        Infinite where nobody sits nearby.
    partner : (neuron,)
    """
    n, width = len(places), near.shape[1]
    around = near[places]  # (neuron, near)
    there, joint = edges.weight.new_zeros(2, n, width)
    own = edges.weight.new_zeros(n)
    size = max(1, _AT_ONCE // max(1, width))
    parts = (edges.neuron.split(size), edges.other.split(size), edges.weight.split(size))
    for neuron, other, weight in zip(*parts, strict=True):
        sites, partner = around[neuron], places[other][:, None]
        there.index_add_(0, neuron, weight[:, None] * between(sites, partner))
        joint.index_add_(0, neuron, weight[:, None] * (sites == partner))
        own.index_add_(0, neuron, weight * between(places[neuron], places[other]))
    occupant = places.argsort()[around]
    returns = back[places]
    change = there + there[occupant, returns.clamp(min=0)]
    change += 2 * joint * between(around, places[:, None])
    change -= own[:, None] + own[occupant]
    change.masked_fill_(returns < 0, torch.inf)
    if not width:
        return own.fill_(torch.inf), torch.arange(n, device=places.device)
    best, at = change.min(1)
    return best, occupant.gather(1, at[:, None])[:, 0]


def _way_back(near: Int[Tensor, "site near"]) -> Int[Tensor, "site near"]:
    """Which of a nearby site's own nearby sites each site is; -1 where it is none."""
    own = torch.arange(len(near), device=near.device)[:, None, None]
    size = max(1, _AT_ONCE // max(1, near.shape[1] ** 2))
    parts = []
    for some, mine in zip(near.split(size), own.split(size), strict=True):
        found = near[some] == mine  # (site, near, near of that)
        parts.append(torch.where(found.any(2), found.byte().argmax(2), -1))
    return torch.cat(parts)


def _compatible(
    looks: Bool[Tensor, " neuron"], partner: Int[Tensor, " neuron"], rank: Int[Tensor, " neuron"]
) -> Int[Tensor, " exchange"]:
    """Neurons whose exchanges want no neuron twice: of several the first in rank, then the next."""
    chosen: list[Tensor] = []
    free = torch.ones_like(looks)
    waiting = looks.nonzero().squeeze(1)
    while len(waiting):
        other, turn = partner[waiting], rank[waiting]
        wanted = torch.full_like(rank, len(rank))
        for ends in (waiting, other):
            wanted.scatter_reduce_(0, ends, turn, "amin")
        first = (wanted[waiting] == turn) & (wanted[other] == turn)
        for ends in (waiting[first], other[first]):
            free[ends] = False
        chosen.append(waiting[first])
        waiting = waiting[free[waiting] & free[other]]
    return torch.cat(chosen) if chosen else waiting
