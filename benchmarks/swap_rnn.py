"""A swap pass over all neurons of a recurrent network against an evaluation per candidate."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from dataclasses import replace

import torch

import brainrnn as br
from benchmarks.timing import Comparison, Setting, compare

_GOALS = {400: 1000.0, 1024: None, 4096: 10_000.0}
_FLOORS = {400: 500.0, 1024: 4000.0}
_GROWTH = 2.2  # our time may grow as this power of the number of neurons
_PAYS = br.CostSpec()


def comparisons(setting: Setting) -> Iterator[Comparison]:
    for case in ("random weights", "as after training"):
        first = 0.0
        for n, least in (_FLOORS if setting.small else _GOALS).items():
            net = recurrent(math.isqrt(n), trained=case == "as after training")
            net.to(setting.device)
            candidates = setting.either(40_000 // n, 20)
            result = compare(
                f"{n:,} neurons, {case}",
                lambda net=net: br.relocate(net, _PAYS, br.SwapSpec()),
                lambda net=net, candidates=candidates: _one_evaluation_each(net, candidates),
                rounds=setting.either(3 if n > 2000 else 7, 3),
                part=candidates / (n * (n - 1)),
                before=lambda net=net: restart(net),
                least=least,
            )
            ours = statistics.median(result.ours)
            if not first:
                first, smallest = ours, n
            elif n == 4096:
                power = math.log(ours / first) / math.log(n / smallest)
                result = replace(result, figures={"exponent": power}, limits={"exponent": _GROWTH})
            yield result


def recurrent(side: int, *, trained: bool, seed: int = 0) -> br.RNN:
    """A network on a square grid.

    With its initial weights, or as training leaves them: three neurons of ten alive, and weights
    among those alone, a twentieth of all.
    """
    n = side**2
    net = br.RNN(80, 20, br.grid(side, side), dt=100, seed=seed)
    if trained:
        generator = torch.Generator().manual_seed(seed)
        live = torch.randperm(n, generator=generator)[: 3 * n // 10]
        kept = torch.rand(len(live), len(live), generator=generator) < 0.05 * (n / len(live)) ** 2
        weights = torch.zeros(n, n)
        weights[live[:, None], live] = torch.randn(kept.shape, generator=generator) * kept
        silent = torch.ones(n, dtype=torch.bool).index_fill(0, live, False)
        with torch.no_grad():
            net.w_rec.copy_(weights)
            net.w_in[:, silent] = 0
            net.w_out[:, :, silent] = 0
    return net


def restart(net: br.RNN) -> None:
    """Put every neuron back on its own site."""
    places = net.anatomy.places("hidden")
    net.anatomy.move("hidden", torch.arange(places.shape[1]).to(places).expand_as(places))


@torch.no_grad()
def _one_evaluation_each(net: br.RNN, candidates: int) -> None:
    """Some of the pass as one would write it first: try every partner, and keep the cheapest."""
    x = net.anatomy.positions("hidden")[0].float()
    weights = net.w_rec[0].abs()
    costs = []
    for j in range(1, candidates + 1):
        x[[0, j]] = x[[j, 0]]
        costs.append((weights * (torch.cdist(x, x) + _PAYS.offset)).sum())
        x[[0, j]] = x[[j, 0]]
    _ = int(torch.stack(costs).argmin())
