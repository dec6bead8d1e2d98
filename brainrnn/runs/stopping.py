"""Requests to stop: Ctrl-C and the signals of a system that wants a process to end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

# SIGUSR1 is how Slurm and others warn that the time of a job is nearly over.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
REQUESTS = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))


def _heard() -> Iterator[int]:
    """Requests that are listened to: after `nohup`, the end of a session is none."""
    for number in REQUESTS:
        if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
            yield number


@contextmanager
def stop_requests() -> Iterator[list[int]]:
    """Collect requests to stop instead of dying of them; a second one acts as usual.

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
    for request in _heard() if main else ():
        previous[request] = signal.signal(request, note)
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def leave_on_request(name: str) -> None:
    """Let a request to stop, wherever it is not collected, end this process with one line.

    The exit status is 128 and the number of the signal. What is open is tidied up, except while
    modules are imported: those of other languages make something else of an exception.

    Parameters
    ----------
    name : str
        Of the command.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        with suppress(OSError):  # the terminal may be gone
            os.write(2, f"{name}: interrupted\n".encode())
        while frame is not None:
            if frame.f_code.co_filename.startswith("<frozen importlib"):
                os._exit(128 + number)
            frame = frame.f_back
        raise SystemExit(128 + number)

    for request in _heard():
        signal.signal(request, leave)
