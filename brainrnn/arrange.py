"""Arrangements: which neuron on which site, given what every neuron costs on every site.

Nothing here knows networks. ``costs`` (member, neuron, site) is what a neuron would cost on a site
while all others stay; ``inside`` (member, neuron, neuron) holds the symmetrised weights among the
neurons themselves, zero where they are not wired to each other; ``places`` (member, neuron) is the
site of every neuron. Costs are float64, and no arrangement returned costs more than the one given.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

_ROUNDING = 1e-12  # share of the whole cost below which a gain is taken for round-off
_RELAXATION_STEPS = 60  # of the relaxed quadratic assignment, at most
_RELAXED = 1e-4  # share of the cost below which its next step would gain too little


def exchanges(
    costs: Tensor,
    inside: Tensor,
    distance: Tensor,
    places: Tensor,
    order: Tensor,
    blocks: int,
    *,
    repeat: bool,
) -> Tensor:
    """Greedy passes: one, or with ``repeat`` as many as still find an exchange that helps.

    Parameters
    ----------
    costs : (member, neuron, site)
        Overwritten.
    inside : (member, neuron, neuron)
    distance : (site, site)
    places : (member, neuron)
    order : (member, k)
        The neurons that look for a partner, in turn.
    blocks : int
        Neurons swap inside a block; then whole blocks do.
    repeat : bool

    Returns
    -------
    (member, neuron)
        The new site of every neuron.
    """
    places = places.clone()
    coupled = inside if bool(inside.any()) else None
    everyone = torch.arange(blocks, device=places.device).expand(len(places), blocks)
    while True:
        if coupled is None:
            changed = _sweep(costs, places, order, blocks)
        else:
            changed = _coupled_sweep(costs, coupled, distance, places, order)
        if blocks > 1:
            slots, of_block = _block_costs(costs, places, blocks)
            changed = _sweep(slots, of_block, everyone, 1) or changed
            size = places.shape[1] // blocks
            places.copy_(of_block.repeat_interleave(size, dim=1) * size + places % size)
        if not (repeat and changed):
            return places


def _sweep(
    costs: Tensor,  # (member, neuron, site)
    places: Tensor,  # (member, neuron), updated in place
    order: Tensor,  # (member, k) the neurons that look for a partner, in turn
    blocks: int,
) -> bool:
    """One pass of Section 2, step 3, where no neuron's cost depends on another's place.

    Whether anything moved.
    """
    n = places.shape[1]
    block = torch.arange(n, device=places.device) * blocks // n
    apart = block[:, None] != block
    on = costs.gather(2, places[:, None].expand(-1, n, -1))  # of neuron i on the site of neuron j
    own = on.diagonal(dim1=1, dim2=2)
    tolerance = _ROUNDING * own.sum(1)
    change = (on + on.mT - own[:, :, None] - own[:, None]).masked_fill_(apart, torch.inf)
    gain = -change.amin(2).gather(1, order)
    moving = (gain > tolerance[:, None]).any(1).nonzero().squeeze(1)  # of the others none moves
    for member in moving.tolist():
        # Exchanges come one after the other, and are too small to be worth a call of torch each.
        now = places[member].cpu().numpy().copy()
        _exchange_in_turn(
            on[member].cpu().numpy(),
            now,
            order[member].tolist(),
            apart.cpu().numpy() if blocks > 1 else None,
            float(tolerance[member]),
        )
        places[member] = torch.from_numpy(now)
    return bool(len(moving))


def _exchange_in_turn(
    on: np.ndarray,  # (neuron, neuron) cost of i on the site of j, updated in place
    places: np.ndarray,  # (neuron,), updated in place
    order: list[int],
    apart: np.ndarray | None,  # (neuron, neuron) bool, which may not be exchanged
    tolerance: float,
) -> None:
    own = on.diagonal().copy()
    for i in order:
        change = on[i] + on[:, i] - own
        if apart is not None:
            change[apart[i]] = np.inf
        j = change.argmin()
        if change[j] - own[i] < -tolerance:
            places[i], places[j] = places[j], places[i]
            on[:, [i, j]] = on[:, [j, i]]
            own[i], own[j] = on[i, i], on[j, j]


def _coupled_sweep(
    costs: Tensor,  # (member, neuron, site), updated in place
    inside: Tensor,  # (member, neuron, neuron)
    distance: Tensor,  # (site, site)
    places: Tensor,  # (member, neuron), updated in place
    order: Tensor,  # (member, k) the neurons that look for a partner, in turn
) -> bool:
    """One pass where the neurons are wired to each other: an exchange changes what others cost."""
    every = torch.arange(len(places), device=places.device)
    own = costs.gather(2, places[:, :, None]).squeeze(2)
    tolerance = _ROUNDING * own.sum(1)
    moved = False
    for neuron in order.unbind(1):
        here = places[every, neuron]
        change = costs[every, neuron].gather(1, places) + costs[every, :, here]
        change -= own + own[every, neuron, None]
        change += 2 * inside[every, neuron] * distance[here].gather(1, places)
        change[every, neuron] = 0.0
        gain, partner = change.min(1)
        take = gain < -tolerance
        if not bool(take.any()):
            continue
        moved = True
        m, i, j = every[take], neuron[take], partner[take]
        p, q = places[m, i], places[m, j]
        places[m, i], places[m, j] = q, p
        # Only what the partners of i and j would cost has changed, by a product of rank one.
        pull = inside[m, :, j] - inside[m, :, i]
        shift = distance[p] - distance[q]
        for index, member in enumerate(m.tolist()):
            costs[member].addr_(pull[index], shift[index])
        own[m] = costs[m].gather(2, places[m][:, :, None]).squeeze(2)
    return moved


def _block_costs(costs: Tensor, places: Tensor, blocks: int) -> tuple[Tensor, Tensor]:
    """Cost of every block on every block's sites, each neuron keeping its place in the block."""
    members, n = places.shape
    size = n // blocks
    of_block = places[:, ::size] // size  # (member, block)
    slots = torch.arange(blocks, device=places.device) * size
    site = (places % size)[:, :, None] + slots  # (member, neuron, slot)
    total = costs.gather(2, site).view(members, blocks, size, blocks).sum(2)
    return total, of_block.contiguous()


def linear_assignment(costs: Tensor, places: Tensor, blocks: int) -> Tensor:
    """The cheapest arrangement of a population not wired to itself; exact, also over blocks.

    Inside every block and block of sites a linear assignment, then one over whole blocks.
    """
    result = places.clone()
    size = places.shape[1] // blocks
    for member, cost in enumerate(costs.cpu().numpy()):
        tiles = cost.reshape(blocks, size, blocks, size).transpose(0, 2, 1, 3)
        inner = np.empty((blocks, blocks, size), dtype=np.int64)
        price = np.empty((blocks, blocks))
        for block in range(blocks):
            for slot in range(blocks):
                rows, columns = linear_sum_assignment(tiles[block, slot])
                inner[block, slot] = columns
                price[block, slot] = tiles[block, slot][rows, columns].sum()
        _, slots = linear_sum_assignment(price)
        best = np.concatenate([inner[b, slot] + slot * size for b, slot in enumerate(slots)])
        neurons = np.arange(len(best))
        now = cost[neurons, places[member].cpu().numpy()].sum()
        if cost[neurons, best].sum() < now * (1 - _ROUNDING):
            result[member] = torch.from_numpy(best)
    return result


def quadratic_assignment(
    costs: Tensor, inside: Tensor, distance: Tensor, places: Tensor, order: Tensor
) -> Tensor:
    """A cheap arrangement of a population that is wired to itself, never dearer than the present.

    The relaxation of Vogelstein et al. (2015), then descent by exchanges: the relaxed problem sees
    the arrangement as a whole, where exchanges alone stop at the first local optimum.
    """
    # What the rest of the network asks of each neuron, without the pull of its own population.
    fixed = costs - inside @ distance[places]
    relaxed = places.clone()
    for member in range(len(places)):
        relaxed[member] = _relaxation(fixed[member], inside[member], distance)
    costs = fixed + inside @ distance[relaxed]
    relaxed = exchanges(costs, inside, distance, relaxed, order, 1, repeat=True)

    def price(sites: Tensor) -> Tensor:
        pull = 0.5 * inside @ distance[sites]
        return (fixed + pull).gather(2, sites[:, :, None]).sum((1, 2))

    before = price(places)
    cheaper = price(relaxed) < before * (1 - _ROUNDING)
    return torch.where(cheaper[:, None], relaxed, places)


def _relaxation(fixed: Tensor, inside: Tensor, distance: Tensor) -> Tensor:
    """Frank-Wolfe over doubly stochastic matrices P, from their centre; the site of every neuron.

    Minimises <fixed, P> + <inside P distance, P> / 2. Fast approximate quadratic assignment,
    Vogelstein et al. (2015), PLoS ONE 10(4): e0121002.
    """
    n = len(fixed)
    shares = torch.full_like(fixed, 1 / n)
    pull = inside @ shares @ distance
    for _ in range(_RELAXATION_STEPS):
        corner = _cheapest(fixed + pull)
        towards = torch.nn.functional.one_hot(corner, n).to(fixed) - shares
        towards_pull = inside @ distance[corner] - pull
        slope = ((fixed + pull) * towards).sum()
        curvature = (towards_pull * towards).sum()
        if float(-slope) <= _RELAXED * float(((fixed + pull) * shares).sum()):
            break
        step = float((-slope / curvature).clamp(0, 1)) if float(curvature) > 0 else 1.0
        shares += step * towards
        pull += step * towards_pull
    return _cheapest(-shares)


def _cheapest(cost: Tensor) -> Tensor:
    """Linear assignment: the site of every neuron, (neuron,)."""
    return torch.from_numpy(linear_sum_assignment(cost.cpu().numpy())[1]).to(cost.device)
