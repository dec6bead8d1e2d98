"""Which versions, and which instructions of the processor, a run was made with: versions.json."""

from __future__ import annotations

import json
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from brainrnn.errors import InputError
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


def circumstances() -> dict[str, str]:
    """Versions, and the processor's instructions that sums are computed by.

    With the same versions, other instructions round otherwise and so give other networks.

    Examples
    --------
    >>> circumstances().keys() - versions().keys()
    {'instructions'}
    """
    import torch

    return versions() | {"instructions": torch.backends.cpu.get_cpu_capability()}


def noted_versions(folder: Path) -> dict[str, str]:
    """What :func:`note_versions` left.

    Raises
    ------
    InputError
        If it is not there, or damaged.
    """
    path = folder / "versions.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(number) for name, number in found.items()}
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is damaged"
        raise InputError(
            f"cannot read {path}: {reason}; copy it again, or delete it to do without"
        ) from None


def note_versions(folder: Path) -> None:
    """Write versions.json."""
    with atomic_path(folder / "versions.json") as temporary:
        temporary.write_text(json.dumps(circumstances(), indent=2) + "\n", encoding="utf-8")
