"""A function of the user's own, named in a configuration as ``module:function``.

A configuration may come from a stranger, so a module is imported only if the user named it too.
"""

from __future__ import annotations

import functools
import importlib
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from brainrnn.errors import InputError

TRUST = "BRAINRNN_TRUST"  # environment variable: modules, with commas between them
_NAMED = re.compile(r"(?<![\w.])([^\W\d][\w.]*):[^\W\d]")


def trust(*modules: str) -> None:
    """Let configurations name functions of these modules, and of modules inside them.

    It holds for this process and the processes that it starts.

    Parameters
    ----------
    *modules : str
        Names, such as ``mytasks`` or ``mylab.tasks``.

    Raises
    ------
    InputError
        If one cannot be the name of a module.

    Examples
    --------
    >>> trust("mytasks")
    >>> is_trusted("mytasks.suites"), is_trusted("os")
    (True, False)
    """
    for name in modules:
        if not _is_module(name):
            raise InputError(
                f"{name!r} is no name of a module: expected one such as mytasks or mylab.tasks"
            )
    os.environ[TRUST] = ",".join(sorted(trusted().union(modules)))


def trust_named(words: Iterable[str]) -> None:
    """Trust the modules that a user has named on the command line, in texts such as KEY=VALUE.

    Examples
    --------
    >>> trust_named(["task.names=['lights:Side-v0']", "network.geometry=places:round"])
    >>> is_trusted("lights"), is_trusted("places"), is_trusted("Side")
    (True, True, False)
    """
    named = {name for word in words for name in _NAMED.findall(word)}
    trust(*filter(_is_module, named))


def is_trusted(module: str) -> bool:
    """Whether a module, or a package that it is in, was trusted (:func:`trust`).

    Examples
    --------
    >>> is_trusted("subprocess")
    False
    """
    parts = module.split(".")
    return any(".".join(parts[:n]) in trusted() for n in range(1, len(parts) + 1))


def trusted() -> set[str]:
    """Names of the modules that were trusted, here or by the environment variable.

    Examples
    --------
    >>> trust("mytasks")
    >>> "mytasks" in trusted()
    True
    """
    return {name.strip() for name in os.environ.get(TRUST, "").split(",")} - {""}


def is_reference(text: str) -> bool:
    """Whether a text has the form ``module:function``.

    Examples
    --------
    >>> is_reference("mymodule:places"), is_reference("sites.csv"), is_reference("C:\\\\sites.csv")
    (True, False, False)
    """
    module, colon, name = text.partition(":")
    return bool(colon) and name.isidentifier() and _is_module(module)


def _is_module(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def own_module(name: str) -> ModuleType:
    """Import a trusted module from the current folder, or an installed one.

    The current folder joins the end of Python's search path, where it cannot hide a package that
    is installed. (A console script does not have it there.)

    Parameters
    ----------
    name : str
        The module's name.

    Raises
    ------
    InputError
        If it is not trusted, is not there, or raises an error while it is imported.

    Examples
    --------
    >>> trust("math")
    >>> own_module("math").sqrt(4)
    2.0
    """
    if not is_trusted(name):
        raise InputError(
            f"the configuration names code, the module {name!r}: if you trust it, say so by "
            f"--trust {name}, in Python by brainrnn.trust({name!r}), or for all commands by "
            f"{TRUST}={name}"
        )
    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    importlib.invalidate_caches()  # the file may be a moment old
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name or name.startswith(f"{error.name}."):
            raise InputError(
                f"no module {name!r} in {here}, and none is installed: start from the folder that "
                "holds it"
            ) from None
        raise InputError(_one_line(f"cannot import {name!r}", error)) from error
    except Exception as error:
        raise InputError(_one_line(f"cannot import {name!r}", error)) from error


def own_function(reference: str) -> Callable[..., Any]:
    """The function that ``module:function`` names; what it raises becomes one line.

    Raises
    ------
    InputError
        If the module is not trusted, cannot be imported, or has no such function. The function
        itself raises it instead of any other error.

    Examples
    --------
    >>> trust("math")
    >>> own_function("math:hypot")(3.0, 4.0)
    5.0
    """
    name, _, attribute = reference.partition(":")
    module = own_module(name)
    where = getattr(module, "__file__", None) or name
    function = getattr(module, attribute, None)
    if function is None:
        raise InputError(f"{where} has no function {attribute!r}: check the name")
    if not callable(function):
        raise InputError(f"{attribute!r} in {where} is no function but {function!r:.60}")

    @functools.wraps(function)
    def guarded(*args: Any, **named: Any) -> Any:
        try:
            return function(*args, **named)
        except InputError:
            raise
        except Exception as error:
            raise InputError(_one_line(f"{reference} failed", error)) from error

    return guarded


def _one_line(what: str, error: BaseException) -> str:
    """One line for an error in the user's code: its type, its message, and where it arose."""
    text, place = str(error), _own_line(error)
    if isinstance(error, SyntaxError):
        text, place = error.msg, (error.filename or "?", error.lineno)
    where = f" ({os.path.basename(place[0])}, line {place[1]})" if place else ""
    return f"{what}: {type(error).__name__}: {' '.join(text.split())}{where}"


def _own_line(error: BaseException) -> tuple[str, int | None] | None:
    """File and line of the user's code that an error comes from, if it comes from there."""
    foreign = ("importlib", "site-packages", __file__)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not any(part in frame.filename for part in foreign):
            return frame.filename, frame.lineno
    return None
