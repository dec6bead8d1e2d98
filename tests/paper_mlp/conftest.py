"""Small runs of every experiment, made once for all tests."""

import json

import pytest

from tests.commands import paper_mlp
from tests.paper_mlp.small import LIKE, small_experiments


@pytest.fixture
def small():
    """Make the experiments small."""
    with small_experiments():
        yield


class Printed(dict):
    """What ``paper-mlp run --json`` printed of an experiment, by name; it runs when first asked."""

    def __init__(self, root):
        self.root = root

    def __missing__(self, name):
        with small_experiments():
            status, output, errors = paper_mlp(
                "run", name, *LIKE, "--out", self.root / f"{name}-notebook", "--json", "--quiet"
            )
        assert (status, errors) == (0, "")
        return self.setdefault(name, json.loads(output))


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """A folder with the finished runs of ``printed``; do not change them."""
    return tmp_path_factory.mktemp("paper")


@pytest.fixture(scope="session")
def printed(root):
    """What was printed of a small run of each experiment."""
    return Printed(root)
