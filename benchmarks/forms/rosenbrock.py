"""The chained Rosenbrock function."""

from __future__ import annotations

from typing import Any

import scipy.sparse
from numba import njit

from benchmarks.peers.built import Built, by_loop
from sparsead.problems import Problem


def casadi(problem: Problem, x: Any) -> Any:
    import casadi as ca

    return ca.sum1(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def jax(problem: Problem, x: Any) -> Any:
    import jax.numpy as jnp

    return jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def by_hand(problem: Problem, pattern: scipy.sparse.csr_array) -> Built:
    """One loop over the chain, every value straight to its place."""
    return by_loop(_fill, pattern, problem.x0)


@njit
def _fill(x, data):  # type: ignore[no-untyped-def]
    """Fill the three diagonals, row by row."""
    n = x.size
    data[0] = 1200.0 * x[0] * x[0] - 400.0 * x[1] + 2.0
    data[1] = -400.0 * x[0]
    for i in range(1, n - 1):
        data[3 * i - 1] = -400.0 * x[i - 1]
        data[3 * i] = 1200.0 * x[i] * x[i] - 400.0 * x[i + 1] + 202.0
        data[3 * i + 1] = -400.0 * x[i]
    data[3 * n - 4] = -400.0 * x[n - 2]
    data[3 * n - 3] = 200.0
