"""How far a study is: which network is where, how many are done, and how much time is left."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from brainrnn.runs.experiment import Experiment
from brainrnn.study.forecast import Forecast, Seen, Task
from brainrnn.study.jobs import asking, steps_done
from brainrnn.study.signs import told
from brainrnn.study.size import multiplications
from brainrnn.study.subject import Cell

What = Literal["train", "measure"]
_OVERHEAD = 1e8  # multiplications in the time that a step of the smallest network takes


@dataclass(frozen=True)
class AtWork:
    """A network that is trained or measured now.

    Attributes
    ----------
    what : str
    cell : Cell
    told : mapping
        Host, process, and in training the step and the latest loss and accuracy.
    """

    what: What
    cell: Cell
    told: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Of the training, or of the network that is measured."""
        return self.cell.training if self.what == "train" else self.cell.name

    @property
    def networks(self) -> int:
        """How many it is: several that train as members of one, or one."""
        joint = self.cell.joint if self.what == "train" else None
        return joint.network.members if joint else 1


@dataclass(frozen=True)
class Overview:
    """How far a study is.

    Attributes
    ----------
    networks, done : int
        All of them, and those that have been measured.
    at_work : list of AtWork
    share : float
        Of the work, from 0 to 1.
    elapsed, left : float
        Seconds; ``left`` is infinite while nothing is known.
    crew : str
        Of those who do the work: how many Slurm jobs run, say, and how many are pending.
    """

    networks: int
    done: int
    at_work: list[AtWork]
    share: float
    elapsed: float
    left: float
    crew: str = ""

    @property
    def busy(self) -> int:
        """Networks that somebody is at."""
        return sum(row.networks for row in self.at_work)

    @property
    def waiting(self) -> int:
        """Networks that nobody is at."""
        return max(0, self.networks - self.done - self.busy)


class Outlook:
    """Follows the networks of a study, by the ends of its jobs and by what is told of them.

    Parameters
    ----------
    networks : int
        How many the study has.
    unmeasured : mapping of str to Cell
        Those that are not measured yet, by name. Its owner takes out those that are.
    untrained : mapping of str to Cell
        Those that are not trained yet, by the name of the training, likewise.
    out : path
        Folder of all studies.
    networks_in : path
        Folder of all trained networks.
    study : str
        Its name.
    workers, room : int
        How many jobs run at once, and how many are handed out.
    crew : function () -> str
        What there is to tell of those who do the work.
    clock : function () -> float
        Seconds since any moment.
    """

    def __init__(
        self,
        networks: int,
        unmeasured: Mapping[str, Cell],
        untrained: Mapping[str, Cell],
        *,
        out: Path,
        networks_in: Path,
        study: str,
        workers: int,
        room: int,
        crew: Callable[[], str] = str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._networks, self._unmeasured, self._untrained = networks, unmeasured, untrained
        self._work, self._study, self._clock = out / ".work", study, clock
        self._crew = crew
        self._start = clock()
        examples = {_kind(cell): cell.trains for cell in unmeasured.values()}
        self._forecast = Forecast(workers, room, cache(lambda kind: _expected(examples[kind])))
        self._steps = {name: steps_done(networks_in / name) for name in untrained}
        self._begun: dict[tuple[What, str], Cell] = {}
        self._elsewhere: set[str] = set()
        self._asked: dict[str, float] = {}  # since when

    def begun(self, what: What, cell: Cell) -> None:
        """A job is handed out; it may have to wait for a worker."""
        self._begun[what, cell.training if what == "train" else cell.name] = cell

    def elsewhere(self, cell: Cell) -> None:
        """Another study trains this network."""
        self._elsewhere.add(cell.training)

    def ended(self, what: What, cell: Cell, seconds: float, steps: int) -> None:
        """A job is done."""
        self._begun.pop((what, cell.training if what == "train" else cell.name), None)
        if what == "train":
            self._elsewhere.discard(cell.training)
            self._forecast.trained(_kind(cell), seconds, steps)
        else:
            self._asked.pop(cell.name, None)
            self._forecast.measured(_kind(cell), seconds)

    def now(self) -> Overview:
        """What is known at this moment."""
        rows, running, spent = [], dict[str, Seen](), self._forecast.spent
        now = self._clock()
        for (what, name), cell in list(self._begun.items()):
            if what == "measure":
                found = told(self._work, asking(self._study, cell))
                if found:
                    spent += now - self._asked.setdefault(name, now)
            else:
                found = told(self._work, name)
                if found:
                    self._steps[name] = found["step"]
                if found and name not in self._elsewhere:
                    kind, steps = _kind(cell), found["step"] - found["begun"]
                    before = running.get(kind, Seen(0.0, 0.0))
                    running[kind] = Seen(before.seconds + found["seconds"], before.amount + steps)
                    spent += found["seconds"]
            if found:
                rows.append(AtWork(what, cell, found))
        at_work = {(row.what, row.name) for row in rows}
        end, work = self._forecast.left(self._tasks(at_work, now), running)
        share = spent / (spent + work) if math.isfinite(work) and spent + work else 0.0
        done = self._networks - len(self._unmeasured)
        passed = now - self._start
        return Overview(self._networks, done, rows, share, passed, end, self._crew())

    def _tasks(self, at_work: set[tuple[What, str]], now: float) -> list[Task]:
        """What is left, in the order in which it is handed out."""
        tasks: dict[tuple[What, str], Task] = {}
        for name, cell in list(self._unmeasured.items()):
            kind, whole, training = _kind(cell), cell.experiment.training.steps, cell.training
            if not cell.trained or training not in self._untrained:
                since = now - self._asked.get(name, now)
                tasks["measure", name] = Task(kind, 0, whole, [kind], since=since)
            elif ("train", training) in tasks:
                tasks["train", training].questions.append(kind)
            else:
                left = whole - self._steps[training]
                tasks["train", training] = Task(kind, left, whole, [kind])
        for key, task in tasks.items():
            if key in at_work:
                task.place = "elsewhere" if key[1] in self._elsewhere else "here"
            elif key in self._begun:
                task.place = "next"
        handed_out = [tasks.pop(key) for key in list(self._begun) if key in tasks]
        return [*handed_out, *tasks.values()]


def _kind(cell: Cell) -> str:
    """What a network has in common with those that differ by seed."""
    return cell.name.removesuffix(f"-{cell.seed}")


def _expected(experiment: Experiment) -> float:
    """Time of a training step, in units of what it takes at least."""
    return 1 + multiplications(experiment) / _OVERHEAD
