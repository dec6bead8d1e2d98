"""The time left that a study shows: in virtual time for many studies, in real time for one."""

import json
import math
import time
from contextlib import nullcontext

import numpy as np
import pytest

from brainrnn.study import conduct
from brainrnn.study.forecast import Forecast, Seen, Task
from brainrnn.study.jobs import End, Ended, asking, is_trained
from brainrnn.study.live import View
from brainrnn.study.shift import Shift
from brainrnn.study.signs import Lamp
from tests.study.small import small_study

LOOKS = 40  # of a whole study


class Virtual:
    """Workers whose jobs take as long as they are told to, in a time that passes at once."""

    told = ""

    def __init__(self, number, costs, work, study):
        self.number, self.room = number, 2 * number
        self._costs, self._work, self._study = costs, work, study
        self.time = self._next = self.done = 0.0
        self._waiting, self._running = [], []
        self.looks, self.outlook = [], None

    def clock(self):
        return self.time

    def submit(self, job, function, *arguments):
        self._waiting.append(job)

    def next(self, timeout):
        while self._waiting and len(self._running) < self.number:
            job = self._waiting.pop(0)
            self._running.append((self.time + self._cost(job), self.time, job))
        end, start, job = min(self._running, key=lambda one: one[0])
        if end > self._next:
            self.time = self._next
            self._next += sum(self._costs.values()) / self.number / LOOKS
            self._look()
            return None
        self.time = end
        self._running.remove((end, start, job))
        self.done += end - start
        self._note(job).unlink(missing_ok=True)
        what, cell = job
        steps = cell.experiment.training.steps if what == "train" else 0
        return job, Ended(End.DONE, end - start, steps)

    def _cost(self, job):
        what, cell = job
        return self._costs[what, cell.training if what == "train" else cell.name]

    def _note(self, job):
        what, cell = job
        name = cell.training if what == "train" else asking(self._study, cell)
        return self._work / f"{name}.json"

    def _look(self):
        """Write the notes that real jobs would have written, and keep what the study then says."""
        done = self.done
        for end, start, job in self._running:
            done += self.time - start
            share = (self.time - start) / (end - start)
            steps = job[1].experiment.training.steps if job[0] == "train" else 0
            told = {"host": "a", "process": 1, "begun": 0, "step": int(share * steps)}
            told["seconds"] = self.time - start
            self._note(job).write_text(json.dumps(told))
        self.looks.append((self.time, done / sum(self._costs.values()), self.outlook.now()))


def size(n, steps=1000):
    return [f"network.shape=[{n}, {n}]", f"training.steps={steps}"]


ALIKE = {"one": {"label": "one", "settings": size(4)}}
METHODS = {
    "untrained": {"label": "untrained", "trained": False, "settings": size(8)},
    "none": {"label": "none", "settings": ["method.strength=0.0", *size(8)]},
    "placed": {
        "label": "placed",
        "settings": ["method.strength=0.0", *size(8)],
        "arrangement": "descent",
    },
    "bimt": {"label": "bimt", "settings": size(8)},
    "local": {"label": "local", "settings": ["method.swap.algorithm=none", *size(8)]},
}
SIZES = {f"n{n}": {"label": f"{n}", "settings": size(n)} for n in (4, 8, 12, 20)}
STEPS = {f"s{s}": {"label": f"{s}", "settings": size(6, s)} for s in (200, 3000, 1000)}
SWEEP = {
    "sweep": {
        "label": "sweep",
        "settings": size(8),
        "sweep": {"method.strength": [i * 1e-5 for i in range(8)], "method.locality": [0, 1, 2]},
    }
}
STUDIES = {  # methods, what measuring takes beside training, share of networks trained before
    "alike": (ALIKE, 0.1, 0),
    "methods": (METHODS, 0.2, 0),
    "sizes": (SIZES, 0.2, 0),
    "steps": (STEPS, 0.1, 0),
    "a sweep": (SWEEP, 0.3, 0),
    "together": (SWEEP, 0.3, 0),
    "much measuring": (SIZES, 1.5, 0),
    "half is trained": (METHODS, 0.3, 0.5),
    "all is trained": (METHODS, 0.3, 1),
}


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("workers", [1, 2, 5, 16])
def test_the_time_left_holds_within_a_fifth_after_a_tenth_of_the_work(name, workers, tmp_path):
    """With ten networks for each worker or more, 30 at least."""
    methods, measuring, before = STUDIES[name]
    jobs = 24 if methods is SWEEP else len(methods)  # to train, of one seed
    at_most = 8 if name == "together" else 1
    seeds = list(range(-(-max(30, 10 * workers) // (jobs // at_most))))
    study = small_study(methods=methods, seeds=seeds, together=at_most)
    cells = study.cells()
    rng = np.random.default_rng([workers, list(STUDIES).index(name)])
    trainings = sorted({cell.training for cell in cells if cell.trained})
    for training in rng.choice(trainings, int(before * len(trainings)), replace=False):
        (tmp_path / "networks" / training).mkdir(parents=True)
        (tmp_path / "networks" / training / "finished").touch()
    pace, costs = {}, {}  # each kind of network has a pace of its own
    for cell in cells:
        kind = (cell.method, *cell.setting.values())
        neurons = math.prod(cell.experiment.network.shape)
        step = (0.004 + 2e-5 * neurons**1.2) * pace.setdefault(kind, rng.uniform(0.7, 1.4))
        costs["measure", cell.name] = measuring * step * 1000 * rng.lognormal(0, 0.1)
        if cell.trained and not is_trained(tmp_path / "networks" / cell.training):
            seconds = step * cell.experiment.training.steps * rng.lognormal(0, 0.1)
            costs["train", cell.training] = seconds
    lamp = Lamp(tmp_path / ".work")
    crew = Virtual(workers, costs, tmp_path / ".work", study.name)
    shift = Shift(study, cells, tmp_path, crew, lamp, [], clock=crew.clock)
    crew.outlook = shift.outlook
    shift.work(progress=False)
    assert shift.outlook.now().left == 0
    assert sum(0.1 <= done <= 0.9 for _, done, _ in crew.looks) > LOOKS / 2
    for at, done, now in crew.looks:
        left = crew.time - at
        if 0.1 <= done <= 0.9:
            assert abs(now.left - left) < 0.2 * left, (done, now.left, left)
            assert abs(now.share - done) < 0.06
        elif done > 0.9:
            assert abs(now.left - left) < 0.05 * crew.time


def test_few_networks_for_many_workers_are_estimated_from_how_far_they_are(tmp_path):
    """Nothing has ended after a tenth of the work: the networks at work tell."""
    study = small_study(methods=ALIKE, seeds=list(range(20)))
    rng = np.random.default_rng(0)
    costs = {("train", c.training): 10 * rng.lognormal(0, 0.1) for c in study.cells()}
    costs |= {("measure", c.name): 1.5 * rng.lognormal(0, 0.1) for c in study.cells()}
    crew = Virtual(16, costs, tmp_path / ".work", study.name)
    lamp = Lamp(tmp_path / ".work")
    shift = Shift(study, study.cells(), tmp_path, crew, lamp, [], clock=crew.clock)
    crew.outlook = shift.outlook
    shift.work(progress=False)
    early = [(crew.time - at, now) for at, done, now in crew.looks if 0.1 <= done <= 0.4]
    assert early
    for left, now in early:
        assert now.done == 0
        assert abs(now.left - left) < 0.2 * left


def test_what_another_study_trains_is_waited_for_but_is_no_work_of_ours():
    forecast = Forecast(workers=1, room=2, expected=lambda kind: 1.0)
    forecast.trained("a", seconds=10.0, steps=100)
    forecast.measured("a", seconds=5.0)
    there = Task("a", 50, 100, ["a"], "elsewhere")
    assert forecast.left([there], {}) == (10.0, 0.0)
    assert forecast.left([there, Task("a", 100, 100, ["a"])], {}) == (15.0, 15.0)


def test_a_question_that_takes_long_is_about_to_be_answered():
    forecast = Forecast(workers=1, room=2, expected=lambda kind: 1.0)
    forecast.measured("a", seconds=10.0)
    for since, left in [(0.0, 10.0), (4.0, 6.0), (30.0, 1.0)]:
        assert forecast.left([Task("a", 0, 100, ["a"], "here", since)], {}) == (left, left)


def test_nothing_is_known_until_a_network_tells():
    forecast = Forecast(workers=2, room=4, expected=lambda kind: 1.0)
    tasks = [Task("a", 100, 100, ["a"]), Task("b", 0, 100, ["b"])]
    assert forecast.left(tasks, {}) == (math.inf, math.inf)
    forecast.measured("b", seconds=1.0)
    assert forecast.left(tasks, {})[0] == math.inf
    end, _ = forecast.left(tasks, {"a": Seen(seconds=2.0, amount=20)})
    assert end == pytest.approx(11)  # a hundred steps of 0.1 s, and a question of 1 s


@pytest.mark.slow
def test_the_time_left_of_a_real_study(tmp_path, monkeypatch):
    """Of twenty networks of four kinds, on two workers, for two minutes.

    A shorter study is mostly first steps, which are slow.
    """
    looks = []

    class Recorder(View):
        def __init__(self, now):
            self._now = now

        def look(self):
            looks.append((time.monotonic(), self._now()))

    monkeypatch.setattr(
        "brainrnn.study.shift.live_view", lambda now, enabled: nullcontext(Recorder(now))
    )
    sizes = {f"n{n}": {"label": f"{n}", "settings": size(n, steps)} for n, steps in REAL.items()}
    study = small_study(methods=sizes, seeds=list(range(5)))
    conduct(study, tmp_path, workers=2)
    end = time.monotonic()
    judged = [(end - at, now) for at, now in looks if 0.1 <= now.share <= 0.9]
    assert len(judged) > 20
    for left, now in judged:
        assert abs(now.left - left) < 0.2 * left, (now.share, now.left, left)


REAL = {4: 1500, 6: 2500, 8: 1000, 12: 1500}
