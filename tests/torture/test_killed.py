"""SIGKILL at random moments: the same command goes on, to the same bits, and nothing is left over.

TORTURE=200 python -m pytest tests/torture -m '' (or `make torture`) kills 200 times, and writes
docs/reliability/killed.csv.
"""

import contextlib
import itertools
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from brainrnn.analysis import load
from brainrnn.config import as_toml
from brainrnn.study.answers import Answers
from tests.commands import assert_same_training
from tests.study.small import small_study
from tests.torture.life import PHASES, live

KILLS = int(os.environ.get("TORTURE", "6"))
TABLE = Path(__file__).parents[2] / "docs" / "reliability" / "killed.csv"
SEED = int(os.environ.get("TORTURE_SEED", "0"))
CONFIG = """
seed = 1
[task]
names = ["go", "dm1"]
[network]
shape = [5, 5]
noise = 0.05
[method.swap]
every = 5
[training]
steps = 30
batch = 8
log_every = 4
evaluate_every = 10
evaluation_trials = 4
checkpoint_every = 6
snapshot_every = 10
[analysis]
trials = 16
accuracy_trials = 4
permutations = 100
k_range = [2, 3]
"""
WRITING = "writing"  # of any file, before one of its steps
MOMENTS = (("beginning", "training", "evaluation"), (WRITING, WRITING), ("analysis", "plotting"))
OF_STUDIES = 0.15  # of all kills
counted: list[dict[str, object]] = []


def files(folder):
    """Every file, hidden ones too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def count(killed, went_on, identical):
    """A life, with the phase of each of its kills."""
    figures = {"kills": 1, "went on": int(went_on), "identical": int(identical)}
    counted.extend({"phase": phase} | figures for phase in killed)
    return bool(went_on and identical)


@pytest.fixture(scope="module", autouse=True)
def table():
    """What happened, by phase, for docs/reliability.md."""
    yield
    if "TORTURE" in os.environ and counted:
        TABLE.parent.mkdir(exist_ok=True)
        pd.DataFrame(counted).groupby("phase", sort=False).sum().to_csv(TABLE)


class Lives:
    """Runs that are lived in processes, from one that has loaded everything."""

    def __init__(self, folder):
        self.config = folder / "small.toml"
        self.config.write_text(CONFIG)
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["tests.torture.life", "torch._dynamo", "h5netcdf"])
        self.whole = folder / "whole"
        self.end(self.whole)  # loads the rest, such as fonts
        said, self.changes = self.end(folder / "timed")
        spans = (b - a for a, b in itertools.pairwise([*said.values(), time.monotonic()]))
        self.seconds = dict(zip(said, spans, strict=True))
        assert tuple(said) == PHASES
        assert files(self.whole) == files(folder / "timed")

    def begin(self, folder, die_at=None):
        hears, said = self.context.Pipe(duplex=False)
        arguments = (str(self.config), str(folder), said, die_at)
        process = self.context.Process(target=live, args=arguments)
        process.start()
        said.close()
        return process, hears

    def end(self, folder):
        """Live to the end: when each phase began, and how often files were changed; or nothing."""
        hears = self.begin(folder)[1]
        began = {}
        try:
            while isinstance(said := hears.recv(), str):
                began[said] = time.monotonic()
        except EOFError:  # it failed
            return None
        return began, said

    def kill(self, folder, phase, rng):
        """Kill the life at a random moment of a phase; false if it ended before."""
        if phase == WRITING:
            process, _ = self.begin(folder, rng.randint(1, self.changes))
        else:
            process, hears = self.begin(folder)
            with contextlib.suppress(EOFError):
                while hears.recv() != phase:
                    pass
                time.sleep(rng.uniform(0, self.seconds[phase]))
                process.kill()
        process.join()
        return process.exitcode == -signal.SIGKILL


def same(whole, folder):
    """Whether two lives left the same weights, places, tables, analysis, pictures and files."""
    if files(whole) != files(folder):
        return False
    try:
        assert_same_training(whole, folder)
    except AssertionError:
        return False
    pictures = [path.relative_to(whole) for path in (whole / "figures").iterdir()]
    return load(whole / "analysis.nc").identical(load(folder / "analysis.nc")) and all(
        (whole / name).read_bytes() == (folder / name).read_bytes() for name in pictures
    )


def test_a_run_goes_on_wherever_it_is_killed(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    lives, rng, whole = Lives(tmp_path), random.Random(SEED), []
    phases = itertools.cycle(MOMENTS)
    while len(counted) < KILLS * (1 - OF_STUDIES):
        folder = tmp_path / f"killed-{len(whole)}"
        killed = [phase for phase in next(phases) if lives.kill(folder, phase, rng)]
        went_on = lives.end(folder) is not None
        whole.append(count(killed, went_on, went_on and same(lives.whole, folder)))
    assert all(whole), counted


def alive(session):
    """Processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(words[3]) == session and words[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def same_study(whole, out):
    """Whether two studies have the same answers, networks and files."""
    if files(whole) != files(out):
        return False
    try:
        one, other = (Answers.read(folder / "small").rows for folder in (whole, out))
        pd.testing.assert_frame_equal(one, other, check_exact=True)
        for network in (whole / "networks").iterdir():
            assert_same_training(network, out / "networks" / network.name)
    except AssertionError:
        return False
    return True


@pytest.mark.slow
def test_a_study_goes_on_whenever_it_is_killed(tmp_path):
    rng = random.Random(SEED)
    (tmp_path / "small.toml").write_text(as_toml(small_study(only=["l1", "bimt"])))

    def begin(out):
        words = ["study", tmp_path / "small.toml", "--out", out, "--workers", "2", "--quiet"]
        command = [sys.executable, "-m", "brainrnn", *map(str, words)]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)

    start = time.monotonic()
    process = begin(tmp_path / "whole")
    _, errors = process.communicate(timeout=600)
    seconds = time.monotonic() - start
    assert process.returncode == 0, errors
    whole, killed = [], ["a study with two workers"] * 3
    while len(killed) * len(whole) < KILLS * OF_STUDIES:
        out = tmp_path / f"killed-{len(whole)}"
        for _ in killed:
            process = begin(out)
            time.sleep(rng.uniform(0, seconds))
            process.kill()
            process.communicate()
            end = time.monotonic()
            while alive(process.pid):  # nobody is left behind
                assert time.monotonic() - end < 60, alive(process.pid)
                time.sleep(0.1)
        process = begin(out)
        _, errors = process.communicate(timeout=600)
        went_on = process.returncode == 0
        whole.append(count(killed, went_on, went_on and same_study(tmp_path / "whole", out)))
    assert all(whole), counted
