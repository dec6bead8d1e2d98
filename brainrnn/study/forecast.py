"""How much of a study is done, and when it will end: from jobs that have ended, and that run."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Literal, NamedTuple, get_args

Place = Literal["waits", "next", "here", "elsewhere"]
_Job = tuple[float, list[float]]  # its seconds, and those of the questions that follow

# Until the first network is measured: its share of a training's time. A true share from 0 to 0.4
# leaves an estimate within 20 %.
_MEASURING = 0.15


class Seen(NamedTuple):
    """What is known of the time that one kind of job takes: seconds, for so much of it."""

    seconds: float
    amount: float


@dataclass
class Rates:
    """Seconds for a unit of work, of each kind.

    A kind that was not seen yet takes as long as the others, in proportion to what is expected.

    Examples
    --------
    >>> rates = Rates()
    >>> rates.add("small", seconds=2.0, amount=1.0)
    >>> rates.add("large", seconds=16.0, amount=2.0)
    >>> per_unit = rates.known(expected={"small": 1.0, "large": 4.0, "larger": 8.0}.get)
    >>> per_unit("small"), per_unit("large"), round(per_unit("larger"), 6)
    (2.0, 8.0, 16.0)
    """

    seen: dict[str, Seen] = field(default_factory=dict)

    def add(self, kind: str, seconds: float, amount: float) -> None:
        """A job has ended."""
        if amount > 0:
            before = self.seen.get(kind, Seen(0.0, 0.0))
            self.seen[kind] = Seen(before.seconds + seconds, before.amount + amount)

    def known(
        self, expected: Callable[[str], float], running: Mapping[str, Seen] | None = None
    ) -> Callable[[str], float] | None:
        """Seconds for a unit by kind; None if nothing has been seen.

        Parameters
        ----------
        expected : function (kind) -> float
            Seconds, in any unit of time.
        running : mapping of str to Seen, optional
            Jobs that run. They tell of kinds of which no job has ended.
        """
        seen = dict(running or {}) | self.seen
        seen = {kind: one for kind, one in seen.items() if one.seconds > 0 and one.amount > 0}
        if not seen:
            return None
        per_unit = {kind: one.seconds / one.amount for kind, one in seen.items()}
        ratios = [math.log(value / expected(kind)) for kind, value in per_unit.items()]
        usual = math.exp(sum(ratios) / len(ratios))
        return lambda kind: per_unit.get(kind) or usual * expected(kind)


@dataclass
class Task:
    """What is left of one network: some training, then questions to it.

    Attributes
    ----------
    kind : str
        Networks that differ by seed are of one kind.
    steps, whole : int
        Of its training: those that are left, and all.
    questions : list of str
        The kinds of what it will be asked.
    place : str
        Whether it waits, is handed out and comes next, or somebody is at it: a worker of ours, or
        another study.
    since : float
        Seconds since a worker began to ask it; 0 if none has.
    """

    kind: str
    steps: int
    whole: int
    questions: list[str]
    place: Place = "waits"
    since: float = 0.0


class Forecast:
    """Says how many seconds are left.

    Parameters
    ----------
    workers : int
    room : int
        How many jobs are handed out, among them those that run.
    expected : function (kind) -> float
        How long a step of training takes, in any unit of time. Measuring networks is expected to
        take as long as their steps do, in proportion.

    Examples
    --------
    >>> forecast = Forecast(workers=2, room=4, expected=lambda kind: 1.0)
    >>> forecast.trained("a", seconds=10.0, steps=100)
    >>> forecast.measured("a", seconds=5.0)
    >>> forecast.left([Task(kind, 200, 200, [kind]) for kind in "aab"], running={})
    (45.0, 75.0)
    """

    def __init__(self, workers: int, room: int, expected: Callable[[str], float]) -> None:
        self._workers, self._room = workers, room
        self._expected = expected
        self._training, self._measuring = Rates(), Rates()
        self.spent = 0.0  # seconds of jobs that have ended

    def trained(self, kind: str, seconds: float, steps: int) -> None:
        """A network was trained, by so many steps."""
        self._training.add(kind, seconds, steps)
        self.spent += seconds

    def measured(self, kind: str, seconds: float) -> None:
        """A network was measured."""
        self._measuring.add(kind, seconds, 1)
        self.spent += seconds

    def left(self, tasks: Iterable[Task], running: Mapping[str, Seen]) -> tuple[float, float]:
        """Seconds until the end, and seconds of work; both infinite while nothing is known.

        Parameters
        ----------
        tasks : iterable of Task
            In the order in which they will be begun.
        running : mapping of str to Seen
            Trainings that run: their kinds, seconds, and steps so far.
        """
        step = self._training.known(self._expected, running)
        question = self._measuring.known(step or self._expected)

        def seconds(task: Task) -> list[float]:
            training = step(task.kind) if step else math.inf
            guess = _MEASURING * training * task.whole
            asking = [question(kind) if question else guess for kind in task.questions]
            return [task.steps * training, *asking] if task.steps else asking

        jobs: dict[Place, list[_Job]] = {place: [] for place in get_args(Place)}
        for task in tasks:
            left = seconds(task)
            if task.since:  # what takes longer than others did is about to end
                left[0] = max(left[0] - task.since, 0.1 * left[0])
            jobs[task.place].append((left[0], left[1:]))
        work = sum(sum(left, first) for p in ("here", "next", "waits") for first, left in jobs[p])
        elsewhere = max((sum(left, first) for first, left in jobs["elsewhere"]), default=0.0)
        if not math.isfinite(work + elsewhere):
            return math.inf, math.inf
        return max(elsewhere, self._end(jobs["here"], jobs["next"], jobs["waits"])), work

    def _end(self, here: list[_Job], handed: list[_Job], waiting: list[_Job]) -> float:
        """Go through all jobs as they will be handed out; a network is asked once it is trained."""
        order = count()  # of jobs that end at the same time
        running = [(seconds, next(order), then) for seconds, then in here]
        heapq.heapify(running)
        queue, jobs, now = deque(handed), deque(waiting), 0.0
        while True:
            while jobs and len(running) + len(queue) < self._room:
                queue.append(jobs.popleft())
            while queue and len(running) < self._workers:
                seconds, then = queue.popleft()
                heapq.heappush(running, (now + seconds, next(order), then))
            if not running:
                return now
            now, _, then = heapq.heappop(running)
            jobs.extendleft((seconds, []) for seconds in then)
