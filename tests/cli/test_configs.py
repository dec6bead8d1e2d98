"""Configurations that come with the package, from any folder."""

from pathlib import Path

import pytest

from brainrnn.catalogue import find, shipped, title
from brainrnn.errors import InputError
from brainrnn.runs.experiment import load_experiment
from brainrnn.study import load_study
from tests.commands import brainrnn, one_line

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_list_names_every_file_and_what_it_is_for():
    output = brainrnn("configs")[1]
    files = list((REPOSITORY / "configs").rglob("*.toml"))
    assert len(files) == len(shipped("experiment")) + len(shipped("study")) > 30
    for path in files:
        assert title(path) in output
        assert path.read_text().startswith(f"# {title(path)}")
    assert shipped("experiment").keys().isdisjoint(shipped("study"))


def test_a_name_trains_from_any_folder(tmp_path):
    small = ["network.shape=[3, 3]", "training.steps=2", 'task.names=["go"]', "--quiet"]
    status, _, errors = brainrnn("train", "quick", *small)
    assert status == 0, errors
    assert (tmp_path / "runs" / "quick" / "checkpoint.safetensors").is_file()


def test_one_to_edit(tmp_path):
    assert "mine.toml" in brainrnn("configs", "quick", "--out", "mine.toml")[1]
    assert Path("mine.toml").read_bytes() == (REPOSITORY / "configs/quick.toml").read_bytes()
    one_line(brainrnn("configs", "cog20_l1", "--out", "mine.toml"), "mine.toml exists")
    one_line(brainrnn("configs", "--out", "other.toml"), "which")
    assert brainrnn("configs", "modcog")[1] == shipped("study")["modcog"].read_text()
    assert load_experiment("mine.toml") == load_experiment(find("experiment", "quick"))


def test_a_copied_study_still_extends_the_one_of_the_package():
    brainrnn("configs", "choices", "--out", "mine.toml")
    assert load_study("mine.toml") == load_study("choices")


def test_a_file_comes_before_a_name(tmp_path):
    Path("quick").write_text("seed = 5")
    assert find("experiment", "quick") == Path("quick")
    Path("quick").unlink()
    Path("quick").mkdir()  # a folder is no file
    assert find("experiment", "quick").name == "quick.toml"


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("experiment", "quik", "did you mean 'quick'"),
        ("experiment", "fig2-paper", "'paper/fig2-paper'"),
        ("experiment", "growing_brains", "brainrnn study growing_brains"),
        ("study", "quick", "brainrnn train quick"),
        ("study", "growing_brain", "did you mean 'growing_brains'"),
        ("study", "xyzzy", "brainrnn configs"),
        ("experiment", "mine.toml", "no configuration file mine.toml"),
    ],
)
def test_an_unknown_name(kind, name, words):
    with pytest.raises(InputError, match=words) as error:
        find(kind, name)
    assert "\n" not in str(error.value)
