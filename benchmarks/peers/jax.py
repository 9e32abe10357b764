"""Packages on JAX: asdex, which finds the pattern, and sparsejac, which is given it; both jitted, values only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from benchmarks.peers.built import Built
from sparsead.problems import Problem

Function = Callable[[Problem, Any], Any]


def asdex(write: Function, problem: Problem) -> Built:
    import asdex as ax

    jax, x = _started(problem)

    def function(x: Any) -> Any:
        return write(problem, x)

    if problem.derivative == "jacobian":
        colored = ax.jacobian_coloring(function, x)
        compressed = ax.compressed_jacobian_from_coloring(function, colored)
    else:
        colored = ax.hessian_coloring(function, x)
        compressed = ax.compressed_hessian_from_coloring(function, colored)
    values = jax.jit(lambda x: ax.decompress_data(compressed(x), colored))
    pattern = colored.sparsity

    def matrix() -> scipy.sparse.coo_array:
        return scipy.sparse.coo_array((np.asarray(values(x)), (pattern.rows, pattern.cols)), shape=pattern.shape)

    return lambda: values(x).block_until_ready(), matrix


def sparsejac(write: Function, problem: Problem, pattern: scipy.sparse.csr_array) -> Built:
    import sparsejac as sj
    from jax.experimental.sparse import BCOO

    jax, x = _started(problem)

    def function(x: Any) -> Any:
        return write(problem, x)

    places = pattern.tocoo()
    indices = np.stack([places.row, places.col], axis=1)
    given = BCOO((np.ones(places.nnz), indices), shape=pattern.shape)
    differentiated = function if problem.derivative == "jacobian" else jax.grad(function)
    colored = sj.jacfwd(differentiated, given)
    values = jax.jit(lambda x: colored(x).data)

    def matrix() -> scipy.sparse.coo_array:
        return scipy.sparse.coo_array((np.asarray(values(x)), (places.row, places.col)), shape=pattern.shape)

    return lambda: values(x).block_until_ready(), matrix


def _started(problem: Problem) -> tuple[Any, Any]:
    """Return JAX in double precision, and the point."""
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax, jax.numpy.asarray(problem.x0.ravel())
