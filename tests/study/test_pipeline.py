"""A study trains, measures and reports; it goes on where it was stopped, to the same numbers."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainrnn.config import as_toml
from brainrnn.errors import InputError
from brainrnn.runs.folder import InterruptedRun, Run
from brainrnn.study import conduct
from brainrnn.study.answers import Answers
from tests.commands import brainrnn
from tests.study.small import small_study

FEED_FORWARD = {
    "experiment": {
        "task": {"suite": "formulas", "names": ["products"]},
        "network": {"kind": "mlp", "hidden": [4]},
    },
    "methods": {"mlp": {"label": "MLP"}},
}


@pytest.fixture(scope="module")
def conducted(tmp_path_factory):
    out = tmp_path_factory.mktemp("studies")
    page = conduct(small_study(), out, progress=False, report=out / "docs", command="brainrnn ...")
    return out, page


def test_everything_is_written(conducted):
    out, page = conducted
    rows = Answers.read(out / "small").rows
    assert list(rows.method.drop_duplicates()) == ["l1", "l1_placed", "bimt"]
    assert set(rows.seed) == {1, 2}
    assert set(rows.statistic) >= {"isolated", "cluster_size"}
    assert len(list((out / "networks").iterdir())) == 4  # l1 and l1_placed share theirs
    assert len(list((out / "small" / "networks").glob("*.nc"))) == 6
    text = page.read_text()
    assert "A small study" in text
    assert "brainrnn ..." in text
    for file in ("README.md", "study.toml", "each_method.csv", "versions.json", "figures/z.png"):
        assert (out / "small" / file).is_file()
        assert (out / "docs" / file).is_file()


def test_placing_afterwards_keeps_the_function_and_shortens_the_wiring(conducted):
    rows = Answers.read(conducted[0] / "small").rows.query("statistic == 'isolated'")
    l1, placed = (rows[rows.method == m].set_index("seed") for m in ("l1", "l1_placed"))
    assert (l1.accuracy == placed.accuracy).all()
    assert (placed.wiring_length < l1.wiring_length).all()


def test_networks_are_what_one_run_alone_makes(conducted, tmp_path):
    out, _ = conducted
    cell = small_study().cells()[2]
    alone = Run.create(tmp_path / "alone", cell.experiment)
    alone.train(progress=False)
    together = Run.open(out / "networks" / cell.training)
    for one, other in zip(alone.net.parameters(), together.net.parameters(), strict=True):
        assert np.array_equal(one.detach(), other.detach())


def test_a_second_call_trains_nothing_and_says_the_same(conducted):
    out, page = conducted
    before, text = _stamps(out / "networks"), page.read_text()
    conduct(small_study(), out, progress=False, command="brainrnn ...")
    assert _stamps(out / "networks") == before
    assert page.read_text() == text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"measure": {"kind": "transfer", "tasks": ["nonsense"]}}, "nonsense"),
        ({"measure": {"kind": "resolution", "shape": [3, 3]}}, r"measure\.shape"),
        (FEED_FORWARD, "recurrent networks"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_trained(tmp_path, changes, words):
    with pytest.raises(InputError, match=words):
        conduct(small_study(**changes), tmp_path, progress=False)
    assert not list(tmp_path.iterdir())


def test_a_map_study_with_a_sweep_of_a_method_that_is_called_none(tmp_path):
    sweep = {"label": "None", "sweep": {"method.strength": [0.0, 1e-3]}}
    page = conduct(small_study(seeds=[1], methods={"all": sweep}), tmp_path, progress=False)
    text = page.read_text()
    assert "| None, strength 0 |" in text
    assert "| None, strength 0.001 |" in text


def test_the_page_says_with_which_versions_older_networks_were_trained(conducted):
    out, _ = conducted
    path = next((out / "networks").glob("*/versions.json"))
    before = path.read_text()
    path.write_text(json.dumps(json.loads(before) | {"torch": "1.0"}))
    page = conduct(small_study(), out, progress=False)
    path.write_text(before)
    assert "networks also with torch 1.0." in page.read_text()


def test_other_settings_want_another_folder(conducted):
    with pytest.raises(InputError, match="other settings"):
        conduct(small_study(seeds=[1]), conducted[0], progress=False)


def test_a_tradeoff_study_shares_the_networks(conducted):
    out, _ = conducted
    before = _stamps(out / "networks")
    study = small_study(
        name="tradeoff",
        only=["l1", "bimt"],
        measure={"kind": "tradeoff", "pruned": [0.5, 0.9], "trials": 8},
    )
    conduct(study, out, progress=False)
    assert _stamps(out / "networks") == before
    rows = Answers.read(out / "tradeoff").rows
    pruned = rows[rows.pruned]
    assert (pruned.connections == (256 * (1 - pruned.absent)).round()).all()


def test_stopped_and_continued(conducted, tmp_path):
    """SIGTERM to all processes while networks train: all is saved, and the same command goes on."""
    (tmp_path / "small.toml").write_text(as_toml(_longer()))
    words = ["study", tmp_path / "small.toml", "--out", tmp_path / "out", "--quiet"]
    command = [sys.executable, "-m", "brainrnn", *map(str, words)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "out").glob("networks/*/checkpoint.safetensors")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143, errors
    assert errors.startswith("stopped, continue with the same command")
    assert errors.count("\n") == 1
    assert not (tmp_path / "out" / "longer" / "README.md").exists()
    status, _, errors = brainrnn(*words)  # in this process, which has loaded everything
    assert status == 0, errors
    whole = tmp_path / "whole"
    conduct(_longer(), whole, progress=False)
    one, other = (Answers.read(folder / "longer").rows for folder in (tmp_path / "out", whole))
    pd.testing.assert_frame_equal(one, other)


def _longer():
    study = small_study(name="longer", seeds=[4], only=["bimt", "l1"])
    experiment = study.experiment
    training = experiment.training.model_copy(
        update={"steps": 300, "evaluate_every": 300, "checkpoint_every": 50}
    )
    return study.model_copy(
        update={"experiment": experiment.model_copy(update={"training": training})}
    )


def _stamps(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_a_stopped_study_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("brainrnn.study.conducting.stop_requests", _always)
    with pytest.raises(InterruptedRun, match="same command"):
        conduct(small_study(), tmp_path, progress=False)


class _always:
    def __enter__(self):
        return [signal.SIGTERM]

    def __exit__(self, *_):
        return None
