"""Former module names go on for one release, and say the new one."""

import importlib
import inspect
import sys

import pytest

from brainrnn._moved import MOVED


@pytest.mark.parametrize("former", MOVED)
def test_former_name_is_the_new_module_with_a_warning(former):
    sys.modules.pop(f"brainrnn.{former}", None)
    new = importlib.import_module(f"brainrnn.{MOVED[former]}")
    with pytest.warns(DeprecationWarning, match=f"brainrnn.{MOVED[former]}"):
        old = importlib.import_module(f"brainrnn.{former}")
    public = [name for name in vars(new) if not name.startswith("_")]
    assert public
    assert all(getattr(old, name) is getattr(new, name) for name in public)


def test_modules_that_became_folders_keep_their_names():
    from brainrnn.analysis.graph import live_connections, newman_modularity  # noqa: F401
    from brainrnn.anatomy import Anatomy, PlacedNetwork, Population, per_member  # noqa: F401
    from brainrnn.training import Trainer, TrainingSpec, answer, train  # noqa: F401


@pytest.mark.parametrize("name", ["record", "mantel", "stages"])
def test_a_former_module_does_not_hide_the_function_of_its_name(name):
    sys.modules.pop(f"brainrnn.analysis.{name}", None)
    with pytest.warns(DeprecationWarning, match=name):
        importlib.import_module(f"brainrnn.analysis.{name}")
    assert inspect.isfunction(getattr(importlib.import_module("brainrnn.analysis"), name))


def test_a_name_that_never_was_is_not_found():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("brainrnn.nowhere")
