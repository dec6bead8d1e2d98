"""The progress bar of training: loss, accuracy, connection cost, live neurons, time left."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm


class ProgressBar:
    """Shows the latest metrics, averaged over members."""

    def __init__(self, bar: tqdm) -> None:
        self._bar = bar
        self._shown: dict[str, str] = {}

    def update(self, step: int, metrics: list[dict[str, float]]) -> None:
        """Move to a step and show what was measured there."""
        for name, form in (("loss", ".3f"), ("accuracy", ".3f"), ("cost", ".0f"), ("live", ".0f")):
            values = [row[name] for row in metrics if not math.isnan(row[name])]
            if values:
                self._shown[name] = format(sum(values) / len(values), form)
        if metrics:
            self._bar.set_postfix(self._shown, refresh=False)
        self._bar.update(step - self._bar.n)


@contextmanager
def progress_bar(steps: int, *, start: int = 0, enabled: bool = True) -> Iterator[ProgressBar]:
    """A bar on standard error that counts to ``steps``; on a file it prints seldom."""
    interval = 0.2 if sys.stderr.isatty() else 15.0
    with tqdm(
        total=steps,
        initial=start,
        disable=not enabled,
        desc="training",
        unit="step",
        dynamic_ncols=True,
        mininterval=interval,
        bar_format="{desc} {percentage:3.0f}% |{bar:20}| {n}/{total} "
        "[{elapsed}, {remaining} left{postfix}]",
    ) as bar:
        yield ProgressBar(bar)
