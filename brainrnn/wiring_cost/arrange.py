"""Arrangements: which neuron on which site, given what every neuron costs on every site.

Nothing here knows networks. ``fixed`` (member, neuron, site) is what the rest of the network asks
of a neuron on a site, None where a population is wired to itself alone; ``inside`` (member, neuron,
neuron) holds the symmetrised weights among the neurons themselves, None where they are not wired
to each other; ``places`` (member, neuron) is the site of every neuron. Together they make what a
neuron costs on a site while all others stay,

    costs = fixed + inside @ distance[places].

Costs are float64, and no arrangement returned costs more than the one given.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from threadpoolctl import ThreadpoolController
from torch import Tensor

_ROUNDING = 1e-12  # share of the whole cost below which a gain is taken for round-off
_PENDING = 64  # exchanges whose products of rank one are worth a product of matrices
_LOOKAHEAD = 64  # neurons that look for a partner at once, at most
_RELAXATION_STEPS = 60  # of the relaxed quadratic assignment, at most
_RELAXED = 1e-4  # share of the cost below which its next step would gain too little


def site_costs(
    fixed: Float[Tensor, "member neuron site"] | None,
    inside: Float[Tensor, "member neuron neuron"] | None,
    distance: Float[Tensor, "site site"],
    places: Int[Tensor, "member neuron"],
) -> Float[Tensor, "member neuron site"]:
    """Cost of every neuron on every site, (member, neuron, site)."""
    if inside is None:
        assert fixed is not None
        return fixed
    pull = inside @ rows(distance, places)
    return pull if fixed is None else pull.add_(fixed)


def rows(
    distance: Float[Tensor, "site other"], places: Int[Tensor, "member neuron"]
) -> Float[Tensor, "member neuron other"]:
    """Row of ``distance`` for every neuron's place: (member, neuron, site)."""
    return distance.index_select(0, places.flatten()).view(*places.shape, -1)


def exchanges(
    fixed: Float[Tensor, "member neuron site"] | None,
    inside: Float[Tensor, "member neuron neuron"] | None,
    distance: Float[Tensor, "site site"],
    places: Int[Tensor, "member neuron"],
    order: Int[Tensor, "member k"],
    blocks: int,
    *,
    repeat: bool,
) -> Int[Tensor, "member neuron"]:
    """Greedy passes: one, or with ``repeat`` as many as still find an exchange that helps.

    Parameters
    ----------
    fixed : (member, neuron, site), optional
    inside : (member, neuron, neuron), optional
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
    if _on_host(places) and inside is not None:
        with _numpy_threads().limit(limits=1):
            for m in range(len(places)):
                around = None if fixed is None else fixed[m]
                _wired_member(around, inside[m], distance, places[m], order[m], repeat)
        return places
    costs = site_costs(fixed, inside, distance, places)
    everyone = torch.arange(blocks, device=places.device).expand(len(places), blocks)
    while True:
        moved = _sweep(costs, inside, distance, places, order, blocks)
        if blocks > 1:
            slots, of_block = _block_costs(costs, places, blocks)
            moved = _sweep(slots, None, distance, of_block, everyone, 1) | moved
            size = places.shape[1] // blocks
            places.copy_(of_block.repeat_interleave(size, dim=1) * size + places % size)
        if not (repeat and bool(moved)):
            return places


def _on_host(tensor: Tensor) -> bool:
    """Whether NumPy can go through it at no cost; a device had better not be waited for."""
    return tensor.device.type == "cpu"


@lru_cache(maxsize=1)
def _numpy_threads() -> ThreadpoolController:
    """Of NumPy's products, here so small that threads wait for each other longer than they work."""
    return ThreadpoolController().select(user_api="blas")


def _sweep(
    costs: Tensor,
    inside: Tensor | None,
    distance: Tensor,
    places: Tensor,
    order: Tensor,
    blocks: int,
) -> Tensor | bool:
    """One pass over every member; whether anything moved."""
    if _on_host(places):
        return _host_sweep(costs, places, order, blocks)
    return _tensor_sweep(costs, inside, distance, places, order, blocks)


def _tensor_sweep(
    costs: Tensor,  # (member, neuron, site), updated in place
    inside: Tensor | None,  # (member, neuron, neuron)
    distance: Tensor,  # (site, site)
    places: Tensor,  # (member, neuron), updated in place
    order: Tensor,  # (member, k) the neurons that look for a partner, in turn
    blocks: int,
) -> Tensor:
    """One pass of Section 2, step 3, over all members at once, without waiting for the device.

    Whether anything moved, ().
    """
    every = torch.arange(len(places), device=places.device)
    block = torch.arange(places.shape[1], device=places.device) * blocks // places.shape[1]
    own = costs.gather(2, places[:, :, None]).squeeze(2)
    tolerance = _ROUNDING * own.sum(1)
    moved = torch.zeros((), dtype=torch.bool, device=places.device)
    for i in order.unbind(1):
        p = places[every, i]
        change = costs[every, i].gather(1, places) + costs[every, :, p]
        change -= own + own[every, i, None]
        if inside is not None:
            change += 2 * inside[every, i] * distance[p].gather(1, places)
        change.masked_fill_(block[i, None] != block, torch.inf)
        best, partner = change.min(1)
        gains = best < -tolerance
        moved |= gains.any()
        j = torch.where(gains, partner, i)  # who gains nothing changes places with itself
        q = places[every, j]
        places[every, i] = q
        places[every, j] = p
        if inside is not None:
            pull = inside[every, j] - inside[every, i]
            costs.baddbmm_(pull[:, :, None], (distance[p] - distance[q])[:, None])
        own = costs.gather(2, places[:, :, None]).squeeze(2)
    return moved


def _host_sweep(
    costs: Tensor,  # (member, neuron, site)
    places: Tensor,  # (member, neuron), updated in place
    order: Tensor,  # (member, k) the neurons that look for a partner, in turn
    blocks: int,
) -> bool:
    """One pass where no neuron's cost depends on another's place; whether anything moved.

    An exchange is too small to be worth a call of torch, so that NumPy goes member by member.
    """
    n = places.shape[1]
    block = np.arange(n) * blocks // n
    moved = False
    for cost, sites, some in zip(costs.numpy(), places.numpy(), order.numpy(), strict=True):
        on = cost.take(sites, axis=1)  # of neuron i on the site of neuron j
        own = on.diagonal().copy()
        tolerance = _ROUNDING * own.sum()
        change = on[some] + on.T[some] - own
        if blocks > 1:
            change[block[some][:, None] != block] = np.inf
        gains = change.min(axis=1) - own[some] < -tolerance
        if gains.any():
            moved = True
            some = some[gains.argmax() :]  # those before would gain nothing
            _exchange_in_turn(on, own, sites, some.tolist(), blocks, tolerance)
    return moved


def _exchange_in_turn(
    on: np.ndarray,  # (neuron, neuron) cost of i on the site of j, updated in place
    own: np.ndarray,  # (neuron,) its diagonal, updated in place
    places: np.ndarray,  # (neuron,), updated in place
    order: list[int],
    blocks: int,
    tolerance: float,
) -> None:
    """Each of some neurons of one member takes its best partner."""
    size = len(own) // blocks
    for i in order:
        first = i - i % size
        mine = slice(first, first + size)  # the block
        change = on[i, mine] + on[mine, i]
        change -= own[mine]
        j = int(change.argmin())
        if change[j] - own[i] < -tolerance:
            j += first
            places[i], places[j] = places[j], places[i]
            column = on[:, i].copy()
            on[:, i] = on[:, j]
            on[:, j] = column
            own[i], own[j] = on[i, i], on[j, j]


def _wired_member(
    fixed: Tensor | None,  # (neuron, site)
    inside: Tensor,  # (neuron, neuron)
    distance: Tensor,  # (site, site)
    places: Tensor,  # (neuron,), updated in place
    order: Tensor,  # (k,) the neurons that look for a partner, in turn
    repeat: bool,
) -> None:
    """Greedy passes of one member on the host, whose neurons are wired to each other.

    Neurons without any connection cost nothing anywhere, so that one of them stands for all.
    """
    wired = inside.sum(1) > 0
    if fixed is not None:
        wired |= fixed.sum(1) > 0
    row = wired.cumsum(0) - 1  # of every neuron in the matrices
    kept = None
    if not bool(wired.all()):
        row[~wired] = row[-1] + 1
        kept = torch.cat([wired.nonzero().squeeze(1), wired.logical_not().nonzero()[0]])
        inside = inside[kept][:, kept]
        fixed = None if fixed is None else fixed[kept]
    at = places if kept is None else places[kept]
    costs = inside @ distance[at]
    if fixed is not None:
        costs += fixed
    while _wired_sweep(
        costs,
        inside.numpy(),
        distance.numpy(),
        places.numpy(),
        order.numpy(),
        row.numpy(),
        slice(None) if kept is None else kept.numpy(),
    ):
        if not repeat:
            break


def _wired_sweep(
    costs: Tensor,  # (row, site), updated in place
    inside: np.ndarray,  # (row, row)
    distance: np.ndarray,  # (site, site)
    places: np.ndarray,  # (neuron,), updated in place
    order: np.ndarray,  # (k,) the neurons that look for a partner, in turn
    row: np.ndarray,  # (neuron,) of every neuron
    kept: np.ndarray | slice,  # (row,) the neuron of every row
) -> bool:
    """One pass where an exchange changes what others cost; whether anything moved.

    Each changes the costs by a product of rank one, pull x shift. A search needs one row and one
    column of them only, so that the products wait, and are added up by one product of matrices.
    """
    now = costs.numpy()
    pull = np.empty((_PENDING, len(inside)))
    shift = np.empty((_PENDING, len(places)))
    own = now[np.arange(len(now)), places[kept]]
    tolerance = _ROUNDING * own.sum()
    pending = idle = start = 0  # exchanges not yet in the costs; searches in vain since the last
    moved = False

    def search(r: Any, p: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of one row on one site, or of several: its costs, those of all there, the change."""
        mine, theirs = now[r], now[:, p].T
        if pending:
            mine = pull[:pending, r].T @ shift[:pending] + mine
            theirs = shift[:pending, p].T @ pull[:pending] + theirs
        change = mine.take(places, axis=-1)
        change[..., kept] += theirs - own + 2 * inside[r] * distance[p].take(places[kept], axis=-1)
        return mine, theirs, change

    def settle() -> None:
        costs.addmm_(torch.from_numpy(pull[:pending].T), torch.from_numpy(shift[:pending]))

    while start < len(order):
        if idle > 1:  # where few gain anything, many look at once for the next who does
            some = order[start : start + min(idle, _LOOKAHEAD)]
            change = search(row[some], places[some])[2]
            gains = change.min(axis=1) - own[row[some]] < -tolerance
            ahead = int(gains.argmax()) if gains.any() else len(some)
            start, idle = start + ahead, 0 if ahead < len(some) else idle + ahead
            continue
        i = order[start]
        p = places[i]
        r = row[i]
        mine, theirs, change = search(r, p)
        j = change.argmin()
        start += 1
        if change[j] - own[r] >= -tolerance:
            idle += 1
            continue
        moved, idle = True, 0
        q = places[j]
        places[i], places[j] = q, p
        other = row[j]
        drawn = np.subtract(inside[other], inside[r], out=pull[pending])
        longer = np.subtract(distance[p], distance[q], out=shift[pending])
        own += drawn * longer.take(places[kept])
        # Those two have moved: what they would cost there was found in the search.
        own[r] = mine[q] + drawn[r] * longer[q]
        own[other] = theirs[other] + drawn[other] * longer[p]
        pending += 1
        if pending == _PENDING:
            settle()
            pending = 0
    if pending:
        settle()
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


def linear_assignment(
    fixed: Float[Tensor, "member neuron site"], places: Int[Tensor, "member neuron"], blocks: int
) -> Int[Tensor, "member neuron"]:
    """The cheapest arrangement of a population not wired to itself; exact, also over blocks.

    Inside every block and block of sites a linear assignment, then one over whole blocks.
    """
    result = places.clone()
    size = places.shape[1] // blocks
    for member, cost in enumerate(fixed.cpu().numpy()):
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
    fixed: Float[Tensor, "member neuron site"] | None,
    inside: Float[Tensor, "member neuron neuron"],
    distance: Float[Tensor, "site site"],
    places: Int[Tensor, "member neuron"],
    order: Int[Tensor, "member neuron"],
) -> Int[Tensor, "member neuron"]:
    """A cheap arrangement of a population that is wired to itself, never dearer than the present.

    The relaxation of Vogelstein et al. (2015), then descent by exchanges: the relaxed problem sees
    the arrangement as a whole, where exchanges alone stop at the first local optimum. But that may
    happen to be the cheaper one.
    """
    relaxed = places.clone()
    for m in range(len(places)):
        around = torch.zeros_like(inside[m]) if fixed is None else fixed[m]
        relaxed[m] = _relaxation(around, inside[m], distance)
    cheapest, least = places, _price(fixed, inside, distance, places)
    for start in (places, relaxed):
        ends = exchanges(fixed, inside, distance, start, order, 1, repeat=True)
        price = _price(fixed, inside, distance, ends)
        cheaper = price < least * (1 - _ROUNDING)
        cheapest = torch.where(cheaper[:, None], ends, cheapest)
        least = torch.where(cheaper, price, least)
    return cheapest


def _price(fixed: Tensor | None, inside: Tensor, distance: Tensor, places: Tensor) -> Tensor:
    """What an arrangement costs, (member,)."""
    costs = site_costs(fixed, inside / 2, distance, places)
    return costs.gather(2, places[:, :, None]).sum((1, 2))


def _relaxation(
    fixed: Float[Tensor, "neuron site"],
    inside: Float[Tensor, "neuron neuron"],
    distance: Float[Tensor, "site site"],
) -> Int[Tensor, " neuron"]:
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


def _cheapest(cost: Float[Tensor, "neuron site"]) -> Int[Tensor, " neuron"]:
    """Linear assignment: the site of every neuron, (neuron,)."""
    return torch.from_numpy(linear_sum_assignment(cost.cpu().numpy())[1]).to(cost.device)
