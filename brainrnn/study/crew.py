"""What workers of a study are, wherever they run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from brainrnn.errors import InputError


class LostError(InputError):
    """Workers are gone."""


@runtime_checkable
class Workers(Protocol):
    """Takes jobs and gives their results, in whatever order they end.

    Attributes
    ----------
    room : int
        How many jobs to hand out before the first of them has ended.
    number : int
        How many jobs run at once, when all workers do.
    told : str
        What there is to tell of them while they work, such as "2 running, 3 pending".
    """

    room: int
    number: int
    told: str

    def submit(self, key: Any, function: Callable[..., Any], *arguments: Any) -> None:
        """Take a job, known by a key."""

    def next(self, timeout: float) -> tuple[Any, Any] | None:
        """The key and the result of a job that has ended; None if none ends within a time.

        Whatever a job raises is raised here.
        """
