"""The work of a study: which job comes next, who trains what, and how far all of it is."""

from __future__ import annotations

import signal
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from brainrnn.study.crew import LostError, Workers
from brainrnn.study.jobs import End, Ended, is_trained, measure, train
from brainrnn.study.live import View, live_view
from brainrnn.study.overview import Outlook, What
from brainrnn.study.question import Question
from brainrnn.study.signs import Lamp
from brainrnn.study.subject import Cell

Job = tuple[What, Cell]
_LOOK = 0.3  # seconds between two looks at how far workers are
_HEARD = 1.0  # seconds until a signal to all processes has reached this one
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
    clock : function () -> float
        Of the estimate of the time left.

    Attributes
    ----------
    outlook : Outlook
        How far the work is.
    """

    def __init__(
        self,
        study: Question,
        cells: Sequence[Cell],
        out: Path,
        workers: Workers,
        lamp: Lamp,
        stop: Sequence[int],
        clock: Callable[[], float] = time.monotonic,
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
        for cell in self._unmeasured.values():  # in the study's order: all methods are seen early
            if cell.trained and cell.training in self._untrained:
                if cell.training not in self._wait_for:
                    self._jobs.append(("train", self._untrained[cell.training]))
                self._wait_for.setdefault(cell.training, []).append(("measure", cell))
            else:
                self._jobs.append(("measure", cell))
        self._later: deque[tuple[float, Job]] = deque()
        self._running = 0
        self.outlook = Outlook(
            len(cells),
            self._unmeasured,
            self._untrained,
            out=out,
            networks_in=self._networks,
            study=study.name,
            workers=workers.number,
            room=workers.room,
            crew=lambda: workers.told,
            clock=clock,
        )
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
        if self._failure and not (isinstance(self._failure, LostError) and self._is_stopped_soon()):
            raise self._failure

    def _do_all(self, progress: bool) -> None:
        """Hand out jobs and take results, until nothing is left, or nothing more may be begun."""
        with live_view(self.outlook.now, enabled=progress) as view, _Keeper(self, view):
            while self._running or ((self._jobs or self._later) and not self._ends):
                while self._jobs and self._running < self._workers.room and not self._ends:
                    self._submit(self._jobs.popleft())
                while self._later and self._later[0][0] < time.monotonic():
                    self._jobs.append(self._later.popleft()[1])
                self._take(view)

    @property
    def stopped(self) -> bool:
        """Whether somebody asked to stop."""
        return bool(self._stop) or self._was_stopped

    @property
    def request(self) -> int:
        """The signal by which somebody asked to stop."""
        return self._stop[0] if self._stop else signal.SIGTERM

    def _is_stopped_soon(self) -> bool:
        """Whether workers are gone because all processes are asked to stop, this one last."""
        deadline = time.monotonic() + _HEARD
        while not self.stopped and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.stopped

    @property
    def _ends(self) -> bool:
        return self.stopped or self._failure is not None

    def _submit(self, job: Job) -> None:
        what, cell = job
        self.outlook.begun(what, cell)
        try:
            if what == "train":
                self._workers.submit(job, train, cell, self._networks, self._lamp.path)
            else:
                self._workers.submit(
                    job, measure, self._study, cell, self._networks, self._folder, self._lamp.path
                )
        except LostError as error:
            self._fail(error)
        else:
            self._running += 1

    def _take(self, view: View) -> None:
        """Take one result, if there is one soon."""
        try:
            taken = self._workers.next(_LOOK)
        except Exception as error:  # of whatever kind; others save first
            self._running -= 1
            self._fail(error)
            view.failed(error)
            return
        if taken is None:
            return
        self._running -= 1
        (what, cell), ended = taken
        if isinstance(ended, End):  # of a job that no worker has begun
            ended = Ended(ended)
        if ended.end is End.STOPPED:
            self._was_stopped = self._was_stopped or self._failure is None
            self._lamp.out()
        elif ended.end is End.ELSEWHERE:
            self.outlook.elsewhere(cell)
            self._later.append((time.monotonic() + _AGAIN, (what, cell)))
        else:
            if what == "train":
                del self._untrained[cell.training]
                self._jobs.extendleft(self._wait_for.pop(cell.training, ()))
            else:
                del self._unmeasured[cell.name]
            self.outlook.ended(what, cell, ended.seconds, ended.steps)

    def _fail(self, error: Exception) -> None:
        """Keep the first error, and let others save and end."""
        self._failure = self._failure or error
        self._lamp.out()


class _Keeper(threading.Thread):
    """Keeps the lamp burning and the view moving, also while a job runs in this process."""

    def __init__(self, shift: Shift, view: View):
        super().__init__(daemon=True)
        self._shift, self._view = shift, view
        self._over = threading.Event()

    def __enter__(self) -> _Keeper:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        """Look every now and then, until all is done."""
        while not self._over.wait(_LOOK):
            if self._shift._ends:
                self._shift._lamp.out()
            else:
                self._shift._lamp.keep()
            try:
                self._view.look()
            except Exception as error:  # no view is worth a study
                warnings.warn(f"nothing is shown any more: {error!r}", stacklevel=1)
                self._view = View()
