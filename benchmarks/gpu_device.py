"""A device with its events: how long what is queued takes there."""

from __future__ import annotations

import fcntl
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

RUNS = 20
AWAY = 1 << 28  # bytes written between runs: no output stays in a cache
COPIED = 1 << 29  # bytes, for the speed of memory


class Device:
    """A device with its events: how long what is queued takes there; one process at a time, where several have it."""

    def __init__(self, cupy: Any, lock: Path | None = None) -> None:
        self.cupy, self._lock = cupy, lock
        self.name = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()

    @contextmanager
    def alone(self) -> Iterator[None]:
        if self._lock is None:
            yield
            return
        with self._lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
            self.cupy.cuda.Device().synchronize()

    def milliseconds(self, call: Callable[[], Any]) -> float:
        """Return the median time of a call, its output not left in a cache."""
        away = self.cupy.empty(AWAY // 8)
        times = []
        for _ in range(RUNS):
            away.fill(0.0)
            times.append(self._between(call))
        return statistics.median(times)

    def queued_milliseconds(self, calls: Sequence[Callable[[], Any]]) -> float:
        """Return the time of a call among many, one after the other; their outputs together fit into no cache."""
        graph = _captured(self.cupy, lambda: [call() for call in calls])
        graph.launch()
        return statistics.median(self._between(graph.launch) for _ in range(5)) / len(calls)

    def _between(self, call: Callable[[], Any]) -> float:
        begin, end = self.cupy.cuda.Event(), self.cupy.cuda.Event()
        begin.record()
        call()
        end.record()
        end.synchronize()
        elapsed: float = self.cupy.cuda.get_elapsed_time(begin, end)
        return elapsed

    def host_microseconds(self, call: Callable[[], Any]) -> float:
        """Return the median time until a call is queued."""
        times = []
        for _ in range(10 * RUNS):
            self.cupy.cuda.Device().synchronize()
            begin = time.perf_counter()
            call()
            times.append(1e6 * (time.perf_counter() - begin))
        self.cupy.cuda.Device().synchronize()
        return statistics.median(times)

    def bandwidth(self) -> float:
        """Return the bytes a second that a copy reads and writes."""
        source, target = (self.cupy.empty(COPIED // 8) for _ in range(2))
        source.fill(1.0)
        return 2e3 * COPIED / self.milliseconds(lambda: self.cupy.copyto(target, source))


def _captured(cupy: Any, call: Callable[[], Any]) -> Any:
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        call()
        stream.synchronize()
        stream.begin_capture()
        call()
        return stream.end_capture()
