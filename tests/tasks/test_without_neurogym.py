"""Everything but the bridge works where neurogym and gymnasium are not installed."""

import subprocess
import sys

import pytest

from brainrnn.runs import folder

BLOCKED = """
import sys
sys.modules["neurogym"] = sys.modules["gymnasium"] = None  # an import of them fails
from brainrnn.cli import main
for command in sys.argv[1].split(";"):
    try:
        main(command.split())
    except SystemExit as stopped:
        if stopped.code:
            raise
"""


def run(tmp_path, *commands):
    return subprocess.run(
        [sys.executable, "-c", BLOCKED, ";".join(commands)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )


SMALL = "--quiet training.steps=2 training.batch=8 network.shape=[3,3] analysis.permutations=20"


@pytest.mark.parametrize(
    ("task", "analysis"),
    [
        ("task.suite=cog20 task.names=['go','dm1']", "analysis.nc"),
        ("task.suite=modcog task.names=['goseqr','dlygointl']", "analysis.nc"),
    ],
)
def test_a_network_is_trained_analysed_and_drawn(tmp_path, task, analysis):
    (tmp_path / "config.toml").write_text("seed = 0\n")
    done = run(tmp_path, f"train config.toml {task} {SMALL} --out run", "analyse run", "plot run")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / analysis).is_file()
    assert list((tmp_path / "run" / "figures").glob("*.png"))


def test_a_perceptron_is_trained(tmp_path):
    (tmp_path / "config.toml").write_text("seed = 0\n")
    small = "network.kind=mlp network.hidden=[4] training.steps=2 --quiet --out run"
    done = run(tmp_path, f"train config.toml task.suite=two_moons {small}", "analyse run")
    assert done.returncode == 0, done.stderr


def test_the_bridge_says_what_it_lacks(tmp_path):
    done = run(tmp_path, "tasks show GoNogo-v0 --suite neurogym")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "need neurogym" in done.stderr
    assert "pip install neurogym" in done.stderr


def test_versions_tell_of_what_is_there(monkeypatch):
    monkeypatch.setattr(folder, "_PACKAGES", ("torch", "not-installed-at-all"))
    assert set(folder.versions()) == {"python", "torch"}
