"""Files that are written as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from brainrnn.errors import InputError


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Write a file through a temporary one, which replaces it when the block ends without error.

    Whoever reads ``path`` sees the old file or the whole new one, even if the process is killed or
    the power fails.

    Raises
    ------
    InputError
        If the folder cannot be written.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_path(folder / "numbers.txt") as temporary:
    ...     _ = temporary.write_text("1 2 3")
    ...     (folder / "numbers.txt").exists()
    False
    >>> (folder / "numbers.txt").read_text()
    '1 2 3'
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix
        )
    except OSError as error:
        raise InputError(
            f"cannot write {path}: {error.strerror or error}; choose another folder"
        ) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _to_disk(temporary)
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)  # mkstemp's files are private
        temporary.replace(path)
        with suppress(OSError):  # not every system knows this of a folder
            _to_disk(path.parent)
    except OSError as error:
        raise InputError(
            f"cannot write {path}: {error.strerror or error}; make room or choose another folder"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    """Wait until the disk holds a file, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
