"""Slurm jobs that work for a study: what they do, how many there are, and who replaces them."""

from __future__ import annotations

import subprocess
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from brainrnn.runs.versions import versions
from brainrnn.study.crew import LostError
from brainrnn.study.jobs import End, Ended
from brainrnn.study.slurm_worker import work
from brainrnn.study.trays import Trays

if TYPE_CHECKING:
    from submitit import Job, SlurmExecutor

_SOON, _SELDOM = 0.2, 5.0  # seconds between two looks at the folder, and at the queue
_IN_VAIN = 3  # times in a row

# How Slurm jobs end: those that were taken away say nothing against starting others.
_TAKEN_AWAY = {"BOOT_FAIL", "CANCELLED", "COMPLETED", "NODE_FAIL", "PREEMPTED", "REVOKED"}
_ENDED = _TAKEN_AWAY | {"DEADLINE", "FAILED", "OUT_OF_MEMORY", "TIMEOUT"}
_WAITING = {"CONFIGURING", "PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT"}
_REMEDIES = {
    "OUT_OF_MEMORY": "ask for more memory, such as --slurm mem=8G",
    "TIMEOUT": "ask for more time, such as --slurm time=4:00:00",
}


class SlurmJobs:
    """Slurm jobs that work for a study; those that end too early are replaced.

    Parameters
    ----------
    executor : submitit.SlurmExecutor
    name : str
        Of all these Slurm jobs.
    number : int
        Of Slurm jobs at once.
    tasks : int
        Of workers in a Slurm job.
    lamp : path
        Of :class:`brainrnn.study.signs.Lamp`.
    """

    def __init__(
        self, executor: SlurmExecutor, name: str, number: int, tasks: int, lamp: Path
    ) -> None:
        self._executor, self._name, self._lamp = executor, name, lamp
        self._number, self._tasks = number, tasks
        self.number = number * tasks
        self.room = 2 * self.number  # nobody waits for the next job
        self.told = ""
        self._trays = Trays(executor.folder)
        self._last = 0
        self._keys: dict[int, Any] = {}  # of jobs that have not ended, by their numbers
        self._jobs: dict[str, Job[None]] = {}  # those of Slurm, by theirs
        self._reasons: dict[str, str] = {}  # why they wait
        self._in_vain = 0
        self._next_look = time.monotonic()
        self._start()  # a cluster that refuses does so before anything begins

    def submit(self, key: Any, function: Callable[..., Any], *arguments: Any) -> None:
        """Take a job."""
        self._fill(len(self._keys) + 1)
        self._last += 1
        self._trays.put(self._last, function, arguments)
        self._keys[self._last] = key

    def next(self, timeout: float) -> tuple[Any, Any] | None:
        """Wait for a job to end."""
        deadline = time.monotonic() + timeout
        while True:
            if self._keys and (ended := self._ended()):
                return ended
            self._look()
            if time.monotonic() > deadline:
                return None
            time.sleep(_SOON)

    def _ended(self) -> tuple[Any, Any] | None:
        """A job that has ended, if there is one."""
        for number, result in self._trays.answers():
            self._in_vain = 0
            if number == 0:  # a worker that cannot work
                self._fail(result)
            if number in self._keys:  # else it was done twice, by a worker that seemed lost
                key = self._keys.pop(number)
                if isinstance(result, Exception):
                    raise result
                return key, result
        while not self._lamp.is_file() and (left := self._trays.take("nobody")):
            if left[0] in self._keys:
                return self._keys.pop(left[0]), Ended(End.STOPPED)
        return None

    def _look(self) -> None:
        """Look at the queue: hand out again what was lost, and replace Slurm jobs that ended."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _SELDOM
        if (states := self._states()) is None:
            return
        waiting = {job for job, state in states.items() if state in _WAITING}
        working = {job for job, state in states.items() if state not in _ENDED | _WAITING}
        why = sorted({self._reasons[job] for job in waiting} - {"None"})
        self.told = f"{len(working)} running, {len(waiting)} pending"
        self.told += f" ({', '.join(why)})" if why else ""
        self._trays.give_back(lambda owner: owner.partition("-")[0] not in working)
        failed = {
            job: state
            for job in self._jobs.keys() - working - waiting
            if (state := states.get(job, "GONE")) not in _TAKEN_AWAY
        }
        self._in_vain += bool(failed)
        if failed and self._in_vain >= _IN_VAIN and self._keys:
            self._fail(LostError(self._why(*failed.popitem())))
        self._jobs = {job: self._jobs[job] for job in self._jobs.keys() & (working | waiting)}
        if self._lamp.is_file():
            try:
                self._fill(len(self._keys))
            except LostError as error:
                self._fail(error)

    def _states(self) -> dict[str, str] | None:
        """The state of each Slurm job that Slurm remembers; None if it does not answer."""
        words = ["--noheader", "--states=all", "--format=%i %T %r", f"--name={self._name}"]
        try:
            # Slurm is where the machine has it on its path, and no shell reads the words.
            answer = subprocess.run(  # nosec B603 B607
                ["squeue", *words], capture_output=True, text=True, timeout=10, check=True
            ).stdout
        except (OSError, subprocess.SubprocessError):
            return None
        rows = [line.split(maxsplit=2) for line in answer.splitlines()]
        self._reasons = {job: reason for job, _, reason in rows}
        return {job: state for job, state, _ in rows}

    def _fill(self, jobs: int) -> None:
        """Have as many Slurm jobs as there is work for."""
        while len(self._jobs) < min(self._number, -(-jobs // self._tasks)):
            try:
                self._start()
            except LostError as error:
                if not self._jobs:
                    raise
                self._number = len(self._jobs)
                warnings.warn(f"{error}; going on with {self._number} of them", stacklevel=2)

    def _start(self) -> None:
        """Start a Slurm job."""
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        try:
            with redirect_stderr(StringIO()):  # it is raised, too
                job = self._executor.submit(work, self._executor.folder, self._lamp, versions())
        except (FailedJobError, FailedSubmissionError, OSError) as error:
            lines = [line.removeprefix("sbatch: error: ") for line in str(error).splitlines()]
            raise LostError(f"the cluster refuses a Slurm job: {'; '.join(lines)}") from None
        self._jobs[job.job_id] = job

    def _fail(self, error: Exception) -> NoReturn:
        """Raise an error in place of the result of a job."""
        self._keys.popitem()
        raise error

    def _why(self, job: str, state: str) -> str:
        """Why Slurm jobs end before they have done anything."""
        log = self._jobs[job].paths.stdout
        if not log.is_file():
            said = f"it wrote no log: perhaps its machine does not see {self._executor.folder}"
        else:
            lines = log.read_text("utf-8", errors="replace").splitlines()
            own = [line for line in lines if line.strip() and not line.startswith("srun:")]
            said = f"{own[-1].strip() if own else 'its log is empty'}; see {log}"
        remedy = _REMEDIES.get(state, "if that is mended")
        return (
            f"{_IN_VAIN} times Slurm jobs ended with nothing done, the last was {job} ({state}): "
            f"{said}; {remedy}, the same command goes on where it was"
        )
