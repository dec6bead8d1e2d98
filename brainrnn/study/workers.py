"""Where the jobs of a study run: in this process, in others of this machine, on a cluster."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import (
    active_children,
    forkserver,
    get_all_start_methods,
    get_context,
    parent_process,
    resource_tracker,
)
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any, Literal
from urllib.error import HTTPError
from urllib.request import urlopen

from brainrnn.errors import InputError
from brainrnn.own import trust, trusted
from brainrnn.runs.stopping import REQUESTS
from brainrnn.runs.versions import versions
from brainrnn.study.crew import LostError, Workers
from brainrnn.study.jobs import check_worker
from brainrnn.study.slurm import open_slurm

Place = Literal["serial", "local", "dask", "slurm"]

# What every job imports, once for all processes: torch.optim imports torch._dynamo for a second.
_PRELOAD = ("brainrnn.study.jobs", "torch._dynamo", "h5netcdf")
_TO_SAVE = 5.0  # seconds


class Serial:
    """Jobs run in this process, one after the other: debuggers work, and nothing is pickled."""

    room = number = 1
    told = ""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Any, Callable[..., Any], tuple[Any, ...]]] = deque()

    def submit(self, key: Any, function: Callable[..., Any], *arguments: Any) -> None:
        """Take a job."""
        self._waiting.append((key, function, arguments))

    def next(self, timeout: float) -> tuple[Any, Any] | None:
        """Run the next job."""
        if not self._waiting:
            time.sleep(timeout)
            return None
        key, function, arguments = self._waiting.popleft()
        return key, function(*arguments)


class Pool:
    """Jobs run through an executor of Python's ``concurrent.futures``.

    Parameters
    ----------
    executor : Executor
    number : int
        Of its workers.
    lost : dict
        Errors that mean that workers are gone, and what to say of each.
    """

    told = ""

    def __init__(
        self, executor: Executor, number: int, lost: Mapping[type[Exception], str]
    ) -> None:
        self._executor, self._lost = executor, lost
        self.number, self.room = number, 2 * number  # nobody waits for the next job
        self._running: dict[Future[Any], Any] = {}

    def submit(self, key: Any, function: Callable[..., Any], *arguments: Any) -> None:
        """Take a job."""
        with self._say():
            self._running[self._executor.submit(function, *arguments)] = key

    def next(self, timeout: float) -> tuple[Any, Any] | None:
        """Wait for a job to end."""
        if not self._running:
            time.sleep(timeout)
            return None
        done, _ = wait(self._running, timeout, FIRST_COMPLETED)
        if not done:
            return None
        future = done.pop()
        key = self._running.pop(future)
        with self._say():
            return key, future.result()

    @contextmanager
    def _say(self) -> Iterator[None]:
        """Say in one line that workers are gone."""
        try:
            yield
        except tuple(self._lost) as error:
            why = next(why for kind, why in self._lost.items() if isinstance(error, kind))
            raise LostError(f"{why}; the same command goes on where it was") from None


@contextmanager
def open_workers(
    place: Place = "local",
    *,
    number: int | None = None,
    scheduler: str | None = None,
    slurm: Mapping[str, str] | None = None,
    dashboard: bool = False,
    lamp: Path,
    preload: Sequence[str] = (),
) -> Iterator[Workers]:
    """Open workers, and close them.

    Parameters
    ----------
    place : {"serial", "local", "dask", "slurm"}
        In this process; in processes of this machine; on the workers of a Dask scheduler; in jobs
        of a Slurm cluster.
    number : int, optional
        Of processes, for ``local``; as many as there are processors by default. Of Slurm jobs at
        once, for ``slurm``; 8 by default.
    scheduler : str, optional
        Address of the Dask scheduler, such as "tcp://10.0.0.1:8786".
    slurm : mapping, optional
        Options of ``sbatch``, such as ``{"partition": "cpu", "time": "2:00:00"}``.
    dashboard : bool
        Whether to say, on standard error, where Dask's dashboard is.
    lamp : path
        Of :class:`brainrnn.study.signs.Lamp`. Local processes put it out if this one is killed.
    preload : sequence of str
        Modules that the jobs import, loaded once for all local processes.

    Raises
    ------
    InputError
        If the scheduler does not answer or has no workers, if Slurm refuses a job, if a worker does
        not see the lamp or has other versions of the packages, or if options do not go together.
    """
    if place != "dask" and scheduler is not None:
        raise InputError(f"a scheduler is for --on dask, not for --on {place}")
    if place != "slurm" and slurm:
        raise InputError(f"options of sbatch are for --on slurm, not for --on {place}")
    if place not in ("local", "slurm") and number is not None:
        raise InputError(
            f"a number of workers is for --on local and --on slurm, not for --on {place}"
        )
    if place != "dask" and dashboard:
        raise InputError(f"Dask's dashboard is for --on dask, not for --on {place}")
    if place == "serial":
        yield Serial()
    elif place == "local":
        yield from _local(number or processors(), preload, lamp)
    elif place == "slurm":
        yield from open_slurm(number, slurm or {}, lamp)
    else:
        yield from _dask(scheduler, lamp, dashboard)


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _local(number: int, preload: Sequence[str], lamp: Path) -> Iterator[Workers]:
    with _one_thread_each():
        executor = ProcessPoolExecutor(
            number,
            mp_context=_context(preload),
            initializer=_begin,
            initargs=(lamp, trusted()),
        )
        try:
            killed = (
                "a worker process was killed: perhaps for want of memory, then use fewer of them; "
                "or the script that calls this lacks `if __name__ == '__main__':`"
            )
            yield Pool(executor, number, {BrokenProcessPool: killed})
        except (KeyboardInterrupt, SystemExit):  # asked twice; nothing is lost since the last save
            for worker in active_children():
                worker.kill()
            raise
        finally:
            executor.shutdown(wait=True, cancel_futures=True)


def _begin(lamp: Path, modules: set[str]) -> None:
    """Set up a process: its parent decides what to trust and when to stop, and it ends with it."""
    trust(*modules)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    threading.Thread(target=_end_with_parent, args=(lamp,), daemon=True).start()


def _end_with_parent(lamp: Path) -> None:
    """Leave no process behind when the parent is killed; the job has time to save."""
    parent = parent_process()
    assert parent is not None
    try:
        parent.join()
        lamp.unlink(missing_ok=True)
        time.sleep(_TO_SAVE)
    finally:
        os._exit(1)


def _context(preload: Sequence[str]) -> BaseContext:
    """How processes start: from one that has loaded everything and begun no thread.

    Threads of torch do not survive a fork of this process.
    """
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload([*_PRELOAD, *preload])
    resource_tracker.ensure_running()  # to start it changes which signals are blocked
    # Requests are for this process; the others inherit that they are blocked, and look at the lamp.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, REQUESTS)
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    return context


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Say it to libraries too that read it when they are loaded, in the processes."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("OMP_NUM_THREADS", None)
        else:
            os.environ["OMP_NUM_THREADS"] = before


def _answers(page: str) -> bool:
    """Whether there is such a page; also where its machine cannot be reached from here."""
    try:
        urlopen(page, timeout=5).close()  # nosec B310  # the dashboard that Dask has just started
    except HTTPError:  # the scheduler answers, and has none
        return False
    except OSError:
        pass
    return True


def _dask(scheduler: str | None, lamp: Path, dashboard: bool) -> Iterator[Workers]:
    try:
        from distributed import Client, KilledWorker
    except ImportError:
        raise InputError(
            "--on dask needs Dask: pip install 'brainrnn[dask]', here and on the workers"
        ) from None
    if scheduler is None:
        raise InputError("--on dask needs --scheduler ADDRESS, such as tcp://10.0.0.1:8786")
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # it is raised below
    try:
        client = Client(scheduler, timeout=10, set_as_default=False)
    except (OSError, ValueError):  # a TimeoutError is an OSError
        raise InputError(
            f"no Dask scheduler answers at {scheduler}: check the address, and that it runs"
        ) from None
    with client:
        if dashboard:
            if not _answers(client.dashboard_link):
                raise InputError(
                    f"the Dask scheduler at {scheduler} has no dashboard: start it without "
                    "--no-dashboard, where Bokeh is installed (pip install 'brainrnn[dask]')"
                )
            print(f"Dask's dashboard: {client.dashboard_link}", file=sys.stderr, flush=True)
        threads = client.nthreads()
        if not threads:
            raise InputError(f"the Dask scheduler at {scheduler} has no workers: start some")
        if max(threads.values()) > 1:
            raise InputError(
                "a Dask worker has several threads, which would share PyTorch's: start workers "
                "with --nthreads 1, and several of them with --nworkers"
            )
        for answer in client.run(check_worker, lamp, versions(), on_error="return").values():
            if isinstance(answer, Exception):
                raise answer
        executor = client.get_executor(pure=False)
        lost = {
            KilledWorker: "Dask workers were killed, perhaps for want of memory",
            CancelledError: f"the Dask scheduler at {scheduler} went away",
        }
        try:
            yield Pool(executor, len(threads), lost)
        finally:
            executor.shutdown(wait=client.status == "running")
