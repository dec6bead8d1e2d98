"""A network at another resolution: refined, or merged in one of several ways."""

from __future__ import annotations

from math import prod

from brainrnn.networks import RNN
from brainrnn.networks.resize import grid_shape, merge, refine
from brainrnn.streams import Stream, generator
from brainrnn.study.grouping import activity_moments, at_random, by_correlation, by_place
from brainrnn.task import Suite

CHANGES = {
    "kept": "as it was",
    "refined": "refined",
    "place": "merged by place",
    "correlation": "merged by correlation",
    "random": "merged at random",
    "scratch": "from scratch",
}


def resized(
    net: RNN,
    suite: Suite,
    coarse: tuple[int, ...],
    *,
    factor: int,
    spread: float,
    trials: int,
    seed: int,
) -> dict[str, RNN]:
    """A network at its other resolution, by how it got there.

    One on the coarse grid is refined. One on the fine grid is merged to the coarse one: neurons
    that share a cell of it (``place``); neurons that are active together (``correlation``); or
    random sets of equal size (``random``).

    Parameters
    ----------
    net : RNN
        Of one member, on a grid.
    suite : Suite
    coarse : tuple of int
        The coarse grid.
    factor : int
        Sites of the fine grid for one along every side.
    spread : float
        How unequally what a neuron sent is divided among its parts, 0: equally.
    trials : int
        Of every task, to correlate activity in.
    seed : int
    """
    if grid_shape(net) == coarse:
        return {"refined": refine(net, factor, spread=spread, seed=seed)}
    rng = generator(seed, Stream.RESIZING)
    moments = activity_moments(net, suite, trials=trials, rng=rng)
    groups = {
        "place": by_place(net, factor),
        "correlation": by_correlation(moments, prod(coarse)),
        "random": at_random(net.n_hidden, prod(coarse), rng),
    }
    return {how: merge(net, group, moments.second, coarse) for how, group in groups.items()}
