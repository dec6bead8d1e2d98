"""Times two ways of doing the same work in turn, so that a machine's drift hits both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """Seconds of each round for both sides; the ratio is theirs over ours."""

    case: str
    ours: list[float]
    theirs: list[float]

    @property
    def ratio(self) -> float:
        return statistics.median(t / o for o, t in zip(self.ours, self.theirs, strict=True))

    def __str__(self) -> str:
        ratios = [t / o for o, t in zip(self.ours, self.theirs, strict=True)]
        return (
            f"{self.case}: {self.ratio:.2f} x ({min(ratios):.2f} to {max(ratios):.2f}); "
            f"ours {1e3 * statistics.median(self.ours):.1f} ms, "
            f"theirs {1e3 * statistics.median(self.theirs):.1f} ms"
        )


def compare(
    case: str, ours: Callable[[], object], theirs: Callable[[], object], *, rounds: int = 9
) -> Comparison:
    """Run each side once to warm up, then in turn for a number of rounds."""
    ours(), theirs()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for side, work in enumerate((ours, theirs)):
            start = time.perf_counter()
            work()
            times[side].append(time.perf_counter() - start)
    return Comparison(case, *times)
