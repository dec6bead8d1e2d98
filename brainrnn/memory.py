"""Whether something fits into memory, before any of it is taken."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from brainrnn.errors import InputError


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
    with suppress(OSError):  # elsewhere than on Linux
        own_group = Path("/proc/self/cgroup").read_text().split(":/")[-1].strip()
        group = Path("/sys/fs/cgroup", own_group)
        for folder in (group, *group.parents):
            with suppress(OSError, ValueError):  # none there, or "max"
                yield int((folder / "memory.max").read_text())
