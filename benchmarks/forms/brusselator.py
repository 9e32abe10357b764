"""The Brusselator."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.sparse
from numba import njit

from benchmarks.peers.built import Built, by_loop
from sparsead.problems import Problem


def casadi(problem: Problem, x: Any) -> Any:
    import casadi as ca

    N, (alpha,) = math.isqrt(problem.x0.size // 2), problem.args

    def laplacian(w: Any) -> Any:
        rows = ca.vertcat(w[-1, :], w[:-1, :]) + ca.vertcat(w[1:, :], w[0, :])
        columns = ca.horzcat(w[:, -1], w[:, :-1]) + ca.horzcat(w[:, 1:], w[:, 0])
        return N**2 * (rows + columns - 4.0 * w)

    u, v = ca.reshape(x[: N * N], N, N), ca.reshape(x[N * N :], N, N)
    uuv = u * u * v
    du = 1.0 + uuv - 4.4 * u + alpha * laplacian(u)
    dv = 3.4 * u - uuv + alpha * laplacian(v)
    return ca.vertcat(ca.vec(du), ca.vec(dv))


def jax(problem: Problem, x: Any) -> Any:
    import jax.numpy as jnp

    N, (alpha,) = math.isqrt(problem.x0.size // 2), problem.args

    def laplacian(w: Any) -> Any:
        rows = jnp.roll(w, 1, axis=0) + jnp.roll(w, -1, axis=0)
        return N**2 * (rows + jnp.roll(w, 1, axis=1) + jnp.roll(w, -1, axis=1) - 4.0 * w)

    u, v = x.reshape(2, N, N)
    uuv = u * u * v
    du = 1.0 + uuv - 4.4 * u + alpha * laplacian(u)
    dv = 3.4 * u - uuv + alpha * laplacian(v)
    return jnp.stack([du, dv]).ravel()


def by_hand(problem: Problem, pattern: scipy.sparse.csr_array) -> Built:
    """One loop over the grid, every value straight to its place."""
    N, (alpha,) = math.isqrt(problem.x0.size // 2), problem.args
    return by_loop(_fill, pattern, problem.x0, alpha, N, _slots(N), _slots(N, block=3))


def _slots(N: int, block: int = 1) -> np.ndarray:
    """Return where a row of the matrix keeps the neighbours before, at, and after each grid index, (N, 3).

    Columns are sorted, so the wrapped neighbours of the first and last index go to the far end. `block` is the
    number of entries at the index itself.
    """
    slots = np.empty((N, 3), np.int64)
    slots[:] = (0, 1, 1 + block)
    slots[0] = (1 + block, 0, block)
    slots[-1] = (1, 2, 0)
    return slots


@njit
def _fill(y, alpha, N, across, down, data):  # type: ignore[no-untyped-def]
    """Fill the values of the Jacobian, rows of u then rows of v, six entries each."""
    c = alpha * N * N
    for i in range(N):
        up, here, below = down[i, 0], down[i, 1], down[i, 2]
        for j in range(N):
            p = i * N + j
            q = N * N + p
            uv2, uu = 2.0 * y[p] * y[q], y[p] * y[p]
            left, middle, right = here + across[j, 0], here + across[j, 1], here + across[j, 2]
            a = 6 * p
            data[a + up] = c
            data[a + below] = c
            data[a + left] = c
            data[a + right] = c
            data[a + middle] = uv2 - 4.4 - 4.0 * c
            data[a + 5] = uu
            b = 6 * q
            data[b] = 3.4 - uv2
            data[b + 1 + up] = c
            data[b + 1 + below] = c
            data[b + 1 + left] = c
            data[b + 1 + right] = c
            data[b + 1 + middle] = -uu - 4.0 * c
