"""Dense linear systems, inverses, determinants and factors of any size, by LAPACK; derivatives by the implicit rule.

Matrices are stacked as NumPy stacks them. The derivative of a solution with respect to its right-hand side is the
inverse: a dense matrix.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from sparsead.errors import user_origin
from sparsead.ops.arrays import is_traced
from sparsead.ops.implicit import Carrier, Linear, carried, held, restated
from sparsead.program.nodes import Call
from sparsead.tracing.array import TracedArray
from sparsead.tracing.complex import TracedComplex
from sparsead.tracing.conversions import reading, traced
from sparsead.tracing.known import complex_of_parts
from sparsead.tracing.order import order_wanted, second_order_wanted

SOLVE, INVERSE = "np.linalg.solve", "np.linalg.inv"


EIGH: Any = np.linalg.eigh  # its stubs know two literal values of UPLO


def _transposed(a: Any) -> Any:
    return np.swapaxes(a, -1, -2)


def _inverse(a: Any, function: Any = np.linalg.inv) -> tuple[TracedArray, Carrier, list[TracedArray]]:
    """Return the inverse as a carrier, its operation, and where second derivatives are wanted the restated inverse."""
    w, carrier = carried(INVERSE, function, np.shape(a), a)
    if not second_order_wanted():
        return w, carrier, []
    return w, carrier, [restated(w - w @ ((a - held(a)) @ w), carrier)]


def inv(a: Any) -> Any:
    """Return the inverse: ``d(inv(A)) = -inv(A) @ dA @ inv(A)``."""
    w, _, again = _inverse(a)
    return again[0] if again else w - w @ ((a - held(a)) @ w)


def solve(a: Any, b: Any, pattern: Any = 1.0) -> Any:
    """Return the solution x of ``A @ x = b``: ``dx = inv(A) @ (db - dA @ x)``.

    `pattern` has zeros where the inverse of a traced matrix is known to have them.
    """
    if np.ndim(b) == 1:
        return solve(a, np.reshape(b, (-1, 1)), pattern)[..., 0]
    if not is_traced(a):
        return solve_with_constant(np.asarray(a), b)
    batch = np.broadcast_shapes(np.shape(a)[:-2], np.shape(b)[:-2])
    x, carrier = carried(SOLVE, np.linalg.solve, (*batch, *np.shape(b)[-2:]), a, b)
    w, _, along = _inverse(a)
    return restated(x + (w * pattern) @ (b - a @ x), carrier, along=along)


def solve_with_constant(a: np.ndarray, b: Any) -> Any:
    """Return the solutions of one system, (n, n), for every column of b, (..., n, k); or of stacked systems."""
    if a.ndim > 2:
        return np.linalg.inv(a) @ b
    factors = scipy.linalg.lu_factor(a)
    return columnwise(SOLVE, lambda v: scipy.linalg.lu_solve(factors, v), b, a.shape[0])


def columnwise(name: str, function: Any, b: Any, n: int) -> Any:
    """Return a linear function of vectors, of size n, for every column of b, (n,) or (..., n, k).

    The function also takes all columns of the identity at once: they give its matrix. Complex vectors are pairs of
    real ones, for a function of complex values too.
    """
    if np.iscomplexobj(function(np.zeros(n))):
        return _by_parts(name, function, b, n)
    if isinstance(b, TracedComplex):
        return complex_of_parts(*(traced(columnwise(name, function, part, n)) for part in (b.real, b.imag)))
    columns: Any = traced(b)
    columns = columns if np.ndim(b) == 1 else np.moveaxis(columns, -2, -1)
    if not columns.size:
        return np.zeros(np.shape(b))
    operation = Linear(name, function, np.asarray(function(np.eye(n))), columns.size // n)
    call = Call(shape=columns.shape, operation=operation, args=(reading(columns),), origin=user_origin())
    found: Any = TracedArray.of_node(call)
    return found if np.ndim(b) == 1 else np.moveaxis(found, -1, -2)


def _by_parts(name: str, function: Any, b: Any, n: int) -> Any:
    """Do the same with complex vectors: the function of real and imaginary parts, one below the other."""

    def of_both(v: np.ndarray) -> np.ndarray:
        found = np.asarray(function(v[:n].astype(np.complex128) + 1j * v[n:]))
        return np.concatenate([found.real, found.imag])

    axis = -1 if np.ndim(b) == 1 else -2
    real = np.real(b)
    both = np.concatenate([real, np.imag(b) if isinstance(b, TracedComplex) else np.zeros(np.shape(b))], axis=axis)
    real, imag = np.split(columnwise(name, of_both, both, 2 * n), 2, axis=axis)
    return complex_of_parts(traced(real), traced(imag))


def det(a: Any) -> Any:
    """Return the determinant: ``d(det(A)) = trace(adj(A) @ dA)``; the adjugate exists where the inverse does not."""
    d, carrier = carried("np.linalg.det", np.linalg.det, np.shape(a)[:-2], a)
    if order_wanted() <= 2:
        shape, change = np.shape(a), a - held(a)
        cofactors, own = carried("np.linalg.det", lambda m: _transposed(adjugate(m)), shape, a)
        if not second_order_wanted():
            return restated(d + np.sum(cofactors * change, axis=(-2, -1)), carrier)
        slopes, _ = carried("np.linalg.det", cofactor_slopes, (*shape, *shape[-2:]), a)
        again = restated(cofactors + np.sum(slopes * change[..., None, None, :, :], axis=(-2, -1)), own)
        return restated(d + np.sum(cofactors * change, axis=(-2, -1)), carrier, along=[again])
    w, _, along = _inverse(a)
    return restated(d + d * np.sum(_transposed(w) * (a - held(a)), axis=(-2, -1)), carrier, along=along)


def adjugate(a: np.ndarray) -> np.ndarray:
    """Return the transposed cofactors of stacked matrices, singular ones too, by their singular values."""
    u, s, vh = np.linalg.svd(a)
    n = s.shape[-1]
    others = np.where(np.eye(n, dtype=np.bool_), 1.0, s[..., None, :]).prod(axis=-1)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    return sign[..., None, None] * ((_transposed(vh) * others[..., None, :]) @ _transposed(u))


def cofactor_slopes(a: np.ndarray) -> np.ndarray:
    """Return the derivatives of the cofactors of stacked matrices, singular ones too: (..., n, n, n, n).

    In the bases of the singular vectors the determinant of ``diag(s) + E`` is, to second order, the sum over pairs of
    ``(E[p, p] * E[q, q] - E[p, q] * E[q, p])`` times all other singular values.
    """
    u, s, vh = np.linalg.svd(a)
    n = s.shape[-1]
    eye = np.eye(n, dtype=np.bool_)
    left_out = eye[:, None, :] | eye[None, :, :]
    others = np.where(left_out, 1.0, s[..., None, None, :]).prod(axis=-1) * ~eye
    sign = (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    outer = (u[..., :, None, :] * _transposed(vh)[..., None, :, :]).reshape(*a.shape[:-2], n * n, n)
    both = ((outer * sign) @ others @ _transposed(outer)).reshape(*a.shape[:-2], n, n, n, n)
    return both - np.swapaxes(both, -3, -1)


def _inverse_or_nan(a: np.ndarray) -> np.ndarray:
    """Return the inverses of stacked matrices; NaN for singular ones, whose determinant NumPy knows all the same."""
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        if a.ndim == 2:
            return np.full(a.shape, np.nan)
        return np.stack([_inverse_or_nan(matrix) for matrix in a])


def slogdet(a: Any) -> tuple[Any, Any]:
    """Return sign and logarithm of the determinant: ``d(log(abs(det(A)))) = trace(inv(A) @ dA)``."""
    sign, _ = carried("np.linalg.slogdet", lambda m: np.linalg.slogdet(m)[0], np.shape(a)[:-2], a)
    value, carrier = carried("np.linalg.slogdet", lambda m: np.linalg.slogdet(m)[1], np.shape(a)[:-2], a)
    w, _, along = _inverse(a, _inverse_or_nan)
    change = a - held(a)
    regular = value + np.sum(_transposed(w) * change, axis=(-2, -1))
    singular = np.log(np.abs(np.sum(change, axis=(-2, -1))))  # minus infinity, of infinite slope
    return sign, restated(np.where(np.isinf(value), singular, regular), carrier, along=along)


def cholesky(a: Any) -> Any:
    """Return the lower factor L of ``A = L @ L.T``, of the lower triangle of A.

    ``dL = L @ phi(inv(L) @ dA @ inv(L).T)``, where phi takes the lower triangle and halves the diagonal (Smith 1995).
    """
    symmetric = np.tril(a) + _transposed(np.tril(a, -1))
    factor, carrier = carried("np.linalg.cholesky", np.linalg.cholesky, np.shape(a), a)
    inverse, inverse_carrier = carried("np.linalg.cholesky", _inverse_factor, np.shape(a), a)
    change = inverse @ (symmetric - held(symmetric)) @ _transposed(inverse)
    value = restated(factor + factor @ _lower(change), carrier)
    if not second_order_wanted():
        return value
    again = restated(inverse - inverse @ ((value - held(value)) @ inverse), inverse_carrier)
    return restated(value, along=[again])


def _inverse_factor(a: np.ndarray) -> np.ndarray:
    return np.linalg.inv(np.linalg.cholesky(a))


def _lower(a: Any) -> Any:
    """Return the lower triangle with half the diagonal."""
    n = np.shape(a)[-1]
    return a * (np.tri(n) - 0.5 * np.eye(n))


def eigh(a: Any, lower: bool = True, function: Any = EIGH, multiple: int = 1) -> tuple[Any, Any]:
    """Return eigenvalues and eigenvectors of symmetric matrices with a simple spectrum, or each so many times.

    ``dw = diag(V.T @ dA @ V)``, ``dV = V @ (F * (V.T @ dA @ V))`` with ``F[i, j] = 1 / (w[j] - w[i])`` (Giles 2008).
    """
    half, strict = (np.tril(a), np.tril(a, -1)) if lower else (np.triu(a), np.triu(a, 1))
    symmetric = half + _transposed(strict)
    uplo = "L" if lower else "U"
    w, w_carrier = carried("np.linalg.eigh", lambda m: function(m, uplo)[0], np.shape(a)[:-1], a)
    v, v_carrier = carried("np.linalg.eigh", lambda m: function(m, uplo)[1], np.shape(a), a)
    gaps, gaps_carrier = carried("np.linalg.eigh", lambda m: _gaps(function(m, uplo)[0], multiple), np.shape(a), a)
    rotated = _transposed(v) @ (symmetric - held(symmetric)) @ v
    values = restated(w + np.diagonal(rotated, axis1=-2, axis2=-1), w_carrier)
    vectors = restated(v + v @ (gaps * rotated), v_carrier)
    if not second_order_wanted():
        return values, vectors
    one = alike(np.shape(a)[-1], multiple)
    differences = np.where(one, 1.0, values[..., None, :] - values[..., :, None])
    again = restated(~one / differences, gaps_carrier)
    return restated(values, along=[again, vectors]), restated(vectors, along=[again, values])


def alike(n: int, multiple: int) -> np.ndarray:
    """Tell which of n eigenvalues in order are one, that is there so many times."""
    places = np.arange(n) // multiple
    return np.asarray(places[:, None] == places)


def _gaps(w: np.ndarray, multiple: int) -> np.ndarray:
    """Return 1 over the differences of eigenvalues, zero between those that are one."""
    differences = w[..., None, :] - w[..., :, None]
    one = alike(w.shape[-1], multiple)
    if (differences[..., ~one] == 0.0).any():
        raise np.linalg.LinAlgError("eigenvectors have no derivative where an eigenvalue is repeated")
    return ~one / np.where(one, 1.0, differences)
