"""Progress bars: of training, with loss, accuracy, connection cost and live neurons; of lists."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")

_SOON = 2.0  # seconds; what takes less needs no bar


class ProgressBar:
    """Shows the latest metrics, averaged over members."""

    def __init__(self, bar: tqdm) -> None:
        self._bar = bar
        self._shown: dict[str, str] = {}

    def update(self, step: int, metrics: list[dict[str, float]]) -> None:
        """Move to a step and show what was measured there."""
        for name, form in (("loss", ".3g"), ("accuracy", ".3f"), ("cost", ".3g"), ("live", ".0f")):
            values = [row[name] for row in metrics if not math.isnan(row[name])]
            if values:
                self._shown[name] = format(sum(values) / len(values), form)
        if metrics:
            self._bar.set_postfix(self._shown, refresh=False)
        self._bar.update(step - self._bar.n)


@contextmanager
def progress_bar(steps: int, *, start: int = 0, enabled: bool = True) -> Iterator[ProgressBar]:
    """A bar on standard error that counts to ``steps``; on a file it prints seldom."""
    with tqdm(
        total=steps,
        initial=start,
        disable=not enabled,
        desc="training",
        unit="step",
        dynamic_ncols=True,
        mininterval=_seldom(),
        bar_format="{desc} {percentage:3.0f}% |{bar:20}| {n}/{total} "
        "[{elapsed}, {remaining} left{postfix}]",
    ) as bar:
        yield ProgressBar(bar)


class FleetBar:
    """Counts what several networks have done together, and shows their latest metrics."""

    def __init__(self, bar: tqdm) -> None:
        self._bar = bar
        self._latest: dict[str, dict[str, float]] = {}

    def update(self, report: tuple[str, int, list[dict[str, float]]]) -> None:
        """Take a report: who, how much more is done, and what was measured there."""
        who, done, metrics = report
        shown = self._latest.setdefault(who, {})
        for row in metrics:
            shown |= {k: row[k] for k in ("loss", "accuracy") if not math.isnan(row[k])}
        if metrics:
            known = [f"{who} " + " ".join(f"{k} {v:.3g}" for k, v in shown.items())]
            self._bar.set_postfix_str(", ".join(known), refresh=False)
        self._bar.update(done)


@contextmanager
def fleet_bar(what: str, total: int, unit: str, *, enabled: bool = True) -> Iterator[FleetBar]:
    """A bar on standard error for networks side by side; none where there is nothing to do."""
    with tqdm(
        total=total,
        disable=not enabled or not total,
        desc=what,
        unit=unit,
        dynamic_ncols=True,
        mininterval=_seldom(),
        bar_format="{desc} {percentage:3.0f}% |{bar:20}| {n}/{total} "
        "[{elapsed}, {remaining} left{postfix}]",
    ) as bar:
        yield FleetBar(bar)


def counted(items: Iterable[T], what: str, unit: str, *, enabled: bool = True) -> Iterable[T]:
    """Count items on standard error while they are used, if that takes longer than a moment."""
    return tqdm(items, what, unit=unit, disable=not enabled, delay=_SOON, mininterval=_seldom())


def _seldom() -> float:
    """Seconds between two states of a bar: on a file it prints seldom."""
    return 0.2 if sys.stderr.isatty() else 15.0
