"""The Brusselator as its users would write it for other tools, and as one would write its Jacobian by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse
from numba import njit

from benchmarks.contenders import filled
from sparsead.problems import Problem

Built = tuple[Callable[[], object], Callable[[], object]]


def casadi(problem: Problem, N: int) -> Built:
    """CasADi SX, called through buffers."""
    import casadi as ca

    x, alpha = ca.SX.sym("x", 2 * N * N), ca.SX.sym("alpha")

    def laplacian(w: Any) -> Any:
        rows = ca.vertcat(w[-1, :], w[:-1, :]) + ca.vertcat(w[1:, :], w[0, :])
        columns = ca.horzcat(w[:, -1], w[:, :-1]) + ca.horzcat(w[:, 1:], w[:, 0])
        return N**2 * (rows + columns - 4.0 * w)

    u, v = ca.reshape(x[: N * N], N, N), ca.reshape(x[N * N :], N, N)
    uuv = u * u * v
    du = 1.0 + uuv - 4.4 * u + alpha * laplacian(u)
    dv = 3.4 * u - uuv + alpha * laplacian(v)
    J = ca.jacobian(ca.vertcat(ca.vec(du), ca.vec(dv)), x)
    function = ca.Function("J", [x, alpha], [J])
    indptr, indices = np.array(function.sparsity_out(0).colind()), np.array(function.sparsity_out(0).row())
    point, strength, data = problem.x0.copy(), np.array(problem.args[0]), np.empty(function.nnz_out(0))
    buffer, trigger = function.buffer()
    buffer.set_arg(0, memoryview(point))
    buffer.set_arg(1, memoryview(strength))
    buffer.set_res(0, memoryview(data))
    keep = (point, strength, buffer)  # the buffer holds no reference to its memory

    def matrix() -> scipy.sparse.csc_array:
        assert keep
        return scipy.sparse.csc_array((data, indices, indptr), shape=function.size_out(0))

    return trigger, matrix


def asdex(problem: Problem, N: int) -> Built:
    """The package asdex on JAX, jitted, values only: its fastest form."""
    import asdex as ax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def laplacian(w: Any) -> Any:
        rows = jnp.roll(w, 1, axis=0) + jnp.roll(w, -1, axis=0)
        return N**2 * (rows + jnp.roll(w, 1, axis=1) + jnp.roll(w, -1, axis=1) - 4.0 * w)

    def rates(y: Any, alpha: Any) -> Any:
        u, v = y.reshape(2, N, N)
        uuv = u * u * v
        du = 1.0 + uuv - 4.4 * u + alpha * laplacian(u)
        dv = 3.4 * u - uuv + alpha * laplacian(v)
        return jnp.stack([du, dv]).ravel()

    x, alpha = jnp.asarray(problem.x0), jnp.asarray(problem.args[0])
    colored = ax.jacobian_coloring(rates, x, alpha)
    compressed = ax.compressed_jacobian_from_coloring(rates, colored)
    values = jax.jit(lambda x, alpha: ax.decompress_data(compressed(x, alpha), colored))
    pattern = colored.sparsity

    def matrix() -> scipy.sparse.coo_array:
        return scipy.sparse.coo_array((np.asarray(values(x, alpha)), (pattern.rows, pattern.cols)), shape=pattern.shape)

    return lambda: values(x, alpha).block_until_ready(), matrix


def by_hand(problem: Problem, N: int, pattern: scipy.sparse.csr_array) -> Built:
    """What one would write with numba: one loop over the grid, every value straight to its place."""
    data = np.empty(6 * problem.x0.size)
    alpha = problem.args[0]
    across, down = _slots(N), _slots(N, block=3)
    return lambda: _fill(problem.x0, alpha, N, across, down, data), lambda: filled(pattern, data)


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
