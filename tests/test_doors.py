"""Packages import their names on use: starting up is quick, and every name is there."""

import importlib
import inspect
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import brainrnn

ROOT = Path(brainrnn.__file__).parent
DOORS = [
    ".".join((ROOT.name, *stub.parent.relative_to(ROOT).parts))
    for stub in sorted(ROOT.rglob("__init__.pyi"))
]
HEAVY = {
    *("torch", "numpy", "scipy", "pandas", "xarray", "sklearn", "networkx", "matplotlib"),
    *("seaborn", "statsmodels", "pydantic", "neurogym", "gymnasium", "tqdm", "jaxtyping"),
}


def loaded(code: str) -> set[str]:
    """Modules that are loaded once a fresh Python has run the code."""
    show = "import sys; print('\\n', *sys.modules)"
    script = f"try:\n    {code}\nexcept SystemExit:\n    pass\n{show}"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(result.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import brainrnn",
        "import brainrnn.analysis.graph, brainrnn.plots.maps, brainrnn.study, brainrnn.training",
        "from brainrnn.cli import main; main(['--help'])",
        "from brainrnn.cli import main; main(['--version'])",
        "from brainrnn.cli import main; main(['analyse', '--help'])",
        "from brainrnn.cli import main; main(['configs'])",
    ],
)
def test_starting_up_imports_nothing_heavy(code):
    modules = loaded(code)
    assert "brainrnn" in modules
    assert modules & HEAVY == set()


def test_what_is_used_is_imported():
    """The test above can fail."""
    assert {"torch", "pydantic"} <= loaded("import brainrnn; brainrnn.BIMT")


def test_help_costs_little_processor_time():
    """0.15 s where this was written; the bound allows for slow machines."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "brainrnn", "--help"]
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0


@pytest.mark.parametrize("door", DOORS)
def test_every_public_name_is_there(door):
    package = importlib.import_module(door)
    assert package.__all__
    for name in package.__all__:
        assert getattr(package, name) is not None
        assert name in dir(package)
    with pytest.raises(AttributeError):
        package.nothing_of_that_name  # noqa: B018


def test_a_file_does_not_hide_the_function_of_its_name():
    code = (
        "import brainrnn.analysis.robustness, brainrnn.analysis.space.mantel as m, inspect;"
        "from brainrnn import analysis;"
        "assert inspect.isfunction(analysis.robustness);"
        "assert inspect.isfunction(analysis.space.mantel)"
    )
    loaded(code)


def test_the_version_is_known():
    assert brainrnn.__version__.count(".") == 2


def test_functions_and_packages_of_similar_names():
    assert inspect.isfunction(brainrnn.train)
    assert inspect.ismodule(brainrnn.training)
    assert inspect.isfunction(brainrnn.robustness)
