"""Files that are written as a whole or not at all, and folders that one process has at a time."""

from __future__ import annotations

import os
import platform
import re
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from brainrnn.errors import InputError

# A temporary file says whose it is: what a killed process has left can be told from the rest.
_TEMPORARY = re.compile(r"\.brainrnn-(\d+)-([0-9a-f]{8})-(.*)-[^-]{8}(\.[^.]*)?")
_THIS = secrets.token_hex(4)  # tells this process from an earlier one of the same number
_LOCK = ".lock"
_LONG_AGO = 86400.0  # seconds; no process of another machine has been writing one file for a day


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
        _left_over_removed(path.parent.absolute())
        prefix = f".brainrnn-{os.getpid()}-{_THIS}-{platform.node()}-"
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=path.suffix)
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


def is_ours(path: Path) -> bool:
    """Whether a file is a temporary one, or a lock, such as a killed process leaves.

    Examples
    --------
    >>> is_ours(Path("run/.brainrnn-123-0a1b2c3d-node7-x8a_3fq1.toml"))
    True
    >>> is_ours(Path("run/config.toml"))
    False
    """
    return path.name == _LOCK or _TEMPORARY.fullmatch(path.name) is not None


def remove_left_over(folder: Path) -> None:
    """Remove temporary files, and the lock, of processes that were killed.

    Parameters
    ----------
    folder : path
    """
    if (folder / _LOCK).exists():
        with suppress(InputError), claim(folder):  # whose end removes it
            pass
    for path in folder.glob(".brainrnn-*"):
        if named := _TEMPORARY.fullmatch(path.name):
            process, begun, machine = int(named[1]), *named.group(2, 3)
            with suppress(OSError):  # another process was faster
                if machine != platform.node():
                    gone = time.time() - path.stat().st_mtime > _LONG_AGO
                elif process == os.getpid():
                    gone = begun != _THIS
                else:
                    gone = not lives(process)
                if gone:
                    path.unlink()


_left_over_removed = cache(remove_left_over)  # once for each folder that this process writes


def lives(process: int) -> bool:
    """Whether a process of this machine has that number."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # of another user
        pass
    return True


@contextmanager
def claim(folder: Path, name: str = "", *, patience: float = 0) -> Iterator[bool]:
    """Claim a folder, or something in it, for this process; false if another process has it.

    The claim goes when the process ends, however it ends. The lock file is removed with it, unless
    the process was killed.

    Parameters
    ----------
    folder : path
        Is made, if it does not exist.
    name : str
        Of what is claimed; nothing for the folder itself.
    patience : float
        Seconds to wait for another process.

    Raises
    ------
    InputError
        If the folder cannot be written, or its file system has no locks.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> with claim(folder) as ours, claim(folder) as again:
    ...     ours, again
    (True, False)
    """
    file = folder / f"{name}{_LOCK}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file)
        lock.acquire(timeout=patience)
    except Timeout:
        yield False
        return
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot write {file}: {reason}; choose another folder") from None
    try:
        yield True
    finally:
        with suppress(OSError):
            file.unlink()  # still claimed; who waits for it takes a new one
        lock.release()
