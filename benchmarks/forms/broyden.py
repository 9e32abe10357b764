"""Broyden's banded function."""

from __future__ import annotations

from typing import Any

import scipy.sparse
from numba import njit

from benchmarks.peers.built import Built, by_loop
from sparsead.problems import Problem


def casadi(problem: Problem, x: Any) -> Any:
    """The loop as it is; CasADi wants a list instead of the array."""
    import casadi as ca

    n, rows = problem.x0.size, []
    x = ca.vertsplit(x)
    for i in range(n):
        s = x[i] * (2.0 + 5.0 * x[i] ** 2) + 1.0
        for j in range(max(0, i - 5), min(n, i + 2)):
            if j != i:
                s -= x[j] * (1.0 + x[j])
        rows.append(s)
    return ca.vertcat(*rows)


def jax(problem: Problem, x: Any) -> Any:
    """With arrays: JAX would unroll the loop."""
    import jax.numpy as jnp

    n = problem.x0.size
    terms = jnp.pad(x * (1.0 + x), (5, 1))
    others = sum(terms[5 + offset : 5 + offset + n] for offset in (-5, -4, -3, -2, -1, 1))
    return x * (2.0 + 5.0 * x**2) + 1.0 - others


def by_hand(problem: Problem, pattern: scipy.sparse.csr_array) -> Built:
    return by_loop(_fill, pattern, problem.x0)


@njit
def _fill(x, data):  # type: ignore[no-untyped-def]
    n, k = x.size, 0
    for i in range(n):
        for j in range(max(0, i - 5), min(n, i + 2)):
            data[k] = 2.0 + 15.0 * x[i] * x[i] if i == j else -1.0 - 2.0 * x[j]
            k += 1
