"""Studies on a real Slurm: the same numbers as in one process, whatever happens to its jobs."""

import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from brainrnn.config import as_toml
from brainrnn.errors import InputError
from brainrnn.study import conduct
from brainrnn.study.jobs import is_trained
from brainrnn.study.signs import told
from brainrnn.training.checkpoint import load_checkpoint
from tests.commands import brainrnn, one_line
from tests.study.slurm.conftest import said, wait_for
from tests.study.test_workers import FEW, MAIN, assert_same, longer

pytestmark = pytest.mark.slow
STUDY = longer(4000)
SELDOM = STUDY.experiment.training.model_copy(update={"checkpoint_every": 10_000})
STUDY = STUDY.model_copy(
    update={"experiment": STUDY.experiment.model_copy(update={"training": SELDOM})}
)  # so that nothing is saved but by those who are asked to end


def states(*options):
    """The states of Slurm jobs that have not ended, by their numbers."""
    lines = said("squeue", "--noheader", "--format=%i %T", *options).splitlines()
    return dict(line.split() for line in lines)


def command(out, *options):
    file = out / "study.toml"
    file.write_text(as_toml(STUDY))
    words = ["study", file, "--out", out, "--on", "slurm", "--slurm", "time=10", *options]
    return [sys.executable, "-c", MAIN, *map(str, words)]


@pytest.fixture
def begin(slurm, tmp_path):
    """Begin a study, and wait until it trains."""
    processes = []

    def begin(*options):
        process = subprocess.Popen(command(tmp_path, *options), stderr=subprocess.PIPE, text=True)
        processes.append(process)
        wait_for(lambda: process.poll() is not None or at_work(tmp_path), 120)
        assert process.poll() is None, process.stderr.read()
        return process

    yield begin
    for process in processes:
        process.kill()
        process.wait()
    said("scancel", "--state=RUNNING")
    said("scancel", "--state=PENDING")
    wait_for(lambda: not states())


def at_work(out):
    """Notes of networks that are at work, by their folders."""
    found = {path: told(out / ".work", path.name) for path in out.glob("networks/*")}
    return {path: note for path, note in found.items() if note.get("step", 0) > 20}


def saved(network):
    """The step at which a network was saved."""
    file = network / "checkpoint.safetensors"
    return load_checkpoint(file)["training"]["step"] if file.exists() else 0


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    out = tmp_path_factory.mktemp("alone")
    conduct(STUDY, out, on="serial", progress=False)
    return out


def test_a_study_on_slurm_is_the_same(slurm, tmp_path):
    conduct(FEW, tmp_path / "serial", on="serial", progress=False)
    options = {"mem": "500", "ntasks": "2"}  # two workers
    conduct(FEW, tmp_path / "slurm", on="slurm", workers=1, slurm=options, progress=False)
    assert_same(tmp_path / "serial", tmp_path / "slurm")
    wait_for(lambda: not states())
    assert not list((tmp_path / "slurm").glob(".work/slurm-*"))


def cancel(job, process):
    said("scancel", job)


def tell_that_time_is_over(job, process):
    said("scancel", "--signal=USR2", job)


def requeue(job, process):
    said("scontrol", "requeue", job)


def kill(job, process):
    os.kill(process, signal.SIGKILL)


@pytest.mark.parametrize(
    ("disturb", "ends", "saves"),
    [
        (cancel, "CANCELLED", True),
        (tell_that_time_is_over, "COMPLETED", True),
        (requeue, "PENDING", True),
        (kill, "FAILED", False),
    ],
)
def test_what_a_lost_slurm_job_did_is_done_by_another(disturb, ends, saves, alone, begin, tmp_path):
    before = states("--states=all")
    process = begin("--workers", "2", "--quiet")
    network, note = at_work(tmp_path).popitem()
    job = job_of(note["process"])
    disturb(job, note["process"])
    wait_for(lambda: states("--states=all")[job] == ends, 60)
    assert (saved(network) >= note["step"]) == saves
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert_same(alone, tmp_path, STUDY.name)
    assert len(states("--states=all").keys() - before) == 2 + (ends != "PENDING")


def job_of(process):
    """The Slurm job to which a process belongs."""
    with open(f"/proc/{process}/environ") as file:
        return dict(word.partition("=")[::2] for word in file.read().split("\0"))["SLURM_JOB_ID"]


def test_ctrl_c_leaves_no_slurm_job_and_the_same_command_goes_on(alone, begin, tmp_path):
    process = begin("--workers", "2", "--quiet")
    notes = at_work(tmp_path)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "continue with the same command" in errors.splitlines()[-1]
    wait_for(lambda: not states(), 40)
    assert notes
    for network, note in notes.items():
        assert saved(network) >= note["step"]
        assert not is_trained(network)
    again = subprocess.run(command(tmp_path, "--quiet"), capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert_same(alone, tmp_path, STUDY.name)


def test_slurm_jobs_that_wait_are_told_and_are_cancelled_too(begin, tmp_path):
    said("sbatch", "--wrap=sleep 600", "--output=/dev/null", "--job-name=other")
    process = begin("--workers", "2")
    lines = []
    with suppress(StopIteration):
        while "1 running, 1 pending (Resources)" not in "".join(lines):
            lines.append(next(process.stderr))
    assert "1 running, 1 pending (Resources)" in "".join(lines)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    wait_for(lambda: len(states()) == 1, 40)
    assert said("squeue", "--noheader", "--format=%j") == "other"


def test_a_partition_that_does_not_exist_is_one_line(slurm, tmp_path):
    (tmp_path / "study.toml").write_text(as_toml(FEW))
    words = ["study", tmp_path / "study.toml", "--out", tmp_path / "out", "--on", "slurm"]
    one_line(brainrnn(*words, "--slurm", "partition=bad"), "the cluster refuses", "bad")
    one_line(brainrnn(*words, "--slurm", "no-such=1"), "the cluster refuses", "no-such")
    assert not states()
    assert not list((tmp_path / "out").rglob("*"))


def test_slurm_jobs_that_cannot_work_are_one_line(slurm, tmp_path, monkeypatch):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "torch.py").write_text("raise SystemExit('no torch on this machine')")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    with pytest.raises(InputError, match=r"no torch on this machine.*_log\.out"):
        conduct(FEW, tmp_path / "out", on="slurm", workers=2, progress=False)
    wait_for(lambda: not states())
    assert not (tmp_path / "out" / "networks").exists()
