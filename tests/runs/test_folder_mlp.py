"""Runs of feed-forward networks, as a user drives them."""

import json
import shutil
import signal
import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

import brainrnn as br
from brainrnn.config import as_toml, build, read_toml
from brainrnn.runs.experiment import Experiment, build_network, load_experiment, load_suite
from brainrnn.training.checkpoint import load_checkpoint, save_checkpoint
from brainrnn.training.snapshots import load_snapshot, save_snapshot
from tests.commands import assert_same_training, brainrnn, one_line

CONFIG = """
name = "small"
seed = 1
[task]
suite = "formulas"
names = ["products"]
options = {train = 30, test = 20}
[network]
kind = "mlp"
hidden = [6, 5]
members = 3
starts = [0, 1, 0]
perturbation = [0.0, 0.1, 1e-3]
[method]
strength = [0.0, 1e-2, 1e-2]
locality = [1.0, 1.0, 2.0]
form = "subgradient"
interpolation = "constant"
biases_from = 0.5
schedule = [[0, 1.0], [0.5, 3.0]]
[method.swap]
every = 5
top_k = 3
[training]
steps = 41
batch = "all"
decay = "none"
clip = 0
learning_rate = 1e-2
log_every = 4
evaluate_every = 10
checkpoint_every = 7
snapshot_every = 6
"""
MOONS = ["task.suite=two_moons", "task.names=unset"]
SUM = ["task.suite=groups", "task.names=['addition']", "task.options={size=5}"]
SEQUENCES = [
    "task={suite='in_context', options={examples=60}}",
    "network={kind='transformer', width=8, heads=2, layers=1, members=3}",
    "training.batch=16",
]
IMAGES = [
    "task={suite='images', names=['digits']}",
    "network={kind='mlp', layout='planes', hidden=[9, 4], members=3}",
    "training.batch=16",
]


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "small.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    """A run that trained to its end."""
    path = tmp_path_factory.mktemp("runs") / "whole"
    status, output, _ = brainrnn("train", config, "--out", path, "--quiet")
    assert status == 0
    assert "Trained 41 steps; test loss " in output
    return path


def test_a_run_folder_holds_everything(finished):
    assert {p.name for p in finished.iterdir()} == {
        "config.toml",
        "versions.json",
        "metrics.csv",
        "checkpoint.safetensors",
        "checkpoint.previous.safetensors",
        "snapshots",
    }
    metrics = pd.read_csv(finished / "metrics.csv")
    assert metrics["member"].tolist() == [0, 1, 2] * 13
    evaluated = metrics.dropna(subset="test_loss")["step"]
    assert evaluated.unique().tolist() == [10, 20, 30, 40, 41]
    assert metrics["accuracy"].isna().all()
    moved = metrics.groupby("member")["moves"].sum()
    assert moved[0] == 0
    assert (moved[[1, 2]] > 0).all()


def test_snapshots_are_the_network_as_it_was(finished):
    run = br.Run.open(finished)
    paths = sorted((finished / "snapshots").iterdir())
    steps = [0, 6, 12, 18, 24, 30, 36, 41]
    assert [p.name for p in paths] == [f"{step:08d}.npz" for step in steps]
    film = list(run.evolution())
    assert [step for step, _ in film] == steps
    start = build_network(run.experiment.network, run.suite, seed=run.experiment.seed)
    last = load_checkpoint(finished / "checkpoint.safetensors")["training"]["network"]
    for net, state in ((film[0][1], start.state_dict()), (film[-1][1], last)):
        assert net.state_dict().keys() == state.keys()
        for name, value in net.state_dict().items():
            assert torch.equal(value, state[name]), name
    costs = [br.connection_cost(net, run.experiment.method) for _, net in film]
    assert torch.equal(costs[-1], br.connection_cost(run.net, run.experiment.method))
    assert all(bool((a != b).all()) for a, b in pairwise(costs))


def test_a_snapshot_keeps_single_precision_and_every_place(tmp_path):
    def network(seed):
        return br.MLP.on_lines(5, 3, tokens=True, members=2, seed=seed, dtype=torch.float64)

    net = network(0)
    net.anatomy.move("h1", torch.stack([torch.randperm(20) for _ in range(2)]))
    save_snapshot(tmp_path, net, 123)
    other = network(1)
    before = {name: value.clone() for name, value in other.state_dict().items()}
    step, read = load_snapshot(tmp_path / "00000123.npz", other)
    assert step == 123
    for name, value in read.state_dict().items():
        expected = net.state_dict()[name]
        assert torch.equal(value, expected.float().to(value.dtype)), name
        assert torch.equal(other.state_dict()[name], before[name])  # it is a copy that was filled
    costs = [br.connection_cost(n, br.BIMT()) for n in (read, net)]
    assert torch.allclose(*costs, rtol=1e-6)


@pytest.mark.parametrize("damage", ["empty", "text", "truncated", "bits", "missing part", "other"])
def test_a_damaged_snapshot_is_one_line(damage, tmp_path):
    net = br.MLP.on_lines(4, 2)
    save_snapshot(tmp_path, net, 1)
    path = tmp_path / "00000001.npz"
    whole = path.read_bytes()
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_text("step 1")
    elif damage == "truncated":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "bits":
        with zipfile.ZipFile(path) as archive:
            start = archive.getinfo("fc1.weight.npy").header_offset
        path.write_bytes(whole[: start + 100] + bytes(50) + whole[start + 150 :])
    elif damage == "missing part":
        np.savez(path, **{"fc0.weight": net.get_parameter("fc0.weight").detach().numpy()})
    else:
        save_snapshot(tmp_path, br.MLP.on_lines(4, 3), 1)
    with pytest.raises(br.InputError, match=r"00000001.npz is damaged or of another") as raised:
        load_snapshot(path, net)
    assert "\n" not in str(raised.value)


class Killed(BaseException):
    """The process dies here: nothing catches this."""


@pytest.mark.parametrize(
    ("death", "options"),
    [
        ("killed", []),
        ("interrupted", []),
        ("interrupted", ["training.batch=8"]),
        ("interrupted", ["network.precision=float64", *SUM]),
        ("killed", SEQUENCES),
        ("interrupted", SEQUENCES),
        ("interrupted", IMAGES),
    ],
)
def test_a_stopped_run_resumes_exactly(death, options, config, finished, tmp_path, monkeypatch):
    whole, parts = finished, tmp_path / "parts"
    if options:
        whole = tmp_path / "whole"
        assert brainrnn("train", config, *options, "--out", whole, "--quiet")[0] == 0
    descend = br.Trainer._descend

    def deadly(self, progress):
        if self.step in (10, 26):
            if death == "killed":
                raise Killed
            signal.raise_signal(signal.SIGINT)
        return descend(self, progress)

    for command in (("train", config, *options, "--out"), ("resume",)):
        with monkeypatch.context() as patched:
            patched.setattr(br.Trainer, "_descend", deadly)
            if death == "killed":
                with pytest.raises(Killed):
                    brainrnn(*command, parts, "--quiet")
            else:
                status, _, errors = brainrnn(*command, parts, "--quiet")
                assert status == 130
                assert f"continue with `brainrnn resume {parts}`" in errors
        # Killed, it goes on from the last checkpoint and dies at the same place again.
        expected = {"killed": (7, 7), "interrupted": (11, 27)}[death][command[0] == "resume"]
        assert load_checkpoint(parts / "checkpoint.safetensors")["training"]["step"] == expected
    assert brainrnn("resume", parts, "--quiet")[0] == 0
    assert_same_training(whole, parts)
    assert "already reached its last step" in brainrnn("resume", parts)[1]


def test_analyse_and_plot_a_regression(finished):
    status, output, _ = brainrnn("analyse", finished)
    assert status == 0
    lines = output.splitlines()
    columns = lines[0].split()
    assert "modularity" in columns
    assert "test_accuracy" not in columns
    assert len(lines) == 1 + 3 + 2  # the members, and where it was written
    result = json.loads(brainrnn("analyse", finished, "--json")[1])
    assert len(result["members"]) == 3
    assert result["test_accuracy"] is None
    last = pd.read_csv(finished / "metrics.csv").tail(3)
    for name, column in (("test_loss", "test_loss"), ("connection_cost", "cost")):
        assert [m[name] for m in result["members"]] == pytest.approx(last[column].tolist())
        assert result[name] == pytest.approx(last[column].mean())
    with xr.open_dataset(finished / "analysis.nc", engine="h5netcdf") as kept:
        assert kept.attrs["training_steps"] == 41
        assert kept["modularity"].values == pytest.approx(
            [m["modularity"] for m in result["members"]]
        )
    status, output, _ = brainrnn("plot", finished)
    assert status == 0
    written = [Path(line) for line in output.split()]
    names = [f"{stem}.{kind}" for stem in ("graphs", "training") for kind in ("png", "svg")]
    assert [p.name for p in written] == names
    assert all(p.stat().st_size > 5000 for p in written)


@pytest.mark.parametrize("task", [MOONS, SUM])
def test_classifications_report_their_accuracy(task, config, tmp_path):
    path = tmp_path / "classes"
    few = ["training.steps=3", "training.snapshot_every=unset"]
    options = ["task.options={}", *task, *few]
    status, output, _ = brainrnn("train", config, *options, "--out", path, "--quiet")
    assert status == 0
    assert "(best possible 1.000)" in output
    assert not (path / "snapshots").exists()
    assert list(br.Run.open(path).evolution()) == []
    result = json.loads(brainrnn("analyse", path, "--json")[1])
    last = pd.read_csv(path / "metrics.csv").tail(3)
    assert [m["test_accuracy"] for m in result["members"]] == pytest.approx(last.accuracy.tolist())
    assert 0 <= result["train_accuracy"] <= 1
    assert "test_accuracy" in brainrnn("analyse", path)[1].splitlines()[0]


@pytest.mark.parametrize("options", [SEQUENCES, IMAGES])
def test_transformers_and_images_are_analysed_and_drawn(options, config, tmp_path):
    path = tmp_path / "run"
    assert brainrnn("train", config, *options, "--out", path, "--quiet")[0] == 0
    last = pd.read_csv(path / "metrics.csv").tail(3)
    assert (pd.read_csv(path / "metrics.csv").groupby("member").moves.sum()[[1, 2]] > 0).all()
    result = json.loads(brainrnn("analyse", path, "--json")[1])
    for name in ("test_loss", "connection_cost"):
        column = last[name.removeprefix("connection_")]
        assert [m[name] for m in result["members"]] == pytest.approx(column.tolist())
    assert (result["test_accuracy"] is None) == (options is SEQUENCES)
    assert 0 < result["modularity"] < 1
    hidden = 9 + 4 if options is IMAGES else 8 + 8 + 32
    assert all(0 < m["active"] <= hidden for m in result["members"])
    status, output, _ = brainrnn("plot", path)
    assert status == 0
    assert [Path(line).stem for line in output.split()] == ["graphs"] * 2 + ["training"] * 2


def test_an_analysis_is_that_of_the_last_checkpoint(config, tmp_path):
    path = tmp_path / "run"
    assert brainrnn("train", config, "--out", path, "--quiet")[0] == 0
    run = br.Run.open(path)
    assert run.analysed() is None
    made = run.analyse()
    assert br.Run.open(path).analysed().identical(made)
    trained = load_checkpoint(path / "checkpoint.safetensors")
    trained["training"]["network"]["fc0.weight"][0, 0, 0] += 1e-6
    save_checkpoint(path / "checkpoint.safetensors", trained)
    assert br.Run.open(path).analysed() is None  # it is of another network
    run.analyse()
    (path / "analysis.nc").write_bytes(b"damaged")
    assert run.analysed() is None


def test_the_written_configuration_is_the_experiment(finished, config, tmp_path):
    written = read_toml(finished / "config.toml")
    assert build(Experiment, written) == load_experiment(config)
    again = tmp_path / "again"
    assert brainrnn("train", finished / "config.toml", "--out", again, "--quiet")[0] == 0
    assert (again / "config.toml").read_bytes() == (finished / "config.toml").read_bytes()
    assert_same_training(finished, again)


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        [
            "training.batch=12",
            "method.parameter_strength={'fc0.weight'=0.5}",
            "network.starts=unset",
        ],
        [
            "method.swap.locality=[0.0, 1.0, 2e-9]",
            "task.options={train=7, seed=2}",
            "task.dt=unset",
        ],
        [
            "method.schedule=[[0, 0], [0.3, 1e-5]]",
            "network.hidden=[]",
            'name="a \\"b\\" [c,\\n 1]"',
        ],
    ],
)
def test_any_experiment_survives_its_file(overrides, config, tmp_path):
    experiment = load_experiment(config, overrides)
    path = tmp_path / "again.toml"
    path.write_text(as_toml(experiment), encoding="utf-8")
    assert load_experiment(path) == experiment
    assert load_experiment(path).training.batch == (
        12 if "training.batch=12" in overrides else "all"
    )


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["task.suite=cog20", "task.names=unset", "task.options={}"], ["'mlp'", "use 'rnn'"]),
        (["network={kind='rnn'}"], ["'rnn'", "vectors or tokens", "use 'mlp'"]),
        (["network={kind='transformer'}"], ["'transformer'", "vectors or tokens", "use 'mlp'"]),
        ([*SEQUENCES, "network={kind='mlp'}"], ["sequences of vectors", "use 'transformer'"]),
        ([*SEQUENCES, "network.heads=3"], ["network", "width must be a multiple of heads"]),
        ([*SEQUENCES, "network.hidden=[3]"], ["unknown configuration key 'network.hidden'"]),
        ([*IMAGES, "network.hidden=[9, 5]"], ["square of neurons", "got 5"]),
        ([*IMAGES, "network.hidden=[-4]"], ["network.hidden", "got -4"]),
        ([*IMAGES, "task.options.seed=3"], ["suite 'images' has no options", "'seed'"]),
        (["network.layout=planes"], ["planes", "for images", "'lines'"]),
        ([*IMAGES, "task.names=['digit']"], ["unknown task 'digit'", "did you mean 'digits'"]),
        (["network.kind=mpl"], ["unknown network.kind 'mpl'", "did you mean 'mlp'"]),
        (["network.tau=100"], ["unknown configuration key 'network.tau'"]),
        (["network={kind='rnn', hidden=[3]}"], ["unknown configuration key 'network.hidden'"]),
        (["network={kind='rnn', embedding=3}"], ["unknown configuration key 'network.embedding'"]),
        (["network.hiden=[3]"], ["did you mean 'network.hidden'"]),
        (["network.hidden=[3, 0]"], ["network.hidden", "got 0"]),
        (["network.starts=[0, 1]"], ["network", "starts must have one number for each"]),
        (["network.perturbation=[0.1]"], ["network", "perturbation must have one number for each"]),
        (["network.perturbation=-0.1"], ["network.perturbation", "got -0.1"]),
        (["network.starts=[0, -1, 0]"], ["network.starts", "got -1"]),
        (["training.batch=some"], ["training.batch", "got 'some'"]),
        (["training.batch=0"], ["training.batch", "got 0"]),
        (["training.snapshot_every=0"], ["training.snapshot_every", "got 0"]),
        (["task.options.train=0"], ["training examples", "got 0"]),
        (["task.options.trian=3"], ["did you mean 'train'"]),
        (["task.dt=20"], ["the suite 'formulas' takes no dt", "task.dt=unset"]),
        (["method.parameter_strength={fc9=1.0}"], ["parameter_strength"]),
    ],
)
def test_bad_experiments_are_one_line_and_leave_nothing(overrides, words, config, tmp_path):
    one_line(brainrnn("train", config, *overrides, "--out", tmp_path / "new"), *words)
    assert not (tmp_path / "new").exists()


def test_trials_without_end_need_a_batch(tmp_path):
    path = tmp_path / "cog20.toml"
    path.write_text('task = {names = ["go"]}\nnetwork = {shape = [3, 3]}\ntraining = {steps = 1}\n')
    command = ("train", path, "training.batch=all", "--out", tmp_path / "new", "--quiet")
    one_line(brainrnn(*command), "training.batch must be a number")
    assert not (tmp_path / "new").exists()


def test_members_start_alike_but_for_their_perturbation(config):
    experiment = load_experiment(config)
    task = load_suite(experiment.task)

    def weights(**changes):
        spec = experiment.network.model_copy(update=changes)
        return dict(build_network(spec, task, seed=1).named_parameters())

    perturbed, plain = weights(), weights(perturbation=0.0)
    loud = weights(perturbation=1.0, starts=(0, 0, 0))
    for name, value in plain.items():
        assert torch.equal(value[0], value[2])
        assert not (value[0] == value[1]).any()
        added = (perturbed[name] - value).detach()
        assert not added[0].any()
        draw = (loud[name] - value)[0].detach()
        assert torch.allclose(added[1], 0.1 * draw, atol=1e-6)
        assert torch.allclose(added[2], 1e-3 * draw, atol=1e-6)
    draws = torch.cat([(loud[n] - plain[n])[0].flatten() for n in plain]).detach()
    assert float(draws.std()) == pytest.approx(1, abs=0.2)  # 77 numbers
    assert float(draws.mean()) == pytest.approx(0, abs=0.3)


def test_the_tasks_without_time_can_be_listed_but_not_drawn():
    status, output, _ = brainrnn("tasks", "list", "--suite", "two_moons")
    assert status == 0
    assert "two_moons  1.000" in output
    one_line(brainrnn("tasks", "show", "products", "--suite", "formulas"), "no trials in time")
    one_line(brainrnn("tasks", "list", "--suite", "two_moons", "--dt", "20"), "takes no dt")


def test_a_changed_configuration_is_refused(finished, tmp_path):
    path = tmp_path / "changed"
    shutil.copytree(finished, path)
    text = (path / "config.toml").read_text()
    (path / "config.toml").write_text(text.replace("hidden = [6, 5]", "hidden = [6, 6]"))
    for command in ("resume", "analyse"):
        one_line(brainrnn(command, path), "another experiment", "network")
