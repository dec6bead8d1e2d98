"""Batches of the 20 tasks against ``neurogym.Dataset`` on the same mix, per step of a trial."""

from __future__ import annotations

from collections.abc import Iterator

import neurogym as ngym
import numpy as np
from neurogym.envs.collections import yang19
from neurogym.utils import scheduler
from neurogym.wrappers import block

from benchmarks.timing import Comparison, compare
from tasks import COG20, cog20


def comparisons() -> Iterator[Comparison]:
    for dt in (100, 20):
        suite, rng = cog20(dt=dt), np.random.default_rng(0)
        steps = int(suite.sample(1280, rng).lengths.sum() / 10)  # in a batch of 128
        environments = [getattr(yang19, name)(dt=dt) for name in COG20]
        schedule = scheduler.RandomSchedule(len(environments))
        mixed = block.ScheduleEnvs(environments, schedule=schedule, env_input=True)
        # As many steps as our batch has, none of them padding; no cache beyond one batch.
        length = steps // 128
        dataset = ngym.Dataset(mixed, batch_size=128, seq_len=length, cache_len=length)
        yield compare(
            f"128 trials, dt {dt} ms",
            lambda suite=suite, rng=rng: suite.sample(128, rng),
            dataset,
            rounds=5,
        )
