"""Refusing what would not fit into memory, before anything is allocated.

What is left is the least of what the machine has, what the control groups of the process (containers, services, batch
jobs) leave, each of those that it is nested in, and what the process may still take by its own limits.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
CGROUP = Path("/sys/fs/cgroup")  # version 2; version 1 has the groups for memory in a folder of it

SMALL = 1 << 26  # bytes that are not worth a look
ADVICE = "use a smaller problem or a part of the function, or products (jvp, vjp, hvp), which need no matrix"

# file of the limit, file of what is used, and what of that the system gives back when asked
VERSIONS = {
    "memory.max": ("memory.current", ("inactive_file", "active_file")),
    "memory.high": ("memory.current", ("inactive_file", "active_file")),
    "memory.limit_in_bytes": ("memory.usage_in_bytes", ("total_inactive_file", "total_active_file")),
}


class NoRoomError(MemoryError):
    """What would not fit: the message has an estimate, what needs it, and what to do instead."""


def available() -> int | None:
    """Return the bytes that this process can still get, as far as the system tells; None where it does not."""
    known = [free for free in (_free(), *_left_in_groups(), *_left_to_process()) if free is not None]
    return max(min(known), 0) if known else None


def is_large(size: float) -> bool:
    """Tell whether so many bytes are worth a look at what is left."""
    return size > SMALL


def require(size: float, what: str, advice: str = ADVICE) -> None:
    """Raise NoRoomError if `size` bytes are more than there are.

    Parameters
    ----------
    size : float
        An estimate of what is about to be allocated.
    what, advice : str
        What needs it; what to do instead.
    """
    left = available() if is_large(size) else None
    if left is not None and size > left:
        raise NoRoomError(f"{what} would need about {_gib(size)} of memory, but {_gib(left)} are left: {advice}")


def _gib(size: float) -> str:
    return f"{size / 2**30:.3g} GiB"


def _free() -> int | None:
    """What the machine has left."""
    try:
        return _counts(PROC / "meminfo")["MemAvailable:"] * 1024
    except (OSError, KeyError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _left_in_groups() -> Iterator[int]:
    """What each control group leaves that the process is in, or that is around one it is in."""
    for folder in dict.fromkeys(_groups()):
        for limit, (use, cached) in VERSIONS.items():
            try:
                most = int((folder / limit).read_text())  # "max" where there is none
                used = int((folder / use).read_text())
                counts = _counts(folder / "memory.stat")
            except (OSError, ValueError):
                continue
            yield most - used + sum(counts.get(name, 0) for name in cached)


def _groups() -> Iterator[Path]:
    """The folders of the control groups, inner ones first; inside a container they may not be where they are named."""
    try:
        lines = (PROC / "self" / "cgroup").read_text().splitlines()
    except OSError:
        lines = []
    for number, controllers, path in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if number == "0" or "memory" in controllers.split(","):
            root = CGROUP if number == "0" else CGROUP / "memory"
            inner = root / path.lstrip("/")
            yield from (folder for folder in (inner, *inner.parents) if folder.is_relative_to(root))
    yield from (CGROUP, CGROUP / "memory")


def _left_to_process() -> Iterator[int]:
    """What the limits on address space and on data leave, where there are any."""
    try:
        import resource

        used = _counts(PROC / "self" / "status")
    except (ImportError, OSError):
        return
    for limit, name in ((resource.RLIMIT_AS, "VmSize:"), (resource.RLIMIT_DATA, "VmData:")):
        most, _ = resource.getrlimit(limit)
        if most != resource.RLIM_INFINITY and name in used:
            yield most - used[name] * 1024


def _counts(file: Path) -> dict[str, int]:
    """Read lines of a name and a whole number."""
    pairs = (line.split()[:2] for line in file.read_text().splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}
