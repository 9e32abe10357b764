"""Refusing what would not fit into memory, before anything is allocated."""

from __future__ import annotations

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")  # limits of a container: those of version 2 are files of this folder

SMALL = 1 << 26  # bytes that are not worth a look


def available() -> int | None:
    """Return the bytes that this process can still get, as far as the system tells; None where it does not."""
    known = [free for free in (_free(), _left_in_container(), _left_to_process()) if free is not None]
    return min(known, default=None)


def require(size: float, what: str, advice: str) -> None:
    """Raise MemoryError if `size` bytes are more than there are.

    Parameters
    ----------
    size : float
        An estimate of what is about to be allocated.
    what, advice : str
        What needs it; what to do instead.
    """
    left = available() if size > SMALL else None
    if left is not None and size > left:
        raise MemoryError(f"{what} would need about {_gib(size)} of memory, but {_gib(left)} are left: {advice}")


def _gib(size: float) -> str:
    return f"{size / 2**30:.3g} GiB"


def _free() -> int | None:
    """What the machine has left."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _left_in_container() -> int | None:
    try:
        most = (CGROUP / "memory.max").read_text().strip()
        used = int((CGROUP / "memory.current").read_text())
        cached = [line.split() for line in (CGROUP / "memory.stat").read_text().splitlines()]
    except (OSError, ValueError):
        return None
    if not most.isdecimal():
        return None
    return int(most) - used + sum(int(count) for name, count in cached if name in ("inactive_file", "active_file"))


def _left_to_process() -> int | None:
    """What the limit on address space leaves, where there is one."""
    try:
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (ImportError, OSError, ValueError):
        return None
    return None if most == resource.RLIM_INFINITY else most - used
