"""Which neurons to merge: those near each other, those that are active together, or any."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from torch import Tensor

from brainrnn.errors import InputError
from brainrnn.networks import RNN
from brainrnn.networks.resize import grid_shape
from brainrnn.task import Suite

_SILENT = 1e-3  # variance, relative to the largest, below which a neuron is left out


@dataclass(frozen=True)
class Moments:
    """Moments of the neurons' activity over all steps of many trials.

    Attributes
    ----------
    mean : (unit,) float64
    second : (unit, unit) float64
        Mean of h_i h_j.
    """

    mean: Float[Tensor, " unit"]
    second: Float[Tensor, "unit unit"]

    @property
    def covariance(self) -> Float[np.ndarray, "unit unit"]:
        """Covariance of every two neurons."""
        return (self.second - torch.outer(self.mean, self.mean)).numpy()


@torch.no_grad()
def activity_moments(net: RNN, suite: Suite, *, trials: int, rng: np.random.Generator) -> Moments:
    """Moments of a one-member network's activity in all tasks, without private noise.

    Parameters
    ----------
    net : RNN
    suite : Suite
    trials : int
        Of every task.
    rng : numpy Generator
    """
    n = net.n_hidden
    steps, total, product = 0, torch.zeros(n).double(), torch.zeros(n, n).double()
    for task in range(len(suite.names)):  # one task at a time bounds the memory
        batch = suite.sample(trials, rng, task=np.full(trials, task))
        states = net.activity(batch.inputs, batch.lengths)[1][0].flatten(0, 1).double().cpu()
        # Padding after a trial's end is 0, and is not counted.
        steps += int(batch.lengths.sum())
        total += states.sum(0)
        product += states.T @ states
    return Moments(total / steps, product / steps)


def by_place(net: RNN, factor: int) -> Int[np.ndarray, " unit"]:
    """Groups of the neurons that share a cell of a coarser grid; of one network.

    Raises
    ------
    InputError
        If the coarser grid does not fit the network's.
    """
    shape = grid_shape(net)
    if any(side % factor for side in shape):
        raise InputError(f"a grid of {list(shape)} sites has no coarser one by a factor {factor}")
    site = np.unravel_index(net.anatomy.places("hidden")[0].cpu().numpy(), shape)
    coarse = tuple(side // factor for side in shape)
    return np.ravel_multi_index(tuple(axis // factor for axis in site), coarse)


def by_correlation(moments: Moments, n: int) -> Int[np.ndarray, " unit"]:
    """Groups of the neurons whose activity is correlated over steps and trials.

    Average linkage of 1 - correlation, cut at ``n`` groups. Groups may be of any size. Silent
    neurons have no correlation and belong to none, -1; where fewer than ``n`` are not silent, the
    most active of them fill the groups that are left.
    """
    covariance = moments.covariance
    variance = covariance.diagonal().clip(0)
    group = np.full(len(variance), -1)
    active = np.flatnonzero(variance > _SILENT * variance.max())
    if len(active) <= n:
        group[variance.argsort(kind="stable")[::-1][:n]] = np.arange(n)
        return group
    sd = np.sqrt(variance[active])
    away = (1 - covariance[np.ix_(active, active)] / np.outer(sd, sd)).clip(0)
    np.fill_diagonal(away, 0)
    tree = linkage(squareform(away, checks=False), "average")
    found = fcluster(tree, n, "maxclust") - 1
    # Ties may leave fewer groups than asked for: neurons of the largest get groups of their own.
    while (missing := n - 1 - found.max()) > 0:
        largest = np.flatnonzero(found == np.bincount(found).argmax())
        alone = largest[1 : 1 + missing]
        found[alone] = found.max() + 1 + np.arange(len(alone))
    group[active] = found
    return group


def at_random(n_units: int, n: int, rng: np.random.Generator) -> Int[np.ndarray, " unit"]:
    """Random groups whose sizes differ by one at most."""
    return rng.permutation(np.arange(n_units) % n)
