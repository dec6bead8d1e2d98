"""Open workers for a while, with a lamp that tells them that somebody conducts their work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from brainrnn.runs.stopping import stop_requests
from brainrnn.study.crew import Workers
from brainrnn.study.signs import Lamp, tidy
from brainrnn.study.workers import open_workers


@contextmanager
def conducting(
    out: Path, *, on: Any = "local", workers: int | None = None, **options: Any
) -> Iterator[tuple[Workers, Lamp, Sequence[int]]]:
    """Workers, the lamp, and the list of requests to stop, as :class:`Shift` takes them.

    Parameters
    ----------
    out : path
        Folder of the signs of life.
    on, workers, **options
        As of :func:`brainrnn.study.workers.open_workers`.

    Raises
    ------
    InputError
        If workers cannot be had, or the folder cannot be written.
    """
    lamp = Lamp(out / ".work")
    try:
        with (
            stop_requests() as stop,
            open_workers(on, number=workers, lamp=lamp.path, **options) as crew,
        ):
            yield crew, lamp, stop
    finally:
        lamp.out()
        tidy(lamp.path.parent)
