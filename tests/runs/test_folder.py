"""Run folders and the command line, as a user drives them."""

import errno
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

import brainrnn as br
from brainrnn.analysis import load, save
from brainrnn.errors import InputError
from brainrnn.training.checkpoint import load_checkpoint
from tests.commands import assert_same_training, brainrnn, one_line

CONFIG = """
seed = 1
[task]
names = ["go", "dm1", "dms"]
[network]
shape = [6, 6]
noise = 0.05
[method]
strength = 1e-4
[method.swap]
every = 5
[training]
steps = 41
batch = 16
log_every = 4
evaluate_every = 10
evaluation_trials = 4
checkpoint_every = 7
[analysis]
trials = 32
accuracy_trials = 8
permutations = 200
k_range = [2, 4]
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "small.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    """A run that trained to its end."""
    path = tmp_path_factory.mktemp("runs") / "whole"
    assert brainrnn("train", config, "--out", path, "--quiet")[0] == 0
    return path


def test_a_run_folder_holds_everything(finished, config):
    assert {p.name for p in finished.iterdir()} == {
        "config.toml",
        "versions.json",
        "trials.csv",
        "metrics.csv",
        "checkpoint.safetensors",
        "checkpoint.previous.safetensors",
    }
    made = json.loads((finished / "versions.json").read_text())
    assert made["torch"] == version("torch")
    assert made["instructions"] == torch.backends.cpu.get_cpu_capability()
    trials = pd.read_csv(finished / "trials.csv")
    assert trials["name"].tolist() == ["go", "dm1", "dms"]
    assert trials.loc[[0, 2], "steps_max"].tolist() == [15, 32]
    assert trials.loc[1, "steps_max"] <= 12
    assert (trials["ceiling"] > 0.9).all()
    metrics = pd.read_csv(finished / "metrics.csv")
    assert metrics["step"].tolist() == [4, 8, 10, 12, 16, 20, 24, 28, 30, 32, 36, 40, 41]
    assert metrics.dropna()["step"].tolist() == [10, 20, 30, 40, 41]


def test_the_resolved_configuration_repeats_the_run(finished, tmp_path):
    again = tmp_path / "again"
    assert brainrnn("train", finished / "config.toml", "--out", again, "--quiet")[0] == 0
    assert (again / "config.toml").read_bytes() == (finished / "config.toml").read_bytes()
    assert_same_training(finished, again)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_run_resumes_exactly(number, finished, config, tmp_path):
    path = tmp_path / "stopped"
    slow = (
        "import time, brainrnn.training.loop as t, brainrnn.cli as cli;"
        "descend = t.Trainer._descend;"
        "t.Trainer._descend = lambda *args: (time.sleep(0.05), descend(*args))[1];"
        f"cli.main(['train', {str(config)!r}, '--out', {str(path)!r}])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", slow], stderr=subprocess.PIPE, text=True, env=os.environ
    )
    deadline = time.time() + 60
    while (
        not (path / "checkpoint.safetensors").exists()
        and time.time() < deadline
        and not process.poll()
    ):
        time.sleep(0.02)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    if number == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == 128 + number
        assert f"continue with `brainrnn resume {path}`" in errors
        assert "Traceback" not in errors
    assert 7 <= load_checkpoint(path / "checkpoint.safetensors")["training"]["step"] < 41
    status, output, _ = brainrnn("resume", path, "--quiet")
    assert status == 0
    assert "Trained 41 steps" in output
    assert_same_training(finished, path)
    assert "already reached its last step" in brainrnn("resume", path)[1]
    assert_same_training(finished, path)


@pytest.mark.parametrize(
    "options",
    [
        ["network.cell=gru", "training.decay=cosine"],
        ["network.members=2", "method.strength=[0.0, 1e-3]", "network.precision=float64"],
        ["method.form=subgradient", "training.decay=none", "network.activation=softplus"],
        ["method.swap.algorithm=descent", "network.tau=200", "network.distance=periodic"],
        ["method.swap.algorithm=assignment", "network.shape=[2, 3, 4]", "training.clip=0"],
        ["task.suite=neurogym", "task.names=['GoNogo-v0', 'DelayMatchSample-v0']"],
    ],
)
def test_every_kind_of_run_resumes_exactly(options, config, tmp_path, monkeypatch):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert brainrnn("train", config, *options, "--out", whole, "--quiet")[0] == 0
    descend = br.Trainer._descend

    def interrupted(self, strength):
        if self.step in (6, 18):
            signal.raise_signal(signal.SIGINT)
        return descend(self, strength)

    monkeypatch.setattr(br.Trainer, "_descend", interrupted)
    status, _, errors = brainrnn("train", config, *options, "--out", parts, "--quiet")
    assert status == 130
    assert "stopped at step 7 of 41" in errors
    assert brainrnn("resume", parts, "--quiet")[0] == 130
    monkeypatch.setattr(br.Trainer, "_descend", descend)
    assert brainrnn("resume", parts, "--quiet")[0] == 0
    assert_same_training(whole, parts)
    assert brainrnn("analyse", parts, "--json")[0] == 0


def test_a_run_that_died_before_its_first_checkpoint_resumes(finished, tmp_path):
    path = tmp_path / "young"
    path.mkdir()
    (path / "config.toml").write_bytes((finished / "config.toml").read_bytes())
    assert brainrnn("resume", path, "--quiet")[0] == 0
    assert_same_training(finished, path)


def test_analyse_and_plot(finished):
    status, output, _ = brainrnn("analyse", finished)
    assert status == 0
    for word in ("accuracy", "ceiling", "isolated", "cluster size", "analysis.nc"):
        assert word in output
    status, output, _ = brainrnn("analyse", finished, "--json")
    result = json.loads(output)
    assert status == 0
    keys = {"accuracy", "accuracy_ceiling", "active", "clusters", "isolated", "cluster_size"}
    assert keys | {"connection_cost", "sparsity"} <= set(result)
    assert {"observed", "null_mean", "z", "p"} <= set(result["isolated"])
    last = pd.read_csv(finished / "metrics.csv").iloc[-1]
    assert result["connection_cost"] == pytest.approx(last["cost"])
    with xr.open_dataset(finished / "analysis.nc", engine="h5netcdf") as brain:
        assert brain.sizes["task"] == 3
        assert brain["null"].sizes["permutation"] == 200
    status, output, _ = brainrnn("analyse", finished, "--json", "analysis.k=3")
    assert json.loads(output)["clusters"] == 3
    status, output, _ = brainrnn("plot", finished)
    assert status == 0
    written = [line for line in output.split() if line]
    assert len(written) == 8
    assert {w.rsplit(".")[-1] for w in written} == {"png", "svg"}
    assert all(os.path.getsize(w) > 5000 for w in written)


def test_every_statistic_on_request(finished, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    (run / "analysis.nc").unlink(missing_ok=True)
    status, output, errors = brainrnn("analyse", run, "--statistics")
    assert status == 0, errors
    assert "statistics.nc" in output
    assert "Moran's I, dms" in output
    tested = load(run / "statistics.nc")
    brain = load(run / "analysis.nc")
    for name in ("isolated", "cluster_size"):
        assert tested.z.sel(statistic=name).item() == brain.z.sel(statistic=name).item()
    drawn = brainrnn("plot", run)[1]
    assert "statistics.png" in drawn
    assert "lengths.svg" in drawn
    # Of another network's they are not drawn.
    tested.attrs["network"] = "another"
    save(tested, run / "statistics.nc")
    assert "statistics.png" not in brainrnn("plot", run)[1]


def test_members_with_their_own_methods_train_in_one_run(config, tmp_path):
    path = tmp_path / "members"
    arguments = ["network.members=2", "method.strength=[0.0, 1e-2]", "training.steps=20"]
    assert brainrnn("train", config, *arguments, "--out", path, "--quiet")[0] == 0
    result = json.loads(brainrnn("analyse", path, "--json", "analysis.active_threshold=0.0")[1])
    assert len(result["members"]) == 2
    assert result["members"][1]["sparsity"] > result["members"][0]["sparsity"]


def test_bad_commands_are_one_line(config, finished, tmp_path):
    new = tmp_path / "new"
    one_line(brainrnn("train", tmp_path / "none.toml"), "no configuration file")
    one_line(brainrnn("train", config, "--outt", new), "--outt")
    one_line(brainrnn("trian"), "trian")
    one_line(brainrnn("train", config, 'task.names=["goo"]', "--out", new), "'go'")
    one_line(brainrnn("train", config, "task.suite=cog200", "--out", new), "cog20")
    one_line(brainrnn("train", config, "task.dt=5000", "--out", new), "dt")
    one_line(brainrnn("train", config, "method.strength=[1e-3, 1e-3]", "--out", new), "2 values")
    one_line(brainrnn("train", config, "device=gpu9", "--out", new), "device")
    one_line(brainrnn("train", config, "network.tau=10", "--out", new), "tau")
    one_line(brainrnn("train", config, "training.steps='500'", "--out", new), "training.steps")
    one_line(brainrnn("train", config, "training.steps=true", "--out", new), "training.steps")
    one_line(
        brainrnn("train", config, "method.biases_from='no'", "--out", new), "method.biases_from"
    )
    one_line(brainrnn("train", config, f"seed={10**30}", "--out", new), "seed")
    one_line(brainrnn("train", config, "task.names=go", "--out", new), "task.names", "list")
    one_line(brainrnn("train", config, "training.clip=unset", "--out", new), "training.clip")
    one_line(brainrnn("train", config, "network.shape=[100000,100000]", "--out", new), "memory")
    one_line(brainrnn("tasks", "show", "go", "--seed", "-1"), "--seed")
    one_line(brainrnn("tasks", "show", "go", "--out", "picture"), ".png")
    one_line(brainrnn("tasks", "show", "goo"), "'go'")
    one_line(brainrnn("tasks", "list", "--dt", "-1"), "dt")
    one_line(brainrnn("analyse", tmp_path), "no run in")
    one_line(brainrnn("analyse", finished, "training.steps=3"), "analysis.k=10")
    one_line(brainrnn("analyse", finished, "analysis.k=30000"), "k")
    assert not new.exists()


def test_nothing_is_overwritten(config, finished, tmp_path):
    before = {p.name: p.read_bytes() for p in finished.iterdir() if p.is_file()}
    one_line(brainrnn("train", config, "--out", finished), "already holds a run", "resume")
    assert {p.name: p.read_bytes() for p in finished.iterdir() if p.is_file()} == before
    (tmp_path / "notes.txt").write_text("mine")
    one_line(brainrnn("train", config, "--out", tmp_path), "not an empty folder")
    one_line(brainrnn("train", config, "--out", tmp_path / "notes.txt"), "notes.txt")
    one_line(brainrnn("train", config, "--out", tmp_path / "notes.txt" / "run"), "cannot write")
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


class Malicious:
    def __reduce__(self):
        return (os.mkdir, ("executed",))


@pytest.mark.parametrize("damage", ["missing", "truncated", "empty", "foreign", "code", "other"])
def test_damaged_checkpoints_are_one_line(damage, finished, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "damaged"
    run.mkdir()
    (run / "config.toml").write_bytes((finished / "config.toml").read_bytes())
    checkpoint = run / "checkpoint.safetensors"
    whole = (finished / "checkpoint.safetensors").read_bytes()
    if damage == "truncated":
        checkpoint.write_bytes(whole[: len(whole) // 2])
    elif damage == "empty":
        checkpoint.write_bytes(b"")
    elif damage == "foreign":
        torch.save({"weights": torch.zeros(3)}, checkpoint)
    elif damage == "code":
        checkpoint.write_bytes(pickle.dumps(Malicious()))
    elif damage == "other":
        config = (run / "config.toml").read_text().replace("6,", "7,")
        (run / "config.toml").write_text(config)
        checkpoint.write_bytes(whole)
    word = {"missing": "no checkpoint", "other": "another experiment"}.get(damage, "not a whole")
    one_line(brainrnn("analyse", run), word)
    if damage != "missing":
        one_line(brainrnn("resume", run), word)
    assert not (tmp_path / "executed").exists()


def test_plot_before_analyse_says_what_to_do(config, tmp_path):
    path = tmp_path / "fresh"
    brainrnn("train", config, "training.steps=2", "--out", path, "--quiet")
    one_line(brainrnn("plot", path), "brainrnn analyse")


def test_a_diverging_run_names_the_step_and_the_last_good_checkpoint(config, tmp_path, monkeypatch):
    path = tmp_path / "diverging"
    descend = br.Trainer._descend

    def poisoned(self, strength):
        if self.step == 20:
            with torch.no_grad():
                self.net.w_out.fill_(torch.nan)
        return descend(self, strength)

    monkeypatch.setattr(br.Trainer, "_descend", poisoned)
    status, _, errors = brainrnn("train", config, "--out", path, "--quiet")
    assert status == 1
    assert "step 21" in errors
    assert "checkpoint.safetensors" in errors
    state = load_checkpoint(path / "checkpoint.safetensors")["training"]
    assert state["step"] == 14
    assert all(bool(v.isfinite().all()) for v in state["network"].values())


def test_the_tasks_can_be_listed_and_drawn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output = brainrnn("tasks", "list")[1]
    assert len(output.splitlines()) == 23
    assert "neurogym" in output.splitlines()[-1]
    assert "ctxdlydm2" in output
    assert brainrnn("tasks", "show", "dms")[0] == 0
    assert (tmp_path / "dms.png").stat().st_size > 5000
    assert brainrnn("tasks", "show", "goseqr")[0] == 0  # of whichever suite has it
    assert (tmp_path / "goseqr.png").stat().st_size > 5000
    assert brainrnn("tasks", "show", "GoNogo-v0", "--suite", "neurogym", "--out", "x.svg")[0] == 0
    assert (tmp_path / "x.svg").read_text().startswith("<?xml")


def test_a_step_that_makes_the_weights_infinite_is_not_saved(config, tmp_path):
    path = tmp_path / "infinite"
    options = ["training.learning_rate=1e38", "training.clip=0.0", "training.steps=1"]
    status, _, errors = brainrnn("train", config, *options, "--out", path, "--quiet")
    assert status == 1
    assert "there is no checkpoint yet" in errors
    assert not (path / "checkpoint.safetensors").exists()


def test_a_full_disk_is_one_line(config, tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    path = tmp_path / "full"
    one_line(brainrnn("train", config, "--out", path, "--quiet"), "No space left")
    assert not list(path.glob(".*"))


def test_one_task_is_analysed_without_modules(config, tmp_path):
    path = tmp_path / "one"
    options = ['task.names=["go"]', "training.steps=5"]
    assert brainrnn("train", config, *options, "--out", path, "--quiet")[0] == 0
    result = json.loads(brainrnn("analyse", path, "--json")[1])
    assert result["clusters"] == 1
    assert 0 <= result["accuracy"] <= 1
    assert "No modules to test" in brainrnn("analyse", path)[1]


def test_help_and_version():
    assert brainrnn("--version")[1].strip() == f"brainrnn {br.__version__}"
    for command in ("train", "resume", "analyse", "plot", "tasks"):
        status, output, _ = brainrnn(command, "--help")
        assert status == 0
        assert "Usage" in output
    assert "training.steps = 3000" in brainrnn("train", "--help")[1]


def test_python_continues_a_run(finished):
    run = br.Run.open(finished)
    assert run.finished
    assert np.isfinite(run.metrics()["loss"]).all()


def test_a_silent_member_leaves_the_pictures_of_the_others(config, tmp_path):
    path = tmp_path / "silent"
    options = ["network.members=2", "method.strength=[0.0, 1e3]", "method.schedule=[[0, 1]]"]
    assert brainrnn("train", config, *options, "--out", path, "--quiet")[0] == 0
    assert brainrnn("resume", path)[0] == 0
    last = pd.read_csv(path / "metrics.csv").tail(2)
    assert last["live"].tolist() == [36, 0]
    assert "no neuron is active" in brainrnn("analyse", path)[1]
    status, output, _ = brainrnn("plot", path)
    assert status == 0
    names = {Path(line).stem for line in output.split()}
    assert names == {"map_0", "task_variance_0", "nulls_0", "map_1", "training"}


def test_every_command_refuses_the_checkpoint_of_another_experiment(finished, tmp_path):
    path = tmp_path / "changed"
    shutil.copytree(finished, path)
    config = (path / "config.toml").read_text()
    (path / "config.toml").write_text(config.replace("strength = 0.0001", "strength = 0.0002"))
    for command in ("resume", "analyse"):
        one_line(brainrnn(command, path), "another experiment", "method")
    assert brainrnn("analyse", finished)[0] == 0
    shutil.copy(finished / "analysis.nc", path)
    one_line(brainrnn("plot", path), "another experiment", "method")


def test_a_checkpoint_of_another_version_is_named_as_such(tmp_path):
    state = {"format": "brainrnn checkpoint 1", "experiment": {}, "training": {}, "metrics": []}
    torch.save(state, tmp_path / "checkpoint.safetensors")
    with pytest.raises(InputError, match="another version of brainrnn"):
        load_checkpoint(tmp_path / "checkpoint.safetensors")
