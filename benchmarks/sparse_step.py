"""A training step with 32 connections into each neuron, against the same step with all of them.

128 trials of the 20 tasks, the connection cost, Adam; no swaps, and no growth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import brainrnn as br
from benchmarks.timing import Comparison, Setting, compare
from brainrnn.training.loop import Trainer, TrainingSpec
from tasks import cog20

_PARTNERS = 32


def comparisons(setting: Setting) -> Iterator[Comparison]:
    side = setting.either(80, 30)
    yield compare(
        f"{side**2:,} neurons, 128 trials of 20-Cog",
        _step(side, "sparse", setting.device),
        _step(side, "dense", setting.device),
        rounds=setting.either(5, 3),
        least=setting.either(8, 1),
    )


def _step(side: int, connections: str, device: str) -> Callable[[], object]:
    suite, never = cog20(dt=100), 10**9
    spec = br.RNNSpec(connections=connections, growth={"partners": _PARTNERS, "every": never})
    net = br.RNN.for_suite(suite, sites=br.grid(side, side), spec=spec).to(device)
    method = br.BIMT(strength=1e-4, swap=br.SwapSpec(algorithm="none"))
    training = TrainingSpec(steps=never, batch=128, log_every=never, evaluate_every=never)
    records = Trainer(net, suite, method, training).records()
    return lambda: next(records)
