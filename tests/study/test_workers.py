"""Where the jobs of a study run: results are the same everywhere, and nobody is left behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from brainrnn.config import as_toml
from brainrnn.errors import InputError
from brainrnn.files import claim
from brainrnn.runs.folder import InterruptedRun, Run
from brainrnn.study import conduct
from brainrnn.study.answers import Answers
from brainrnn.study.jobs import End, Ended, is_trained, steps_done, train
from brainrnn.study.shift import Shift
from brainrnn.study.signs import Lamp, Note, Watch, tidy, told
from brainrnn.study.workers import LostError, open_workers
from tests.commands import brainrnn, one_line
from tests.study.small import small_study

FEW = small_study(seeds=[1], measure={"kind": "tradeoff", "pruned": [0.5], "trials": 4})
MAIN = "from brainrnn.cli import main; main()"


def longer(steps, **changes):
    study = small_study(**{"name": "longer", "seeds": [4], "only": ["bimt", "l1"]} | changes)
    training = study.experiment.training.model_copy(
        update={"steps": steps, "evaluate_every": steps, "checkpoint_every": 20}
    )
    experiment = study.experiment.model_copy(update={"training": training})
    return study.model_copy(update={"experiment": experiment})


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    out = tmp_path_factory.mktemp("local")
    conduct(FEW, out, workers=2, progress=False)
    return out


def assert_same(one, other, name="small"):
    rows = [Answers.read(out / name).rows for out in (one, other)]
    pd.testing.assert_frame_equal(*rows, check_exact=True)
    paths = sorted(p.name for p in (one / "networks").iterdir())
    assert paths == sorted(p.name for p in (other / "networks").iterdir())
    for path in paths:
        nets = [Run.open(out / "networks" / path).net for out in (one, other)]
        for a, b in zip(*(net.parameters() for net in nets), strict=True):
            assert np.array_equal(a.detach(), b.detach())


def square(number):
    if number < 0:
        raise InputError(f"{number} is below 0")
    return number * number


def die():
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("place", ["serial", "local"])
def test_every_job_is_done_and_an_error_is_raised(place, tmp_path):
    with open_workers(place, lamp=Lamp(tmp_path).path) as crew:
        for n in range(5):
            crew.submit(n, square, n)
        found = {}
        while len(found) < 5:
            if ended := crew.next(0.5):
                found |= dict([ended])
        assert found == {0: 0, 1: 1, 2: 4, 3: 9, 4: 16}
        assert crew.next(0.01) is None
        crew.submit("bad", square, -1)
        with pytest.raises(InputError, match="-1 is below 0"):
            crew.next(30)


def test_a_worker_that_is_killed_is_said_in_words(tmp_path):
    with open_workers("local", number=1, lamp=Lamp(tmp_path).path) as crew:
        crew.submit("die", die)
        with pytest.raises(InputError, match=r"worker process was killed.*the same command"):
            crew.next(30)


def test_a_study_in_this_process_is_the_same(local, tmp_path):
    before = set(os.listdir("/proc")) if os.path.isdir("/proc") else set()
    conduct(FEW, tmp_path, on="serial", progress=False)
    assert_same(local, tmp_path)
    children = [p for p in set(os.listdir("/proc")) - before if p.isdigit() and is_child(p)]
    assert not children
    assert not list((tmp_path / ".work").glob("conducting-*"))
    assert not list((tmp_path / ".work").glob("*.json"))


def is_child(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return int(file.read().rpartition(")")[2].split()[1]) == os.getpid()
    except OSError:
        return False


def test_a_network_is_claimed_by_one_process(tmp_path):
    with claim(tmp_path, "a") as first:
        assert first
        with claim(tmp_path, "a") as second, claim(tmp_path, "b") as other:
            assert (second, other) == (False, True)
    with claim(tmp_path, "a") as again:
        assert again


def test_a_claim_goes_with_its_process(tmp_path):
    code = (
        "import sys, time, pathlib; from brainrnn.files import claim\n"
        f"with claim(pathlib.Path({str(tmp_path)!r}), 'a') as ours: print(ours, flush=True); "
        "time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "True\n"
    with claim(tmp_path, "a") as ours:
        assert not ours
    process.kill()
    process.wait()
    with claim(tmp_path, "a") as ours:
        assert ours


def test_a_job_ends_when_the_lamp_goes_out_or_is_not_kept(tmp_path):
    lamp = Lamp(tmp_path / "work")
    watch, impatient = Watch(lamp.path), Watch(lamp.path, patience=1.5)
    assert not watch.stopped
    deadline = time.monotonic() + 10
    while not impatient.stopped:  # nobody keeps it
        assert time.monotonic() < deadline
        time.sleep(0.05)
    kept = Watch(lamp.path, patience=1.5)
    for _ in range(30):
        lamp.keep()
        assert not kept.stopped
        time.sleep(0.1)
    lamp.out()
    time.sleep(1.1)
    assert watch.stopped
    assert kept.stopped
    assert Watch(lamp.path).stopped


def test_what_a_killed_study_left_is_tidied_up(tmp_path):
    left = tmp_path / "conducting-0a1b"
    left.write_text(f"{os.uname().nodename} 4194305")  # no process has such a number
    for name in ("a.b.lock", "a.b.json", "of another.txt"):
        (tmp_path / name).touch()
    lamp = Lamp(tmp_path)
    assert not left.exists()
    tidy(tmp_path)  # somebody works there
    assert (tmp_path / "a.b.json").exists()
    lamp.out()
    tidy(tmp_path)
    assert os.listdir(tmp_path) == ["of another.txt"]


def test_notes_tell_how_far_a_network_is(tmp_path):
    assert told(tmp_path, "a") == {}
    note = Note(tmp_path, "a", begun=5)
    note.write(7, {"loss": 0.5})
    note.write(8, {"loss": 0.25})  # too soon
    found = told(tmp_path, "a")
    assert (found["step"], found["loss"], found["process"]) == (7, 0.5, os.getpid())
    assert found["begun"] == 5
    assert 0 <= found["seconds"] < 1
    (tmp_path / "a.json").write_text("{")
    assert told(tmp_path, "a") == {}
    note.remove()
    note.remove()
    assert told(tmp_path, "a") == {}


def test_a_network_that_another_process_trains_is_left_to_it(tmp_path):
    cell, lamp = FEW.cells()[0], Lamp(tmp_path / ".work")
    networks = tmp_path / "networks"
    with claim(lamp.path.parent, cell.training):
        assert train(cell, networks, lamp.path).end is End.ELSEWHERE
    assert not networks.exists()
    ended = train(cell, networks, lamp.path)
    assert (ended.end, ended.steps) == (End.DONE, 6)
    assert ended.seconds > 0
    assert is_trained(networks / cell.training)
    assert steps_done(networks / cell.training) == 6
    assert train(cell, networks, lamp.path) == Ended(End.DONE)  # trained by somebody else
    lamp.out()
    assert train(cell, networks, lamp.path).end is End.STOPPED


@contextmanager
def study_process(study, out, *options):
    (out / f"{study.name}.toml").write_text(as_toml(study))
    words = ["study", out / f"{study.name}.toml", "--out", out, "--quiet", *options]
    command = [sys.executable, "-c", MAIN, *map(str, words)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(found, process, seconds=90):
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)


def test_two_studies_share_the_work(local, tmp_path):
    """Each network is trained by one of them, and both end with the same."""
    one = longer(200, name="one")
    two = longer(200, name="two")
    with study_process(one, tmp_path) as first:
        wait_for(lambda: list(tmp_path.glob("networks/*/checkpoint.safetensors")), first)
        conduct(two, tmp_path, on="serial", progress=False)
        _, errors = first.communicate(timeout=90)
        assert first.returncode == 0, errors
    rows = [Answers.read(tmp_path / name).rows for name in ("one", "two")]
    pd.testing.assert_frame_equal(*rows, check_exact=True)
    for metrics in tmp_path.glob("networks/*/metrics.csv"):
        steps = pd.read_csv(metrics).step
        assert steps.is_unique  # nobody trained it twice
        assert steps.iloc[-1] == 200


def test_processes_of_a_killed_study_end_and_it_goes_on(tmp_path):
    study = longer(2000)
    with study_process(study, tmp_path, "--workers", "2") as process:
        wait_for(
            lambda: len(list(tmp_path.glob("networks/*/checkpoint.safetensors"))) == 2, process
        )
        notes = [told(tmp_path / ".work", p.name) for p in (tmp_path / "networks").iterdir()]
        workers = {note["process"] for note in notes if note}
        assert workers
        process.kill()  # and nobody reaps it
        deadline = time.monotonic() + 30
        while any(is_alive(worker) for worker in workers):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    shorter = tmp_path / "networks"
    assert not any(is_trained(path) for path in shorter.iterdir())
    with claim(tmp_path / ".work", next(shorter.iterdir()).name) as ours:
        assert ours
    assert not list((tmp_path / ".work").glob("conducting-*"))


def test_of_two_studies_of_one_name_with_other_settings_one_is_refused(tmp_path):
    other = FEW.model_copy(update={"seeds": (2,)})
    barrier, ends = threading.Barrier(2), {}

    def begin(study):
        barrier.wait()
        try:
            ends[study.seeds] = conduct(study, tmp_path, on="serial", progress=False)
        except InputError as error:
            ends[study.seeds] = error

    threads = [threading.Thread(target=begin, args=(study,)) for study in (FEW, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (refused,) = [end for end in ends.values() if isinstance(end, InputError)]
    assert "other settings" in str(refused)
    (seeds,) = [seeds for seeds, end in ends.items() if not isinstance(end, InputError)]
    assert set(Answers.read(tmp_path / "small").networks.seed) == set(seeds)


def test_a_stop_in_serial_begins_no_other_job(tmp_path, monkeypatch):
    """Ctrl-C while a run saves its last step: the study hears of it, and starts nothing more."""
    save, requests = Run._save, [signal.SIGINT]

    def interrupted(run):
        if requests and run.trainer.step == run.experiment.training.steps:
            os.kill(os.getpid(), requests.pop())
        save(run)

    monkeypatch.setattr(Run, "_save", interrupted)
    with pytest.raises(InterruptedRun, match="same command"):
        conduct(FEW, tmp_path, on="serial", progress=False)
    assert len(list((tmp_path / "networks").iterdir())) == 1
    assert not list((tmp_path / "small" / "answers").glob("*"))
    monkeypatch.undo()
    conduct(FEW, tmp_path, on="serial", progress=False)
    assert len(list((tmp_path / "networks").iterdir())) == 2


def test_workers_that_are_lost_while_the_user_stops_are_a_stop(tmp_path):
    class Lost(Stub):
        def next(self, timeout):
            raise LostError("a worker process was killed")

    lamp = Lamp(tmp_path / ".work")
    shift = Shift(FEW, FEW.cells(), tmp_path, Lost(), lamp, stop := [])
    with pytest.raises(LostError):
        shift.work(progress=False)
    assert not lamp.path.exists()
    shift = Shift(FEW, FEW.cells(), tmp_path, Lost(), Lamp(tmp_path / ".work"), stop)
    submit = Stub.submit
    Lost.submit = lambda self, *job: (stop.append(15), submit(self, *job))[1]
    shift.work(progress=False)
    assert shift.stopped
    # A signal to all processes reaches this one last.
    del Lost.submit, stop[:]
    shift = Shift(FEW, FEW.cells(), tmp_path, Lost(), Lamp(tmp_path / ".work"), stop)
    threading.Timer(0.3, stop.append, [signal.SIGUSR1]).start()
    shift.work(progress=False)
    assert shift.request == signal.SIGUSR1


def test_what_a_killed_process_left_of_a_new_run_does_not_matter(tmp_path):
    cell = FEW.cells()[0]
    path = tmp_path / "networks" / cell.training
    path.mkdir(parents=True)
    (path / f".brainrnn-4194305-0a1b2c3d-{os.uname().nodename}-abcd_123.toml").write_text("half")
    lamp = Lamp(tmp_path / ".work")
    assert train(cell, tmp_path / "networks", lamp.path).end is End.DONE
    assert not list(path.glob(".*"))


def test_a_network_that_is_resumed_by_hand_is_left_to_that_process(tmp_path):
    cell, lamp, networks = FEW.cells()[0], Lamp(tmp_path / ".work"), tmp_path / "networks"
    with Run.create(networks / cell.training, cell.experiment).claimed():
        assert train(cell, networks, lamp.path).end is End.ELSEWHERE
    assert train(cell, networks, lamp.path).end is End.DONE


def test_a_refused_command_fixes_nothing(tmp_path):
    with pytest.raises(InputError, match="is for --on local"):
        conduct(FEW, tmp_path / "out", on="serial", workers=2, progress=False)
    assert not (tmp_path / "out" / "small").exists()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="choose another --report"):
        conduct(FEW, tmp_path / "out", on="serial", report=tmp_path / "file" / "docs")
    assert not (tmp_path / "out").joinpath("networks").exists()


def test_answers_need_no_network_any_more(local, tmp_path):
    shutil.copytree(local, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "networks")
    conduct(FEW, tmp_path / "copy", on="serial", progress=False)
    assert not (tmp_path / "copy" / "networks").exists()


def is_alive(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def cluster(tmp_path, workers=2, port=0, dashboard=False):
    """A real Dask scheduler and its workers, each a process of its own."""
    file = tmp_path / "scheduler.json"
    file.unlink(missing_ok=True)
    run = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    options = ["--dashboard-address", "127.0.0.1:0"] if dashboard else ["--no-dashboard"]
    options += ["--host", "127.0.0.1", "--port", str(port)]
    processes = [subprocess.Popen([*run, *options, "--scheduler-file", str(file)], **quiet)]
    run = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file)]
    options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory"]
    try:
        wait_for(lambda: file.is_file() and file.stat().st_size, processes[0])
        for i in range(workers):
            own = [str(tmp_path / f"worker-{i}")]
            processes.append(subprocess.Popen([*run, *options, *own], **quiet))
        address = json.loads(file.read_text())["address"]
        if workers:
            from distributed import Client

            with Client(address, set_as_default=False) as client:
                client.wait_for_workers(workers, timeout=60)
        yield address, processes
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


@pytest.mark.slow
def test_a_study_on_dask_is_the_same_though_a_worker_is_killed(tmp_path):
    pytest.importorskip("distributed")
    study = longer(300)
    alone, together = tmp_path / "alone", tmp_path / "together"
    together.mkdir()
    conduct(study, alone, workers=2, progress=False)
    with cluster(tmp_path) as (address, processes):
        options = ("--on", "dask", "--scheduler", address)
        with study_process(study, together, *options) as process:
            networks = together / "networks"
            wait_for(lambda: list(networks.glob("*/checkpoint.safetensors")), process)
            processes[1].kill()
            _, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
    assert_same(alone, together, "longer")


def test_what_dask_lacks_is_one_line(tmp_path):
    pytest.importorskip("distributed")
    (tmp_path / "study.toml").write_text(as_toml(FEW))
    words = ["study", tmp_path / "study.toml", "--out", tmp_path / "out", "--quiet"]
    one_line(brainrnn(*words, "--on", "dask"), "--scheduler ADDRESS")
    one_line(brainrnn(*words, "--scheduler", "tcp://127.0.0.1:1"), "is for --on dask")
    one_line(
        brainrnn(*words, "--on", "serial", "--workers", "2"), "is for --on local and --on slurm"
    )
    one_line(brainrnn(*words, "--dashboard"), "is for --on dask, not for --on local")
    with cluster(tmp_path, workers=0) as (address, processes):
        dask = ("--on", "dask", "--scheduler", address)
        one_line(brainrnn(*words, *dask), "has no workers", "start some")
        one_line(brainrnn(*words, *dask, "--dashboard"), "has no dashboard", "--no-dashboard")
        processes[0].kill()
        processes[0].wait()
        one_line(brainrnn(*words, *dask), "no Dask scheduler answers", address)
    assert not (tmp_path / "out" / "networks").exists()  # nothing was trained


def test_the_dashboard_answers_where_the_study_says(tmp_path):
    pytest.importorskip("distributed")
    pytest.importorskip("bokeh")
    (tmp_path / "study.toml").write_text(as_toml(FEW))
    with cluster(tmp_path, workers=0, dashboard=True) as (address, _):
        words = ["study", tmp_path / "study.toml", "--out", tmp_path / "out", "--quiet"]
        dask = ("--on", "dask", "--scheduler", address, "--dashboard")
        _, _, errors = brainrnn(*words, *dask)
        page = errors.split()[2]
        with urllib.request.urlopen(page, timeout=30) as answer:
            assert b"Dask" in answer.read()
    first, second = errors.splitlines()
    assert first.startswith("Dask's dashboard: http://127.0.0.1:")
    assert "has no workers" in second


@pytest.mark.slow
def test_a_study_goes_on_with_another_scheduler(tmp_path):
    pytest.importorskip("distributed")
    study, together = longer(1500), tmp_path / "together"
    together.mkdir()
    with cluster(tmp_path) as (address, processes):
        options = ("--on", "dask", "--scheduler", address)
        with study_process(study, together, *options) as process:
            wait_for(lambda: list(together.glob("networks/*/checkpoint.safetensors")), process)
            processes[0].kill()
            _, errors = process.communicate(timeout=120)
            assert process.returncode == 2, errors
            assert "scheduler" in errors.splitlines()[-1]
            assert "the same command goes on" in errors.splitlines()[-1]
            assert "Traceback" not in errors
    with cluster(tmp_path) as (address, _):
        words = ["study", together / "longer.toml", "--out", together, "--quiet"]
        status, _, errors = brainrnn(*words, "--on", "dask", "--scheduler", address)
        assert status == 0, errors
    conduct(study, tmp_path / "alone", progress=False)
    assert_same(tmp_path / "alone", together, "longer")


class Stub:
    """Workers that have done a job as soon as it is asked for."""

    number = room = 8
    told = ""

    def __init__(self):
        self.waiting, self.most = [], 0

    def submit(self, key, function, *arguments):
        self.waiting.append(key)
        self.most = max(self.most, len(self.waiting))

    def next(self, timeout):
        return self.waiting.pop(0), Ended(End.DONE)


def test_ten_thousand_networks_cost_little_to_hand_out(tmp_path):
    few = FEW.cells()
    cells = []
    for i in range(10_000):
        cell = replace(few[i % 3], method=f"m{i}")
        vars(cell)["training"] = f"network-{i // 2}"  # which two of them share
        cells.append(cell)
    stub, lamp = Stub(), Lamp(tmp_path / ".work")
    start = time.process_time()
    shift = Shift(FEW, cells, tmp_path, stub, lamp, [])
    shift.work(progress=False)
    assert time.process_time() - start < 10_000 * 0.001  # the aim is ten times as long
    assert stub.most <= stub.room
    assert not shift.stopped
    assert not stub.waiting
