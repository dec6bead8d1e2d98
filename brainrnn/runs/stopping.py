"""Requests to stop: Ctrl-C and the signal to terminate are collected, so that a step can end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def stop_requests() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM instead of dying of them; a second one acts as usual.

    Whoever collects around this, such as a study around a run, hears of a request too.
    """
    received: list[int] = []
    previous: dict[int, Any] = {}

    def note(number: int, frame: Any) -> None:
        received.append(number)
        signal.signal(number, previous[number])
        if getattr(previous[number], "collects", False):
            previous[number](number, frame)

    note.collects = True  # type: ignore[attr-defined]

    # Only the main thread of a process may say what a signal does.
    main = threading.current_thread() is threading.main_thread()
    for request in (signal.SIGINT, signal.SIGTERM) if main else ():
        previous[request] = signal.signal(request, note)
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
