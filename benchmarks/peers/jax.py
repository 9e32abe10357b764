"""Packages on JAX: asdex, which finds the pattern, and sparsejac, which is given it; both jitted, values only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

import coloring
from benchmarks.peers.built import Built
from sparsead.measuring.peers import by_asdex
from sparsead.problems import Problem

Function = Callable[[Problem, Any], Any]


def asdex(write: Function, problem: Problem) -> Built:
    _, x = _started(problem)
    peer = by_asdex(lambda x: write(problem, x), x, problem.derivative)
    return peer.call, peer.matrix


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


def compressed(write: Function, problem: Problem, pattern: scipy.sparse.csr_array) -> Built:
    """Products with the columns of our coloring, side by side, and the entries picked from them."""
    jax, x = _started(problem)
    colors = coloring.color(pattern).colors
    seeds = jax.numpy.asarray(np.arange(colors.max() + 1.0)[:, None] == colors, dtype=float)
    places = pattern.tocoo()
    color, row = jax.numpy.asarray(colors[places.col]), jax.numpy.asarray(places.row)

    def function(x: Any) -> Any:
        return write(problem, x)

    differentiated = function if problem.derivative == "jacobian" else jax.grad(function)

    def products(x: Any, seeds: Any, color: Any, row: Any) -> Any:
        return jax.vmap(lambda seed: jax.jvp(differentiated, (x,), (seed,))[1])(seeds)[color, row]

    values = jax.jit(products)

    def matrix() -> scipy.sparse.coo_array:
        return scipy.sparse.coo_array(
            (np.asarray(values(x, seeds, color, row)), (places.row, places.col)), pattern.shape
        )

    return lambda: values(x, seeds, color, row).block_until_ready(), matrix


def _started(problem: Problem) -> tuple[Any, Any]:
    """Return JAX in double precision, and the point."""
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax, jax.numpy.asarray(problem.x0.ravel())
