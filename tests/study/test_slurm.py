"""Slurm jobs without a Slurm: what is refused, and what happens when they are lost.

tests/study/slurm/ has the tests with a real one.
"""

import sys
import threading
from types import SimpleNamespace

import pytest

from brainrnn.config import as_toml
from brainrnn.errors import InputError
from brainrnn.files import claim
from brainrnn.runs.versions import versions
from brainrnn.study import slurm_jobs, slurm_worker
from brainrnn.study.crew import LostError
from brainrnn.study.jobs import End, Ended
from brainrnn.study.shift import Shift
from brainrnn.study.signs import Lamp
from brainrnn.study.slurm import checked
from brainrnn.study.slurm_jobs import SlurmJobs
from brainrnn.study.trays import Trays
from tests.commands import brainrnn, one_line
from tests.study.test_workers import FEW, square

submitit = pytest.importorskip("submitit")


@pytest.fixture
def words(tmp_path):
    (tmp_path / "study.toml").write_text(as_toml(FEW))
    return ["study", tmp_path / "study.toml", "--out", tmp_path / "out", "--quiet"]


def fake(folder, **scripts):
    """Commands of Slurm that are scripts."""
    folder.mkdir()
    for name in ("sbatch", "srun", "squeue", "scancel"):
        (folder / name).write_text(f"#!/bin/sh\n{scripts.get(name, 'exit 0')}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_what_slurm_lacks_is_one_line(words, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    one_line(brainrnn(*words, "--on", "slurm"), "there is no sbatch here", "login node")
    refusal = "echo 'sbatch: error: invalid partition specified: gpu' >&2; exit 1"
    monkeypatch.setenv("PATH", fake(tmp_path / "bin", sbatch=refusal))
    bad = brainrnn(*words, "--on", "slurm", "--slurm", "partition=gpu")
    one_line(bad, "the cluster refuses a Slurm job: invalid partition specified: gpu")
    monkeypatch.setenv("PATH", fake(tmp_path / "odd", sbatch="echo hello"))
    one_line(brainrnn(*words, "--on", "slurm"), "the cluster refuses a Slurm job", "hello")
    monkeypatch.setitem(sys.modules, "submitit", None)
    one_line(brainrnn(*words, "--on", "slurm"), "pip install 'brainrnn[slurm]'")
    assert not (tmp_path / "out" / "small").exists()
    assert not list((tmp_path / "out" / ".work").glob("slurm-*"))


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("partition gpu=1", "expected a long option of sbatch"),
        ("=5", "expected a long option of sbatch"),
        ("p=gpu", "expected a long option of sbatch"),
        ("comment=two\nlines", "expected a long option of sbatch"),
        ("array=1-5", "the study sets it"),
        ("--job_name=mine", "the study sets it"),
        ("ntasks=many", "expected a number of workers"),
        ("ntasks=0", "expected a number of workers"),
    ],
)
def test_options_that_cannot_be_are_one_line(option, said, words):
    one_line(brainrnn(*words, "--on", "slurm", "--slurm", option), said)


def test_options_of_slurm_are_for_slurm(words):
    refused = brainrnn(*words, "--on", "serial", "--slurm", "partition=cpu")
    one_line(refused, "for --on slurm, not for --on serial")


def test_options_are_written_for_sbatch(tmp_path):
    options = checked({"--cpus_per_task": "2", "exclusive": "", "comment": "it's mine"})
    executor = submitit.SlurmExecutor.__new__(submitit.SlurmExecutor)
    super(submitit.SlurmExecutor, executor).__init__(tmp_path)
    executor.update_parameters(additional_parameters={k: v or True for k, v in options.items()})
    text = executor._make_submission_file_text("true", "1")
    for line in ("--cpus-per-task=2", "--exclusive", """--comment='it'"'"'s mine'"""):
        assert f"#SBATCH {line}\n" in text


class Cluster:
    """A Slurm of which a test says what happens to its jobs."""

    def __init__(self, folder):
        self.folder, self.states, self.full = folder, {}, False

    def submit(self, function, *arguments):
        if self.full:
            raise submitit.core.utils.FailedJobError("sbatch: error: QOSMaxSubmitJobLimit")
        number = str(len(self.states) + 1)
        self.states[number] = "RUNNING"
        paths = SimpleNamespace(stdout=self.folder / f"{number}_0_log.out")
        return SimpleNamespace(job_id=number, paths=paths)

    def work(self, number):
        """Do one job of the study in a Slurm job."""
        trays = Trays(self.folder)
        key, function, arguments = trays.take(f"{number}-0")
        trays.answer(key, function(*arguments))


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Slurm jobs that look at once, and their cluster."""
    monkeypatch.setattr(slurm_jobs, "_SOON", 0.001)
    monkeypatch.setattr(slurm_jobs, "_SELDOM", 0.0)

    def begin(number=2, tasks=1):
        lamp = Lamp(tmp_path / ".work")
        cluster = Cluster(tmp_path / ".work" / "slurm-1")
        crew = SlurmJobs(cluster, "slurm-1", number, tasks, lamp.path)

        def states():
            crew._reasons = dict.fromkeys(cluster.states, "Resources")
            return dict(cluster.states)

        crew._states = states
        return crew, cluster, lamp

    return begin


def test_as_many_slurm_jobs_as_there_is_work_for(begin):
    crew, cluster, _ = begin(number=3, tasks=2)
    assert len(cluster.states) == 1
    for number in range(9):
        crew.submit(number, square, number)
        assert len(cluster.states) == min(3, number // 2 + 1)
    assert crew.room == 12
    for number in range(9):
        cluster.work("1")
        assert crew.next(1) == (number, number**2)
    assert crew.next(0.01) is None


def test_what_waits_is_told(begin):
    crew, cluster, _ = begin()
    crew.submit("a", square, 1)
    crew.submit("b", square, 2)
    assert crew.next(0) is None
    assert crew.told == "2 running, 0 pending"
    cluster.states["2"] = "PENDING"
    assert crew.next(0) is None
    assert crew.told == "1 running, 1 pending (Resources)"


@pytest.mark.parametrize("state", ["CANCELLED", "NODE_FAIL", "TIMEOUT", "FAILED", "PENDING"])
def test_what_a_slurm_job_took_is_handed_out_again(state, begin):
    crew, cluster, _ = begin(number=1)
    crew.submit("a", square, 3)
    Trays(cluster.folder).take("1-0")
    assert crew.next(0) is None
    cluster.states["1"] = state
    assert crew.next(0) is None
    replaced = state != "PENDING"  # by its own requeue
    assert list(cluster.states) == ["1", "2"][: 1 + replaced]
    cluster.work("2" if replaced else "1")
    assert crew.next(1) == ("a", 9)


def test_slurm_jobs_that_end_in_vain_again_and_again_are_said(begin):
    crew, cluster, lamp = begin(number=2)
    crew.submit("a", square, 3)
    crew.submit("b", square, 4)
    for _ in range(2):
        cluster.states = dict.fromkeys(cluster.states, "OUT_OF_MEMORY")
        assert crew.next(0) is None
    assert len(cluster.states) == 6
    for job in ("5", "6"):
        cluster.states[job] = "OUT_OF_MEMORY"
        (cluster.folder / f"{job}_0_log.out").write_text("Killed here\n\nsrun: error: exit 9\n")
    with pytest.raises(LostError, match=r"OUT_OF_MEMORY\): Killed here; see .*mem=8G"):
        crew.next(0)
    lamp.out()
    assert crew.next(1) == ("a", Ended(End.STOPPED))  # the error stood for the other
    assert crew.next(0) is None


def test_a_study_of_which_all_slurm_jobs_fail_ends_with_that_error(begin, tmp_path):
    crew, cluster, lamp = begin(number=1)
    crew._states = lambda: dict.fromkeys(cluster.states, "FAILED")
    with pytest.raises(LostError, match="nothing done"):
        Shift(FEW, FEW.cells(), tmp_path, crew, lamp, []).work(progress=False)
    assert not lamp.path.exists()


def test_slurm_jobs_may_be_taken_away_again_and_again(begin):
    crew, cluster, _ = begin(number=1)
    crew.submit("a", square, 3)
    for state in ("CANCELLED", "PREEMPTED", "NODE_FAIL", "COMPLETED", "CANCELLED"):
        cluster.states[str(len(cluster.states))] = state
        assert crew.next(0) is None
    assert len(cluster.states) == 6


def test_what_is_done_twice_counts_once(begin):
    crew, cluster, _ = begin(number=1)
    crew.submit("a", square, 3)
    crew.submit("b", square, 4)
    number, function, arguments = Trays(cluster.folder).take("1-0")
    cluster.states["1"] = "NODE_FAIL"
    assert crew.next(0) is None
    cluster.work("2")
    assert crew.next(1) == ("a", 9)
    Trays(cluster.folder).answer(number, function(*arguments))  # the machine was there after all
    cluster.work("2")
    assert crew.next(1) == ("b", 16)


def test_a_result_between_says_that_slurm_jobs_work(begin):
    crew, cluster, _ = begin(number=1)
    for number in range(4):
        crew.submit(number, square, number)
        cluster.work(str(len(cluster.states)))
        assert crew.next(1) == (number, number**2)
        crew.submit("left", square, 5)
        cluster.states[str(len(cluster.states))] = "FAILED"
        assert crew.next(0) is None
        cluster.work(str(len(cluster.states)))
        assert crew.next(1) == ("left", 25)


def test_slurm_jobs_that_write_no_log_do_not_see_the_folder(begin):
    crew, cluster, _ = begin(number=1)
    crew.submit("a", square, 3)
    for _ in range(2):
        cluster.states = dict.fromkeys(cluster.states, "FAILED")
        assert crew.next(0) is None
    cluster.states = dict.fromkeys(cluster.states, "FAILED")
    with pytest.raises(LostError, match="perhaps its machine does not see"):
        crew.next(0)


def test_a_cluster_that_takes_no_more_slurm_jobs_works_with_fewer(begin):
    crew, cluster, _ = begin(number=5)
    crew.submit("a", square, 3)
    crew.submit("b", square, 4)
    cluster.full = True
    with pytest.warns(UserWarning, match=r"QOSMaxSubmitJobLimit; going on with 2"):
        crew.submit("c", square, 5)
    crew.submit("d", square, 6)
    found = []
    for _ in range(4):
        cluster.work("2")
        found.append(crew.next(1))
    assert found == [("a", 9), ("b", 16), ("c", 25), ("d", 36)]
    crew.submit("e", square, 7)
    cluster.states = dict.fromkeys(cluster.states, "CANCELLED")
    with pytest.raises(LostError, match="the cluster refuses"):
        crew.next(0)


def test_when_the_user_stops_nothing_waits_for_a_slurm_job(begin):
    crew, cluster, lamp = begin(number=2)
    for name in "abc":
        crew.submit(name, square, 1)
    cluster.states["2"] = "PENDING"
    Trays(cluster.folder).take("1-0")
    lamp.out()
    assert {crew.next(1), crew.next(1)} == {("b", Ended(End.STOPPED)), ("c", Ended(End.STOPPED))}
    assert crew.next(0) is None
    cluster.states = dict.fromkeys(cluster.states, "CANCELLED")
    assert crew.next(1) == ("a", Ended(End.STOPPED))
    assert len(cluster.states) == 2


def work(monkeypatch, folder, lamp, needed):
    """A worker in this process, in a thread that may not say what signals do."""
    monkeypatch.setattr(
        submitit, "JobEnvironment", lambda: SimpleNamespace(job_id="1", global_rank=0)
    )
    monkeypatch.setattr(slurm_worker.signal, "signal", lambda *_: None)
    thread = threading.Thread(target=slurm_worker.work, args=(folder, lamp.path, needed))
    thread.start()
    return thread


def test_a_worker_of_other_versions_is_said(begin, monkeypatch):
    crew, cluster, lamp = begin(number=1)
    crew.submit("a", square, 3)
    with claim(cluster.folder, slurm_worker.CONDUCTED):
        work(monkeypatch, cluster.folder, lamp, versions() | {"torch": "0.1"}).join()
    with pytest.raises(InputError, match=r"a worker has torch .*, this process 0.1"):
        crew.next(1)


def test_a_worker_that_does_not_see_locks_is_said(begin, monkeypatch):
    crew, cluster, lamp = begin(number=1)
    crew.submit("a", square, 3)
    work(monkeypatch, cluster.folder, lamp, versions()).join()
    with pytest.raises(InputError, match=r"locks in .* hold on one machine only"):
        crew.next(1)


def stop():
    return End.STOPPED


def test_a_worker_does_jobs_until_the_lamp_goes_out(begin, monkeypatch):
    crew, cluster, lamp = begin(number=1)
    crew.submit("a", square, 3)
    Trays(cluster.folder).take("1-0")  # by this Slurm job before it was requeued
    crew.submit("b", square, -1)
    with claim(cluster.folder, slurm_worker.CONDUCTED):
        thread = work(monkeypatch, cluster.folder, lamp, versions())
        assert crew.next(10) == ("a", 9)
        with pytest.raises(InputError, match="-1 is below 0"):
            crew.next(10)
        lamp.out()
        thread.join(10)
        assert not thread.is_alive()


def test_what_a_worker_stopped_is_for_another_while_the_lamp_burns(begin):
    _, cluster, lamp = begin(number=1)
    trays = Trays(cluster.folder)
    for burns in (True, False):
        trays.put(1, stop, ())
        job = trays.take("1-0")
        if not burns:
            lamp.out()
        slurm_worker._do(trays, "1-0", lamp.path, *job)
        assert (trays.take("2-0") is not None) == burns
        assert list(trays.answers()) == ([] if burns else [(1, End.STOPPED)])
