"""What all tests share: the settings of property tests, and threads."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:  # before PyTorch is loaded, here and in child processes
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # of tests that ask for two

import pytest
import torch
from hypothesis import settings
from jaxtyping import TypeCheckError

# No deadlines on busy machines, the same examples on CI.
settings.register_profile("brainrnn", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("brainrnn")


def pytest_collection_modifyitems(config, items):
    """A value of a wrong type, given on purpose, may be refused by the checker of types first."""
    if config.getoption("jaxtyping_packages", None):
        for item in items:
            if item.get_closest_marker("wrong_types"):
                item.add_marker(pytest.mark.xfail(raises=TypeCheckError, strict=False))


@pytest.fixture(autouse=True)
def nothing_trusted(monkeypatch):
    """No module of a user's is trusted, and none afterwards that a test has trusted."""
    monkeypatch.setenv("BRAINRNN_TRUST", "")


@pytest.fixture
def two_threads():
    """As many threads as two, whatever the machine has; afterwards as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)
