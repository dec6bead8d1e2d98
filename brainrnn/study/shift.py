"""The work of a study: which job comes next, who trains what, and how far all of it is."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from brainrnn.progress import FleetBar, fleet_bar
from brainrnn.study.jobs import End, is_trained, measure, train
from brainrnn.study.question import Question
from brainrnn.study.signs import Lamp, told
from brainrnn.study.subject import Cell
from brainrnn.study.workers import LostError, Workers

Job = tuple[Literal["train", "measure"], Cell]
Phase = Literal["training", "measuring"]
_LOOK = 0.3  # seconds between two looks at how far workers are
_AGAIN = 2.0  # seconds until a network that another process trains is asked for again


class Shift:
    """Trains what is not trained yet and measures what is not measured yet.

    A network is measured as soon as it is trained. What another process trains is waited for, and
    taken over if that process ends before it is trained.

    Parameters
    ----------
    study : Question
    cells : sequence of Cell
    out : path
        Folder of all studies.
    workers : Workers
    lamp : Lamp
    stop : list
        Is not empty once the user has asked to stop.
    """

    def __init__(
        self,
        study: Question,
        cells: Sequence[Cell],
        out: Path,
        workers: Workers,
        lamp: Lamp,
        stop: Sequence[int],
    ) -> None:
        self._study, self._workers, self._lamp, self._stop = study, workers, lamp, stop
        self._networks, self._folder = study.folders(out)
        self._unmeasured = {c.name: c for c in cells if not study.is_answered(c, self._folder)}
        self._untrained = {
            cell.training: cell
            for cell in self._unmeasured.values()
            if cell.trained and not is_trained(self._networks / cell.training)
        }
        self._jobs: deque[Job] = deque()
        self._wait_for: dict[str, list[Job]] = {}  # the training of a network
        for cell in self._unmeasured.values():
            waits = cell.trained and cell.training in self._untrained
            jobs = self._wait_for.setdefault(cell.training, []) if waits else self._jobs
            jobs.append(("measure", cell))
        self._jobs += [("train", cell) for cell in self._untrained.values()]
        self._later: deque[tuple[float, Job]] = deque()
        self._at_work: dict[str, Cell] = {}  # networks that somebody trains now
        self._running = 0
        self._was_stopped = False  # by a signal to a process that works
        self._failure: Exception | None = None

    def work(self, *, progress: bool = True) -> None:
        """Do all of it, or as much as there is time for until the user asks to stop.

        Raises
        ------
        Exception
            The first error of any job, after the others have saved and ended.
        """
        try:
            self._do_all(progress)
        except BaseException:  # what still runs saves and ends
            self._lamp.out()
            raise
        if self._failure and not (self.stopped and isinstance(self._failure, LostError)):
            raise self._failure

    def _do_all(self, progress: bool) -> None:
        steps = sum(cell.experiment.training.steps for cell in self._untrained.values())
        with fleet_bar("training", steps, "step", enabled=progress) as bar:
            self._until("training", bar)
        left = len(self._unmeasured)
        with fleet_bar("measuring", left, "network", enabled=progress and not self._ends) as bar:
            self._until("measuring", bar)

    def _until(self, phase: Phase, bar: FleetBar) -> None:
        """Hand out jobs and take results, until all networks are trained, or measured."""
        with _Look(self, phase, bar) as look:
            while self._running or ((self._jobs or self._later) and not self._ends):
                if phase == "training" and not self._untrained:
                    return
                while self._jobs and self._running < self._workers.room and not self._ends:
                    self._submit(self._jobs.popleft())
                while self._later and self._later[0][0] < time.monotonic():
                    self._jobs.append(self._later.popleft()[1])
                self._take(look)

    @property
    def stopped(self) -> bool:
        """Whether somebody asked to stop."""
        return bool(self._stop) or self._was_stopped

    @property
    def _ends(self) -> bool:
        return self.stopped or self._failure is not None

    def _submit(self, job: Job) -> None:
        what, cell = job
        try:
            if what == "train":
                self._at_work[cell.training] = cell
                self._workers.submit(job, train, cell, self._networks, self._lamp.path)
            else:
                self._workers.submit(
                    job, measure, self._study, cell, self._networks, self._folder, self._lamp.path
                )
        except LostError as error:
            self._fail(error)
        else:
            self._running += 1

    def _take(self, look: _Look) -> None:
        """Take one result, if there is one soon."""
        try:
            ended = self._workers.next(_LOOK)
        except Exception as error:  # of whatever kind; others save first
            self._running -= 1
            self._fail(error)
            return
        if ended is None:
            return
        self._running -= 1
        (what, cell), end = ended
        if end is End.STOPPED:
            self._was_stopped = self._was_stopped or self._failure is None
            self._lamp.out()
        elif end is End.ELSEWHERE:
            self._later.append((time.monotonic() + _AGAIN, (what, cell)))
        elif what == "train":
            del self._untrained[cell.training], self._at_work[cell.training]
            self._jobs.extendleft(self._wait_for.pop(cell.training, ()))
            look.trained(cell)
        else:
            del self._unmeasured[cell.name]
            look.measured(cell)

    def _fail(self, error: Exception) -> None:
        """Keep the first error, and let others save and end."""
        self._failure = self._failure or error
        self._lamp.out()


class _Look(threading.Thread):
    """Keeps the lamp burning and the bar moving, also while a job runs in this process."""

    def __init__(self, shift: Shift, phase: Phase, bar: FleetBar):
        super().__init__(daemon=True)
        self._shift, self._phase, self._bar = shift, phase, bar
        self._steps: dict[str, int] = {}
        self._over = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self) -> _Look:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        """Look every now and then, until all is done."""
        shift = self._shift
        while not self._over.wait(_LOOK):
            if shift._ends:
                shift._lamp.out()
            else:
                shift._lamp.keep()
            self._bar.workers(shift._workers.told)
            if self._phase == "training":
                for name, cell in list(shift._at_work.items()):
                    if found := told(shift._lamp.path.parent, name):
                        self._move(cell, found.pop("step"), found)

    def trained(self, cell: Cell) -> None:
        """A network is trained."""
        if self._phase == "training":
            self._move(cell, cell.experiment.training.steps, {})

    def measured(self, cell: Cell) -> None:
        """A network is measured."""
        if self._phase == "measuring":
            with self._lock:
                self._bar.update((cell.name, 1, []))

    def _move(self, cell: Cell, step: int, found: dict[str, Any]) -> None:
        with self._lock:
            before = self._steps.get(cell.training, 0)
            if step > before:
                self._steps[cell.training] = step
                metrics = [found] if {"loss", "accuracy"} <= found.keys() else []
                self._bar.update((cell.name, step - before, metrics))
