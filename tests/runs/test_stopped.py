"""Runs that are asked to stop, begun twice, begun again, or left by a process that was killed."""

import os
import signal
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

import pytest

import brainrnn as br
from brainrnn.files import atomic_path, claim
from brainrnn.runs.stopping import REQUESTS
from tests.commands import assert_same_training, brainrnn, one_line
from tests.runs.test_folder import CONFIG

ROOT = Path(__file__).parents[2]
GONE = ".brainrnn-4194305-0a1b2c3d-{machine}-abcd_123.toml"  # no process has such a number


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def at_step_7(monkeypatch):
    """Have something happen while the seventh step is done."""

    def at(event):
        descend = br.Trainer._descend

        def interrupted(self, strength):
            if self.step == 6:
                event()
            return descend(self, strength)

        monkeypatch.setattr(br.Trainer, "_descend", interrupted)

    return at


@pytest.mark.parametrize("number", REQUESTS)
def test_each_request_saves_and_is_told_by_the_exit_status(
    number, config, finished, tmp_path, at_step_7, monkeypatch
):
    handlers = [signal.getsignal(request) for request in REQUESTS]
    at_step_7(lambda: signal.raise_signal(number))
    status, _, errors = brainrnn("train", config, "--out", tmp_path / "run", "--quiet")
    assert status == 128 + number
    assert errors.startswith("stopped at step 7 of 41, everything is saved")
    assert errors.count("\n") == 1
    assert [signal.getsignal(request) for request in REQUESTS] == handlers
    monkeypatch.undo()
    assert brainrnn("resume", tmp_path / "run", "--quiet")[0] == 0
    assert_same_training(finished, tmp_path / "run")


LEAVE = "import signal; from brainrnn.runs.stopping import *; leave_on_request('me')"


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("signal.raise_signal(15)", 143, ""),
        ("import slow", 130, ""),
        (
            "with stop_requests() as stop:\n"
            "    signal.raise_signal(2); print(stop, flush=True); signal.raise_signal(2)",
            130,
            "[2]\n",
        ),
    ],
)
def test_outside_of_training_a_request_is_one_line(code, status, said, tmp_path):
    """While modules are imported too, whatever they do with exceptions; and the second at once."""
    (tmp_path / "slow.py").write_text(
        "import signal\ntry: signal.raise_signal(2)\nexcept BaseException: pass\n"
    )
    done = _python(f"{LEAVE}\n{code}", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (status, said, "me: interrupted\n")


def _python(code, *path):
    where = os.pathsep.join(map(str, (ROOT, *path)))
    environment = os.environ | {"PYTHONPATH": where}
    words = [sys.executable, "-c", code]
    return subprocess.run(words, capture_output=True, text=True, env=environment, timeout=120)


def test_a_terminal_that_is_closed(config, tmp_path):
    """The run is saved, though neither its bar nor its last words can be written."""
    termios, fcntl = pytest.importorskip("termios"), pytest.importorskip("fcntl")
    ours, its = os.openpty()
    path, words = tmp_path / "run", ["train", str(config), "training.steps=100000", "--out"]
    process = subprocess.Popen(
        [sys.executable, "-m", "brainrnn", *words, str(path)],
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(its)
    try:
        deadline = time.monotonic() + 120
        while not (path / "metrics.csv").exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
        before = br.load(path).saved_step
        os.close(ours)
        assert process.wait(60) == 128 + signal.SIGHUP
    finally:
        process.kill()
    assert br.load(path).saved_step > before


def test_nohup_is_respected():
    done = _python(
        "import signal; signal.signal(1, signal.SIG_IGN)\n"
        "from brainrnn.runs.stopping import *\n"
        "leave_on_request('me')\n"
        "with stop_requests() as stop: signal.raise_signal(1)\n"
        "print(stop)"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_the_commands_listen_before_they_import_anything_large():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert set(scripts.values()) == {"brainrnn.__main__:main", "paper_mlp.__main__:main"}
    done = _python(
        "import brainrnn.__main__, paper_mlp.__main__, sys\n"
        "print({'torch', 'numpy', 'click'} & sys.modules.keys())"
    )
    assert done.stdout == "set()\n"


def test_a_second_process_is_refused(config, tmp_path, at_step_7):
    path = tmp_path / "run"
    refused = []

    def others():
        refused.append(brainrnn("resume", path, "--quiet"))
        refused.append(brainrnn("resume", path, "training.steps=50", "--quiet"))
        refused.append(brainrnn("train", config, "--out", path, "--resume", "--quiet"))
        before.append((path / "config.toml").read_bytes())

    before: list[bytes] = []
    at_step_7(lambda: None if refused or not path.exists() else (refused.append(None), others()))
    assert brainrnn("train", config, "--out", path, "--quiet")[0] == 0
    for result in refused[1:]:
        one_line(result, f"another process trains {path}")
    assert len(refused) == 4
    assert before == [(path / "config.toml").read_bytes()]
    assert ".lock" not in names(path)


def test_of_two_that_begin_together_one_is_refused(tmp_path):
    barrier, ends = threading.Barrier(2), {}

    def begin(seed):
        experiment = br.runs.load_experiment(tmp_path / "small.toml", [f"seed={seed}"])
        barrier.wait()
        try:
            ends[seed] = br.Run.create(tmp_path / "run", experiment)
        except br.InputError as error:
            ends[seed] = error

    (tmp_path / "small.toml").write_text(CONFIG)
    threads = [threading.Thread(target=begin, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (seed,) = [seed for seed, end in ends.items() if isinstance(end, br.Run)]
    assert br.load(tmp_path / "run").experiment.seed == seed
    assert names(tmp_path / "run") == ["config.toml"]


def test_train_begins_or_continues(config, finished, tmp_path, at_step_7, monkeypatch):
    path = tmp_path / "run"
    train = ("train", config, "--out", path, "--quiet")
    at_step_7(lambda: signal.raise_signal(signal.SIGTERM))
    assert brainrnn(*train, "--resume")[0] == 143
    monkeypatch.undo()
    one_line(brainrnn(*train), "holds this very run, at step 7 of 41", "--resume", "resume")
    other = brainrnn(*train, "--resume", "method.strength=1e-3")
    one_line(other, "another run, its method differs")
    assert "Trained 41 steps" in brainrnn(*train, "--resume")[1]
    assert_same_training(finished, path)
    status, output, _ = brainrnn(*train, "--resume")
    assert (status, "already reached its last step" in output) == (0, True)
    one_line(brainrnn(*train), "already holds a run")


def test_what_a_killed_process_left_is_removed(config, finished, tmp_path):
    path = tmp_path / "run"
    path.mkdir()
    (path / GONE.format(machine=os.uname().nodename)).write_text("half")
    (path / ".lock").touch()
    assert brainrnn("train", config, "--out", path, "--quiet")[0] == 0
    assert names(path) == names(finished)
    assert_same_training(finished, path)
    (path / ".lock").touch()  # killed in the moment before it would have been removed
    assert "already reached" in brainrnn("train", config, "--out", path, "--resume")[1]
    assert names(path) == names(finished)


def test_what_others_write_stays(tmp_path):
    mine = f".brainrnn-{os.getpid()}-0a1b2c3d-{os.uname().nodename}-abcd_123"  # an earlier process
    old, new = GONE.format(machine="old"), GONE.format(machine="new")
    parent = f".brainrnn-{os.getppid()}-0a1b2c3d-{os.uname().nodename}-abcd_123.nc"
    for name in (mine, old, new, parent, ".config-abcd_123.toml"):
        (tmp_path / name).touch()
    os.utime(tmp_path / old, (0, 0))
    with atomic_path(tmp_path / "a.txt"), atomic_path(tmp_path / "b.txt"):
        pass
    assert names(tmp_path) == sorted([new, parent, ".config-abcd_123.toml", "a.txt", "b.txt"])


def test_a_folder_that_cannot_be_claimed(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(br.InputError, match="cannot write"), claim(tmp_path / "file"):
        pass
