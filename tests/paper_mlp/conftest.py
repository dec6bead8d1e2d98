"""Small runs of every experiment, made once for all tests."""

import json

import pytest

from paper_mlp.experiments import EXPERIMENTS
from tests.commands import paper_mlp
from tests.paper_mlp.small import LIKE, small_experiments


@pytest.fixture
def small():
    """Make the experiments small."""
    with small_experiments():
        yield


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """A folder with a finished run of every experiment; do not change them."""
    return tmp_path_factory.mktemp("paper")


@pytest.fixture(scope="session")
def printed(root):
    """What ``paper-mlp run --json`` printed of each of them, by name."""
    results = {}
    with small_experiments():
        for name in EXPERIMENTS:
            folder = root / f"{name}-notebook"
            status, output, errors = paper_mlp(
                "run", name, *LIKE, "--out", folder, "--json", "--quiet"
            )
            assert (status, errors) == (0, "")
            results[name] = json.loads(output)
    return results
