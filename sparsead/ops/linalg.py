"""Linear algebra of stacked matrices: small ones written out, up to 4 x 4; larger ones by LAPACK, in `solves`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sparsead.ops import solves
from sparsead.ops.arrays import is_traced
from sparsead.ops.elimination import determinant, inverse, sign_and_logarithm, solution
from sparsead.ops.registry import composite
from sparsead.tracing.conversions import stack_objects

LARGEST = 4


class SlogdetResult(NamedTuple):
    """What ``np.linalg.slogdet`` returns."""

    sign: Any
    logabsdet: Any


def _square(a: Any, what: str) -> int:
    n = np.shape(a)[-1]
    if np.ndim(a) < 2 or np.shape(a)[-2] != n:
        raise np.linalg.LinAlgError(f"{what}: expected square matrices, got shape {np.shape(a)}")
    return n


@composite(
    np.linalg.det,
    lambda x: np.linalg.det(x[:, :3]),
    lambda x: np.linalg.det(np.stack([x[:2, :2], x[1:, 2:]])),
    lambda x: np.linalg.det(np.vstack([x, x[0] ** 2])),
    lambda x: np.linalg.det(np.outer(np.arange(6.0), x[0, :1]) + np.eye(6) * x[1, 0]),
    family="linear algebra",
)
def det(a: Any) -> Any:
    """``np.linalg.det``: the product of the pivots."""
    a = stack_objects(a)
    n = _square(a, "np.linalg.det")
    if n > LARGEST:
        return solves.det(a)
    return determinant(a) if n else np.ones(np.shape(a)[:-2])


@composite(
    np.linalg.inv,
    lambda x: np.linalg.inv(x[:, :3] + 2.0 * np.eye(3)),
    lambda x: np.linalg.inv(np.stack([x[:2, :2], x[1:, 2:]]) + np.eye(2)),
    family="linear algebra",
)
def inv(a: Any) -> Any:
    """``np.linalg.inv``, by elimination."""
    a = stack_objects(a)
    n = _square(a, "np.linalg.inv")
    if n > LARGEST:
        return solves.inv(a)
    return inverse(a) if n else a


@composite(
    np.linalg.slogdet,
    lambda x: np.linalg.slogdet(x[:, :3] + np.eye(3))[1],
    lambda x: np.linalg.slogdet(x[:2, :2]).sign * x,
    family="linear algebra",
)
def slogdet(a: Any) -> Any:
    """``np.linalg.slogdet``: sign and logarithm of the determinant."""
    a = stack_objects(a)
    n = _square(a, "np.linalg.slogdet")
    if n > LARGEST:
        return SlogdetResult(*solves.slogdet(a))
    none = np.zeros(np.shape(a)[:-2])
    return SlogdetResult(*(sign_and_logarithm(a) if n else (none + 1.0, none)))


@composite(
    np.linalg.cholesky,
    lambda x: np.linalg.cholesky(x[:, :3] @ x[:, :3].T + np.eye(3)),
    lambda x: np.linalg.cholesky(x[:2, :2] @ x[:2, :2].T + np.eye(2), upper=True),
    family="linear algebra",
)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """``np.linalg.cholesky``: column by column, of the lower triangle (of the upper one with `upper`)."""
    a = stack_objects(a)
    n = _square(a, "np.linalg.cholesky")
    a = np.swapaxes(a, -1, -2) if upper else a
    if n > LARGEST:
        factor = solves.cholesky(a)
        return np.swapaxes(factor, -1, -2) if upper else factor
    factor = np.zeros_like(a)
    for j in range(n):
        known = factor[..., j, :j]
        factor[..., j, j] = np.sqrt(a[..., j, j] - np.sum(known * known, axis=-1))
        for i in range(j + 1, n):
            rest = a[..., i, j] - np.sum(factor[..., i, :j] * known, axis=-1)
            factor[..., i, j] = rest / factor[..., j, j]
    return np.swapaxes(factor, -1, -2) if upper else factor


class EighResult(NamedTuple):
    """What ``np.linalg.eigh`` returns."""

    eigenvalues: Any
    eigenvectors: Any


@composite(
    np.linalg.eigh,
    lambda x: np.linalg.eigh(x[:, :3] + x[:, :3].T + np.diag([0.0, 3.0, 7.0]))[0],
    lambda x: np.linalg.eigh(x[:, :3] + np.diag([0.0, 3.0, 7.0]), UPLO="U").eigenvectors ** 2,
    family="linear algebra",
)
def eigh(a: Any, UPLO: str = "L") -> EighResult:
    """``np.linalg.eigh``: of matrices with a simple spectrum."""
    a = stack_objects(a)
    _square(a, "np.linalg.eigh")
    return EighResult(*solves.eigh(a, UPLO.upper() == "L"))


@composite(
    np.linalg.eigvalsh,
    lambda x: np.linalg.eigvalsh(x[:, :3] + x[:, :3].T + np.diag([0.0, 3.0, 7.0])),
    family="linear algebra",
)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """``np.linalg.eigvalsh``: of matrices with a simple spectrum."""
    return eigh(a, UPLO).eigenvalues


@composite(
    np.linalg.solve,
    lambda x: np.linalg.solve(x[:, :3] + 2.0 * np.eye(3), x[:, 3]),
    lambda x: np.linalg.solve(x[:2, :2] + np.eye(2), x[:2, 2:]),
    lambda x: np.linalg.solve(np.outer(np.arange(1.0, 7.0), x.reshape(-1)[:6]) + np.eye(6), x.reshape(-1)[6:]),
    lambda x: np.linalg.solve(np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 0.0], [0.0, 1.0, 2.0]]), x),
    family="linear algebra",
)
def solve(a: Any, b: Any) -> Any:
    """``np.linalg.solve``."""
    a, b = stack_objects(a), stack_objects(b)
    n, vectors = _square(a, "np.linalg.solve"), np.ndim(b) == 1
    if np.shape(b)[-1 if vectors else -2] != n:
        raise ValueError(f"np.linalg.solve: matrices {np.shape(a)} and right-hand sides {np.shape(b)} do not fit")
    if n > LARGEST or not is_traced(a):
        return solves.solve(a, b)
    found = solution(a, b[:, None] if vectors else b)
    return found[..., 0] if vectors else found


@composite(
    np.linalg.norm,
    lambda x: np.linalg.norm(x),
    lambda x: np.linalg.norm(x, axis=1),
    lambda x: np.linalg.norm(x[0], ord=1),
    lambda x: np.linalg.norm(x, ord=np.inf, axis=0, keepdims=True),
    lambda x: np.linalg.norm(x, ord=3, axis=1),
    lambda x: np.linalg.norm(x, ord="fro"),
    lambda x: np.linalg.norm(x, ord=1),
    lambda x: np.linalg.norm(x, ord=2),
    lambda x: np.linalg.norm(x, "nuc", None, True),
    family="linear algebra",
)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """``np.linalg.norm``: of vectors for any order, of matrices for every order."""
    x = stack_objects(x)
    axes = tuple(range(np.ndim(x))) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    if len(axes) not in (1, 2) and (ord is not None or axis is not None):
        raise ValueError("Improper number of dimensions to norm.")
    if ord is None:
        return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))
    return _matrix_norm(x, ord, axes, keepdims) if len(axes) == 2 else _vector_norm(x, ord, axes, keepdims)


def _vector_norm(x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    match ord:
        case 2:
            return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))
        case 1:
            return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
        case np.inf:
            return np.max(np.abs(x), axis=axis, keepdims=keepdims)
        case float() | int() if ord == -np.inf:
            return np.min(np.abs(x), axis=axis, keepdims=keepdims)
        case 0:
            return np.sum(np.where(np.not_equal(x, 0.0), 1.0, 0.0), axis=axis, keepdims=keepdims)
    return np.sum(np.abs(x) ** ord, axis=axis, keepdims=keepdims) ** (1.0 / ord)


def _matrix_norm(x: Any, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    if ord == "fro":
        return np.sqrt(np.sum(np.square(x), axis=axes, keepdims=keepdims))
    if ord in (1, np.inf):
        summed, other = axes if ord == 1 else axes[::-1]
        sums = np.sum(np.abs(x), axis=summed, keepdims=True)
        largest = np.max(sums, axis=other, keepdims=True)
        return largest if keepdims else np.squeeze(largest, axis=axes)
    if ord in (-1, -np.inf):
        summed, other = axes if ord == -1 else axes[::-1]
        smallest = np.min(np.sum(np.abs(x), axis=summed, keepdims=True), axis=other, keepdims=True)
        return smallest if keepdims else np.squeeze(smallest, axis=axes)
    if ord in (2, -2, "nuc"):
        s = np.linalg.svdvals(np.moveaxis(x, axes, (-2, -1)))
        value = np.sum(s, axis=-1) if ord == "nuc" else s[..., 0 if ord == 2 else -1]
        return np.expand_dims(value, sorted(k % np.ndim(x) for k in axes)) if keepdims else value
    raise ValueError("Invalid norm order for matrices.")
