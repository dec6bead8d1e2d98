"""No room, no memory, no folder: one line, and the last checkpoint stays as it was."""

import os
import shutil
import subprocess
import sys

import pytest

import brainrnn as br
from tests.commands import assert_same_training, brainrnn, one_line

resource = pytest.importorskip("resource")

AT_STEP_20 = """
import resource, sys
import brainrnn as br
from brainrnn.cli import main

descend = br.Trainer._descend

def starved(self, strength):
    if self.step == 20:
        {event}
    return descend(self, strength)

br.Trainer._descend = starved
main(sys.argv[1:])
"""


def train_with(event, config, path, *options):
    words = ["train", str(config), "--out", str(path), "--quiet", *options]
    return subprocess.run(
        [sys.executable, "-c", AT_STEP_20.format(event=event), *words],
        capture_output=True,
        text=True,
        timeout=120,
    )


def one_line_of(process, *words):
    one_line((process.returncode, process.stdout, process.stderr), *words)


def step(path):
    return br.load(path).saved_step


def test_a_limit_of_the_size_of_files(config, finished, tmp_path):
    path = tmp_path / "run"
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))"
    one_line_of(train_with(limit, config, path), "File too large", "make room")
    assert step(path) == 14
    assert not [file for file in path.iterdir() if file.name.startswith(".")]
    assert brainrnn("resume", path, "--quiet")[0] == 0
    assert_same_training(finished, path)


def test_no_memory(config, tmp_path):
    path = tmp_path / "run"
    hungry = (
        "import torch; used = int(open('/proc/self/statm').read().split()[0]) * 4096; "
        "resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, used + 2**26)); torch.ones(2**28)"
    )
    one_line_of(train_with(hungry, config, path), "not enough memory")
    assert step(path) == 14


def test_a_folder_that_disappears(config, finished, tmp_path, monkeypatch):
    path, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    descend = br.Trainer._descend

    def moved(self, strength):
        if self.step == 20:
            path.rename(elsewhere)
        return descend(self, strength)

    monkeypatch.setattr(br.Trainer, "_descend", moved)
    one_line(brainrnn("train", config, "--out", path, "--quiet"), "is gone", "resume")
    monkeypatch.undo()
    assert not path.exists()
    assert step(elsewhere) == 14
    elsewhere.rename(path)
    assert brainrnn("resume", path, "--quiet")[0] == 0
    assert_same_training(finished, path)


@pytest.fixture
def small_disk(tmp_path):
    """A file system with room for few files, where this process may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)]
    if not mounted or subprocess.run(["mount", *options], capture_output=True).returncode:
        pytest.skip("only root may mount a disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_is_full_and_then_read_only(config, finished, small_disk, monkeypatch):
    path, descend = small_disk / "run", br.Trainer._descend

    def filled(self, strength):
        if self.step == 20:
            with open(small_disk / "other", "wb") as file:
                file.write(bytes(10**6))
        return descend(self, strength)

    def fill(self, strength):
        try:
            return filled(self, strength)
        except OSError:  # it is full now
            return descend(self, strength)

    monkeypatch.setattr(br.Trainer, "_descend", fill)
    one_line(brainrnn("train", config, "--out", path, "--quiet"), "No space left", "make room")
    monkeypatch.undo()
    assert step(path) == 14
    (small_disk / "other").unlink()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    one_line(brainrnn("resume", path, "--quiet"), "Read-only file system")
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert brainrnn("resume", path, "--quiet")[0] == 0
    assert_same_training(finished, path)
    assert sorted(os.listdir(path)) == sorted(os.listdir(finished))


def test_a_clock_that_jumps(config, finished, tmp_path, monkeypatch):
    path, clock = tmp_path / "run", iter(range(0, 10**12, 10**7))
    monkeypatch.setattr("time.time", lambda: float(next(clock)))
    assert brainrnn("train", config, "--out", path, "--quiet")[0] == 0
    assert_same_training(finished, path)
