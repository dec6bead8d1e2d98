"""Times two ways of doing the same work in turn, so that a machine's drift hits both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch


@dataclass(frozen=True)
class Setting:
    """How a benchmark is to be run.

    Attributes
    ----------
    small : bool
        In a form of a few seconds, for continuous integration.
    device : str
        Where our side runs, and theirs where it can.
    """

    small: bool = False
    device: str = "cpu"

    def either(self, full: int, small: int) -> int:
        """A number for the full form, or the one for the small form."""
        return small if self.small else full


@dataclass(frozen=True)
class Comparison:
    """Seconds of each round for both sides; the ratio is theirs over ours.

    Attributes
    ----------
    least : float, optional
        The ratio to reach: the goal of the full form, or the floor of the small one, below which
        something is broken.
    within : float, optional
        The seconds that ours may take.
    figures : mapping of str to float
        What else was measured.
    limits : mapping of str to float
        The largest that some of these figures may be.
    """

    case: str
    ours: list[float]
    theirs: list[float]
    least: float | None = None
    within: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)

    @property
    def ratios(self) -> list[float]:
        """Theirs over ours, round by round."""
        return [t / o for o, t in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        """The median ratio."""
        return statistics.median(self.ratios)

    @property
    def reached(self) -> bool:
        """Whether everything is as good as it should be."""
        return (
            (self.least is None or self.ratio >= self.least)
            and (self.within is None or statistics.median(self.ours) <= self.within)
            and all(self.figures[name] <= limit for name, limit in self.limits.items())
        )

    @property
    def aims(self) -> list[str]:
        """What should be reached, in words."""
        aims = [f"{self.least:g} x"] if self.least else []
        aims += [f"{self.within:g} s"] if self.within else []
        return aims + [f"{name} {limit:g}" for name, limit in self.limits.items()]

    def as_dict(self) -> dict[str, object]:
        """Everything, for JSON."""
        return {
            "case": self.case,
            "ratio": self.ratio,
            "ratio_min": min(self.ratios),
            "ratio_max": max(self.ratios),
            "ours_s": statistics.median(self.ours),
            "theirs_s": statistics.median(self.theirs),
            "rounds": len(self.ours),
            "aims": self.aims,
            "reached": self.reached,
            "figures": dict(self.figures),
        }

    def __str__(self) -> str:
        aims = ", ".join(self.aims)
        verdict = f" [{'reaches' if self.reached else 'MISSES'} {aims}]" if aims else ""
        more = "".join(f"; {name} {value:,.4g}" for name, value in self.figures.items())
        return (
            f"{self.case}: {number(self.ratio)} x "
            f"({number(min(self.ratios))} to {number(max(self.ratios))}); "
            f"ours {duration(statistics.median(self.ours))}, "
            f"theirs {duration(statistics.median(self.theirs))}{more}{verdict}"
        )


def compare(
    case: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    rounds: int = 9,
    part: float = 1.0,
    units: int = 1,
    before: Callable[[], object] = lambda: None,
    least: float | None = None,
    within: float | None = None,
) -> Comparison:
    """Run each side once to warm up, then in turn for a number of rounds.

    ``theirs`` may do only ``part`` of the work, where all of it would take too long; both may do
    ``units`` of it at a time, of which one is reported; ``before`` is called ahead of every turn
    and not timed.
    """
    sides = (ours, theirs)
    for work in sides:
        timed(work, before)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for side, work in zip(times, sides, strict=True):
            side.append(timed(work, before))
    ours_s, theirs_s = ([t / units for t in side] for side in times)
    return Comparison(case, ours_s, [t / part for t in theirs_s], least, within)


def timed(work: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    """Seconds that some work takes, until the device is done with it."""
    before()
    _finish()
    start = time.perf_counter()
    work()
    _finish()
    return time.perf_counter() - start


def _finish() -> None:
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def number(value: float) -> str:
    """Three digits, with commas from a thousand on."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Seconds in a readable unit."""
    for unit, size in (("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
