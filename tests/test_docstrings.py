"""Every public name says what it takes, what it returns, and shows an example that runs.

The examples themselves are doctests, which run with the tests.
"""

import dataclasses
import importlib
import importlib.resources
import inspect
import itertools

import pytest
from pydantic import BaseModel

DOORS = [
    "brainrnn",
    "brainrnn.analysis",
    "brainrnn.anatomy",
    "brainrnn.networks",
    "brainrnn.plots",
    "brainrnn.runs",
    "brainrnn.study",
    "brainrnn.training",
    "brainrnn.wiring_cost",
    "tasks",
]


def sections(text):
    """Names of the numpydoc sections of a docstring: a line above a line of dashes."""
    lines = [line.strip() for line in text.splitlines()]
    return {
        name
        for name, dashes in itertools.pairwise(lines)
        if len(dashes) > 2 and set(dashes) == {"-"}
    }


def takes_arguments(thing):
    """Whether a call of it needs more to be said than its name."""
    kinds = {parameter.kind for parameter in inspect.signature(thing).parameters.values()}
    return bool(kinds - {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD})


def missing(thing):
    """What the documentation of a public class or function lacks."""
    text = inspect.getdoc(thing) or ""
    has, lacks = sections(text), []
    if not text or (inspect.isclass(thing) and thing.__doc__ is None):
        return ["a docstring"]
    if inspect.isclass(thing) and issubclass(thing, BaseModel):
        lacks += [
            f"a description of {name}"
            for name, field in thing.model_fields.items()
            if not field.description and not issubclass_of_model(field.annotation)
        ]
    elif dataclasses.is_dataclass(thing):
        lacks += [] if has & {"Attributes", "Parameters"} else ["Attributes"]
    elif takes_arguments(thing) and not getattr(thing, "_is_protocol", False):
        lacks += [] if has & {"Parameters", "Attributes"} else ["Parameters"]
    if inspect.isfunction(thing):
        returned = inspect.signature(thing).return_annotation
        nothing = returned in (None, "None", inspect.Signature.empty)
        lacks += [] if nothing or has & {"Returns", "Yields"} else ["Returns"]
    if ">>>" not in text:
        lacks.append("Examples")
    return lacks


def issubclass_of_model(annotation):
    """Whether a field is a section of its own, which describes itself."""
    return inspect.isclass(annotation) and issubclass(annotation, BaseModel)


def public(door):
    """(name, class or function) of everything behind a door but errors and constants."""
    module = importlib.import_module(door)
    for name in module.__all__:
        thing = getattr(module, name)
        error = inspect.isclass(thing) and issubclass(thing, BaseException)
        if not error and (inspect.isclass(thing) or inspect.isfunction(thing)):
            yield name, thing


@pytest.mark.parametrize("door", DOORS)
def test_every_public_name_is_documented_with_an_example(door):
    found = list(public(door))
    assert found
    lacking = {name: missing(thing) for name, thing in found}
    lines = [f"{name}: {', '.join(what)}" for name, what in lacking.items() if what]
    assert not lines, f"{door} lacks documentation:\n" + "\n".join(lines)


def test_every_folder_with_a_door_is_looked_at():
    import brainrnn

    folders = {
        path.parent.name for path in importlib.resources.files(brainrnn).glob("*/__init__.py")
    }
    with_doors = {
        f"brainrnn.{name}"
        for name in folders
        if hasattr(importlib.import_module(f"brainrnn.{name}"), "__all__")
    }
    assert with_doors - {"brainrnn.cli"} <= set(DOORS)


def test_what_is_missing_is_seen():
    def bare(x: int) -> int:
        """One line."""
        return x

    def whole(x: int) -> int:
        """One line.

        Parameters
        ----------
        x : int

        Returns
        -------
        int

        Examples
        --------
        >>> whole(1)
        1
        """
        return x

    assert missing(bare) == ["Parameters", "Returns", "Examples"]
    assert missing(whole) == []
