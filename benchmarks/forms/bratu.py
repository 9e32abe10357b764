"""The Bratu problem."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from numba import njit

from benchmarks.peers.built import Built, by_loop
from sparsead.problems import Problem


def casadi(problem: Problem, x: Any) -> Any:
    import casadi as ca

    N, (strength,) = problem.x0.shape[0], problem.args
    line = scipy.sparse.diags_array([-1.0, 2.0, -1.0], offsets=(-1, 0, 1), shape=(N, N)) * (N + 1) ** 2
    own = scipy.sparse.eye_array(N)
    laplacian = sum(
        scipy.sparse.kron(scipy.sparse.kron(a, b), c)
        for a, b, c in ((line, own, own), (own, line, own), (own, own, line))
    )
    return ca.mtimes(ca.DM(scipy.sparse.csc_matrix(laplacian)), x) - strength * ca.exp(x)


def jax(problem: Problem, x: Any) -> Any:
    import jax.numpy as jnp

    N, (strength,) = problem.x0.shape[0], problem.args
    u = x.reshape(N, N, N)
    p = jnp.pad(u, 1)
    i = slice(1, -1)
    neighbours = p[2:, i, i] + p[:-2, i, i] + p[i, 2:, i] + p[i, :-2, i] + p[i, i, 2:] + p[i, i, :-2]
    return ((6.0 * u - neighbours) * (N + 1) ** 2 - strength * jnp.exp(u)).ravel()


def by_hand(problem: Problem, pattern: scipy.sparse.csr_array) -> Built:
    """One loop over the grid; neighbours that are walls have no entry."""
    return by_loop(_fill, pattern, problem.x0.ravel(), problem.args[0], problem.x0.shape[0])


@njit
def _fill(u, strength, N, data):  # type: ignore[no-untyped-def]
    c = (N + 1.0) ** 2
    k = p = 0
    for i in range(N):
        for j in range(N):
            for m in range(N):
                for before in (i, j, m):
                    if before > 0:
                        data[k] = -c
                        k += 1
                data[k] = 6.0 * c - strength * np.exp(u[p])
                k += 1
                p += 1
                for after in (m, j, i):
                    if after < N - 1:
                        data[k] = -c
                        k += 1
