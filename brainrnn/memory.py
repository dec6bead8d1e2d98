"""Whether something fits into memory, before any of it is taken."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from brainrnn.errors import InputError

_OWN_GROUPS, _GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def require_memory(needed: float, what: str, remedy: str) -> None:
    """Refuse what is larger than the memory that this process may have.

    Parameters
    ----------
    needed : float
        A careful estimate, in bytes. What fits must not be refused.
    what, remedy : str
        What would take it, and what to do then.

    Raises
    ------
    InputError
        With the estimated size.

    Examples
    --------
    >>> require_memory(1e6, "a small network", "use fewer neurons")
    >>> require_memory(1e18, "a network of 10^9 neurons", "use fewer neurons")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    brainrnn.errors.InputError: a network of 10^9 neurons would take about 931,322,575 GiB of ...
    """
    if needed > (limit := memory()):
        raise InputError(
            f"{what} would take about {needed / 2**30:,.0f} GiB of memory, and there are "
            f"{limit / 2**30:,.0f}: {remedy}"
        )


def memory() -> int:
    """Bytes that this process may have: of the machine, its own limit, and its control groups'.

    Examples
    --------
    >>> memory() > 2**20
    True
    """
    return min(_limits())


def _limits() -> Iterator[int]:
    yield os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    own, _ = resource.getrlimit(resource.RLIMIT_AS)
    if own != resource.RLIM_INFINITY:
        yield own
    for group in _control_groups():
        for folder in (group, *group.parents):
            for file in ("memory.max", "memory.limit_in_bytes"):  # of version 2, and of 1
                with suppress(OSError, ValueError):  # none there, or "max"
                    yield int((folder / file).read_text())


def _control_groups() -> Iterator[Path]:
    """Folders of the groups whose limits of memory this process has."""
    with suppress(OSError):  # elsewhere than on Linux
        for line in _OWN_GROUPS.read_text().splitlines():
            _, controllers, own = line.split(":", 2)
            if not controllers:
                yield _GROUPS / own.lstrip("/")
            elif "memory" in controllers.split(","):
                yield _GROUPS / "memory" / own.lstrip("/")
