"""Measurements that need a process of their own: memory, the first call, what importing costs.

This module is also the script that the fresh process runs: ``python -m benchmarks.fresh PROBLEM SIZE MODE``.
"""

from __future__ import annotations

import compileall
import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


@functools.cache
def as_installed() -> dict[str, str]:
    """Return an environment in which modules are there as bytecode, as pip leaves them, whatever this one forbids."""
    root = Path(__file__).parents[1]
    for package in ("sparsead", "coloring", "benchmarks"):
        compileall.compile_dir(root / package, quiet=1)
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def measured(problem: str, size: int, mode: str = "auto", caches: Path | None = None) -> dict[str, Any]:
    """Prepare and evaluate in a fresh process on one core; return what it measured.

    `caches` is the folder of the compilers' caches: an empty one is a cold start.
    """
    environment = as_installed() | ({"NUMBA_CACHE_DIR": str(caches), "SPARSEAD_CACHE": str(caches)} if caches else {})
    command = [sys.executable, "-m", "benchmarks.fresh", problem, str(size), mode]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def cold_and_warm(problem: str, size: int, runs: int = 3) -> tuple[dict[str, Any], dict[str, Any]]:
    """Measure a start with empty caches, and the fastest of several with the caches that it left."""
    with tempfile.TemporaryDirectory() as folder:
        cold = measured(problem, size, caches=Path(folder))
        warm = min((measured(problem, size, caches=Path(folder)) for _ in range(runs)), key=lambda run: run["first"])
        return cold, warm


def import_seconds(runs: int = 5) -> float:
    """Return the processor time that ``import sparsead`` takes after numpy, scipy and numba: the least of several."""
    code = """
import numpy, scipy.sparse, scipy.sparse.linalg, numba, time
start = time.process_time()
import sparsead
print(time.process_time() - start)
"""
    command = [sys.executable, "-c", code]
    kept: dict[str, Any] = {"env": as_installed(), "capture_output": True, "text": True, "check": True}
    return min(float(subprocess.run(command, **kept).stdout) for _ in range(runs))


def peak_gib() -> float:
    """Return the largest memory that this process has held; a parent's memory does not count."""
    status = Path("/proc/self/status")
    if status.exists():
        return (
            next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 2**20
        )
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def main(problem_name: str, size: str, mode: str) -> None:
    """Measure in this process, and print one line of JSON."""
    import sparsead as sad
    from benchmarks.cases import Case
    from benchmarks.contenders import one_core, prepare
    from sparsead.stages import watching

    one_core()
    problem = Case(problem_name, int(size)).problem()
    before = peak_gib()
    start = time.process_time()
    getattr(sad, problem.derivative)  # imports what preparations run on
    loaded = time.process_time() - start
    stages: dict[str, float] = {}

    def watch(stage: str, seconds: float | None) -> None:
        stages[stage] = time.process_time() - (0.0 if seconds is None else stages[stage])

    with watching(watch):
        jac = prepare(problem, mode=mode)
    prepared = time.process_time() - start
    J = jac(problem.x0, *problem.args)
    first = time.process_time() - start
    after = peak_gib()
    again = []
    for _ in range(5):
        start = time.process_time()
        jac(problem.x0, *problem.args, out=J)
        again.append(time.process_time() - start)
    print(
        json.dumps(
            {
                "n": J.shape[1],
                "nnz": J.nnz,
                "stages": stages | {"load": loaded},  # over before anything can watch it
                "prepare": prepared,
                "first": first,
                "again": sorted(again)[2],
                "before_gib": before,
                "peak_gib": after,
                "matrix_gib": (J.data.nbytes + J.indices.nbytes + J.indptr.nbytes) / 2**30,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
