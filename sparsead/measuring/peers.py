"""Other packages on the same plain NumPy functions, as far as they take them; each is imported when it is used.

CasADi gets its symbols in an object array, JAX (under asdex) the function with `np` read as `jax.numpy`. Functions
that write into arrays, or use sparse matrices, are beyond one or the other; forms written for them are a matter of the
benchmarks of the project.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np
import scipy.sparse

import coloring
import sparsead as sad
from sparsead.measuring.reference import finite_differences
from sparsead.problems import Problem


@dataclass(frozen=True)
class Peer:
    """Another way to the matrix: ``call`` computes its values, ``matrix`` returns those of the last call."""

    call: Callable[[], object]
    matrix: Callable[[], Any]
    passes: int | None = None
    accuracy: float = 1e-9


def scipy_differences(problem: Problem) -> Peer:
    """SciPy's grouped finite differences, given our pattern and groups; for a Hessian those of our gradient."""
    f, x, args = problem.f, problem.x0, problem.args
    if problem.derivative == "hessian":
        pattern, f = sad.hessian_pattern(f, x, *args), sad.gradient(f, x, *args)
    else:
        pattern = sad.jacobian_pattern(f, x, *args)
    groups = coloring.color(pattern)
    matrix = finite_differences(f, x, pattern, np.asarray(groups.colors), *args)
    return Peer(matrix, matrix, groups.num_colors + 1, accuracy=1e-3)


def casadi(problem: Problem) -> Peer:
    """CasADi SX through an object array, called through buffers."""
    import casadi as ca

    x = ca.SX.sym("x", problem.x0.size)
    symbols = np.array(ca.vertsplit(x), dtype=object).reshape(problem.x0.shape)
    y = problem.f(symbols, *(_of_elements(a, ca.SX) for a in problem.args))
    y = y if isinstance(y, ca.SX) else ca.vertcat(*np.ravel(y))
    D = ca.jacobian(y, x) if problem.derivative == "jacobian" else ca.hessian(y, x)[0]
    function = ca.Function("D", [x], [D])
    sparsity = function.sparsity_out(0)
    point: Any = problem.x0.reshape(-1).copy()
    data: Any = np.empty(function.nnz_out(0))
    buffer: Any
    buffer, trigger = function.buffer()
    buffer.set_arg(0, memoryview(point))
    buffer.set_res(0, memoryview(data))

    def call(trigger: Any = trigger, keep: Any = (function, buffer, point, data)) -> None:
        trigger()  # which holds no reference to what it works on

    def matrix() -> scipy.sparse.csc_array:
        return scipy.sparse.csc_array((data, sparsity.row(), sparsity.colind()), shape=sparsity.shape)

    return Peer(call, matrix)


def asdex(problem: Problem) -> Peer:
    """The package asdex on JAX, jitted, values only: its fastest form."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    f, x = _reading(problem.f, jnp), jnp.asarray(problem.x0.reshape(-1))

    def flat(x: Any) -> Any:
        y = f(x.reshape(problem.x0.shape), *problem.args)
        return y.ravel() if problem.derivative == "jacobian" else y

    return by_asdex(flat, x, problem.derivative)


def by_asdex(function: Callable[..., Any], x: Any, derivative: str) -> Peer:
    """Let asdex differentiate a function of a flat JAX array."""
    import asdex as ax
    import jax

    if derivative == "jacobian":
        colored = ax.jacobian_coloring(function, x)
        compressed = ax.compressed_jacobian_from_coloring(function, colored)
    else:
        colored = ax.hessian_coloring(function, x)
        compressed = ax.compressed_hessian_from_coloring(function, colored)
    values = jax.jit(lambda x: ax.decompress_data(compressed(x), colored))
    pattern = colored.sparsity

    def matrix() -> scipy.sparse.csr_array:
        entries = (np.asarray(values(x)), (pattern.rows, pattern.cols))
        return scipy.sparse.coo_array(entries, shape=pattern.shape).tocsr()

    return Peer(lambda: values(x).block_until_ready(), matrix, colored.num_colors)


PEERS: dict[str, Callable[[Problem], Peer]] = {
    "SciPy differences": scipy_differences,
    "CasADi SX": casadi,
    "asdex": asdex,
}


def _of_elements(value: Any, kind: Callable[[float], Any]) -> Any:
    """Return an array of numbers as one of symbolic constants, whose elements have methods; else the value."""
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
        return value
    return np.array([kind(v) for v in value.ravel()], dtype=object).reshape(value.shape)


def _reading(f: Callable[..., Any], numpy: Any) -> Callable[..., Any]:
    """Return `f`, and what it calls of its own module, with the name ``np`` read as another module."""
    done: dict[Any, FunctionType] = {}

    def read(g: Any) -> Any:
        if not isinstance(g, FunctionType) or g.__module__ != f.__module__:
            return g
        if g not in done:
            names = dict(g.__globals__, np=numpy)
            done[g] = FunctionType(g.__code__, names, g.__name__, g.__defaults__, g.__closure__)
            names |= {name: read(value) for name, value in g.__globals__.items() if name != "np"}
            done[g].__globals__.update(names)
        return done[g]

    return read(f)
