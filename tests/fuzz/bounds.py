"""What reading a file may cost: three times what it honestly holds, in memory and in time."""

from __future__ import annotations

import io
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TIMES = 3
ROOM = 16 << 20  # bytes for the blocks that a reader takes at a time, and for all else that a process does
PAUSE = 1.0  # seconds of the processor
SPEED = 2e6  # bytes a second that a reader reads at least
MOST = 1 << 30  # bytes of address space beyond what the process has: past them, allocating fails
STATUS, PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class ExcessError(AssertionError):
    """What was done with a file took more than it honestly holds."""


@contextmanager
def bounded(data: bytes, counts: Counter[str]) -> Iterator[None]:
    """Raise ExcessError if what is done with a file takes more than it honestly holds; count what it took."""
    before, start = _peak(forget=True), time.process_time()
    yield
    seconds, taken = time.process_time() - start, _peak() - before
    counts[f"peak below {max(1, 1 << (taken >> 20).bit_length())} MiB"] += 1
    if taken > ROOM or seconds > PAUSE:
        honest = expanded(data)
        if taken > ROOM + TIMES * honest:
            raise ExcessError(f"{taken} bytes of memory for {honest}")
        if seconds > PAUSE + TIMES * honest / SPEED:
            raise ExcessError(f"{seconds} s for {honest} bytes")


def _peak(forget: bool = False) -> int:
    """Return the most memory that this process has had, in bytes, since it was last forgotten; 0 where none tells."""
    try:
        if forget:
            PEAK.write_text("5")
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return 0
    return int(line.split()[1]) * 1024


def expanded(data: bytes) -> int:
    """Return how many bytes there are in a file and in what it really expands to, as far as it can be read."""
    size = len(data)
    try:
        if data[:2] == b"\x1f\x8b":
            part, stream = data, zlib.decompressobj(31)
            while part and not stream.eof:
                size += len(stream.decompress(part, 1 << 20))
                part = stream.unconsumed_tail
        elif data[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for member in archive.infolist():
                    with archive.open(member) as file:
                        while part := file.read(1 << 20):
                            size += len(part)
    except Exception:  # whatever a damaged archive raises: what was read until then counts
        pass
    return size


def limit_memory() -> None:
    """Let this process have only so much more address space, so that a bomb is an error and no end of the machine."""
    import resource

    used = int(next(line for line in STATUS.read_text().splitlines() if line.startswith("VmSize")).split()[1]) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (used + MOST, resource.getrlimit(resource.RLIMIT_AS)[1]))
