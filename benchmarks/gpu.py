"""Derivatives on a CUDA device: values against the CPU, and how near to the speed of memory they are written.

``python -m benchmarks.gpu`` (`make gpu`) takes at most four minutes and writes ``build/gpu.md``, with the name of the
device. It needs a device, and CuPy. Cases are prepared in processes beside each other, and measured one by one.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import numpy as np

import sparsead as sad
from benchmarks.cases import Case as Named
from benchmarks.gpu_by_hand import by_hand
from benchmarks.gpu_cases import CALLED, CASES, Case
from benchmarks.gpu_device import AWAY, RUNS, Device
from benchmarks.report import Table
from sparsead.derivatives.device import HessianOnDevice, JacobianOnDevice, usable_cupy
from sparsead.problems import Problem

BUDGET = 225.0  # seconds after which nothing is begun, and what runs is ended
LAST = 45.0  # of them for what is measured alone, afterwards: calls of Python, implicit steps
PROCESSES, HEAVY = 4, 3  # at a time; of them with much to prepare
MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 35),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 36),
    "MALLOC_TOP_PAD_": str(1 << 28),
}
HEAD = ("problem", "entries", "ms", "of copy bandwidth", "one after the other, ms", "by hand, ms", "JAX, ms",
        "launches", "CPU ms", "entries that differ", "largest difference",
        "s on the CPU", "s more for the device")  # fmt: skip


@dataclass
class Row:
    """What was measured of a case; `moved` are the bytes of values and x."""

    entries: int
    moved: int
    ms: float
    queued_ms: float
    by_hand_ms: float | None
    jax_ms: float | None
    launches: int
    cpu_ms: float
    differ: int
    largest: float
    host_s: float
    device_s: float

    def cells(self, label: str, bandwidth: float) -> tuple[Any, ...]:
        speed = self.moved / (1e-3 * min(self.ms, self.queued_ms)) / bandwidth
        rest = asdict(self)
        return (label, rest.pop("entries"), rest.pop("ms"), speed, *(v for k, v in rest.items() if k != "moved"))


def measured(device: Device, case: Case) -> Row:
    """Return what a case takes."""
    problem, cupy, begin = case.problem(), device.cupy, time.process_time()
    host = getattr(sad, problem.derivative)(problem.f, problem.x0, *problem.args, mode=case.mode, check=False)
    x = case.point(problem)
    values = _on_the_cpu(host, case, x, problem.args)
    host_s, begin = time.process_time() - begin, time.process_time()
    made = (JacobianOnDevice if problem.derivative == "jacobian" else HessianOnDevice)(host, cupy)
    if case.points:
        X, args = cupy.asarray(x), made.put(problem.x0, *problem.args)[1:]
    else:
        X, *args = made.put(x, *problem.args)

    def call(data: Any = None) -> Any:
        return made.batch(X, *args, out=data, axis=case.axis) if case.points else made.values(X, *args, out=data)

    with device.alone():
        data = call()
        found = data.get()
        device_s = time.process_time() - begin
        again = call(data).get()
        if again.tobytes() != found.tobytes():
            raise AssertionError("not the same bits at every call")
        others = [data, *(cupy.empty(data.shape) for _ in range(min(AWAY // max(data.nbytes, 1), 63)))]
        ms, queued = device.milliseconds(lambda: call(data)), device.queued_milliseconds(_each(call, others))
        largest = np.abs(found - values).max() / max(np.abs(values).max(), np.finfo(float).tiny)
        return Row(
            values.size, 8 * (values.size + x.size), ms, queued,
            None if case.points else _by_hand(device, problem, X, args, others, values),
            None if case.points else _by_jax(device, problem, host.pattern, values),
            _launches(made, case), _cpu_milliseconds(lambda: _on_the_cpu(host, case, x, problem.args, values)),
            int((values != found).sum()), largest, host_s, device_s,
        )  # fmt: skip


def _each(call: Callable[[Any], Any], outs: Sequence[Any]) -> list[Callable[[], Any]]:
    return [lambda out=out: call(out) for out in outs]  # type: ignore[misc]


def _launches(made: Any, case: Case) -> int:
    if not case.points:
        return len(made._sweeps("matrix").plan.launches)
    ((sweeps, _),) = made._batches["matrix"]._known.values()
    return len(sweeps.plan.launches)


def _on_the_cpu(host: Any, case: Case, x: np.ndarray, args: Sequence[Any], out: np.ndarray | None = None) -> np.ndarray:
    values: np.ndarray = (
        host.batch(x, *args, out=out, axis=case.axis) if case.points else host.values(x, *args, out=out)
    )
    return values


def _cpu_milliseconds(call: Callable[[], Any]) -> float:
    times = []
    for _ in range(3):
        begin = time.process_time()
        call()
        times.append(1e3 * (time.process_time() - begin))
    return min(times)


def _by_hand(device: Device, problem: Problem, x: Any, args: Any, outs: Sequence[Any], values: np.ndarray) -> Any:
    """Return the milliseconds of the kernel by hand, one after the other."""
    kernel = by_hand(problem, device.cupy)
    if kernel is None:
        return None

    def call(data: Any) -> None:
        kernel({"x": x.data.ptr, "p": args[0].data.ptr, "data": data.data.ptr})

    outs[0].fill(0.0)
    call(outs[0])
    np.testing.assert_allclose(outs[0].get(), values, rtol=1e-12, err_msg="by hand")
    return device.queued_milliseconds(_each(call, outs))


def _by_jax(device: Device, problem: Problem, pattern: Any, values: np.ndarray) -> Any:
    """Return the milliseconds of compressed products by JAX, if it has a device."""
    if find_spec("jax") is None:
        return None
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    import jax

    form = Named(problem.name, 0).form()
    if jax.default_backend() != "gpu" or not hasattr(form, "jax") or values.size > 30_000_000:
        return None
    from benchmarks.peers.jax import compressed

    call, matrix = compressed(form.jax, problem, pattern.to_scipy())
    call()
    begin, count = time.perf_counter(), 20
    for _ in range(count):
        call()
    del matrix
    return 1e3 * (time.perf_counter() - begin) / count


def rows(cases: Sequence[Case], results: Iterator[Row | str], bandwidth: float) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the table; a case that failed says so in its row."""
    for case, found in zip(cases, results, strict=True):
        blank = (case.label, found, *[""] * (len(HEAD) - 2))
        yield blank if isinstance(found, str) else found.cells(case.label, bandwidth)


def here(device: Device, cases: Sequence[Case], what: Callable[[Device, Case], Any] = measured) -> Iterator[Any]:
    """Yield the results of cases that are measured in this process."""
    for case in cases:
        try:
            yield what(device, case)
        except Exception as error:  # the others are worth having
            yield f"{type(error).__name__}: {str(error)[:200]}"


def beside(cases: Sequence[Case], budget: float) -> Iterator[Row | str]:
    """Yield the results of cases that are measured in processes of their own, some of them at a time."""
    end = time.monotonic() + budget
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "lock"
        command = [sys.executable, "-m", "benchmarks.gpu", "--lock", str(lock), "--only"]
        results: dict[int, Row | str] = {}
        running: dict[int, subprocess.Popen[str]] = {}
        waiting = list(range(len(cases)))
        while waiting or running:
            late = time.monotonic() > end
            if late:
                results |= dict.fromkeys(waiting, "no time left")
                waiting = []
            while (number := _next(cases, waiting, running)) is not None:
                waiting.remove(number)
                running[number] = _started([*command, str(number)], Path(folder) / str(number))
            for number, process in list(running.items()):
                if process.poll() is None and not late:
                    continue
                process.kill()
                process.wait()
                results[number] = _result((Path(folder) / str(number)).read_text())
                del running[number]
            time.sleep(0.05)
    yield from (results[number] for number in range(len(cases)))


def _next(cases: Sequence[Case], waiting: Sequence[int], running: Collection[int]) -> int | None:
    """Return the case to begin, if one is: heavy ones from the start on, but never in all processes."""
    heavy = sum(cases[number].heavy for number in running)
    fitting = [number for number in waiting if not cases[number].heavy or heavy < HEAVY]
    if not fitting or len(running) == PROCESSES:
        return None
    return min(fitting, key=lambda number: (not cases[number].heavy, number))


def calls(device: Device, cases: Sequence[Case]) -> str:
    """Return what calls take Python, until they are queued."""
    head = ("problem", "launches", "µs, the same arrays", "µs, another x each time", "µs, a graph")
    found = zip(cases, here(device, cases, _calls), strict=True)
    rows = [(case.label, what, "", "", "") if isinstance(what, str) else what for case, what in found]
    return Table("Python's share of a call", head, rows, "Until the call is queued; nothing else runs.").markdown()


def _calls(device: Device, case: Case) -> tuple[Any, ...]:
    problem = case.problem()
    made = getattr(sad, problem.derivative)(problem.f, problem.x0, *problem.args, check=False, device="cuda")
    X, args = device.cupy.asarray(case.point(problem)), made.put(problem.x0, *problem.args)[1:]

    def call(x: Any, data: Any = None) -> Any:
        return made.batch(x, *args, out=data, axis=case.axis) if case.points else made.values(x, *args, out=data)

    data, others = call(X), itertools.cycle([X, X.copy()])
    graph = None if case.points else made.graph(X, *args, of="values", out=data)
    return (
        case.label,
        _launches(made, case),
        device.host_microseconds(lambda: call(X, data)),
        device.host_microseconds(lambda: call(next(others), data)),
        graph and device.host_microseconds(graph.launch),
    )


def steps(budget: float) -> str:
    """Return what the steps of `benchmarks.gpu_steps` took."""
    command = [sys.executable, "-m", "benchmarks.gpu_steps"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=max(budget, 0.01), check=False)
    except subprocess.TimeoutExpired:
        return "no time left"
    return (done.stdout.strip() or done.stderr.strip()).rpartition("\n")[2]


def _started(command: list[str], path: Path) -> subprocess.Popen[str]:
    with path.open("w") as file:
        environment = {
            **os.environ,
            **MEMORY,
        }  # large arrays stay: mapping them again and again takes longer than they do
        return subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, text=True, env=environment)


def _result(text: str) -> Row | str:
    last = text.strip().rpartition("\n")[2]
    if not last.startswith("{"):
        return f"no result in time {last[:200]}".strip()
    found = json.loads(last)
    return found["failed"] if "failed" in found else Row(**found)


def page(device: Device, bandwidth: float, cells: Sequence[Any]) -> str:
    """Return the table, with what was measured how."""
    note = (
        f"Device: {device.name}, CuPy {device.cupy.__version__}, copies at {bandwidth / 1e9:,.0f} GB/s. x and values "
        f"stay on the device. ms: the median of {RUNS} calls between two events, no output left in a cache. One after "
        "the other: in a graph of many calls, into outputs that together fit into no cache; by hand likewise. Of copy "
        "bandwidth: the bytes of values and x, in the lesser of these times. JAX: `jvp` over our coloring, vmapped, "
        "jitted, seen from Python. CPU: one core, while other cases are prepared. s: processor time to the first "
        "matrix."
    )
    return Table("Matrices on a CUDA device", HEAD, list(cells), note).markdown()


@click.command(help=__doc__)
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/gpu.md"), show_default=True)
@click.option("--only", type=int, help="The number of one case: measure it here, and print what was found as JSON.")
@click.option("--lock", type=click.Path(path_type=Path), help="A file that is held while the device is measured.")
def main(out: Path, only: int | None, lock: Path | None) -> None:
    device = Device(usable_cupy(), lock)
    if only is not None:
        (found,) = here(device, [CASES[only]])
        print(json.dumps({"failed": found} if isinstance(found, str) else asdict(found), default=float))
        return
    begin = time.monotonic()
    bandwidth = device.bandwidth()
    device.cupy.get_default_memory_pool().free_all_blocks()
    results = beside(CASES, BUDGET - LAST - (time.monotonic() - begin))
    text = page(device, bandwidth, list(rows(CASES, results, bandwidth)))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text)  # should what follows fail
    text += "\n" + calls(device, CALLED)
    text += f"\nImplicit steps of the Brusselator: {steps(BUDGET - (time.monotonic() - begin))}.\n"
    out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
