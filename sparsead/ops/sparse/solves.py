"""Solves with sparse matrices, of constants or of unknowns, by SuperLU; derivatives by the implicit rule."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
from scipy.sparse.linalg import SuperLU

from sparsead.ops import solves
from sparsead.ops.arrays import is_traced
from sparsead.ops.implicit import carried, held, restated
from sparsead.ops.registry import record
from sparsead.ops.sparse import triplets
from sparsead.ops.sparse.building import built, stated
from sparsead.ops.sparse.matrix import TracedSparse, entries_of, of_any
from sparsead.ops.sparse.numbering import is_sparse
from sparsead.program.room import require_room
from sparsead.tracing.complex import TracedComplex
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.order import second_order_wanted
from sparsead.tracing.replacing.names import KINDS, patch

NAME = "scipy.sparse.linalg.spsolve"
BYTES = 24  # of an entry of the inverse, while it is computed


class Solver:
    """What ``splu`` and ``factorized`` give: solves with one constant matrix, also for traced right-hand sides."""

    def __init__(self, factors: Any) -> None:
        self._factors = factors
        self.shape = factors.shape

    def solve(self, rhs: Any, trans: str = "N") -> Any:
        """Same as ``SuperLU.solve``."""
        rhs = stack_objects(rhs)
        if not isinstance(rhs, TracedComplex) and not is_traced(rhs):
            return self._factors.solve(np.asarray(rhs), trans)
        n = self.shape[0]
        require_dense(n)
        return solves.columnwise(NAME, lambda v: self._factors.solve(v.copy(), trans), rhs, n)

    __call__ = solve

    def __getattr__(self, name: str) -> Any:
        return getattr(self._factors, name)

    def __reduce__(self) -> Any:
        """Travel as triangles: SuperLU's own object cannot be pickled."""
        made = self._factors
        return _solver_of_triangles, (made.L, made.U, made.perm_r, made.perm_c)


def _solver_of_triangles(lower: Any, upper: Any, perm_r: np.ndarray, perm_c: np.ndarray) -> Solver:
    """Return what solves with ``A[i, j] = (lower @ upper)[perm_r[i], perm_c[j]]``."""
    return Solver(scipy.sparse.linalg.splu((lower @ upper).tocsr()[perm_r].tocsc()[:, perm_c]))


class TracedSolver:
    """The same with a matrix of unknowns."""

    def __init__(self, matrix: TracedSparse) -> None:
        self.matrix, self.shape = matrix, matrix.shape

    def solve(self, rhs: Any, trans: str = "N") -> Any:
        """Same as ``SuperLU.solve``."""
        return by_matrix(self.matrix.T if trans in ("T", "H") else self.matrix, traced(stack_objects(rhs)))

    __call__ = solve


def require_dense(n: int) -> None:
    """Refuse an inverse that does not fit into memory."""
    require_room(BYTES * n * n, f"the inverse of a {n} x {n} matrix")


def solver_of(matrix: Any) -> Solver | TracedSolver:
    """Return what solves with a matrix, of constants or of unknowns."""
    if issubclass(type(matrix), TracedSparse):
        return TracedSolver(matrix)
    return Solver(scipy.sparse.linalg.splu(scipy.sparse.csc_matrix(matrix)))


def _made_outside(value: Any) -> Any:
    """Return what stands in for a solver that was made before: factors of a constant matrix, or their ``solve``."""
    if isinstance(value, SuperLU):
        return Solver(value)
    factors = value.__self__  # what scipy.sparse.linalg.factorized returns
    return Solver(factors).solve if isinstance(factors, SuperLU) else None


KINDS |= {SuperLU: _made_outside, types.BuiltinMethodType: _made_outside}


def by_matrix(matrix: TracedSparse, b: Any, name: str = NAME, iterate: Callable[..., Any] | None = None) -> Any:
    """Return the solution of ``A @ x = b`` for a matrix of unknowns: ``dx = inv(A) @ (db - dA @ x)``.

    One that ``iterate(A, b)`` gives, where that is not None, is left as it is: its residual has no derivative.
    """
    if np.ndim(b) == 1:
        return by_matrix(matrix, np.reshape(b, (-1, 1)), name, iterate)[:, 0]
    entries = matrix.entries.summed()
    places, shape, n = (entries.rows, entries.columns), entries.shape, entries.shape[0]
    require_dense(n)

    def numbers(values: np.ndarray) -> Any:  # outlives the trace, so it holds the places alone
        return scipy.sparse.csc_matrix((values, places), shape=shape)

    def solved(values: np.ndarray, rhs: np.ndarray) -> Any:
        A = numbers(values)
        return scipy.sparse.linalg.splu(A).solve(rhs.copy()) if iterate is None else iterate(A, rhs)

    x, carrier = carried(name, solved, np.shape(b), entries.values, b)
    w, w_carrier = carried(
        name, lambda values: scipy.sparse.linalg.splu(numbers(values)).solve(np.eye(n)), (n, n), entries.values
    )
    along = []
    if second_order_wanted():
        moved = entries.with_values(entries.values - held(entries.values))
        along = [restated(w - w @ triplets.by_array(moved, w), w_carrier)]
    residual = b - triplets.by_array(entries, x)
    change = residual if iterate is None else residual - held(residual)
    return restated(x + w @ change, carrier, along=along)


CONSTANT = scipy.sparse.csc_array([[2.0, 1.0, 0.0], [0.5, 3.0, 0.0], [0.0, 0.0, 4.0]])


@stated(
    scipy.sparse.linalg.spsolve,
    lambda x: scipy.sparse.linalg.spsolve(scipy.sparse.diags([2.0, 3.0, 4.0]).tocsc(), x[:, 0]),
    lambda x: scipy.sparse.linalg.spsolve(scipy.sparse.csc_array(x[:, :3] + 2.0 * np.eye(3)), x[:, 3]),
)
def spsolve(A: Any, b: Any, permc_spec: Any = None, use_umfpack: bool = True) -> Any:
    """``scipy.sparse.linalg.spsolve``."""
    sparse = is_sparse(b)
    x = solver_of(A).solve(b.toarray() if sparse else stack_objects(b))
    if np.ndim(x) == 2 and np.shape(x)[1] == 1:
        return x[:, 0]
    return built(_compressed(A), x) if sparse else x


def _compressed(matrix: Any) -> Any:
    """Return the class in which SciPy solves with a matrix: one of compressed columns or rows."""
    kind = matrix.__class__
    return kind if kind.__name__[:3] in ("csc", "csr") else scipy.sparse.csc_array


@stated(
    scipy.sparse.linalg.spsolve_triangular,
    lambda x: scipy.sparse.linalg.spsolve_triangular(scipy.sparse.tril(CONSTANT).tocsr(), x[:, 0]),
)
def spsolve_triangular(
    A: Any,
    b: Any,
    lower: bool = True,
    overwrite_A: bool = False,
    overwrite_b: bool = False,
    unit_diagonal: bool = False,
) -> Any:
    """``scipy.sparse.linalg.spsolve_triangular``."""
    entries = entries_of(A)
    outside = entries.rows < entries.columns if lower else entries.rows > entries.columns
    if outside.any():
        raise np.linalg.LinAlgError(f"A is not triangular: it has entries on the {'upper' if lower else 'lower'} side")
    if unit_diagonal:
        A = of_any(A).copy()
        A.setdiag(1.0)
    return spsolve(A, b)


@stated(
    scipy.sparse.linalg.inv,
    lambda x: scipy.sparse.linalg.inv(scipy.sparse.csc_array(x[:, :3] + 2.0 * np.eye(3))).toarray(),
)
def inv(A: Any) -> Any:
    """``scipy.sparse.linalg.inv``: all of it is stored."""
    return spsolve(A, scipy.sparse.eye_array(A.shape[0], format="csc"))


# Factors may be made of constants and meet a traced right-hand side later: these are replaced in every call.
patch(scipy.sparse.linalg.splu, lambda A, *args, **kwargs: solver_of(A))
patch(scipy.sparse.linalg.factorized, solver_of)
record("sparse", "scipy.sparse.linalg.splu", [lambda x: scipy.sparse.linalg.splu(CONSTANT).solve(x)])
record("sparse", "scipy.sparse.linalg.factorized", [lambda x: scipy.sparse.linalg.factorized(CONSTANT)(x[:, 0])])
