"""Derivatives on a CUDA device: values against the CPU, and how near to the speed of memory they are written.

``python -m benchmarks.gpu`` (`make gpu`) takes at most four minutes and writes ``build/gpu.md``, with the name of the
device. It needs a device, and CuPy.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

import sparsead as sad
from benchmarks.report import Table
from sparsead.derivatives.device import usable_cupy
from sparsead.problems import PROBLEMS

BUDGET = 220.0  # seconds after which no case is begun
RUNS = 20
AWAY = 1 << 28  # bytes written between runs: no output stays in a cache
COPIED = 1 << 29  # bytes, for the speed of memory
CASES = (
    ("brusselator", 256, "direct"),
    ("brusselator", 1024, "direct"),
    ("brusselator", 256, "forward"),
    ("bratu", 50, "direct"),
    ("bratu", 100, "direct"),
    ("cavity", 255, "direct"),
    ("burgers", 100_000, "direct"),
    ("burgers", 1_000_000, "direct"),
    ("rosenbrock", 3_000_000, "direct"),
    ("minimal-surface", 1000, "direct"),
    ("hyperelastic", 16, "direct"),
    ("power-flow", 3000, "direct"),
)
HEAD = ("problem", "entries", "ms", "of copy bandwidth", "µs of Python", "CPU ms, one core", "entries that differ",
        "largest difference", "s to prepare")  # fmt: skip


class Device:
    """A device with its events: how long what is queued takes there."""

    def __init__(self, cupy: Any) -> None:
        self.cupy = cupy
        properties = cupy.cuda.runtime.getDeviceProperties(0)
        self.name = properties["name"].decode()
        self._away = cupy.empty(AWAY // 8)

    def milliseconds(self, call: Callable[[], Any]) -> float:
        """Return the median time of a call, its output not left in a cache."""
        times = []
        for _ in range(RUNS):
            self._away.fill(0.0)
            begin, end = self.cupy.cuda.Event(), self.cupy.cuda.Event()
            begin.record()
            call()
            end.record()
            end.synchronize()
            times.append(self.cupy.cuda.get_elapsed_time(begin, end))
        return statistics.median(times)

    def host_microseconds(self, call: Callable[[], Any]) -> float:
        """Return the median time until a call is queued."""
        times = []
        for _ in range(RUNS):
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


def measured(device: Device, bandwidth: float, name: str, size: int, mode: str) -> tuple[Any, ...]:
    """Return the row of a case."""
    problem, cupy = PROBLEMS[name](size), device.cupy
    make, begin = getattr(sad, problem.derivative), time.perf_counter()
    made = make(problem.f, problem.x0, *problem.args, mode=mode, device="cuda", check=False)
    x = problem.x0 + 0.01
    args = [cupy.asarray(a) if isinstance(a, float | np.ndarray) else a for a in (x, *problem.args)]
    data = made.values(*args)
    values = data.get()
    seconds = time.perf_counter() - begin
    host = made.prepared.values(x, *problem.args)
    cpu = min(_timed(lambda: made.prepared.values(x, *problem.args, out=host)) for _ in range(5))
    ms = device.milliseconds(lambda: made.values(*args, out=data))
    again = data.get()
    if again.tobytes() != values.tobytes():
        raise AssertionError(f"{name}: not the same bits at every call")
    moved = 8 * (values.size + x.size)
    largest = np.abs(values - host).max() / max(np.abs(host).max(), np.finfo(float).tiny)
    queued = device.host_microseconds(lambda: made.values(*args, out=data))
    speed, differ = moved / (1e-3 * ms) / bandwidth, int((values != host).sum())
    return (f"{name} {size:,}, {mode}", values.size, ms, speed, queued, cpu, differ, largest, seconds)


def _timed(call: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - begin)


def rows(device: Device, bandwidth: float, cases: Any = CASES, budget: float = BUDGET) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of all cases that there is time for; a case that fails says so in its row."""
    begin = time.monotonic()
    for name, size, mode in cases:
        label = f"{name} {size:,}, {mode}"
        if time.monotonic() - begin > budget:
            yield (label, "no time left", *[""] * (len(HEAD) - 2))
            continue
        try:
            yield measured(device, bandwidth, name, size, mode)
        except Exception as error:  # the others are worth having
            yield (label, f"{type(error).__name__}: {str(error)[:200]}", *[""] * (len(HEAD) - 2))


def report(cupy: Any, cases: Any = CASES, budget: float = BUDGET) -> str:
    """Measure, and return the page."""
    device = Device(cupy)
    bandwidth = device.bandwidth()
    note = (
        f"Device: {device.name}, CuPy {cupy.__version__}, copies at {bandwidth / 1e9:,.0f} GB/s. x and values stay on "
        f"the device; medians of {RUNS} calls, outputs not left in a cache. The bytes that count are those of values "
        "and x."
    )
    return Table("Matrices on a CUDA device", HEAD, list(rows(device, bandwidth, cases, budget)), note).markdown()


@click.command(help=__doc__)
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/gpu.md"), show_default=True)
def main(out: Path) -> None:
    page = report(usable_cupy())
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page)
    print(page)


if __name__ == "__main__":
    main()
