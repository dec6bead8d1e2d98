"""A training step of small recurrent networks as members of one, against one after the other.

On one thread, as a study trains; in processor time, so that other programs matter little. Networks
of one seed see the same trials. Networks of several seeds do not, and members cannot see trials of
their own: their side only draws them, so its ratio is more than could be reached.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

import brainrnn as br
from benchmarks.timing import Comparison, Setting
from brainrnn.threads import one_thread
from brainrnn.training.loop import Trainer, TrainingSpec
from tasks import cog20

NETWORKS = 8
SIDES = (4, 6, 8, 10, 12, 20)
SPEC = TrainingSpec(steps=10**6, log_every=10**6, evaluate_every=10**6, evaluation_trials=1)


def comparisons(setting: Setting) -> Iterator[Comparison]:
    suite, rng = cog20(), np.random.default_rng(0)

    def steps(side: int, members: int) -> Callable[[], object]:
        net = br.RNN.for_suite(suite, sites=br.grid(side, side), members=members)
        records = Trainer(net, suite, br.BIMT(strength=1e-4), SPEC).records()
        return lambda: next(records)

    def draw() -> None:
        for _ in range(NETWORKS - 1):
            suite.sample(SPEC.batch, rng)

    for side in SIDES[:: setting.either(1, len(SIDES) - 1)]:
        together, alone = steps(side, NETWORKS), [steps(side, 1) for _ in range(NETWORKS)]
        rounds: dict[str, list[float]] = {"together": [], "drawn": [], "alone": []}
        for _ in range(setting.either(5, 3)):
            rounds["together"].append(seconds([together]))
            rounds["alone"].append(seconds(alone))
            rounds["drawn"].append(seconds([draw]))
        several = [a + b for a, b in zip(rounds["together"], rounds["drawn"], strict=True)]
        case = f"{NETWORKS} networks of {side**2} neurons, 128 trials of 20-Cog"
        yield Comparison(f"{case}, one seed", rounds["together"], rounds["alone"])
        yield Comparison(f"{case}, {NETWORKS} seeds, at most", several, rounds["alone"])


def seconds(works: list[Callable[[], object]], times: int = 3) -> float:
    """Processor time of each work once."""
    with one_thread(True):
        start = time.process_time()
        for work in works:
            for _ in range(times):
                work()
        return (time.process_time() - start) / times
