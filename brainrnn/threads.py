"""Who does the work: how many threads a computation is worth, and how they share it.

PyTorch spreads every single operation over threads that meet at its end. They wait for each other
spinning. If another process wants one of the processors, a thread that spins keeps the very thread
from running for which it waits: steps then take tens of times as long. Whole pieces of work, each
on a thread of its own, meet once, and wait asleep.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")

_here = threading.local()


@contextmanager
def one_thread(small: bool = True) -> Iterator[None]:
    """Keep a small computation on one thread: waking another would take longer than the work.

    Examples
    --------
    >>> with one_thread():
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    if small:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def in_pieces(whole: bool = True) -> Iterator[None]:
    """Let threads work only where :func:`share` gives them a piece, and not within operations.

    Parameters
    ----------
    whole : bool
        Whether to do so; if not, nothing changes.
    """
    before, threads = getattr(_here, "workers", None), torch.get_num_threads()
    with one_thread(whole):
        if whole and before is None:
            _here.workers = threads
        try:
            yield
        finally:
            _here.workers = before


def workers() -> int:
    """Threads that may share the work: several only in pieces, and 1 inside a piece."""
    return getattr(_here, "workers", None) or 1


def share(work: Callable[[T], R], pieces: Sequence[T]) -> list[R]:
    """Do some work on every piece, each piece on one of several threads.

    Parameters
    ----------
    work : function
        Of one piece.
    pieces : sequence

    Returns
    -------
    list
        Results in the order of the pieces.

    Raises
    ------
    Exception
        Whatever the work raises, on any of the threads.

    Examples
    --------
    >>> with in_pieces():
    ...     share(abs, [-1, 2, -3])
    [1, 2, 3]
    """
    n = min(workers(), len(pieces))
    if n < 2:
        return [work(piece) for piece in pieces]
    results: dict[int, R] = {}
    waiting = iter(enumerate(pieces))  # from which taking the next is one step of the interpreter

    recording = torch.is_grad_enabled()  # which each thread has to be told

    def some() -> None:
        with torch.set_grad_enabled(recording):
            for i, piece in waiting:
                results[i] = work(piece)

    others = [_pool(n - 1).submit(some) for _ in range(n - 1)]
    before, _here.workers = _here.workers, 1
    try:
        some()
    finally:
        _here.workers = before
        for other in others:
            other.result()
    return [results[i] for i in range(len(pieces))]


@cache
def _pool(n: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n, thread_name_prefix="brainrnn", initializer=_alone)


def _alone() -> None:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # each thread has to be told


os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has none of its parent's threads
