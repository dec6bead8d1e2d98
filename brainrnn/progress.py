"""Progress bars: of training, with loss, accuracy, connection cost and live neurons; of lists."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")

_SOON = 2.0  # seconds; shorter work needs no bar


class ProgressBar:
    """Shows the latest metrics, averaged over members."""

    def __init__(self, bar: tqdm) -> None:
        self._bar = bar
        self._shown: dict[str, str] = {}

    def update(self, step: int, metrics: list[dict[str, float]]) -> None:
        """Move to a step and show the metrics of that step."""
        for name, form in (("loss", ".3g"), ("accuracy", ".3f"), ("cost", ".3g"), ("live", ".0f")):
            values = [row[name] for row in metrics if not math.isnan(row[name])]
            if values:
                self._shown[name] = format(sum(values) / len(values), form)
        if metrics:
            self._bar.set_postfix(self._shown, refresh=False)
        self._bar.update(step - self._bar.n)


@contextmanager
def progress_bar(steps: int, *, start: int = 0, enabled: bool = True) -> Iterator[ProgressBar]:
    """A bar on standard error that counts to ``steps``; a file gets few lines.

    Examples
    --------
    >>> with progress_bar(10, enabled=False) as bar:
    ...     bar.update(1, [{"loss": 2.0, "accuracy": 0.5, "cost": 7.0, "live": 9.0}])
    """
    with (
        tqdm(
            total=steps,
            initial=start,
            disable=not enabled,
            desc="training",
            unit="step",
            dynamic_ncols=True,
            mininterval=_seldom(),
            bar_format="{desc} {percentage:3.0f}% |{bar:20}| {n}/{total} "
            "[{elapsed}, {remaining} left{postfix}]",
        ) as bar,
        _warnings_above(),
    ):
        yield ProgressBar(bar)


@contextmanager
def _warnings_above() -> Iterator[None]:
    """Show warnings above the bar, which a line in its midst would break."""
    show = warnings.showwarning

    def above(*warning: Any, **options: Any) -> None:
        with tqdm.external_write_mode(file=sys.stderr):
            show(*warning, **options)

    warnings.showwarning = above
    try:
        yield
    finally:
        warnings.showwarning = show


def counted(items: Iterable[T], what: str, unit: str, *, enabled: bool = True) -> Iterable[T]:
    """Count items on standard error while they are used, if that takes more than two seconds.

    Examples
    --------
    >>> sum(counted([1, 2, 3], "adding", "number", enabled=False))
    6
    """
    return tqdm(items, what, unit=unit, disable=not enabled, delay=_SOON, mininterval=_seldom())


def _seldom() -> float:
    """Seconds between two states of a bar: few in a terminal, many in a file."""
    return 0.2 if sys.stderr.isatty() else 15.0
