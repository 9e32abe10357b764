"""Many points in one call: the 14-bus network, and two threads: ``python -m benchmarks.batches``.

A scenario has its own loads. The loop over single calls stands beside `batch`. Threads are timed by the clock, which
takes a machine that has nothing else to do, and by the processor time of each.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import sparsead as sad
from benchmarks.contenders import EACH
from benchmarks.report import Part, Table, Target, show
from sparsead.measuring.timing import interleaved
from sparsead.problems.power_flow import Network, mismatch, ring

SCENARIOS, SINGLE, MANY, ROUNDS = 10_000, 200, 100_000, 60
CELLS, SPECIES = 50_000, 20


def loaded(x: np.ndarray, P: np.ndarray, Q: np.ndarray, network: Network) -> np.ndarray:
    """Return the mismatch of a network with other loads."""
    return mismatch(x, replace(network, P=P, Q=Q))


def points(network: Network, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return states and loads of scenarios."""
    rng = np.random.default_rng(0)
    x = network.flat + 0.05 * rng.standard_normal((count, network.flat.size))
    factors = rng.uniform(0.9, 1.1, (count, 1))
    return x, factors * network.P, factors * network.Q


def scenarios() -> list[Part]:
    """Time the values of the Jacobians of the 14-bus network."""
    network = ring(1)
    x, P, Q = points(network, SCENARIOS)
    jac = sad.jacobian(loaded, x[0], P[0], Q[0], network)
    values, one = jac.batch(x, P, Q, network), np.empty(jac.pattern.nnz)
    last = [np.ascontiguousarray(a.T) for a in (x, P, Q)]
    entries = np.empty(values.T.shape)
    assert np.array_equal(values[:SINGLE], [jac.values(*at, network) for at in zip(x[:SINGLE], P, Q, strict=False)])
    ways: dict[str, tuple[Any, int]] = {
        "batch, scenarios first": (lambda: jac.batch(x, P, Q, network, out=values), SCENARIOS),
        "batch, scenarios last": (lambda: jac.batch(*last, network, axis=-1, out=entries), SCENARIOS),
        "loop over single calls": (
            lambda: [jac.values(*at, network, out=one) for at in zip(x[:SINGLE], P, Q, strict=False)],
            SINGLE,
        ),
    }
    times = interleaved({k: call for k, (call, _) in ways.items()}, 4.0, clock=time.process_time, each=EACH)
    us = {k: 1e6 * times.median(k) / count for k, (_, count) in ways.items()}
    title = f"Jacobian of the 14-bus network ({jac.pattern.nnz} entries), {SCENARIOS} scenarios"
    best = min(us["batch, scenarios first"], us["batch, scenarios last"])
    return [
        Table(title, ("", "microseconds a scenario"), list(us.items())),
        Target("14 buses: a scenario", best, 0.4, "us"),
    ]


def threads() -> list[Part]:
    """Time one thread and two, by the clock: a batch, and a function of all scenarios."""
    network = ring(1)
    x, P, Q = points(network, MANY)
    prepared = [sad.jacobian(loaded, x[0], P[0], Q[0], network, threads=k) for k in (1, 2)]
    out = [jac.batch(x, P, Q, network) for jac in prepared]
    assert np.array_equal(*out)
    batch = [lambda k=k: prepared[k].batch(x, P, Q, network, out=out[k]) for k in range(2)]
    y = np.random.default_rng(1).uniform(0.3, 0.9, (CELLS, SPECIES))
    of_all = [sad.jacobian(reactions, y, threads=k) for k in (1, 2)]
    data = [jac.values(y) for jac in of_all]
    assert np.array_equal(*data)
    assert of_all[0].of_cell is not None
    cells = [lambda k=k: of_all[k].values(y, out=data[k]) for k in range(2)]
    return [
        *_one_and_two(f"14 buses, {MANY} scenarios by batch", batch),
        *_one_and_two(f"{SPECIES} species in {CELLS} cells as one function", cells),
    ]


def reactions(y: np.ndarray) -> np.ndarray:
    """Return rates in cells, (cells, species): each species reacts with the next one."""
    rate = np.exp(-1.0 / (0.1 + y)) * y * np.roll(y, 1, axis=1)
    return np.roll(rate, 1, axis=1) - rate + 0.1 * np.tanh(np.sum(rate, axis=1, keepdims=True))


def _one_and_two(title: str, calls: list[Callable[[], object]]) -> list[Part]:
    """Time two calls in turn: with one thread, and with two.

    By the clock, and by the processor time of the thread that takes the most of it: what the clock would say were
    both cores free.
    """
    clock, work = np.empty((ROUNDS, 2)), np.empty((ROUNDS, 2))
    for row in range(ROUNDS):
        for k, call in enumerate(calls):
            before, start = _of_threads(), time.perf_counter()
            call()
            clock[row, k], after = time.perf_counter() - start, _of_threads()
            work[row, k] = max(after[thread] - before.get(thread, 0.0) for thread in after)
    shortest, middle, most = 1e3 * clock.min(axis=0), 1e3 * np.median(clock, axis=0), 1e3 * np.median(work, axis=0)
    rows = [(k + 1, shortest[k], middle[k], most[k]) for k in range(2)]
    columns = ("threads", "shortest, ms", "median, ms", "processor time of the busier thread, ms")
    by_clock, by_work = (float(np.median(times[:, 0] / times[:, 1])) for times in (clock, work))
    note = f"The median of the ratios of calls that followed one another is {by_clock:.2f} by the clock."
    return [
        Table(f"{title}, {ROUNDS} runs", columns, rows, note),
        Target(f"{title}: two threads, shortest run by the clock", shortest[0] / shortest[1], 1.7, at_least=True),
        Target(f"{title}: two threads, processor time of the busier one", by_work, 1.7, at_least=True),
    ]


def _of_threads() -> dict[int, float]:
    """Return the processor time of every thread."""
    return {t.ident: time.clock_gettime(time.pthread_getcpuclockid(t.ident)) for t in threading.enumerate() if t.ident}


def run() -> list[Part]:
    """Time all."""
    return [*scenarios(), *threads()]


if __name__ == "__main__":
    show(run())
