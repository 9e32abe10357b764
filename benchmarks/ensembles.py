"""Points in two processes by Dask: ``python -m benchmarks.ensembles`` (needs distributed).

A cluster of one worker and one of two have the same points, in chunks, each on the worker that made it. A worker
evaluates the Jacobians of a chunk, block by block, and returns sums over its points. Calls run in turn. By the clock
takes two cores that have nothing else to do; the processor time of the busier worker says what such a clock would.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

import sparsead as sad
from benchmarks.batches import SPECIES, reactions
from benchmarks.report import Part, Table, Target, show

POINTS, CHUNKS, ROUNDS = 600_000, 8, 8
BLOCK = 500  # points whose matrices a worker has at a time: they stay in its cache


def moments(part: np.ndarray, jac: Any) -> np.ndarray:
    """Return the sums of the entries of the Jacobians of some points, and of their squares."""
    total, room = np.zeros((2, jac.pattern.nnz)), np.empty((BLOCK, jac.pattern.nnz))
    for block in np.split(part, range(BLOCK, len(part), BLOCK)):
        values = jac.batch(block, out=room[: len(block)])
        total += values.sum(axis=0), np.einsum("pe,pe->e", values, values)
    return total[None]


def sums(client: Any, jac: Any) -> Any:
    """Return the sums over points of which each chunk lies on the worker that made it."""
    import dask.array as da
    from distributed import wait

    size = (POINTS // CHUNKS, SPECIES)
    points = da.random.default_rng(0).uniform(0.3, 0.9, (POINTS, SPECIES), chunks=size).persist()
    wait(points)
    entries = jac.pattern.nnz
    return points.map_blocks(moments, jac, dtype=float, chunks=(1, 2, entries), new_axis=2).sum(axis=0)


def _spent(client: Any) -> dict[str, float]:
    return client.run(time.process_time)


def _sent(client: Any) -> int:
    """Return how many bytes the workers have sent to other processes, messages aside."""
    return sum(client.run(lambda dask_worker: dask_worker.transfer_outgoing_bytes_total).values())


def run() -> list[Part]:
    """Time one worker and two."""
    import dask
    from distributed import Client

    x = np.random.default_rng(0).uniform(0.3, 0.9, SPECIES)

    def rates(y: np.ndarray) -> np.ndarray:
        return reactions(y[None])[0]

    jac = sad.jacobian(rates, x)
    jac.batch(np.ones((BLOCK, SPECIES)))
    options = {"threads_per_worker": 1, "dashboard_address": None, "set_as_default": False}
    clock, work = np.empty((ROUNDS, 2)), np.empty((ROUNDS, 2))
    even = {"distributed.scheduler.work-stealing": False, "distributed.scheduler.worker-saturation": "inf"}
    shares = dask.config.set(even)  # else a busy machine decides who computes what
    with shares, Client(n_workers=1, **options) as alone, Client(n_workers=2, **options) as both:
        clients, found = (alone, both), []
        totals = []
        for client in clients:
            with client.as_current():
                totals.append(sums(client, jac))
                found.append(client.compute(totals[-1]).result())
        before = _sent(both)
        for row in range(ROUNDS):
            for k, client in enumerate(clients):
                spent, start = _spent(client), time.perf_counter()
                found[k] = client.compute(totals[k]).result()
                clock[row, k], after = time.perf_counter() - start, _spent(client)
                work[row, k] = max(after[worker] - spent[worker] for worker in after)
        sent = (_sent(both) - before) / ROUNDS
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
    matrices = 8.0 * POINTS * jac.pattern.nnz
    shortest, middle, most = clock.min(axis=0), np.median(clock, axis=0), np.median(work, axis=0)
    rows = [(k + 1, shortest[k], middle[k], most[k]) for k in range(2)]
    columns = ("workers", "shortest, s", "median, s", "processor time of the busier worker, s")
    note = f"Two workers sent {sent / 1e3:.1f} kB a call; the matrices are {matrices / 1e9:.2f} GB."
    title = f"Moments of {POINTS} Jacobians of {SPECIES} species by Dask, {ROUNDS} runs"
    return [
        Table(title, columns, rows, note),
        Target("Dask: two workers, shortest run by the clock", shortest[0] / shortest[1], 1.7, at_least=True),
        Target(
            "Dask: two workers, processor time of the busier one",
            float(np.median(work[:, 0] / work[:, 1])),
            1.7,
            at_least=True,
        ),
        Target("Dask: bytes sent by workers, of those of the matrices", sent / matrices, 0.001),
    ]


if __name__ == "__main__":
    show(run())
