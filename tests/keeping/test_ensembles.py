"""Points shared between processes: what comes back are a few numbers, equal to the bit, and no matrices."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

import sparsead as sad
from sparsead.keeping import pickling

RATES = np.array([0.04, 1e4, 3e7])
CELLS = np.random.default_rng(0).uniform(0.1, 1.0, (4001, 3))
PARTS = np.array_split(CELLS, 4)


def robertson(y, k):
    slow, fast, square = k[0] * y[0], k[1] * y[1] * y[2], k[2] * y[1] ** 2
    return np.stack([fast - slow, slow - fast - square, square])


def moments(part, jac):
    values = jac.batch(part, RATES)
    return np.stack([values.sum(axis=0), np.square(values).sum(axis=0)])


def by_processes(jac):
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(moments, PARTS, [jac] * len(PARTS)))


def by_joblib(jac):
    joblib = pytest.importorskip("joblib", reason="joblib is not installed")
    return joblib.Parallel(n_jobs=2)(joblib.delayed(moments)(part, jac) for part in PARTS)


def by_dask(jac):
    """Also count what crosses the borders of the workers, and how often they prepare."""
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    options = {"threads_per_worker": 1, "dashboard_address": None}
    with distributed.Client(n_workers=2, **options) as client:
        found = client.gather(client.map(moments, PARTS, [jac] * len(PARTS)))
        sent = client.run(lambda dask_worker: dask_worker.transfer_outgoing_bytes_total)
        prepared = client.run(lambda: len(pickling._again))
    assert len(sent) == 2
    assert 0 < sum(sent.values()) < 0.05 * 8 * jac.pattern.nnz * len(CELLS)
    assert set(prepared.values()) <= {0, 1}
    return found


@pytest.mark.parametrize("way", [by_processes, by_joblib, by_dask])
def test_parts_of_an_ensemble_are_reduced_where_they_are_computed(way):
    jac = sad.jacobian(robertson, np.ones(3), RATES)
    np.testing.assert_array_equal(way(jac), [moments(part, jac) for part in PARTS])


def test_an_object_that_comes_with_every_task_is_prepared_once(monkeypatch):
    jac = sad.jacobian(robertson, np.ones(3), RATES)
    counted = []
    once = pickling.fingerprint
    monkeypatch.setattr(pickling, "fingerprint", lambda kernels: counted.append(kernels) or once(kernels))
    for _ in range(3):  # nothing is held from one task to the next
        task = pickle.loads(pickle.dumps((moments, PARTS[0], jac)))
        np.testing.assert_array_equal(task[0](*task[1:]), moments(PARTS[0], jac))
    assert len(counted) == 3 + 1  # for each that is sent, and for the one that is prepared again
    forwarded = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(jac))))
    assert forwarded.linear is task[2].linear
