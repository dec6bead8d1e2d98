"""Files of a run that are not what was written: refused in one line, or read as they were."""

import contextlib
import copy
import gzip
import hashlib
import os
import shutil
import zipfile

import numpy as np
import pytest
import torch

import brainrnn as br
from brainrnn.analysis import load
from brainrnn.errors import DamagedError, InputError
from brainrnn.runs.changes import lasting
from brainrnn.runs.versions import noted_versions
from brainrnn.training import checkpoint
from brainrnn.training.checkpoint import load_checkpoint, previous, save_checkpoint
from brainrnn.training.snapshots import load_snapshot
from tasks.idx import read_idx
from tests.commands import assert_same_training, brainrnn, one_line
from tests.tasks.test_images import idx

EXPERIMENT = br.runs.Experiment(
    task={"names": ["go", "dms"]},
    network={"shape": [4, 4], "noise": 0.05},
    method={"strength": 1e-3, "swap": {"every": 2}},
    training={
        **{"steps": 11, "batch": 4, "checkpoint_every": 4, "snapshot_every": 5, "log_every": 2},
        **{"evaluate_every": 6, "evaluation_trials": 2},
    },
    analysis={"trials": 8, "accuracy_trials": 4, "permutations": 50, "k_range": [2, 3]},
)
FILES = (
    *("config.toml", "versions.json", "metrics.csv", "checkpoint.safetensors"),
    *("analysis.nc", "statistics.nc", "snapshots/00000005.npz"),
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run with everything in it."""
    run = br.Run.create(tmp_path_factory.mktemp("runs") / "whole", EXPERIMENT)
    run.train(progress=False)
    run.analyse(progress=False)
    run.statistics()
    return run.path


@pytest.fixture
def run(whole, tmp_path):
    """A copy, to be damaged."""
    return shutil.copytree(whole, tmp_path / "run")


def read(file, run):
    """What is read of a file of a run, as bytes that tell it from anything else."""
    if file == "config.toml":  # what was trained; the rest may be edited, and says what it says
        opened = br.load(run)
        _ = opened.trainer
        return repr(lasting(opened.experiment)).encode()
    if file == "versions.json":  # a letter of a text may be another; nothing is counted by it
        noted_versions(run)
    if file in ("versions.json", "metrics.csv"):  # nothing that continues or analyses reads these
        opened = br.load(run)
        return opened.metrics().to_csv().encode() + checkpoint.fingerprint(opened.net).encode()
    if file.endswith(".safetensors"):
        state = load_checkpoint(run / file)
        return repr(state).encode() + b"".join(
            value.numpy().tobytes()
            for part in ("network", "optimizer")
            for _, value in sorted(state["training"][part].items())
        )
    if file.endswith(".nc"):
        found = load(run / file)
        return repr(found.to_dict()).encode() + b"".join(v.values.tobytes() for v in found.values())
    step, net = load_snapshot(run / file, br.Run.open(run)._net)
    return f"{step} {checkpoint.fingerprint(net)}".encode()


def damages(content, flips):
    """The content truncated, and with single bits turned."""
    rng = np.random.default_rng(0)
    for length in np.linspace(0, len(content) - 1, 20).astype(int):
        yield content[:length]
    for position in rng.integers(0, len(content), flips):
        damaged = bytearray(content)
        damaged[position] ^= 1 << int(rng.integers(8))
        yield bytes(damaged)


def outcome(function, *arguments, **options):
    """What a function returns, or the words in which it refuses."""
    try:
        return function(*arguments, **options)
    except InputError as error:
        return str(error)


def never_wrong(file, run, flips):
    """Whatever happens to a file, it is read as it was or refused in one line that names it."""
    expected, content = read(file, run), (run / file).read_bytes()
    for damaged in damages(content, flips):
        (run / file).write_bytes(damaged)
        found = outcome(read, file, run)
        assert found == expected or (str(run) in found and "\n" not in found)


@pytest.mark.parametrize("file", FILES)
def test_a_damaged_file_is_never_read_as_another(file, run):
    never_wrong(file, run, 15)


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_a_damaged_file_is_never_read_as_another_at_many_places(file, run):
    never_wrong(file, run, 150)


@pytest.mark.parametrize("kind", ["folder", "empty", "text", "other", "link"])
@pytest.mark.parametrize("file", [f for f in FILES if f != "metrics.csv"])
def test_a_file_of_another_kind_is_refused(file, kind, run):
    other = FILES[-1] if file.endswith(".nc") else "analysis.nc"
    content = (run / other).read_bytes()
    (run / file).unlink()
    if kind == "folder":
        (run / file).mkdir()
    elif kind == "link":
        (run / file).symlink_to("nowhere")
    else:
        (run / file).write_bytes({"empty": b"", "text": b"nothing\n", "other": content}[kind])
    (run / "checkpoint.previous.safetensors").unlink()
    with pytest.raises(InputError, match=str(run)):
        read(file, run)


def test_one_analysis_is_not_taken_for_another(run):
    analysis, statistics = run / "analysis.nc", run / "statistics.nc"
    kept = statistics.read_bytes()
    shutil.copy(analysis, statistics)
    one_line(brainrnn("plot", run), "statistics.nc is not a complete")
    analysis.write_bytes(kept)
    one_line(brainrnn("plot", run), "analysis.nc is not a complete")
    assert br.load(run).analysed() is None


@pytest.mark.parametrize("options", [(), ("--json",), ("--statistics",)])
def test_an_analysis_that_cannot_be_written_is_told(options, run, monkeypatch):
    (run / "analysis.nc").unlink()
    (run / "statistics.nc").unlink()

    def refused(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refused)  # root may write wherever it likes
    status, output, errors = brainrnn("analyse", run, *options)
    assert status == 2
    for word in {(): ["neurons active"], ("--json",): ['"isolated"']}.get(options, ["Moran's I"]):
        assert word in output
    assert "Written" not in output
    assert errors == (
        f"brainrnn: cannot write {run / 'analysis.nc'}: Permission denied; choose another folder\n"
    )


def test_a_damaged_checkpoint_is_repeated_from_the_one_before(whole, run):
    last = run / "checkpoint.safetensors"
    content = last.read_bytes()
    last.write_bytes(content[:-1])
    # Nothing is said of another network than was trained.
    one_line(brainrnn("analyse", run), "not a whole", f"`brainrnn resume {run}`")
    with pytest.warns(UserWarning, match=r"is damaged or missing: .* of step 8") as warned:
        assert brainrnn("resume", run, "--quiet")[0] == 0
    assert len(warned) == 1
    assert_same_training(whole, run)
    assert last.read_bytes() == content
    assert load_checkpoint(previous(last))["training"]["step"] == 8  # not the damaged one
    assert "already reached its last step" in brainrnn("resume", run)[1]


def test_a_checkpoint_that_is_lost_is_repeated_too(whole, run):
    (run / "checkpoint.safetensors").unlink()
    with pytest.raises(DamagedError, match="is missing"):
        _ = br.load(run).net
    with pytest.warns(UserWarning, match="step 8"):
        br.load(run).train(progress=False)
    assert_same_training(whole, run)


def test_where_both_are_damaged_nothing_is_begun(run):
    last = run / "checkpoint.safetensors"
    previous(last).write_bytes(b"")
    last.write_bytes(b"")
    one_line(brainrnn("resume", run), f"{last} is not a whole")
    last.unlink()
    one_line(brainrnn("resume", run), f"{last} is missing")


def test_a_link_to_nothing_is_no_new_run(run):
    last = run / "checkpoint.safetensors"
    previous(last).unlink()
    last.unlink()
    last.symlink_to("/nowhere/checkpoint.safetensors")
    one_line(brainrnn("resume", run), "a link to nothing")
    assert last.is_symlink()


@pytest.mark.parametrize("links", [True, False])
def test_the_checkpoint_before_is_kept(links, tmp_path, monkeypatch):
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError()))
    path = tmp_path / "checkpoint.safetensors"
    state = {"experiment": {}, "training": {}, "metrics": []}
    for step in range(3):
        save_checkpoint(path, state | {"training": {"step": step}})
    assert load_checkpoint(path)["training"] == {"step": 2}
    assert load_checkpoint(previous(path))["training"] == {"step": 1}
    assert len(list(tmp_path.iterdir())) == 2


def former(run):
    """The checkpoint as the former version wrote it."""
    state = load_checkpoint(run / "checkpoint.safetensors")
    moments = {"state": {0: state["training"]["optimizer"]}, "param_groups": []}
    state["training"]["optimizer"] = moments
    for name in ("checkpoint.safetensors", "checkpoint.previous.safetensors"):
        (run / name).unlink(missing_ok=True)
    torch.save({"format": "brainrnn checkpoint 2", **state}, run / "checkpoint.pt")


def test_a_run_of_the_former_version_goes_on(tmp_path, whole):
    run = br.Run.create(tmp_path / "run", EXPERIMENT)
    with pytest.raises(br.InterruptedRun):
        run.train(progress=False, callback=lambda record: record.step == 6)
    former(run.path)
    again = br.load(run.path)
    assert again.saved_step == 6
    again.train(progress=False)
    assert_same_training(whole, run.path)
    assert not (run.path / "checkpoint.pt").exists()


def test_damage_to_a_checkpoint_of_the_former_version_is_seen(run):
    former(run)
    path = run / "checkpoint.pt"
    content = path.read_bytes()
    expected = repr(load_checkpoint(path))
    for damaged in damages(content, 100):
        path.write_bytes(damaged)
        with contextlib.suppress(InputError):
            assert repr(load_checkpoint(path)) == expected


def test_nothing_large_is_unpacked(run, tmp_path):
    untrained = br.load(run).net
    former(run)
    path, bomb = run / "checkpoint.pt", run / "snapshots" / "00000005.npz"
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in records.items():
            archive.writestr(name, content)
    with pytest.raises(DamagedError):
        load_checkpoint(path)
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w_rec.npy", bytes(10_000_000))
    with pytest.raises(DamagedError, match="delete it"):
        load_snapshot(bomb, untrained)
    large = tmp_path / "train-images-idx3-ubyte.gz"
    large.write_bytes(gzip.compress(bytes(100_000_000), 1))
    with pytest.raises(InputError, match="holds more than 64 MiB"):
        read_idx(large)


def test_damage_to_data_is_seen(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (5, 6, 6), dtype=np.uint8)
    md5 = hashlib.md5(idx(values)).hexdigest()
    for name, content in (("plain", idx(values)), ("zipped", gzip.compress(idx(values)))):
        path = tmp_path / name
        path.write_bytes(content)
        assert np.array_equal(read_idx(path, md5=md5), values)
        for damaged in damages(content, 100):
            path.write_bytes(damaged)
            found = outcome(read_idx, path, md5=md5)
            assert str(path) in found if isinstance(found, str) else (found == values).all()


# Crafted checkpoints, whose digest is right.


def of(trainer):
    return copy.deepcopy(trainer.state_dict())


def put(*keys, to):
    def change(state):
        *path, last = keys
        for key in path:
            state = state[key]
        state[last] = to(state[last]) if callable(to) else to

    return change


CRAFTED = {
    "moments of another shape": put("optimizer", "exp_avg", to=torch.zeros(3)),
    "moments that repeat one number": put(
        "optimizer", "exp_avg", to=lambda v: torch.zeros(1, dtype=v.dtype).expand(3, 3)
    ),
    "moments of another type": put("optimizer", "exp_avg", to=lambda v: v.double()),
    "moments that are not finite": put("optimizer", "exp_avg", to=lambda v: v + torch.inf),
    "second moments that are no numbers": put(
        "optimizer", "exp_avg_sq", to=lambda v: v * torch.nan
    ),
    "negative second moments": put("optimizer", "exp_avg_sq", to=lambda v: v - 1),
    "steps of another count": put("optimizer", "step", to=torch.tensor(2.0)),
    "no moments": put("optimizer", to={}),
    "no optimizer": put("optimizer", to=None),
    "a weight that is not finite": put("network", "w_out", to=lambda v: v * torch.nan),
    "weights of another type": put("network", "w_out", to=lambda v: v.half()),
    "weights of another shape": put("network", "w_out", to=lambda v: v[:, 1:]),
    "no weights": put("network", to={}),
    "a list of weights": put("network", "w_out", to=lambda v: v.tolist()),
    "two neurons on a site": put("network", "anatomy.places_hidden", to=torch.zeros_like),
    "a site that is not there": put("network", "anatomy.places_hidden", to=lambda v: v + 1),
    "places that are no whole numbers": put(
        "network", "anatomy.places_hidden", to=lambda v: v.float()
    ),
    "a negative step": put("step", to=-1),
    "a step that is no number": put("step", to="five"),
    "half a step": put("step", to=5.0),
    "more steps than there are": put("step", to=1000),
    "moves of another shape": put("moves", to=torch.zeros(5, dtype=torch.int64)),
    "moves that are no whole numbers": put("moves", to=lambda v: v.float()),
    "noise that nothing draws": put("noise", to=lambda v: v * 0 + 255),
    "noise of another type": put("noise", to=lambda v: v.float()),
    "trials of another seed": put("trials", "state", "inc", to=lambda v: v + 2),
    "a random state that is too large": put("trials", "state", "state", to=1 << 200),
    "a random state that is negative": put("trials", "state", "state", to=-5),
    "half a random state": put("trials", "state", "state", to=1.5),
    "another generator": put("trials", "bit_generator", to="MT19937"),
    "no random state": put("trials", to=None),
}


@pytest.fixture(scope="module")
def trained(whole):
    return br.load(whole).trainer


@pytest.mark.parametrize("case", CRAFTED)
def test_what_training_cannot_leave_is_refused_and_changes_nothing(case, trained):
    before, state = of(trained), of(trained)
    CRAFTED[case](state)
    with pytest.raises(InputError, match="does not fit") as refused:
        trained.load_state_dict(state)
    assert "\n" not in str(refused.value)
    after = of(trained)
    assert after["trials"] == before["trials"]
    assert after["step"] == before["step"]
    for one, other in ((after, before), *((after[k], before[k]) for k in ("network", "optimizer"))):
        for name, value in one.items():
            assert not isinstance(value, torch.Tensor) or torch.equal(value, other[name]), name
    trained.load_state_dict(before)  # which fits


def crafted(header, data=bytes(4)):
    """A safetensors file with the right digest and a header of one's own."""
    text = b'{"__metadata__":{"sha256":"' + b"0" * 64 + b'"},' + header[1:]
    return checkpoint._with_digest(len(text).to_bytes(8, "little") + text + data)


def test_absurd_headers_are_refused_before_anything_is_unpacked(run):
    path = run / "checkpoint.safetensors"
    nested = b"[" * 100_000
    for content in (
        crafted(b'{"w":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}'),
        crafted(b'{"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}'),
        crafted(b'{"rest":{"dtype":"U8","shape":[100000],"data_offsets":[0,100000]}}', nested),
        checkpoint._with_digest((1 << 60).to_bytes(8, "little") + b'"sha256":"' + b"0" * 64 + b'"'),
    ):
        path.write_bytes(content)
        with pytest.raises(DamagedError):
            load_checkpoint(path)


def test_the_configuration_in_a_crafted_file_may_be_anything(run):
    path = run / "checkpoint.safetensors"
    state = load_checkpoint(path)
    for experiment in ("text", [1], None, {"seed": "many"}, {"task": 3}, {"seed": 1 << 70}):
        save_checkpoint(path, state | {"experiment": experiment})
        one_line(brainrnn("analyse", run), str(path))


def test_squares_of_gradients_that_overflow_are_loaded(trained):
    """Weights whose gradients were that large rest, and training goes on."""
    before, state = of(trained), of(trained)
    state["optimizer"]["exp_avg_sq"][0, 0] = torch.inf
    trained.load_state_dict(state)
    assert of(trained)["optimizer"]["exp_avg_sq"][0, 0] == torch.inf
    trained.load_state_dict(before)


def test_a_network_takes_no_places_that_no_neuron_can_have(trained):
    state = copy.deepcopy(trained.net.state_dict())
    state["anatomy.places_hidden"][0, 0] = state["anatomy.places_hidden"][0, 1]
    with pytest.raises(InputError, match="one neuron on each of its sites"):
        trained.net.load_state_dict(state)


def test_a_crafted_file_is_one_line_of_the_command_line(run):
    path = run / "checkpoint.safetensors"
    state = load_checkpoint(path)
    state["training"]["optimizer"]["exp_avg"] = torch.zeros(3)
    save_checkpoint(path, state)
    for command in ("resume", "analyse"):
        one_line(brainrnn(command, run), str(run), "exp_avg should be torch.float32")
