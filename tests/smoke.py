"""What an installed package must be able to do away from the repository.

``python smoke.py ANSWERS``, by a Python that has the package and no more than it asks for; ANSWERS
is the folder of a published study.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

COMMANDS = (
    ["configs"],
    ["train", "quick", "network.shape=[4, 4]", "training.steps=20", "--quiet"],
    ["analyse", "runs/quick", "analysis.permutations=100", "analysis.k=4"],
    ["plot", "runs/quick"],
)
MADE = ("runs/quick/checkpoint.safetensors", "runs/quick/analysis.nc", "page/README.md")


def run(program: str, *arguments: str, cwd: str) -> str:
    """What a program of this Python says; its errors too if it fails."""
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ends with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def main(answers: str) -> None:
    """Train a tiny network in an empty folder, analyse it, draw it, and report a study."""
    report = str(Path(answers).resolve())
    with tempfile.TemporaryDirectory() as empty:
        where = run("python", "-c", "import brainrnn; print(brainrnn.__file__)", cwd=empty)
        assert "site-packages" in where, f"this is no installed package: {where}"
        for command in (*COMMANDS, ["study", "report", report, "--out", "page"]):
            run("brainrnn", *command, cwd=empty)
        assert "Usage: paper-mlp" in run("paper-mlp", "--help", cwd=empty)
        for name in MADE:
            assert Path(empty, name).is_file(), f"{name} is missing"
        assert list(Path(empty, "runs/quick").glob("**/map*")), "there is no map"
        assert "## What holds" in Path(empty, "page/README.md").read_text()
    print(f"{sys.executable} (Python {sys.version.split()[0]}) does all of it")


if __name__ == "__main__":
    main(*sys.argv[1:])
