"""``paper-mlp`` as a user drives it, on small versions of all experiments."""

import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError

import pandas as pd
import pytest
from PIL import Image

from brainrnn.data import DATA
from brainrnn.runs.experiment import load_experiment
from brainrnn.runs.folder import Run
from brainrnn.training.checkpoint import load_checkpoint
from paper_mlp.experiments import EXPERIMENTS
from paper_mlp.methods import METHODS
from paper_mlp.outcome import Outcome
from paper_mlp.session import configurations
from tests.commands import assert_same_training, brainrnn, one_line, paper_mlp
from tests.paper_mlp.small import LIKE, coarse_pictures, files

REPOSITORY = Path(__file__).parents[2]
MEASURES = ("train_loss", "test_loss", "train_accuracy", "test_accuracy", "modularity")


@pytest.fixture(scope="module")
def finished(root, printed):
    assert printed["fig2"]
    return root / "fig2-notebook"


def test_what_is_said_of_a_finished_run(finished, small, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    trained = {name: data for name, data in files(copy).items() if "snapshots" in str(name)}
    status, output, errors = paper_mlp("resume", copy, "--quiet")
    assert (status, errors) == (0, "")
    now = files(copy)
    for name in ("checkpoint.safetensors", "metrics.csv", "config.toml", "results.csv"):
        assert now[Path(name)] == (finished / name).read_bytes()
    assert {name: now[name] for name in trained} == trained
    assert output.startswith("fig2: Two products (Fig. 2; App. A (Fig. A1))")
    networks = pd.read_csv(finished / "results.csv").groupby("method")
    (l1,) = re.findall(r"^L1 .*$", output, re.M)
    (bimt,) = re.findall(r"^BIMT .*$", output, re.M)
    for line, method in ((l1, "l1"), (bimt, "bimt")):
        losses = networks.get_group(method).test_loss
        assert f"test loss {losses.mean():.2e} ± {losses.std():.2e}" in line
        assert "accuracy" not in line
    assert re.search(r"^two modules: L1 \d+%, BIMT \d+%, before training \d+%$", output, re.M)
    assert f"Pictures and numbers of every network: {copy}" in output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "fig22"], ["unknown experiment 'fig22'", "did you mean 'fig2'"]),
        (["run", "mnist"], ["unknown experiment 'mnist'", "fig2", "fig8"]),
        (["run"], ["NAME"]),
        (["run", "fig2", "--methods", "l1,bmit"], ["unknown method 'bmit'", "'bimt'"]),
        (["run", "fig2", "--methods", ""], ["no method given", "vanilla"]),
        (["run", "fig2", "--methods", "l1,l1"], ["occurs twice"]),
        (["run", "fig2", "--seeds", "0"], ["--seeds"]),
        (["run", "fig2", "--seeds", "two"], ["--seeds", "'two'"]),
        (["run", "fig2", "--steps", "0"], ["--steps"]),
        (["run", "fig2", "--settings", "mine"], ["--settings", "notebook", "paper"]),
        (["run", "fig2", "--out", "notes.txt"], ["notes.txt", "choose another --out"]),
        (["run", "fig2", "--out", "notes.txt/run"], ["cannot write"]),
        (["run", "fig2", "--out", "full"], ["full", "not an empty folder"]),
        (["run", "fig2", "fig3a"], ["fig3a"]),
        (["run", "fig2", "--data", "digits"], ["fig2 has no choice of data"]),
        (["tables", "--methods", "bmit"], ["'bimt'"]),
        (["tables", "--seeds", "0"], ["--seeds"]),
        (["tables", "--data", "digits", "--out", "notes.txt/run"], ["cannot write"]),
        (["all", "--methods", ","], ["no method given"]),
        (["resume", "nowhere"], ["no run in nowhere"]),
        (["resume", "full"], ["no run in full"]),
        (["rnu"], ["rnu"]),
    ],
)
def test_bad_commands_are_one_line_and_write_nothing(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    one_line(paper_mlp(*arguments, *(["--quiet"] if arguments[0] != "rnu" else [])), *words)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_in_use_is_left_alone(finished, small):
    before = files(finished)
    result = paper_mlp("run", "fig2", *LIKE, "--out", finished, "--quiet")
    one_line(result, "already holds a run", f"`paper-mlp resume {finished}`")
    assert files(finished) == before


def test_runs_of_others_are_not_resumed(tmp_path):
    config = tmp_path / "mine.toml"
    config.write_text(
        'task = {suite = "formulas", names = ["products"]}\n'
        'network = {kind = "mlp", hidden = [3]}\n'
        'training = {steps = 2, batch = "all"}\n'
    )
    folder = tmp_path / "mine"
    assert brainrnn("train", config, "--out", folder, "--quiet")[0] == 0
    one_line(paper_mlp("resume", folder), f"use `brainrnn resume {folder}`")
    assert not (folder / "results.json").exists()


def test_an_interrupted_run_says_how_to_go_on_and_ends_as_if_it_had_not_stopped(
    finished, small, tmp_path
):
    path = tmp_path / "stopped"
    command = ["run", "fig2", *LIKE, "--out", str(path)]
    slow = (
        "import time, brainrnn.training.loop as t, paper_mlp.cli as cli\n"
        "from tests.paper_mlp.small import small_experiments\n"
        "descend = t.Trainer._descend\n"
        "t.Trainer._descend = lambda *args: (time.sleep(0.03), descend(*args))[1]\n"
        f"with small_experiments(): cli.main({command!r})"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", slow],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env=os.environ,
    )
    deadline = time.time() + 60
    trained = path / "snapshots" / "00000020.npz"
    while not trained.exists() and time.time() < deadline and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert output == ""
    assert re.search(r"stopped at step 2\d of 40, everything is saved", errors)
    assert f"continue with `paper-mlp resume {path}`" in errors
    assert "Traceback" not in errors
    assert not (path / "results.json").exists()
    assert 20 <= load_checkpoint(path / "checkpoint.safetensors")["training"]["step"] < 40
    status, output, _ = paper_mlp("resume", path, "--json", "--quiet")
    assert status == 0
    assert_same_training(finished, path)
    results = [json.loads(text) for text in (output, (finished / "results.json").read_text())]
    for result in results:
        del result["seconds"], result["folder"]
    assert results[0] == results[1]
    assert (path / "results.csv").read_bytes() == (finished / "results.csv").read_bytes()
    for name in ("graph.png", "seeds.svg", "evolution.gif"):
        drawn = [(folder / "figures" / name).read_bytes() for folder in (path, finished)]
        assert drawn[0] == drawn[1]


def test_the_experiments_are_listed():
    output = paper_mlp("list")[1]
    for name, reproduction in EXPERIMENTS.items():
        (line,) = re.findall(rf"^{name} .*$", output, re.M)
        assert reproduction.title in line
        assert reproduction.shows in line
        for check in reproduction.checks:
            assert f"- {check}\n" in output


def test_the_configurations_in_the_repository_are_the_experiments(tmp_path):
    kept = {p.name: p.read_text() for p in (REPOSITORY / "configs" / "paper").iterdir()}
    assert kept == configurations()
    assert paper_mlp("list", "--configs", tmp_path / "new")[0] == 0
    assert {p.name: p.read_text() for p in (tmp_path / "new").iterdir()} == kept
    assert len(kept) == 2 * len(EXPERIMENTS)
    for file in kept:
        name, settings = file.removesuffix(".toml").split("-")
        reproduction = EXPERIMENTS[name]
        experiment = reproduction.experiment(settings, reproduction.methods, reproduction.seeds)
        assert load_experiment(REPOSITORY / "configs" / "paper" / file) == experiment
        networks = len(reproduction.methods) * reproduction.seeds * len(reproduction.perturbations)
        assert experiment.network.members == networks


def test_a_configuration_trains_what_the_command_trains(finished, small, tmp_path):
    config = tmp_path / "fig2.toml"
    shutil.copy(finished / "config.toml", config)
    path = tmp_path / "by brainrnn"
    assert brainrnn("train", config, "--out", path, "--quiet")[0] == 0
    assert_same_training(finished, path)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_runs_at_its_own_size(name, tmp_path):
    path = tmp_path / name
    steps = "20" if name in ("fig5", "figA5", "fig6") else "40"
    options = ["--steps", steps, "--seeds", "2", "--methods", "l1,bimt", "--quiet", "--json"]
    options += ["--data", "digits"] if EXPERIMENTS[name].instead else []
    status, output, errors = paper_mlp("run", name, *options, "--out", path)
    assert (status, errors) == (0, "")
    experiment = Run.open(path).experiment
    network = EXPERIMENTS[name].network
    assert {key: getattr(experiment.network, key) for key in network} == network
    result = json.loads(output)
    assert set(result["methods"]) == {"l1", "bimt"} <= set(METHODS)
    for method in result["methods"].values():
        assert 0 < method["modularity"]["mean"] < 1
    for picture in (path / "figures").glob("*.svg"):
        assert picture.stat().st_size > 5000
        assert picture.with_suffix(".png").stat().st_size > 5000
    with Image.open(path / "figures" / "evolution.gif") as film:
        assert film.n_frames > 1


def test_without_mnist_the_small_digits_are_taken_and_said(small_digits, monkeypatch, tmp_path):
    path = tmp_path / "run"
    status, output, errors = paper_mlp("run", "figA10", *small_digits, "--out", path)
    assert status == 0
    assert errors.count("MNIST is not on this machine") == 1
    assert "scikit-learn's small digits instead" in errors
    assert "Learned: which of scikit-learn's digits" in output
    assert Run.open(path).experiment.task.names == ("digits",)
    # What is there is continued; what is asked for by name must be what is there.
    assert paper_mlp("resume", path, "--quiet")[0] == 0
    root = tmp_path / "root"
    shutil.copytree(path, root / "figA10-notebook")
    monkeypatch.setattr("paper_mlp.session.EXPERIMENTS", {"figA10": EXPERIMENTS["figA10"]})
    assert paper_mlp("all", *small_digits, "--out", root)[0] == 0
    for option in (("--data", "mnist"), ("--data-dir", "x")):
        one_line(paper_mlp("all", *small_digits, *option, "--out", root), "other data (see --data)")


@pytest.fixture
def small_digits(monkeypatch):
    """Options of a very short run, on a machine that neither has MNIST nor can download it."""

    def missing(*_, **__):
        raise URLError("no route to host")

    loaders = {"tasks.images": "_from_network", "paper_mlp.session": "mnist_is_here"}
    for module, loader in loaders.items():
        getattr(importlib.import_module(module), loader).cache_clear()
    monkeypatch.setattr(importlib.import_module("tasks.images"), "fetch_openml", missing)
    monkeypatch.setenv(DATA, "")
    with coarse_pictures():
        yield ("--steps", "20", "--seeds", "1", "--quiet")
    importlib.import_module("paper_mlp.session").mnist_is_here.cache_clear()


@pytest.mark.parametrize("name", ["fig2", "fig8"])
def test_nothing_jumps_in_the_film(name, root, printed, small, monkeypatch):
    places = []

    def collect(figures, *_, **__):
        before = None
        for figure in figures:
            if figure is before:  # as animate does
                figure.set_layout_engine("none")
            figure.draw_without_rendering()
            before, (ax,) = figure, figure.axes
            limits = ax.get_xlim() + ax.get_ylim()
            places.append((*ax.get_position().bounds, *limits, *figure.get_size_inches()))
        return []

    assert printed[name]
    monkeypatch.setattr("paper_mlp.outcome.animate", collect)
    Outcome(EXPERIMENTS[name], Run.open(root / f"{name}-notebook")).animation()
    assert len(places) == 3
    assert len(set(places)) == 1
