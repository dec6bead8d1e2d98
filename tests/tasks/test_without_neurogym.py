"""Everything but the bridge works where neurogym and gymnasium are not installed."""

import subprocess
import sys

from brainrnn.runs import versions

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


SMALL = "--quiet training.steps=2 training.batch=8"
MODCOG = "task.suite=modcog task.names=['goseqr','goseql']"
RNN = "network.shape=[3,3] analysis.permutations=20 analysis.k=2"


def test_networks_are_trained_analysed_and_drawn(tmp_path):
    (tmp_path / "config.toml").write_text("seed = 0\n")
    done = run(
        tmp_path,
        f"train config.toml task.names=['go','dm1'] {SMALL} {RNN} --out run",
        "analyse run",
        "plot run",
        f"train config.toml {MODCOG} {SMALL} {RNN} --out modcog",
        f"train config.toml task.suite=two_moons network.kind=mlp {SMALL} --out mlp",
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "analysis.nc").is_file()
    assert list((tmp_path / "run" / "figures").glob("*.png"))
    for name in ("modcog", "mlp"):
        assert (tmp_path / name / "checkpoint.safetensors").is_file()


def test_the_bridge_says_what_it_lacks(tmp_path):
    done = run(tmp_path, "tasks show GoNogo-v0 --suite neurogym")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "need neurogym" in done.stderr
    assert "pip install neurogym" in done.stderr


def test_versions_tell_of_what_is_there(monkeypatch):
    monkeypatch.setattr(versions, "_PACKAGES", ("torch", "not-installed-at-all"))
    assert set(versions.versions()) == {"python", "torch"}
