"""The chained Rosenbrock function for other tools, and its Hessian by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse
from numba import njit

from benchmarks.contenders import filled
from sparsead.problems import Problem

Built = tuple[Callable[[], object], Callable[[], object]]


def casadi(problem: Problem) -> Built:
    """CasADi SX, called through buffers."""
    import casadi as ca

    x = ca.SX.sym("x", problem.x0.size)
    f = ca.sum1(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)
    function = ca.Function("H", [x], [ca.hessian(f, x)[0]])
    indptr, indices = np.array(function.sparsity_out(0).colind()), np.array(function.sparsity_out(0).row())
    point, data = problem.x0.copy(), np.empty(function.nnz_out(0))
    buffer, trigger = function.buffer()
    buffer.set_arg(0, memoryview(point))
    buffer.set_res(0, memoryview(data))
    keep = (point, buffer)  # the buffer holds no reference to its memory

    def matrix() -> scipy.sparse.csc_array:
        assert keep
        return scipy.sparse.csc_array((data, indices, indptr), shape=function.size_out(0))

    return trigger, matrix


def asdex(problem: Problem) -> Built:
    """The package asdex on JAX, jitted, values only: its fastest form."""
    import asdex as ax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def valley(x: Any) -> Any:
        return jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    x = jnp.asarray(problem.x0)
    colored = ax.hessian_coloring(valley, x)
    compressed = ax.compressed_hessian_from_coloring(valley, colored)
    values = jax.jit(lambda x: ax.decompress_data(compressed(x), colored))
    pattern = colored.sparsity

    def matrix() -> scipy.sparse.coo_array:
        return scipy.sparse.coo_array((np.asarray(values(x)), (pattern.rows, pattern.cols)), shape=pattern.shape)

    return lambda: values(x).block_until_ready(), matrix


def by_hand(problem: Problem, pattern: scipy.sparse.csr_array) -> Built:
    """What one would write with numba: one loop over the chain, every value straight to its place."""
    data = np.empty(3 * problem.x0.size - 2)
    return lambda: _fill(problem.x0, data), lambda: filled(pattern, data)


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
