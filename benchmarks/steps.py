"""Derivatives through many steps, by `repeat` and written out: what they take to prepare, and to evaluate.

This module is also the script that a fresh process runs: ``python -m benchmarks.steps KIND STEPS``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import click
import numpy as np

from benchmarks.fresh import as_installed
from benchmarks.report import Part, Table, Target, show

N = 200
CASES = (
    ("gradient, Euler", 160), ("gradient, Euler", 10_000), ("gradient, RK4", 50), ("gradient, RK4", 1_000),
    ("Jacobian, RK4", 50), ("Jacobian, RK4", 1_000), ("Jacobian, chain", 1), ("Jacobian, chain", 10),
    ("Jacobian, chain", 100),
    *(("Jacobian, chain, plain for", steps) for steps in (1, 2, 5, 10, 100)),
)  # fmt: skip
MOST = 1.0  # seconds of a preparation, cold


def rate(u: Any) -> Any:
    d = np.zeros_like(u)
    d[1:-1] = u[:-2] - 2.0 * u[1:-1] + u[2:]
    return d + 0.001 * u * (1.0 - u)


def euler(u: Any) -> Any:
    return u + 0.1 * rate(u)


def rk4(u: Any) -> Any:
    return _runge_kutta(rate, u)


def chain(y: Any) -> Any:
    """Masses and springs: positions and velocities."""
    q, p = y[: N // 2], y[N // 2 :]
    d = np.zeros(N // 2 + 1)
    d[1:-1] = q[1:] - q[:-1]
    s = d + 0.3 * d**3
    return np.concatenate([p, s[1:] - s[:-1]])


def _runge_kutta(f: Callable[[Any], Any], y: Any) -> Any:
    k1 = f(y)
    k2 = f(y + 0.05 * k1)
    k3 = f(y + 0.05 * k2)
    k4 = f(y + 0.1 * k3)
    return y + 0.1 / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


STEPS: dict[str, Callable[[Any], Any]] = {
    "Euler": euler, "RK4": rk4, "chain": lambda y: _runge_kutta(chain, y),
}  # fmt: skip


def measure(kind: str, steps: int) -> dict[str, float]:
    """Prepare and evaluate, in this process; seconds of the processor."""
    import sparsead as sad
    from sparsead.extend import repeat

    what, name, *plain = kind.split(", ")
    through = _plain if plain else repeat
    step, x = STEPS[name], np.random.default_rng(0).uniform(0.2, 0.8, N)
    start = time.process_time()
    if what == "gradient":
        made = sad.gradient(lambda u: np.sum(through(step, u, steps) ** 2), x)
    else:
        made = sad.jacobian(lambda u: through(step, u, steps), x)
    made(x)
    first = time.process_time() - start
    found = {"first": first, "evaluate": _median(lambda: made(x)), "value": _median(lambda: made.value(x))}
    return found | ({"hand": _by_hand(steps, x, made(x))} if kind == "gradient, Euler" else {})


def _plain(step: Callable[[Any], Any], u: Any, steps: int) -> Any:
    for _ in range(steps):
        u = step(u)
    return u


def _median(call: Callable[[], Any], runs: int = 7) -> float:
    times = []
    for _ in range(runs):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return float(np.median(times))


def _by_hand(steps: int, x: np.ndarray, expected: np.ndarray) -> float:
    """Return the seconds of the adjoint that one would write by hand, in numba."""
    import numba

    @numba.njit
    def adjoint(x: np.ndarray, tape: np.ndarray) -> np.ndarray:
        n = x.size
        tape[0] = x
        for k in range(tape.shape[0] - 1):
            u, v = tape[k], tape[k + 1]
            for i in range(n):
                v[i] = u[i] + 1e-4 * u[i] * (1.0 - u[i])
            for i in range(1, n - 1):
                v[i] += 0.1 * (u[i - 1] - 2.0 * u[i] + u[i + 1])
        a, b = 2.0 * tape[-1], np.empty(n)
        for k in range(tape.shape[0] - 2, -1, -1):
            u = tape[k]
            for i in range(n):
                b[i] = a[i] * (1.0 + 1e-4 * (1.0 - 2.0 * u[i]))
            for i in range(1, n - 1):
                b[i] -= 0.2 * a[i]
            for i in range(n - 2):
                b[i] += 0.1 * a[i + 1]
            for i in range(2, n):
                b[i] += 0.1 * a[i - 1]
            a, b = b, a
        return a

    tape = np.empty((steps + 1, x.size))
    np.testing.assert_allclose(adjoint(x, tape), expected, rtol=1e-10)
    return _median(lambda: adjoint(x, tape))


def fresh(kind: str, steps: int, caches: str) -> dict[str, float]:
    """Measure in a fresh process, with a folder of caches."""
    environment = as_installed() | {"NUMBA_CACHE_DIR": caches, "SPARSEAD_CACHE": caches}
    command = [sys.executable, "-m", "benchmarks.steps", "--one", kind, str(steps)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run() -> list[Part]:
    rows, targets = [], []
    for kind, steps in CASES:
        with tempfile.TemporaryDirectory() as caches:
            cold, warm = fresh(kind, steps, caches), fresh(kind, steps, caches)
        ratio = warm["evaluate"] / warm["hand"] if "hand" in warm else None
        times = [1e3 * warm[name] for name in ("evaluate", "value")]
        rows.append((f"{kind}, {steps:,} steps", cold["first"], warm["first"], *times, ratio or "-"))
        targets.append(Target(f"{kind}, {steps:,} steps, prepare with empty caches", cold["first"], MOST, "s"))
        if ratio:
            targets.append(Target(f"{kind}, {steps:,} steps, by hand in numba", ratio, 2.0, "times"))
    heads = ("200 unknowns", "first, cold, s", "first, warm, s", "evaluate, ms", "value, ms", "/ by hand")
    note = "Processor time in fresh processes, the first evaluation included; run by `python -m benchmarks.steps`."
    return [Table("Through many steps", heads, rows, note), *targets]


@click.command()
@click.option("--one", nargs=2, type=(str, int), help="Measure one case in this process.")
def main(one: tuple[str, int] | None) -> None:
    if one:
        click.echo(json.dumps(measure(*one)))
    else:
        show(run())


if __name__ == "__main__":
    main()
