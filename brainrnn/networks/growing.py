"""Recurrent networks whose sparse connections come and go while they are trained."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from brainrnn.anatomy.geometry import Array, Distance
from brainrnn.anatomy.growth import GrowthSpec, candidate_sites, offers
from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.anatomy.populations import Anatomy, Population
from brainrnn.errors import InputError

N = TypeVar("N", bound=PlacedNetwork)


def first_partners(
    growth: GrowthSpec,
    gates: int,
    hidden: Population,
    distance: str | Distance | Array,
    streams: Sequence[np.random.Generator],
) -> Int[Tensor, "member out partner"]:
    """Partners of every member's neurons before training: first itself, then others by the law.

    Parameters
    ----------
    growth : GrowthSpec
    gates : int
        Rows of weights for each neuron.
    hidden : Population
    distance : str, function or matrix
    streams : sequence of numpy Generator
        One for each member.

    Returns
    -------
    (member, out, partner) int32

    Raises
    ------
    InputError
        If there are not so many neurons.
    """
    n, k = len(hidden), growth.partners
    if k > n:
        raise InputError(
            f"growth.partners is {k}, and there are {n} neurons: lower it, or use dense connections"
        )
    rows = torch.arange(n).repeat(gates)
    start = (rows[:, None] + torch.arange(k)) % n
    free = torch.arange(k).expand_as(start)[None] > 0
    if k == n:
        return start.int().repeat(len(streams), 1, 1)
    one = Anatomy([hidden], {}, distance=distance)
    near, start = candidate_sites(one, "hidden"), start.int()[None]
    drawn = [offers(one, "hidden", start, free, near, growth, rng) for rng in streams]
    return torch.cat(drawn)


def offering(net: N, growth: GrowthSpec, rng: np.random.Generator) -> N:
    """A copy in which each neuron hears some more others, with weights of 0; as this one, else.

    Parameters
    ----------
    net : PlacedNetwork
        Recurrent, with sparse connections.
    growth : GrowthSpec
    rng : numpy Generator
        Draws who they are, by the law of :mod:`brainrnn.anatomy.growth`.
    """
    partners, weight = net.anatomy.partners("w_rec"), net.get_parameter("w_rec").detach()
    assert partners is not None
    near = candidate_sites(net.anatomy, "hidden")
    members, rows, k = partners.shape
    more = min(growth.offers, len(near) - k)
    partners = torch.cat([partners, partners[..., :1].expand(-1, -1, more)], dim=2)
    free = (torch.arange(k + more, device=partners.device) >= k).expand_as(partners)
    partners = offers(net.anatomy, "hidden", partners, free, near, growth, rng)
    same = {id(p): p for name, p in net.named_parameters() if name != "w_rec"}
    larger = copy.deepcopy(net, same)
    nothing = weight.new_zeros(members, rows, more)
    larger.register_parameter("w_rec", nn.Parameter(torch.cat([weight, nothing], dim=2)))
    larger.anatomy.register_buffer("partners_w_rec", partners)
    larger.anatomy.changed()
    return larger


@torch.no_grad()
def regrow(
    net: PlacedNetwork,
    offering: PlacedNetwork,
    growth: GrowthSpec,
    gradient: Float[Tensor, "member out offered"],
    *,
    progress: float,
) -> dict[str, Bool[Tensor, "member out partner"]]:
    """Give up recurrent connections that are zero or the weakest, and take others.

    A neuron keeps its connection with itself. Of the others it gives up those that are zero,
    and at least the weakest, a share of ``growth.turnover`` (1 + cos(pi progress)) / 2. It
    takes those among the offered that have the largest gradient. As RigL does (Evci et al.
    2020, ICML).

    Parameters
    ----------
    net : PlacedNetwork
    offering : PlacedNetwork
        From :func:`offering`.
    growth : GrowthSpec
    gradient : (member, out, partner)
        Of a loss, by the recurrent weights of ``offering``.
    progress : float
        Fraction of training that is done.

    Returns
    -------
    dict of str to bool tensor
        By parameter, the entries whose connections are new.
    """
    before, offered = (one.anatomy.partners("w_rec") for one in (net, offering))
    assert before is not None
    assert offered is not None
    k, n = before.shape[2], net.anatomy.places("hidden").shape[1]
    own = torch.arange(before.shape[1], device=before.device) % n
    weight = net.get_parameter("w_rec")
    itself, size = before == own[:, None], weight.abs()
    order = size.masked_fill(itself, torch.inf).argsort(dim=2, stable=True)  # weakest first
    share = growth.turnover * (1 + math.cos(math.pi * progress)) / 2
    free = (size == 0).scatter(2, order[..., : math.floor(share * (k - 1))], True) & ~itself
    best = gradient[..., k:].abs().argsort(dim=2, descending=True, stable=True)
    taken = offered[..., k:].gather(2, best)[..., :k]
    turn = torch.arange(taken.shape[2], device=before.device)
    new = turn < free.sum(2, keepdim=True)  # in the order of weakness, in which zeros are first
    into = order[..., : taken.shape[2]]
    after = before.scatter(2, into, torch.where(new, taken, before.gather(2, into)))
    changed = torch.zeros_like(free).scatter(2, into, new)
    weight.masked_fill_(changed, 0.0)
    net.anatomy.rewire("w_rec", after)
    return {"w_rec": changed}
