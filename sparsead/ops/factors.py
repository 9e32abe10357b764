"""The solvers and factors of scipy.linalg, for traced matrices and right-hand sides."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from sparsead.errors import unsupported
from sparsead.ops import solves
from sparsead.ops.arrays import is_traced
from sparsead.ops.over_stacks import over_stacks
from sparsead.ops.registry import patched
from sparsead.tracing.complex import is_complex
from sparsead.tracing.conversions import stack_objects, traced

HINT = "Hand it to the solver that belongs to it, or use scipy.linalg.solve."


class Factored:
    """What stands for factors of a traced matrix until a right-hand side comes: the matrix itself."""

    def __init__(self, matrix: Any, name: str) -> None:
        self.matrix, self.name = matrix, name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        raise unsupported(f"looking into what scipy.linalg.{self.name} returned", HINT)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise unsupported(f"an array of what scipy.linalg.{self.name} returned", HINT)


@patched(
    scipy.linalg.solve,
    lambda x: scipy.linalg.solve(x[:, :3] + 2.0 * np.eye(3), x[:, 3]),
    lambda x: scipy.linalg.solve(np.diag([2.0, 3.0, 4.0]), x),
)
def solve(
    a: Any, b: Any, lower: bool = False, *_: Any, assume_a: Any = None, transposed: bool = False, **__: Any
) -> Any:
    """``scipy.linalg.solve``."""
    a, b = stack_objects(a), stack_objects(b)
    if assume_a not in (None, "gen", "general"):
        a = _completed(a, str(assume_a), lower)
    if transposed and is_complex(a):
        raise NotImplementedError("scipy.linalg.solve can currently not solve a^T x = b for complex matrices.")
    return np.linalg.solve(np.swapaxes(a, -1, -2) if transposed else a, b)


def _adjoint(a: Any) -> Any:
    return np.conjugate(np.swapaxes(a, -1, -2))


def _completed(a: Any, assumed: str, lower: bool) -> Any:
    """Return the matrix that a solver reads which looks at one triangle alone."""
    half, strict = (np.tril(a), np.tril(a, -1)) if lower else (np.triu(a), np.triu(a, 1))
    match assumed:
        case "sym" | "symmetric":
            return half + np.swapaxes(strict, -1, -2)
        case "pos" | "positive definite" | "her" | "hermitian":
            return half + _adjoint(strict)
    raise unsupported(f"scipy.linalg.solve(..., assume_a={assumed!r})", "Leave assume_a out.")


@patched(scipy.linalg.inv, lambda x: scipy.linalg.inv(x[:, :3] + 2.0 * np.eye(3)))
def inv(a: Any, overwrite_a: bool = False, check_finite: bool = True, **_: Any) -> Any:
    """``scipy.linalg.inv``."""
    return np.linalg.inv(a)


@patched(scipy.linalg.det, lambda x: scipy.linalg.det(x[:, :3]))
def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """``scipy.linalg.det``."""
    return np.linalg.det(a)


@patched(
    scipy.linalg.cholesky,
    lambda x: scipy.linalg.cholesky(x[:, :3] @ x[:, :3].T + np.eye(3)),
    lambda x: scipy.linalg.cholesky(x @ x.T + np.eye(3), lower=True),
)
def cholesky(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """``scipy.linalg.cholesky``: of the triangle that it returns."""
    return np.linalg.cholesky(a) if lower else np.linalg.cholesky(a, upper=True)


@patched(
    scipy.linalg.cho_factor,
    lambda x: scipy.linalg.cho_solve(scipy.linalg.cho_factor(x @ x.T + np.eye(3)), x[:, 0]),
)
@over_stacks(a=2)
def cho_factor(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """``scipy.linalg.cho_factor``."""
    return cholesky(a, lower), lower


@patched(
    scipy.linalg.cho_solve,
    lambda x: scipy.linalg.cho_solve((np.diag([1.0, 2.0, 3.0]), True), x),
    lambda x: scipy.linalg.cho_solve((scipy.linalg.cholesky(x @ x.T + np.eye(3)), False), x[:, 0]),
)
@over_stacks(c_and_lower=(2, 0), b=2)
def cho_solve(c_and_lower: Any, b: Any, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    """``scipy.linalg.cho_solve``."""
    c, lower = c_and_lower
    factor = np.tril(c) if lower else _adjoint(np.triu(c))
    return np.linalg.solve(factor @ _adjoint(factor), b)


@patched(
    scipy.linalg.lu_factor,
    lambda x: scipy.linalg.lu_solve(scipy.linalg.lu_factor(x[:, :3] + 2.0 * np.eye(3)), x[:, 3]),
)
def lu_factor(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """``scipy.linalg.lu_factor``: to be used by ``lu_solve``."""
    return Factored(stack_objects(a), "lu_factor"), None


@patched(
    scipy.linalg.lu_solve,
    lambda x: scipy.linalg.lu_solve((np.array([[2.0, 1.0], [0.5, 3.0]]), np.array([0, 1])), x[:2]),
)
def lu_solve(lu_and_piv: Any, b: Any, trans: Any = 0, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    """``scipy.linalg.lu_solve``."""
    factors = lu_and_piv[0]
    if isinstance(factors, Factored):
        return np.linalg.solve(_turned(factors.matrix, trans), b)
    n = np.shape(factors)[0]
    return solves.columnwise("scipy.linalg.lu_solve", lambda v: scipy.linalg.lu_solve(lu_and_piv, v, trans), b, n)


@patched(
    scipy.linalg.solve_triangular,
    lambda x: scipy.linalg.solve_triangular(np.tri(3), x, lower=True),
    lambda x: scipy.linalg.solve_triangular(x[:, :3] + np.eye(3), x[:, 3], trans=1),
)
def solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False, *_: Any, **__: Any
) -> Any:
    """``scipy.linalg.solve_triangular``."""
    a = np.tril(stack_objects(a)) if lower else np.triu(stack_objects(a))
    if unit_diagonal:
        n = np.shape(a)[-1]
        a = a * (1.0 - np.eye(n)) + np.eye(n)
    a, b, pattern = _turned(a, trans), stack_objects(b), np.tri(np.shape(a)[-1])
    if is_complex(a) or is_complex(b):
        return np.linalg.solve(a, b)
    pattern = pattern.T if trans in (1, 2, "T", "C") else pattern
    return solves.solve(a, b, pattern if lower else pattern.T)


def _turned(a: Any, trans: Any) -> Any:
    """Return a matrix, its transpose, or its adjoint, as LAPACK names them."""
    if trans in (2, "C"):
        return _adjoint(a)
    return np.swapaxes(a, -1, -2) if trans in (1, "T") else a


def _banded(l_and_u: Any, ab: Any) -> Any:
    """Return the matrix of the diagonals that ``solve_banded`` takes: ``ab[u + i - j, j] = a[i, j]``."""
    below, above = l_and_u
    n = np.shape(ab)[1]
    i, j = np.nonzero(np.tri(n, n, above, dtype=np.bool_) & ~np.tri(n, n, -below - 1, dtype=np.bool_))
    a = np.zeros((n, n), like=traced(ab))
    a[i, j] = traced(ab)[above + i - j, j]
    return a


@patched(
    scipy.linalg.solve_banded,
    lambda x: scipy.linalg.solve_banded((1, 0), np.array([[2.0, 3.0, 4.0], [1.0, 1.0, 0.0]]), x),
    lambda x: scipy.linalg.solve_banded((1, 1), x + np.array([[0.0], [4.0], [0.0]]), x[0]),
)
@over_stacks(l_and_u=(0, 0), ab=2, b=2)
def solve_banded(l_and_u: Any, ab: Any, b: Any, *_: Any, **__: Any) -> Any:
    """``scipy.linalg.solve_banded``."""
    ab, b = stack_objects(ab), stack_objects(b)
    if is_traced(ab):
        return np.linalg.solve(_banded(l_and_u, ab), b)
    known, name = np.asarray(ab), "scipy.linalg.solve_banded"
    return solves.columnwise(name, lambda v: scipy.linalg.solve_banded(l_and_u, known, v), b, known.shape[1])


@patched(
    scipy.linalg.solveh_banded,
    lambda x: scipy.linalg.solveh_banded(np.array([[0.0, 1.0, 1.0], [3.0, 4.0, 5.0]]), x),
    lambda x: scipy.linalg.solveh_banded(x[:2] + np.array([[2.0], [0.0]]), x[2], lower=True),
)
@over_stacks(ab=2, b=2)
def solveh_banded(
    ab: Any, b: Any, overwrite_ab: Any = False, overwrite_b: Any = False, lower: bool = False, **_: Any
) -> Any:
    """``scipy.linalg.solveh_banded``."""
    ab, b = stack_objects(ab), stack_objects(b)
    if not is_traced(ab):
        known, name = np.asarray(ab), "scipy.linalg.solveh_banded"
        solver = lambda v: scipy.linalg.solveh_banded(known, v, lower=lower)  # noqa: E731  (what it is called)
        return solves.columnwise(name, solver, b, known.shape[1])
    bands = np.shape(ab)[0] - 1
    half = _banded((bands, 0) if lower else (0, bands), ab)
    strict = np.tril(half, -1) if lower else np.triu(half, 1)
    return np.linalg.solve(half + strict.T, b)
