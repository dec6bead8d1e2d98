"""Sparse connections that grow: who is offered to whom, by place, and what is given up.

Each neuron hears a bounded number of partners. From time to time it gives up those whose weight is
zero, and some of the weakest. Others are offered to it: a neuron at a distance d with the
probability

    (1 - far) exp(-d / reach) / Z + far / n,

so mostly near and seldom far away. Of these it takes the ones to which the loss is most sensitive,
with a weight of zero at first. Structure that comes and goes while weights are trained: Mocanu et
al. (2018), Nature Communications 9:2383; chosen by the gradient: RigL, Evci et al. (2020), ICML; an
exponential rule of distance: Ercsey-Ravasz et al. (2013), Neuron 80:184.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field
from scipy.spatial import KDTree
from torch import Tensor

from brainrnn.anatomy.geometry import Torus, between, l1
from brainrnn.anatomy.populations import Anatomy
from brainrnn.config import Count, Positive, Settings

_ALL = 1024  # neurons up to which every one is a candidate of every other
_NEAR = 64  # among more: nearest sites, of which every one is a candidate
_POOL = 256  # and sites anywhere that stand for all others, drawn anew each time
_AT_ONCE = 1 << 22  # numbers in memory at a time


class GrowthSpec(Settings):
    """How many connections there are, and where new ones are offered.

    Examples
    --------
    >>> GrowthSpec(partners=16).far
    0.05
    """

    partners: Count = Field(
        32,
        description="connections into a neuron (into each gate of one), that with itself included",
    )
    reach: Positive = Field(
        0.1, description="distance over which offers become fewer, exp(-distance / reach)"
    )
    far: float = Field(0.05, ge=0, le=1, description="share of offers that go to any neuron")
    every: Count = Field(100, description="training steps between two times that some are given up")
    offers: Count = Field(
        64, description="neurons that a neuron may choose new partners of, each time"
    )
    turnover: float = Field(
        0.3,
        ge=0,
        le=1,
        description="share of a neuron's connections, the weakest, that are given up though they "
        "are not zero; falls to 0 at the end of training",
    )


def nearest_sites(anatomy: Anatomy, population: str, k: int) -> Int[Tensor, "site k"]:
    """The ``k`` sites nearest to every site of a population, itself left out, nearest first.

    Parameters
    ----------
    anatomy : Anatomy
    population : str
    k : int
        Fewer if there are not so many others.

    Returns
    -------
    (site, k) int64

    Examples
    --------
    >>> import brainrnn as br
    >>> anatomy = br.Anatomy([br.Population("hidden", br.line(5))], {})
    >>> nearest_sites(anatomy, "hidden", 2)[0].tolist()
    [1, 2]
    """
    sites, distance = anatomy.populations[population].sites, anatomy.distance
    k = min(k, len(sites) - 1)
    if not k:
        return torch.empty(len(sites), 0, dtype=torch.int64)
    if isinstance(distance, Tensor) or between(distance) is None:
        apart = anatomy.site_distances(population, population).cpu().clone()
        return apart.fill_diagonal_(-1).argsort(dim=1, stable=True)[:, 1 : k + 1]
    norm = distance.norm if isinstance(distance, Torus) else 1 if distance is l1 else 2
    box = None
    places = sites.numpy()
    if isinstance(distance, Torus):
        box = np.broadcast_to(distance.period, places.shape[1:])
        places = np.mod(places, box)
    # Great circles are as their chords. One more than asked for, as a site finds itself.
    _, found = KDTree(places, boxsize=box).query(places, k + 1, p=norm, workers=1)
    found = torch.from_numpy(np.asarray(found, dtype=np.int64))
    own = found == torch.arange(len(sites))[:, None]
    own[~own.any(1), -1] = True  # where many sites lie on each other
    return found[~own].view(len(sites), k)


def candidate_sites(anatomy: Anatomy, population: str) -> Int[Tensor, "site near"]:
    """The sites around every site on which each neuron is a candidate: all, or the nearest."""
    n = len(anatomy.populations[population])
    return nearest_sites(anatomy, population, n - 1 if n <= _ALL else _NEAR)


def offers(
    anatomy: Anatomy,
    population: str,
    partners: Int[Tensor, "member out partner"],
    free: Bool[Tensor, "member out partner"],
    near: Int[Tensor, "site near"],
    spec: GrowthSpec,
    rng: np.random.Generator,
) -> Int[Tensor, "member out partner"]:
    """Draw a partner for every free slot, by the law above; the others keep theirs.

    A neuron is offered neither itself nor anybody twice. Of more than a thousand neurons the law
    holds among the nearest, and for the rest through a sample of them.

    Parameters
    ----------
    anatomy : Anatomy
    population : str
    partners : (member, out, partner) int32
        Those of each neuron; of gated units, of each gate.
    free : (member, out, partner) bool
    near : (site, near)
        From :func:`candidate_sites`.
    spec : GrowthSpec
    rng : numpy Generator

    Returns
    -------
    (member, out, partner) int32
    """
    partners, n = partners.clone(), len(anatomy.populations[population])
    near = near.to(partners.device)
    pool = 0 if near.shape[1] == n - 1 else _POOL
    source = torch.Generator(partners.device).manual_seed(int(rng.integers(2**63)))
    for member, places in enumerate(anatomy.places(population)):
        occupant = places.argsort()
        wanting = free[member].any(1).nonzero().squeeze(1)
        if not len(wanting):
            continue
        for rows in wanting.split(max(1, _AT_ONCE // (near.shape[1] + pool))):
            slots, heard = free[member, rows], partners[member, rows].long()
            neurons = rows % n
            at = places[neurons]
            away = torch.randint(n, (len(rows), pool), generator=source, device=at.device)
            others = torch.cat([occupant[near[at]], away], dim=1)
            apart = anatomy.between_sites(population, at[:, None], population, places[others])
            double = _repeated(torch.cat([neurons[:, None], others], dim=1))[:, 1:]
            chance = _law(apart, double, near.shape[1], n, spec)
            kept = torch.where(slots, neurons[:, None], heard)
            barred = torch.cat([kept, neurons[:, None]], dim=1)
            chance.masked_fill_(_among(barred, others), 0.0)
            partners[member, rows] = _filled(kept, slots, others, chance, n, source).int()
    return partners


def _law(
    apart: Float[Tensor, "row other"],
    double: Bool[Tensor, "row other"],
    near: int,
    n: int,
    spec: GrowthSpec,
) -> Float[Tensor, "row other"]:
    """Chance of every candidate; those of the sample have together that of all who are not near."""
    fall = torch.exp((apart.amin(1, keepdim=True) - apart) / spec.reach)
    stands_for = (~double).to(fall.dtype)
    sampled = stands_for[:, near:]
    sampled *= (n - 1 - near) / sampled.sum(1, keepdim=True).clamp(min=1)
    whole = (fall * stands_for).sum(1, keepdim=True)
    return ((1 - spec.far) * fall / whole + spec.far / n) * stands_for


def _among(
    some: Int[Tensor, "row k"], others: Int[Tensor, "row other"]
) -> Bool[Tensor, "row other"]:
    """Which of the others are among some."""
    ranked = some.sort(dim=1).values
    at = torch.searchsorted(ranked, others).clamp_(max=ranked.shape[1] - 1)
    return ranked.gather(1, at) == others


def _repeated(some: Int[Tensor, "row k"]) -> Bool[Tensor, "row k"]:
    """Which came before in their row."""
    ranked, order = some.sort(dim=1, stable=True)
    again = torch.zeros_like(some, dtype=torch.bool)
    again[:, 1:] = ranked[:, 1:] == ranked[:, :-1]
    return torch.zeros_like(again).scatter(1, order, again)


def _filled(
    kept: Int[Tensor, "row partner"],
    slots: Bool[Tensor, "row partner"],
    others: Int[Tensor, "row other"],
    chance: Float[Tensor, "row other"],
    n: int,
    source: torch.Generator,
) -> Int[Tensor, "row partner"]:
    """Partners with every free slot filled: drawn without replacement, in proportion to chance."""
    count = slots.sum(1, keepdim=True)
    k = min(int(count.max()), others.shape[1])
    # The k smallest of exponential waiting times (Efraimidis and Spirakis 2006).
    wait = torch.empty_like(chance).exponential_(generator=source).div_(chance)
    first, drawn = wait.topk(k, dim=1, largest=False)
    into = slots.byte().argsort(dim=1, descending=True, stable=True)[:, :k]
    good = first.isfinite() & (torch.arange(k, device=count.device) < count)
    kept = kept.scatter(1, into, torch.where(good, others.gather(1, drawn), kept.gather(1, into)))
    filled = torch.zeros_like(slots).scatter(1, into, good)
    short = (filled != slots).any(1).nonzero().squeeze(1)
    if len(short):  # where the law leaves nobody, anybody
        left = slots[short] & ~filled[short]
        used = torch.zeros(len(short), n, dtype=torch.bool, device=slots.device)
        used.scatter_(1, kept[short], True)
        wait = torch.rand(used.shape, generator=source, device=slots.device)
        anybody = wait.masked_fill_(used, 2.0).argsort(dim=1)
        turn = (left.cumsum(1) - 1).clamp(min=0)
        kept[short] = torch.where(left, anybody.gather(1, turn), kept[short])
    return kept
