"""Singular values and vectors, orthogonal factors, pseudoinverses and least squares: LAPACK's, with their derivatives.

What LAPACK returns is a carrier (see `sparsead.ops.implicit`), and so is all that stands beside a change of the
matrix: only then is what is restated right to second order. The formulas are those of Giles (2008), Golub and Pereyra
(1973), and of Walter and Lehmann (2018) for the factors Q and R.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.arrays import is_traced, known
from sparsead.ops.implicit import carried, held, restated
from sparsead.ops.registry import composite
from sparsead.ops.solves import _transposed, alike
from sparsead.tracing.conversions import stack_objects
from sparsead.tracing.order import second_order_wanted

SVD, QR, PINV = "np.linalg.svd", "np.linalg.qr", "np.linalg.pinv"


class SVDResult(NamedTuple):
    """What ``np.linalg.svd`` returns."""

    U: Any
    S: Any
    Vh: Any


class QRResult(NamedTuple):
    """What ``np.linalg.qr`` returns."""

    Q: Any
    R: Any


class Arbitrary:
    """What stands for vectors that are any basis of what is left: they have no derivative, and are refused if used."""

    __array_priority__ = 2000.0

    def __init__(self, what: str, instead: str) -> None:
        self._what, self._instead = what, instead

    def _refused(self, *_: Any, **__: Any) -> Any:
        raise unsupported(self._what, self._instead)

    def __getattr__(self, attribute: str) -> Any:
        return self._refused() if not attribute.startswith("_") else object.__getattribute__(self, attribute)

    __array__ = __array_ufunc__ = __array_function__ = __getitem__ = __matmul__ = __rmatmul__ = __iter__ = _refused
    __pow__ = __rpow__ = __neg__ = __pos__ = __abs__ = __rtruediv__ = __mod__ = __floordiv__ = _refused
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __len__ = __float__ = _refused


def _singular(a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return u, s, _transposed(vh)


def _gaps(a: np.ndarray, multiple: int) -> np.ndarray:
    """Return 1 over the differences of squared singular values, zero between those that are one."""
    s = np.linalg.svd(a, compute_uv=False)
    differences = s[..., None, :] ** 2 - s[..., :, None] ** 2
    off = ~alike(s.shape[-1], multiple)
    if (differences[..., off] == 0.0).any():
        raise np.linalg.LinAlgError("singular vectors have no derivative where a singular value is repeated")
    return off / np.where(off, differences, 1.0)


def _reciprocals(a: np.ndarray) -> np.ndarray:
    """Return 1 over the singular values."""
    s = np.linalg.svd(a, compute_uv=False)
    if (s <= np.finfo(float).eps * s.max(initial=0.0)).any():
        raise np.linalg.LinAlgError("singular vectors have no derivative where a singular value is zero")
    return 1.0 / s


def singular(a: Any, multiple: int = 1) -> tuple[Any, Any, Any]:
    """Return U, the singular values, and V, each with its derivative, of matrices with a simple spectrum.

    Each singular value may be there `multiple` times, if each change of the matrix keeps them together.

    With ``P = U.T @ dA @ V``: ``ds = diag(P)`` and
    ``dU = U @ (F * (P * s + s[:, None] * P.T)) + (I - U @ U.T) @ dA @ V / s``, where
    ``F[i, j] = 1 / (s[j]**2 - s[i]**2)``; the same for V with A transposed. Where ``s[i]`` and ``s[j]`` are one, F is 0
    and ``P - P.T`` turns U and V against each other, each by half of it.
    """
    m, n = np.shape(a)[-2:]
    k, batch = min(m, n), np.shape(a)[:-2]
    u, u_carrier = carried(SVD, lambda p: _singular(p)[0], (*batch, m, k), a)
    s, s_carrier = carried(SVD, lambda p: _singular(p)[1], (*batch, k), a)
    v, v_carrier = carried(SVD, lambda p: _singular(p)[2], (*batch, n, k), a)
    gaps, gaps_carrier = carried(SVD, lambda p: _gaps(p, multiple), (*batch, k, k), a)
    over, over_carrier = carried(SVD, _reciprocals, (*batch, k), a)
    change = a - held(a)
    turned = _transposed(u) @ change @ v
    row, column, one = s[..., None, :], s[..., :, None], np.where(alike(k, multiple), 1.0, 0.0)
    values = restated(s + np.diagonal(turned, axis1=-2, axis2=-1), s_carrier)

    def vectors(w: Any, inner: Any, outer: Any, size: int) -> Any:
        turns = gaps * (inner * row + column * _transposed(inner))
        if multiple > 1:
            turns = turns + one * (inner - _transposed(inner)) * over[..., None, :] / 4.0
        inside = w @ turns
        if size == k:
            return w + inside
        return w + inside + (outer - w @ (_transposed(w) @ outer)) * over[..., None, :]

    left = restated(vectors(u, turned, change @ v, m), u_carrier)
    right = restated(vectors(v, _transposed(turned), _transposed(change) @ u, n), v_carrier)
    if not second_order_wanted():
        return left, values, right
    square = values**2
    again = [
        restated((1.0 - one) / (square[..., None, :] - square[..., :, None] + one), gaps_carrier),
        restated(1.0 / values, over_carrier),
    ]
    return (
        restated(left, along=[*again, values, right]),
        restated(values, along=[left, right]),
        restated(right, along=[*again, values, left]),
    )


@composite(
    np.linalg.svd,
    lambda x: np.linalg.svd(x, compute_uv=False),
    lambda x: np.linalg.svd(x, full_matrices=False).U[:, 0] ** 2,
    lambda x: np.linalg.svd(x, full_matrices=False).Vh ** 2,
    lambda x: np.linalg.svd(np.stack([x[:, :2], x[:, 2:]]))[1],
    family="linear algebra",
)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """``np.linalg.svd``: of matrices with a simple spectrum; the vectors of a null space are refused if used."""
    a = _matrices(a, SVD)
    u, s, v = singular(a)
    if not compute_uv:
        return s
    (m, n), vh = np.shape(a)[-2:], _transposed(v)
    if full_matrices and m != n:
        beyond = Arbitrary(
            "looking at what np.linalg.svd(..., full_matrices=True) returned beside the singular vectors",
            "Pass full_matrices=False: vectors of a null space are an arbitrary basis, which has no derivative.",
        )
        u, vh = (beyond, vh) if m > n else (u, beyond)
    return SVDResult(u, s, vh)


@composite(np.linalg.svdvals, np.linalg.svdvals, lambda x: np.linalg.svdvals(x.T), family="linear algebra")
def svdvals(x: Any, /) -> Any:
    """``np.linalg.svdvals``."""
    return singular(_matrices(x, "np.linalg.svdvals"))[1]


def _matrices(a: Any, what: str) -> Any:
    a = stack_objects(a)
    if np.ndim(a) < 2:
        raise np.linalg.LinAlgError(f"{what}: {np.ndim(a)}-dimensional array given. Array must be at least 2-D")
    return a


@composite(
    np.linalg.cond,
    lambda x: np.linalg.cond(x),
    lambda x: np.linalg.cond(x[:, :3] + 2.0 * np.eye(3), 1),
    lambda x: np.linalg.cond(x[:, :3] + 2.0 * np.eye(3), "fro"),
    family="linear algebra",
)
def cond(x: Any, p: Any = None) -> Any:
    """``np.linalg.cond``."""
    x = _matrices(x, "np.linalg.cond")
    if p in (None, 2, -2):
        s = svdvals(x)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    axes = (-2, -1)
    return np.linalg.norm(x, p, axis=axes) * np.linalg.norm(np.linalg.inv(x), p, axis=axes)


def _pseudoinverse(a: np.ndarray, rtol: Any = None, atol: Any = 0.0) -> np.ndarray:
    s = np.linalg.svd(a, compute_uv=False)
    least = max(a.shape[-2:]) * np.finfo(float).eps
    rtol = np.asarray(least if rtol is None else np.maximum(rtol, least))[..., None]
    if (s <= rtol * s.max(axis=-1, keepdims=True, initial=0.0) + atol).any():
        raise np.linalg.LinAlgError("a pseudoinverse jumps where the rank of the matrix drops, and has no derivative")
    return np.linalg.pinv(a)


@composite(
    np.linalg.pinv,
    lambda x: np.linalg.pinv(x),
    lambda x: np.linalg.pinv(x.T),
    lambda x: np.linalg.pinv(np.stack([x[:, :2], x[:, 2:]])),
    family="linear algebra",
)
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """``np.linalg.pinv``: of matrices of full rank.

    Below `rtol` of the largest, singular values count as zero: then the matrix is not of full rank.
    """
    if rcond is not None and rtol is not None:
        raise ValueError("`rtol` and `rcond` can't be both set.")
    if hermitian:  # NumPy looks at the lower half only
        a = np.tril(a) + _transposed(np.tril(a, -1))
    return full_rank_inverse(a, rcond if rtol is None else rtol)


def full_rank_inverse(a: Any, rtol: Any = None, atol: Any = 0.0) -> Any:
    """Return the pseudoinverse of matrices whose singular values are all above a bound.

    ``dP = -P @ dA @ P + P @ P.T @ dA.T @ (I - A @ P) + (I - P @ A) @ dA.T @ P.T @ P``. Carriers are multiplied with
    changes only: a product of two of them, if it is stored, would not be restated.
    """
    a = _matrices(a, PINV)
    m, n = np.shape(a)[-2:]
    bounds = {"rtol": known(rtol, "a pseudoinverse with rtol="), "atol": known(atol, "a pseudoinverse with atol=")}
    p, p_carrier = carried(PINV, partial(_pseudoinverse, **bounds), (*np.shape(a)[:-2], n, m), a)
    fixed, a_carrier = carried(PINV, np.array, np.shape(a), a)
    change = a - held(a)
    value = p - p @ change @ p
    turned = _transposed(change)
    if m > n:
        value = value + p @ (_transposed(p) @ (turned - (turned @ fixed) @ p))
    elif m < n:
        value = value + ((turned - p @ (fixed @ turned)) @ _transposed(p)) @ p
    value = restated(value, p_carrier)
    if m == n or not second_order_wanted():
        return value
    return restated(value, along=[restated(a, a_carrier)])


@composite(
    np.linalg.lstsq,
    lambda x: np.linalg.lstsq(x[:, :2], x[:, 3])[0],
    lambda x: np.linalg.lstsq(x.T, x.T[:, :2] ** 2)[1],
    lambda x: np.linalg.lstsq(np.vander([0.0, 1.0, 3.0], 2), x)[0],
    lambda x: np.linalg.lstsq(x + 2.0 * np.eye(3, 4), x[:, 0])[0],
    family="linear algebra",
)
def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any, Any, Any]:
    """``np.linalg.lstsq``: of matrices of full rank, if they are traced."""
    a, b = stack_objects(a), stack_objects(b)
    (m, n), columns = np.shape(a), b[:, None] if np.ndim(b) == 1 else b
    if np.shape(b)[0] != m:
        raise np.linalg.LinAlgError("Incompatible dimensions")
    if is_traced(a):
        rtol = None if rcond is None or rcond < 0 else rcond
        inverse, rank, s = full_rank_inverse(a, rtol), min(m, n), svdvals(a)
    else:
        inverse, _, rank, s = np.linalg.lstsq(np.asarray(known(a, ""), np.float64), np.eye(m), rcond)
    x = inverse @ columns
    rest = np.sum((columns - a @ x) ** 2, axis=0) if rank == n < m else np.zeros(0)
    return x if np.ndim(b) > 1 else x[:, 0], rest, rank, s


def _inverse_of_r(a: np.ndarray) -> np.ndarray:
    r = np.linalg.qr(a, "r")
    diagonal = np.abs(np.diagonal(r, axis1=-2, axis2=-1))
    if (diagonal <= np.finfo(float).eps * diagonal.max(initial=0.0)).any():
        raise np.linalg.LinAlgError("the factors Q and R have no derivative where columns are linearly dependent")
    return np.linalg.inv(r)


def _orthogonal(a: Any) -> tuple[Any, Any]:
    """Return Q and R of matrices, (m, n) with m >= n, whose columns are independent.

    With ``C = Q.T @ dA @ inv(R)`` and ``W = tril(C, -1) - tril(C, -1).T``: ``dQ = Q @ W + (I - Q @ Q.T) @ dA @ inv(R)``
    and ``dR = Q.T @ dA - W @ R``.
    """
    n = np.shape(a)[-1]
    q, q_carrier = carried(QR, lambda p: np.linalg.qr(p)[0], np.shape(a), a)
    r, r_carrier = carried(QR, lambda p: np.linalg.qr(p)[1], (*np.shape(a)[:-2], n, n), a)
    over, over_carrier = carried(QR, _inverse_of_r, (*np.shape(a)[:-2], n, n), a)
    change = a - held(a)
    upper = np.tri(n).T  # zeros that are known are in no pattern: columns of A do not reach what is left of them
    inside = _transposed(q) @ change
    lower = np.tri(n, n, -1) * (inside @ (upper * over))
    skew = lower - _transposed(lower)
    outside = change @ (upper * over)
    q_new = restated(q + q @ skew + (outside - q @ (_transposed(q) @ outside)), q_carrier)
    r_new = restated(r + upper * (inside - skew @ (upper * r)), r_carrier)
    if not second_order_wanted():
        return q_new, r_new
    again = restated(over - over @ ((r_new - held(r_new)) @ over), over_carrier)
    return restated(q_new, along=[again, r_new]), restated(r_new, along=[again, q_new])


@composite(
    np.linalg.qr,
    lambda x: np.linalg.qr(x)[1],
    lambda x: np.linalg.qr(x + 2.0 * np.eye(3, 4)).Q[0] ** 2,
    lambda x: np.linalg.qr(x.T).Q ** 2,
    lambda x: np.linalg.qr(x.T, "r"),
    family="linear algebra",
)
def qr(a: Any, mode: str = "reduced") -> Any:
    """``np.linalg.qr``: of matrices whose columns, or first columns, are linearly independent."""
    a = _matrices(a, QR)
    m, n = np.shape(a)[-2:]
    if mode not in ("reduced", "r", "complete"):
        raise unsupported(f"np.linalg.qr with mode={mode!r}", "Use mode='reduced' or mode='r'.")
    if mode == "complete" and m > n:
        instead = "Use mode='reduced': the columns beyond are an arbitrary basis, which has no derivative."
        raise unsupported("np.linalg.qr with mode='complete' of a tall matrix", instead)
    q, r = _orthogonal(a[..., :m])
    if n > m:
        r = np.concatenate([r, _transposed(q) @ a[..., m:]], axis=-1)
    return r if mode == "r" else QRResult(q, r)
