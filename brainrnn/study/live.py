"""The live view of a study: one bar for all of it, and below it which network is where."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from brainrnn.study.overview import AtWork, Overview

_OFTEN = 1.0  # seconds between two states of a terminal
_SELDOM = 60.0  # and between two lines of a file
_FIRST = 10.0  # until the first of them
_SOON = 5.0  # between two of them that tell of other workers
_REST = 5  # lines of the terminal that are not for networks


class View:
    """Shows nothing; what a study that is quiet has."""

    def look(self) -> None:
        """Show how far the study is, if it is time to."""

    def failed(self, error: Exception) -> None:
        """Show which network failed, and why."""


class _Lines(View):
    """One line now and then, for a file."""

    def __init__(self, console: Console, now: Callable[[], Overview]) -> None:
        self._console, self._now = console, now
        self._look, self._next, self._crew = 0.0, time.monotonic() + _FIRST, ""

    def look(self) -> None:
        now = time.monotonic()
        if now < self._look:
            return
        self._look, overview = now + _SOON, self._now()
        if now >= self._next or overview.crew != self._crew:  # Slurm jobs have begun, say
            self._next, self._crew = now + _SELDOM, overview.crew
            latest = [in_words(row) for row in overview.at_work[:1]]
            self._say("; ".join([summary(overview), *latest]))

    def failed(self, error: Exception) -> None:
        self._say(_failure(error))

    def end(self) -> None:
        self._say(summary(self._now()))

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class _Screen(View):
    """A bar and a table that change in place, for a terminal."""

    def __init__(self, live: Live, now: Callable[[], Overview]) -> None:
        self._live, self._now, self._next = live, now, 0.0

    def look(self) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _OFTEN
            self.draw()

    def draw(self) -> None:
        room = max(1, self._live.console.height - _REST)
        self._live.update(picture(self._now(), room), refresh=True)

    def failed(self, error: Exception) -> None:
        self._live.console.print(Text(_failure(error), style="red"))


@contextmanager
def live_view(now: Callable[[], Overview], *, enabled: bool = True) -> Iterator[View]:
    """Show on standard error how far a study is: in place in a terminal, else in a few lines.

    Parameters
    ----------
    now : function () -> Overview
        Is asked whenever something is shown.
    enabled : bool
    """
    console = Console(stderr=True)
    if not enabled:
        yield View()
    elif console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            screen = _Screen(live, now)
            try:
                yield screen
            finally:
                screen.draw()
    else:
        lines = _Lines(console, now)
        try:
            yield lines
        finally:
            lines.end()


def picture(overview: Overview, room: int) -> Group:
    """The bar, and a table with a row for each network that somebody is at."""
    head = Table.grid(padding=(0, 1), expand=True)
    head.add_column(no_wrap=True)
    head.add_column(ratio=1)
    head.add_column(no_wrap=True)
    bar = ProgressBar(total=1.0, completed=overview.share)
    head.add_row(f"{overview.share:4.0%}", bar, _times(overview))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name, side in _COLUMNS.items():
        table.add_column(name, justify=side, no_wrap=True)  # type: ignore[arg-type]
    shown = overview.at_work if len(overview.at_work) <= room else overview.at_work[: room - 1]
    for row in shown:
        table.add_row(*_row(row))
    if hidden := len(overview.at_work) - len(shown):
        table.add_row(f"... and {hidden} more")
    return Group(head, Text(_counts(overview)), *([table] if shown else []))


_COLUMNS = {
    "network": "left",
    "where": "left",
    "step": "right",
    "loss": "right",
    "accuracy": "right",
}


def summary(overview: Overview) -> str:
    """Everything but the single networks, in one line."""
    return f"{overview.share:.0%}: {_counts(overview)}; {_times(overview)}"


def in_words(row: AtWork) -> str:
    """One network that somebody is at."""
    name, where, step, loss, accuracy = _row(row)
    metrics = f"{', loss ' + loss if loss else ''}{', accuracy ' + accuracy if accuracy else ''}"
    return f"{name} on {where}: {step}{metrics}"


def _row(row: AtWork) -> tuple[str, str, str, str, str]:
    told = row.told
    where = f"{told['host']}, process {told['process']}"
    if row.what == "measure":
        return row.cell.name, where, "measuring", "", ""
    name = row.cell.name + (f" and {row.networks - 1} more" if row.networks > 1 else "")
    steps = f"step {told['step']:,} of {row.cell.experiment.training.steps:,}"
    loss, accuracy = (f"{told[k]:{f}}" if k in told else "" for k, f in _FORMS.items())
    return name, where, steps, loss, accuracy


_FORMS = {"loss": ".3g", "accuracy": ".3f"}


def _counts(overview: Overview) -> str:
    parts = [f"{overview.done:,} of {overview.networks:,} networks done"]
    parts += [f"{overview.busy:,} at work"] if overview.busy else []
    parts += [f"{overview.waiting:,} waiting"] if overview.waiting else []
    parts += [f"jobs: {overview.crew}"] if overview.crew else []
    return ", ".join(parts)


def _times(overview: Overview) -> str:
    if overview.done == overview.networks:
        return f"took {duration(overview.elapsed)}"
    left = (
        f"{duration(overview.left)} left" if math.isfinite(overview.left) else "time left unknown"
    )
    return f"{duration(overview.elapsed)} so far, {left}"


def duration(seconds: float) -> str:
    """A time as one says it, with two digits at most where it is long.

    Examples
    --------
    >>> [duration(seconds) for seconds in (0.4, 89, 90, 5000, 6000, 400_000)]
    ['0 s', '89 s', '2 min', '83 min', '1.7 h', '4.6 d']
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} d"


def _failure(error: Exception) -> str:
    """Which network, as its job has noted, and why."""
    return f"failed: {', '.join([*getattr(error, '__notes__', ()), str(error)])}"
