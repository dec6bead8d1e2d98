"""Batches of the 20 tasks against ``neurogym.Dataset`` on the same mix, per step of a trial."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import gymnasium
import neurogym as ngym
import numpy as np
from neurogym.envs.collections import yang19
from neurogym.utils import scheduler
from neurogym.wrappers import block

from benchmarks.timing import Comparison, Setting, compare
from tasks import COG20, cog20

# Milliseconds a step: the least ratio in full and in small form.
STEPS = {100: (60, 15), 20: (30, 9)}


def comparisons(setting: Setting) -> Iterator[Comparison]:
    batches = setting.either(30, 3)
    for dt, least in STEPS.items():
        if setting.small and dt != 100:
            continue  # Dataset copies its environments for three seconds
        suite, rng = cog20(dt=dt), np.random.default_rng(0)
        steps = int(suite.sample(1280, rng).lengths.sum() / 10)  # in a batch of 128
        dataset = neurogym_batches(COG20, dt=dt, batch=128, steps=steps // 128)
        yield compare(
            f"128 trials, dt {dt} ms",
            repeated(partial(suite.sample, 128, rng), batches),
            repeated(dataset, batches),
            rounds=setting.either(9, 3),
            units=batches,
            least=setting.either(*least),
        )


def neurogym_batches(names: Sequence[str], *, dt: float, batch: int, steps: int) -> ngym.Dataset:
    """Batches of so many steps, none of them padding, of a random mix of the tasks."""
    # Neurogym reaches through its own wrappers, which gymnasium warns of at every step: that
    # costs time, which is not to count against it.
    gymnasium.logger.min_level = gymnasium.logger.ERROR
    environments = [getattr(yang19, name)(dt=dt) for name in names]
    schedule = scheduler.RandomSchedule(len(environments))
    mixed = block.ScheduleEnvs(environments, schedule=schedule, env_input=True)
    # By default Dataset draws as many steps as it hands out; with cache_len=seq_len it would draw
    # twice as many.
    return ngym.Dataset(mixed, batch_size=batch, seq_len=steps)


def repeated(work: Callable[[], object], times: int) -> Callable[[], None]:
    def every() -> None:
        for _ in range(times):
            work()

    return every
