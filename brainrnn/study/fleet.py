"""Independent jobs side by side, each on a thread of its own, stopped together."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.context import BaseContext
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event
from typing import Any, Generic, TypeVar

import torch

from brainrnn.errors import InputError

T = TypeVar("T")

# What every job imports, once for all workers: torch.optim imports torch._dynamo for a second.
_PRELOAD = ("brainrnn.study.pipeline", "torch._dynamo", "h5netcdf")
_LOOK = 0.2  # seconds between two looks at what the workers report


class Link:
    """What a job has of the process that started it: word whether to stop, and a way to report."""

    def __init__(self, stop: Event, reports: SimpleQueue) -> None:
        self._stop, self._reports, self._parent = stop, reports, os.getppid()

    @property
    def stopped(self) -> bool:
        """Whether the job should save and end: it was asked to, or its parent is gone."""
        return self._stop.is_set() or os.getppid() != self._parent

    def report(self, item: object) -> None:
        """Send something to the process that started the job."""
        self._reports.put(item)


_link: Link | None = None


def link() -> Link:
    """The link of the worker process that this runs in."""
    assert _link is not None, "only in a worker of a fleet"
    return _link


def _begin(stop: Event, reports: SimpleQueue, threads: int) -> None:
    """Set up a worker: one decides for all when to stop, and threads do not wait for others'."""
    global _link
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    torch.set_num_threads(threads)
    _link = Link(stop, reports)


class Fleet(Generic[T]):
    """Worker processes that take jobs in turn.

    Parameters
    ----------
    workers : int
        How many processes.
    threads : int
        Threads of each.
    preload : sequence of str
        Modules that the jobs import, loaded once for all workers.
    """

    def __init__(self, workers: int, *, threads: int = 1, preload: Sequence[str] = ()) -> None:
        self.workers, self.threads, self._preload = workers, threads, preload

    def run(
        self,
        function: Callable[..., T],
        jobs: Sequence[tuple[Any, ...]],
        *,
        report: Callable[[Any], None],
        stopping: Callable[[], bool],
    ) -> Iterator[T]:
        """Call ``function(*job)`` for every job; results as they come.

        After the first error no other job begins; it is raised when those under way have saved
        and ended. A worker that something kills is an ``InputError``.

        Parameters
        ----------
        function : function
            Of a module, so that another process can find it. It may use :func:`link`.
        jobs : sequence of tuples
        report : function
            Called here with whatever a job reports.
        stopping : function
            Whether all should stop, asked a few times a second.
        """
        context = _context(self._preload)
        stop, reports = context.Event(), context.SimpleQueue()
        failure: BaseException | None = None
        with _one_thread_each(self.threads):
            pool = ProcessPoolExecutor(
                min(self.workers, max(1, len(jobs))),
                mp_context=context,
                initializer=_begin,
                initargs=(stop, reports, self.threads),
            )
            with pool:
                waiting: set[Future[T]] = {pool.submit(function, *job) for job in jobs}
                try:
                    while waiting:
                        done, waiting = wait(waiting, _LOOK, FIRST_COMPLETED)
                        while not reports.empty():
                            report(reports.get())
                        for future in done:
                            if future.cancelled():
                                continue
                            error = future.exception()
                            if isinstance(error, BrokenProcessPool):
                                error = InputError(
                                    "a worker process was killed, perhaps for want of memory: use "
                                    "fewer of them; the same command goes on where it was"
                                )
                            failure = failure or error
                            if error is None:
                                yield future.result()
                        if (failure or stopping()) and not stop.is_set():
                            stop.set()
                            for future in waiting:
                                future.cancel()
                finally:
                    stop.set()
                    pool.shutdown(wait=True, cancel_futures=True)
        if failure:
            raise failure


def _context(preload: Sequence[str]) -> BaseContext:
    """How workers start: from one process that has loaded everything and begun no thread.

    Threads of torch do not survive a fork of this process.
    """
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload([*_PRELOAD, *preload])
    return context


@contextmanager
def _one_thread_each(threads: int) -> Iterator[None]:
    """Say it to libraries too that read it when they are loaded, in the workers."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = str(threads)
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
