"""What is left of killed runs, what was damaged, and what other programs made."""

import json
import shutil

import pytest

from paper_mlp.experiments import EXPERIMENTS
from tests.commands import brainrnn, one_line, paper_mlp
from tests.paper_mlp.small import LIKE

pytestmark = pytest.mark.usefixtures("small")


@pytest.fixture
def moons(root, printed, tmp_path):
    """A copy of a finished run, to be damaged."""
    assert printed["fig4"]
    shutil.copytree(root / "fig4-notebook", tmp_path / "fig4-notebook")
    return tmp_path / "fig4-notebook"


@pytest.mark.parametrize("whole", [True, False])
def test_a_kill_while_a_snapshot_is_written_does_no_harm(moons, whole):
    snapshot = moons / "snapshots" / "00000020.npz"
    content = snapshot.read_bytes() if whole else b""
    snapshot.with_name(".00000020-abcd.npz").write_bytes(content)
    status, _, errors = paper_mlp("resume", moons, "--quiet")
    assert (status, errors) == (0, "")


@pytest.mark.parametrize("content", ["{", "[]", None])
def test_results_that_are_not_whole_are_made_again(moons, content, printed, monkeypatch):
    (moons / "results.json").unlink()
    if content is not None:
        (moons / "results.json").write_text(content)
    shutil.rmtree(moons / "figures")
    monkeypatch.setattr("paper_mlp.session.EXPERIMENTS", {"fig4": EXPERIMENTS["fig4"]})
    status, _, errors = paper_mlp("all", *LIKE, "--out", moons.parent, "--quiet")
    assert (status, errors) == (0, "")
    again = json.loads((moons / "results.json").read_text())
    assert again["methods"] == printed["fig4"]["methods"]
    assert (moons / "figures" / "graph.png").stat().st_size > 0


def test_without_snapshots_there_is_no_film_and_all_else(moons):
    shutil.rmtree(moons / "snapshots")
    shutil.rmtree(moons / "figures")
    status, output, errors = paper_mlp("resume", moons, "--quiet")
    assert (status, errors) == (0, "")
    for name in ("evolution", "graph_evolution", "boundary_evolution"):
        assert f"Not drawn: {name}" in output
    assert (moons / "figures" / "boundary.png").is_file()
    assert not (moons / "figures" / "evolution.gif").exists()


@pytest.mark.parametrize(
    "other",
    [
        ["network.members=2", "network.starts=unset", "method.strength=1.0", "method.locality=1.0"],
        ["method.offset=0.3"],
        ["name=fig4"],
        ["name=fig40 notebook"],
    ],
)
def test_only_the_papers_runs_are_resumed_as_such(moons, tmp_path, other):
    if len(other) == 4:
        other = [*other, "method.swap.locality=1.0"]
    command = ("train", moons / "config.toml", *other, "training.steps=2", "--quiet")
    assert brainrnn(*command, "--out", tmp_path / "other")[0] == 0
    one_line(paper_mlp("resume", tmp_path / "other"), "not a run of `paper-mlp`", "brainrnn resume")
    assert not (tmp_path / "other" / "results.json").exists()


def test_a_report_that_cannot_be_written_is_refused_before_training(tmp_path):
    (tmp_path / "file").touch()
    out = tmp_path / "runs"
    one_line(paper_mlp("all", *LIKE, "--out", out, "--report", tmp_path / "file"), "cannot write")
    assert not out.exists()
