"""Which versions a run was made with: versions.json."""

from __future__ import annotations

import json
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from brainrnn.files import atomic_path

_PACKAGES = ("brainrnn", "torch", "numpy", "scipy", "scikit-learn", "neurogym", "xarray")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on, if they are installed.

    Examples
    --------
    >>> {"brainrnn", "python", "torch"} <= versions().keys()
    True
    """
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):  # neurogym is not there for every Python
            found[name] = version(name)
    return found


def note_versions(folder: Path) -> None:
    """Write versions.json."""
    with atomic_path(folder / "versions.json") as temporary:
        temporary.write_text(json.dumps(versions(), indent=2) + "\n", encoding="utf-8")
