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

from functools import partial
from typing import Literal

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor

from brainrnn.anatomy.growth import nearest_sites
from brainrnn.anatomy.placed import Placed, per_member
from brainrnn.anatomy.populations import Anatomy
from brainrnn.config import Count, PerMember, Settings
from brainrnn.errors import DivergedError, InputError
from brainrnn.threads import one_thread
from brainrnn.wiring_cost import arrange
from brainrnn.wiring_cost.arrange import exchanges, linear_assignment, quadratic_assignment
from brainrnn.wiring_cost.cost import CostSpec
from brainrnn.wiring_cost.nearby import Edges, nearby_exchanges
from brainrnn.wiring_cost.strength import magnitudes, wiring_strength

_EXACT = 2_000  # neurons with sparse connections that look at all sites for a partner
_NEAR = 24  # sites that more of them look at
_SMALL = 300_000  # entries of all cost matrices together


class SwapSpec(Settings):
    """When and how neurons exchange places.

    Examples
    --------
    >>> SwapSpec(every=200, top_k=6).algorithm  # the paper's
    'greedy'
    """

    algorithm: Literal["none", "greedy", "assignment", "descent"] = Field(
        "greedy",
        description="greedy: each of the top_k neurons takes its best partner (the paper); "
        "descent: greedy passes over all neurons until no exchange helps; assignment: the "
        "cheapest arrangement given the other populations, exact unless a population is wired to "
        "itself, then approximate; none: no swaps",
    )
    every: Count = Field(50, description="training steps between two relocations")
    top_k: Count | None = Field(
        None, description="neurons per population that look for a partner; unset: all"
    )
    locality: PerMember | None = Field(
        None,
        description="A that scores the swaps, of all parameters alike; unset: what is trained. "
        "With A = 0 every arrangement costs the same, so L1 with swaps needs its own",
    )
    near: Count | None = Field(
        None,
        description="sites around its own on which a neuron looks for a partner; unset: all, but "
        "24 where connections are sparse and neurons more than 2,000",
    )


@torch.no_grad()
def site_costs(
    net: Placed, spec: CostSpec, population: str
) -> tuple[Float[Tensor, "member neuron site"], Float[Tensor, "member neuron neuron"]]:
    """Cost of every neuron on every site, and the weights inside the population.

    Parameters
    ----------
    net : Placed
    spec : CostSpec
    population : str

    Returns
    -------
    costs : (member, neuron, site) float64
        C above; what does not depend on the neuron's place is left out.
    inside : (member, neuron, neuron) float64
        T above.

    Examples
    --------
    What each hidden neuron would cost on each of the sites, where all others sit as they do:

    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(2, 1, br.MLPSpec(hidden=(3,)))
    >>> costs, inside = site_costs(net, br.CostSpec(), "h1")
    >>> tuple(costs.shape), float(inside.abs().sum())
    ((1, 3, 3), 0.0)
    """
    anatomy = net.anatomy
    fixed, inside = _parts(net, magnitudes(net), spec, population, list(range(net.members)))
    places = anatomy.places(population)
    if inside is None:
        inside = torch.zeros(*places.shape, places.shape[1], dtype=torch.float64).to(places.device)
    distance = anatomy.site_distances(population, population)
    return arrange.site_costs(fixed, inside, distance, places), inside


def _parts(
    net: Placed,
    magnitude: dict[str, Tensor],
    spec: CostSpec,
    population: str,
    members: list[int],
) -> tuple[
    Float[Tensor, "member neuron site"] | None, Float[Tensor, "member neuron neuron"] | None
]:
    """What the rest of the network asks of some members' neurons on every site, and T above.

    None where there are no such connections.
    """
    anatomy = net.anatomy
    locality = per_member(spec.locality, net, "locality").to(torch.float64)
    fixed: Tensor | None = None
    inside: Tensor | None = None
    for name, value in magnitude.items():
        axes = anatomy.wiring[name]
        names = [axis.population for axis in axes]
        if len(axes) < 2 or None in names or population not in names:
            continue
        factor = spec.weight(name, net) * spec.parameter_locality.get(name, 1.0)
        value = anatomy.matrix(name, value)
        scale = _of(locality, members)[:, None, None] * factor
        weight = _folded(_of(value, members).to(torch.float64), *(a.folds for a in axes))
        if names[0] == names[1]:
            both = (weight + weight.mT).mul_(scale)
            inside = both if inside is None else inside.add_(both)
            continue
        if names[0] != population:
            weight = weight.mT
        other = names[1] if names[0] == population else names[0]
        assert other is not None
        distance = anatomy.site_distances(other, population)
        asked = (weight @ arrange.rows(distance, _of(anatomy.places(other), members))).mul_(scale)
        fixed = asked if fixed is None else fixed.add_(asked)
    if inside is not None:
        inside.diagonal(dim1=1, dim2=2).zero_()
    return fixed, inside


def _of(value: Tensor, members: list[int]) -> Tensor:
    """Some members of a tensor; itself, and no copy, if all."""
    return value if len(members) == len(value) else value[members]


def _folded(
    weight: Float[Tensor, "member out source"], rows: int, columns: int
) -> Float[Tensor, "member neuron other"]:
    """Sum over the copies of a population, (member, neuron, neuron)."""
    if rows == columns == 1:
        return weight
    members, out, source = weight.shape
    return weight.view(members, rows, out // rows, columns, source // columns).sum((1, 3))


def importance(
    net: Placed, population: str, magnitude: dict[str, Tensor] | None = None
) -> Float[Tensor, "member neuron"]:
    """Score of every neuron: the sum of its |incoming| and |outgoing| weights; Eq. 5.

    Parameters
    ----------
    net : Placed
    population : str
    magnitude : mapping of str to tensor, optional
        Magnitudes of all parameters, where they are at hand.

    Returns
    -------
    (member, neuron)

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(2, 1, br.MLPSpec(hidden=(3,)))
    >>> importance(net, "h1").shape
    torch.Size([1, 3])
    """
    incoming, outgoing = wiring_strength(net, population, magnitude)
    return incoming + outgoing


@torch.no_grad()
def relocate(net: Placed, cost: CostSpec, swap: SwapSpec) -> Int[Tensor, " member"]:
    """Let the neurons of every movable population exchange places; return moves, (member,).

    No parameter changes; the cost that scores the swaps, which is the connection cost unless they
    have a locality of their own, never rises. Members whose strength is 0 pay for
    nothing and stay where they are.

    Parameters
    ----------
    net : Placed
        A network of this package, or one that was placed by :func:`brainrnn.place`.
    cost : CostSpec
        What scores the swaps, unless they have a locality of their own.
    swap : SwapSpec

    Returns
    -------
    (member,) int64

    Raises
    ------
    DivergedError
        If a weight is NaN or infinite, as no arrangement is cheaper than another then.

    Examples
    --------
    Neuron 1 hears neuron 1, and neuron 2 hears neuron 2, but they sit crosswise:

    >>> import torch, brainrnn as br
    >>> net = torch.nn.Linear(2, 2, bias=False)
    >>> net.weight.data = torch.eye(2)
    >>> sites = {"a": br.Population("a", br.line(2), movable=False), "b": br.line(2)}
    >>> placed = br.place(net, sites, {"weight": "b a"})
    >>> placed.anatomy.move("b", torch.tensor([[1, 0]]))
    >>> br.relocate(placed, br.CostSpec(), br.SwapSpec()).tolist()
    [2]
    >>> placed.anatomy.places("b").tolist()
    [[0, 1]]
    """
    anatomy = net.anatomy
    moves = torch.zeros(net.members, dtype=torch.int64, device=net.anchor().device)
    if swap.locality is not None:
        cost = cost.model_copy(update={"locality": swap.locality, "parameter_locality": {}})
    members = _paying(net, cost)
    if swap.algorithm == "none" or not members:
        return moves
    magnitude = magnitudes(net)  # which no exchange changes
    total = torch.stack([value.sum(dtype=torch.float64) for value in magnitude.values()]).sum()
    if not bool(total.isfinite()):
        raise DivergedError("a weight is NaN or infinite: lower the learning rate")
    movable = {n: len(p) for n, p in anatomy.populations.items() if p.movable and len(p) > 1}
    with one_thread(net.members * sum(n**2 for n in movable.values()) < _SMALL):
        for name in movable:
            before = anatomy.places(name)
            places = _arranged(net, magnitude, cost, swap, name, members)
            if len(members) < net.members:
                places = before.index_copy(0, torch.tensor(members).to(before.device), places)
            moved = (places != before).sum(1)
            if bool(moved.any()):
                anatomy.move(name, places)
                moves += moved
    return moves


def sites_to_look_at(net: Placed, swap: SwapSpec, population: str) -> int | None:
    """Number of sites nearby on which a neuron of a population looks for a partner; None: all.

    Raises
    ------
    InputError
        If that is not possible, because the population is wired to others that have places too, or
        the algorithm looks at all sites.
    """
    anatomy, n = net.anatomy, len(net.anatomy.populations[population])
    pairs = {
        name: {axis.population for axis in axes}
        for name, axes in anatomy.wiring.items()
        if len(axes) == 2 and population in (axes[0].population, axes[1].population)
    }
    placed = {name: both for name, both in pairs.items() if None not in both}
    near = swap.near
    if near is None and n > _EXACT and any(name in anatomy.sparse for name in placed):
        near = _NEAR
    if near is None or not placed:
        return None
    if any(len(both) > 1 for both in placed.values()):
        raise InputError(
            f"method.swap.near is for populations that are wired to themselves, and {population!r} "
            "is wired to others: unset it"
        )
    if swap.algorithm == "assignment":
        raise InputError(
            "method.swap.algorithm=assignment looks at all sites: choose greedy or descent, or "
            "unset method.swap.near"
        )
    return near


def _arranged_nearby(
    net: Placed,
    magnitude: dict[str, Tensor],
    cost: CostSpec,
    swap: SwapSpec,
    name: str,
    members: list[int],
    near: int,
) -> Tensor:
    """New places of one population, (member, neuron), of some members."""
    anatomy = net.anatomy
    around = nearest_sites(anatomy, name, near).to(anatomy.places(name).device)
    order = _order(net, magnitude, swap, name)
    between = partial(_between, anatomy, name)
    return torch.stack(
        [
            nearby_exchanges(
                _edges(net, magnitude, cost, name, m),
                around,
                between,
                anatomy.places(name)[m],
                order[m],
                repeat=swap.algorithm == "descent",
            )
            for m in members
        ]
    )


def _order(net: Placed, magnitude: dict[str, Tensor], swap: SwapSpec, name: str) -> Tensor:
    """Neurons that look for a partner, the most important first, (member, k)."""
    order = importance(net, name, magnitude).argsort(dim=1, descending=True, stable=True)
    return order[:, : swap.top_k] if swap.algorithm == "greedy" else order


def _between(anatomy: Anatomy, name: str, one: Tensor, other: Tensor) -> Tensor:
    return anatomy.between_sites(name, one, name, other)


def _edges(
    net: Placed, magnitude: dict[str, Tensor], cost: CostSpec, name: str, member: int
) -> Edges:
    """Connections of one member's population with itself, with their prices by unit of distance."""
    anatomy, n = net.anatomy, len(net.anatomy.populations[name])
    locality = per_member(cost.locality, net, "locality").to(torch.float64)[member]
    parts = []
    for parameter, value in magnitude.items():
        if [axis.population for axis in anatomy.wiring[parameter]] == [name, name]:
            weight = value[member]
            row, column = weight.nonzero(as_tuple=True)
            partners = anatomy.partners(parameter)
            source = column if partners is None else partners[member, row, column].long()
            factor = cost.weight(parameter, net) * cost.parameter_locality.get(parameter, 1.0)
            price = weight[row, column].to(torch.float64) * (factor * locality)
            parts.append((row % n, source % n, price))
    return Edges.of(*(torch.cat(some) for some in zip(*parts, strict=True)))


def _paying(net: Placed, cost: CostSpec) -> list[int]:
    """The members whose neurons' places make a difference to what they pay."""
    paying = [True] * net.members
    for what in ("strength", "locality"):
        value = getattr(cost, what)
        per_member(value, net, what)  # complains of a wrong number of values
        values = value if isinstance(value, tuple) else (value,)
        paying = [p and values[m % len(values)] > 0 for m, p in enumerate(paying)]
    return [m for m, pays in enumerate(paying) if pays]


def _arranged(
    net: Placed,
    magnitude: dict[str, Tensor],
    cost: CostSpec,
    swap: SwapSpec,
    name: str,
    members: list[int],
) -> Tensor:
    """New places of one population, (member, neuron), of some members."""
    anatomy, blocks = net.anatomy, net.anatomy.populations[name].blocks
    places = _of(anatomy.places(name), members)
    near = sites_to_look_at(net, swap, name)
    if near is not None:
        return _arranged_nearby(net, magnitude, cost, swap, name, members, near)
    fixed, inside = _parts(net, magnitude, cost, name, members)
    if fixed is None and inside is None:
        return places
    distance = anatomy.site_distances(name, name)
    if swap.algorithm == "assignment" and inside is None:
        assert fixed is not None
        return linear_assignment(fixed, places, blocks)
    order = _of(_order(net, magnitude, swap, name), members)
    if swap.algorithm == "assignment":
        assert inside is not None
        return quadratic_assignment(fixed, inside, distance, places, order)
    repeat = swap.algorithm != "greedy"
    return exchanges(fixed, inside, distance, places, order, blocks, repeat=repeat)
