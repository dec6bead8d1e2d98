"""Signs of life in files, which processes on any machine of a study see: who works, who waits."""

from __future__ import annotations

import json
import os
import platform
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from brainrnn.errors import InputError
from brainrnn.files import atomic_path, claim, lives

_PATIENCE = 120.0  # seconds; files of another machine show late
_SAID = {"host", "process", "begun", "step", "seconds"}  # in every note
_SELDOM = 1.0  # seconds between two looks, and two notes


class Lamp:
    """A file that burns while a study is conducted; its jobs end when it goes out.

    Parameters
    ----------
    work : path
        The folder of signs, which every worker must see.
    """

    def __init__(self, work: Path) -> None:
        self.path = work / f"conducting-{uuid4().hex[:12]}"
        try:
            work.mkdir(parents=True, exist_ok=True)
            self.path.write_text(f"{platform.node()} {os.getpid()}", "utf-8")
            self._remove_old(work)
        except OSError as error:
            raise InputError(
                f"cannot write {work}: {error.strerror or error}; choose another --out"
            ) from None

    def _remove_old(self, work: Path) -> None:
        """Remove what studies that were killed have left."""
        now = self.path.stat().st_mtime
        for other in work.glob("conducting-*"):
            with suppress(OSError):
                machine, _, process = other.read_text("utf-8").rpartition(" ")
                killed = machine == platform.node() and not lives(int(process))
                if killed or now - other.stat().st_mtime > 10 * _PATIENCE:
                    other.unlink()

    def keep(self) -> None:
        """Show that the study is still conducted."""
        with suppress(OSError):
            os.utime(self.path)

    def out(self) -> None:
        """Ask every job to save and end."""
        self.path.unlink(missing_ok=True)


def tidy(work: Path) -> None:
    """Remove the folder of signs, and what killed processes left in it, if nobody works there."""
    with suppress(OSError):
        if not any(work.glob("conducting-*")):
            for lock in work.glob("*.lock"):
                with claim(work, lock.stem):
                    pass  # which removes it
            for note in work.glob("*.json"):
                note.unlink(missing_ok=True)
        work.rmdir()


class Watch:
    """Looks at a lamp, from a job.

    A lamp that is not kept for two minutes counts as out: whoever conducted the study was killed.
    Only changes are looked at, never the time, for clocks of machines differ.
    """

    def __init__(self, lamp: Path, *, patience: float = _PATIENCE) -> None:
        self._lamp, self._patience = lamp, patience
        self._seen: int | None = None
        self._since = self._next = time.monotonic()
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """Whether the job should save and end."""
        now = time.monotonic()
        if self._stopped or now < self._next:
            return self._stopped
        if now - self._next > self._patience / 4:  # this process was asleep, perhaps all were
            self._since = now
        self._next = now + _SELDOM
        try:
            seen: int | None = self._lamp.stat().st_mtime_ns
        except FileNotFoundError:
            self._stopped = True
            return True
        except OSError:  # of a file system in trouble; patience decides
            seen = self._seen
        if seen != self._seen:
            self._seen, self._since = seen, now
        self._stopped = now - self._since > self._patience
        return self._stopped


class Note:
    """What a job tells of its network: where it runs, and how far it is.

    Parameters
    ----------
    work : path
        The folder of signs.
    network : str
    begun : int
        The step from which it is trained.
    """

    def __init__(self, work: Path, network: str, *, begun: int = 0) -> None:
        self._path = work / f"{network}.json"
        self._about = {"host": socket.gethostname(), "process": os.getpid(), "begun": begun}
        self._next, self._start = 0.0, time.monotonic()

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Tell, at most once a second."""
        if time.monotonic() < self._next:
            return
        now = time.monotonic()
        self._next = now + _SELDOM
        found = self._about | {"step": step, "seconds": now - self._start} | dict(metrics)
        with atomic_path(self._path) as temporary:
            temporary.write_text(json.dumps(found), "utf-8")

    def remove(self) -> None:
        """There is nothing to tell any more."""
        self._path.unlink(missing_ok=True)


def told(work: Path, network: str) -> dict[str, Any]:
    """What the job of a network last told; empty if it tells nothing."""
    try:
        found = json.loads((work / f"{network}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    whole = isinstance(found, dict) and found.keys() >= _SAID
    return found if whole else {}
