"""Notices when other programs want the processors on which the threads of a step meet.

Threads that share an operation wait for each other at its end, and they wait spinning. If another
program takes one of their processors, a step may last many times as long. The number of threads
decides the order of sums, and with it the last digits of a result. So nothing is changed here: a
warning says it once, with a remedy that keeps every digit.
"""

from __future__ import annotations

import os
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

_WINDOW = 5.0  # seconds of steps that are judged together
_FEWEST = 10  # steps that are judged together
_SLOW = 4.0  # times the fastest step; the trials of two batches differ in length by less
_TAKEN = 0.5  # processors that others may take; what runs in the background takes less

_REMEDY = (
    "stop the other programs; or stop this one and resume it with GOMP_SPINCOUNT=1000 in the "
    "environment, which changes no digit; or start again with OMP_NUM_THREADS=1"
)


class SlowTraining(UserWarning):
    """Other programs want the processors on which the threads of a step meet."""


def used_elsewhere() -> float | None:
    """Seconds of processor time that other programs have used so far; None if nothing says it."""
    try:
        ticks = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:8]
        user, nice, system, _idle, _waiting, irq, softirq = map(int, ticks)
    except (OSError, ValueError):  # not Linux
        return None
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK") - time.process_time()


class Pace:
    """Times the steps of one training on the CPU, and warns once if they are held up.

    They are held up if other programs use processors that its threads need, or if half of the last
    steps took four times as long as the fastest of the first.
    Only the time inside :meth:`step` counts as a step's, so that evaluations, checkpoints, and what
    a caller does between two steps, raise no alarm. One thread alone is not watched: it shares a
    processor fairly.

    Parameters
    ----------
    clock : function () -> float
        Seconds since any moment.
    elsewhere : function () -> float or None
        Seconds of processor time that other programs have used; see :func:`used_elsewhere`.

    Examples
    --------
    >>> pace = Pace()
    >>> with pace.step():
    ...     _ = torch.rand(100, 100) @ torch.rand(100, 100)
    >>> pace.warned
    False
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        elsewhere: Callable[[], float | None] = used_elsewhere,
    ) -> None:
        self._clock, self._elsewhere = clock, elsewhere
        self._fastest: float | None = None
        self._steps: list[float] = []  # since they were last judged
        self._seconds = 0.0
        self._since: tuple[float, float | None] = (0.0, None)
        self.warned = False

    @contextmanager
    def step(self) -> Iterator[None]:
        """Time what is done inside as one step."""
        threads = torch.get_num_threads()
        if threads == 1 or self.warned:
            yield
            return
        start = self._clock()
        if not self._steps:
            self._since = start, self._elsewhere()
        yield
        end = self._clock()
        self._steps.append(end - start)
        self._seconds += end - start
        if len(self._steps) >= _FEWEST and self._seconds >= _WINDOW:
            self._judge(threads, end)
            self._steps, self._seconds = [], 0.0

    def _judge(self, threads: int, now: float) -> None:
        """Warn if the last steps were held up."""
        self._fastest = self._fastest or min(self._steps)
        usual = statistics.median(self._steps)
        processors = os.cpu_count() or threads
        (since, before), after = self._since, self._elsewhere()
        taken = 0.0 if before is None or after is None else (after - before) / (now - since)
        if processors - taken < min(threads, processors) - _TAKEN:
            self._warn(
                f"other programs use {taken:.1f} of {processors} processors, and {threads} threads "
                "train here: steps may take many times as long"
            )
        elif usual > _SLOW * self._fastest:
            times = usual / self._fastest
            self._warn(f"steps take {times:.0f} times as long as the fastest at the start")

    def _warn(self, what: str) -> None:
        self.warned = True
        warnings.warn(f"{what}; {_REMEDY}", SlowTraining, stacklevel=2)
