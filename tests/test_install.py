"""The package as pip installs it: its configurations, and no folder that takes its name."""

import shutil
import subprocess
import sys
import venv
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


def _builds() -> bool:
    """Whether this Python can build the package without the network."""
    try:
        return int(version("setuptools").partition(".")[0]) >= 77
    except PackageNotFoundError:
        return False


pytestmark = [pytest.mark.slow, pytest.mark.skipif(not _builds(), reason="needs setuptools 77")]


@pytest.fixture
def clone(tmp_path):
    """The repository in a folder named brainrnn."""
    folder = tmp_path / "above" / "brainrnn"
    folder.mkdir(parents=True)
    for name in ("brainrnn", "tasks", "paper_mlp", "configs"):
        shutil.copytree(
            REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, folder)
    return folder


@pytest.fixture
def python(tmp_path):
    """A Python of its own that shares the packages of this one, but not this one's brainrnn."""
    venv.create(tmp_path / "env")
    program = tmp_path / "env" / "bin" / "python"
    (site,) = (tmp_path / "env" / "lib").glob("python*/site-packages")
    shared = [path for path in sys.path if Path(path).name == "site-packages"]
    (site / "shared.pth").write_text("\n".join(shared))
    return lambda *arguments, cwd: (
        subprocess.run(
            [program, *map(str, arguments)], cwd=cwd, check=True, capture_output=True, text=True
        ).stdout
    )


PIP = ("-m", "pip", "install", "--no-deps", "--no-build-isolation", "--ignore-installed")


def test_an_editable_install_is_found_from_the_folder_above(clone, python, tmp_path):
    python(*PIP, "-e", clone, cwd=tmp_path)
    where = python("-c", "import brainrnn; print(brainrnn.__file__)", cwd=clone.parent)
    assert Path(where.strip()) == clone / "brainrnn" / "__init__.py"
    assert python("-m", "brainrnn", "--version", cwd=clone.parent).startswith("brainrnn ")


def test_a_wheel_works_away_from_the_repository(clone, python, tmp_path):
    python(*PIP, clone, cwd=tmp_path)
    where = python("-c", "import brainrnn; print(brainrnn.__file__)", cwd=clone.parent)
    assert "site-packages" in where
    shutil.rmtree(clone)
    python("-P", REPOSITORY / "tests/smoke.py", REPOSITORY / "docs/results/tradeoff", cwd=tmp_path)
