"""A training step with 32 connections into each neuron, against the same step with all of them.

128 trials of the 20 tasks, the connection cost, Adam; no swaps, and no growth.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.scale import SPARSE_NETWORK, step
from benchmarks.timing import Comparison, Setting, compare


def comparisons(setting: Setting) -> Iterator[Comparison]:
    n = setting.either(6400, 900)
    network = SPARSE_NETWORK.model_copy(
        update={"growth": SPARSE_NETWORK.growth.model_copy(update={"every": 10**9})}
    )
    yield compare(
        f"{n:,} neurons, 128 trials of 20-Cog",
        step(n, network, setting.device),
        step(n, None, setting.device),
        rounds=setting.either(5, 3),
        least=setting.either(8, 1),
    )
