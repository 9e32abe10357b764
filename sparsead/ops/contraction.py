"""Products of arrays. A constant factor keeps its own pattern: its zeros contribute nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

from sparsead.errors import unsupported
from sparsead.ops.registry import composite, scatter_sum
from sparsead.program.index import identity
from sparsead.tracing.array import TracedArray, stack_objects


def _sparse_product(rows: Any, columns: Any, data: Any, x: TracedArray, m: int) -> TracedArray:
    """Return ``A @ x`` for A in coordinates and x of shape (n,) or (n, k)."""
    tail = x.shape[1:]
    if data.dtype.kind == "c":
        raise unsupported("a complex matrix", "Complex arithmetic is not supported yet.")
    terms = data.reshape((-1,) + (1,) * len(tail)) * x[columns]
    place = identity((m, *tail))[rows]
    return scatter_sum(terms, place, (m, *tail))


def _matrix_by_array(matrix: Any, x: TracedArray) -> TracedArray:
    """Return ``matrix @ x`` for a constant 2-D matrix, dense or sparse, and x of shape (n,) or (n, k)."""
    if x.ndim not in (1, 2) or matrix.shape[1] != x.shape[0]:
        raise ValueError(f"matmul: a matrix of shape {matrix.shape} does not fit an array of shape {x.shape}")
    coo = scipy.sparse.coo_array(matrix)
    coo.sum_duplicates()
    return _sparse_product(coo.row, coo.col, coo.data, x, coo.shape[0])


def _array_by_matrix(x: TracedArray, matrix: Any) -> TracedArray:
    """Return ``x @ matrix``."""
    return _matrix_by_array(matrix.T, x.transpose()).transpose()


@composite(
    np.matmul,
    lambda x: x @ np.array([1.0, 0.0, 2.0, -1.0]),
    lambda x: np.arange(6.0).reshape(2, 3) @ x,
    lambda x: scipy.sparse.csr_matrix([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]]) @ x,
    lambda x: x @ scipy.sparse.csc_array([[1.0, 0.0], [0.0, 3.0], [0.0, 0.0], [4.0, 5.0]]),
    lambda x: x @ x.T,
    lambda x: np.stack([x, x]) @ x.T,
    family="contraction",
)
def matmul(a: Any, b: Any) -> Any:
    """``a @ b``: NumPy arrays of any number of axes, or a constant ``scipy.sparse`` matrix on either side."""
    a, b = stack_objects(a), stack_objects(b)
    if scipy.sparse.issparse(a) or _is_constant_matrix(a, b):
        return _matrix_by_array(a, b)
    if scipy.sparse.issparse(b) or _is_constant_matrix(b, a):
        return _array_by_matrix(a, b)
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        raise ValueError("matmul: a 0-d operand; use * for a product with a scalar")
    left = a if np.ndim(a) > 1 else a[None, :]
    right = b if np.ndim(b) > 1 else b[:, None]
    if left.shape[-1] != right.shape[-2]:
        raise ValueError(f"matmul: shapes {np.shape(a)} and {np.shape(b)} do not fit")
    product = np.sum(left[..., :, :, None] * right[..., None, :, :], axis=-2)
    product = product[..., 0] if np.ndim(b) == 1 else product
    return product if np.ndim(a) > 1 else (product[..., 0] if np.ndim(b) == 1 else product[..., 0, :])


def _is_constant_matrix(constant: Any, traced: Any) -> bool:
    return type(constant) is np.ndarray and constant.ndim == 2 and np.ndim(traced) in (1, 2)


@composite(
    np.dot,
    lambda x: np.dot(x[0], x[1]),
    lambda x: np.dot(np.eye(3), x),
    lambda x: x.dot(2.0),
    family="contraction",
)
def dot(a: Any, b: Any) -> Any:
    """``np.dot`` of arrays with up to two axes."""
    a, b = stack_objects(a), stack_objects(b)
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(a) == 1 and np.ndim(b) == 1:
        return np.sum(np.multiply(a, b))
    if np.ndim(a) <= 2 and np.ndim(b) <= 2:
        return matmul(a, b)
    raise unsupported("np.dot of arrays with more than two axes", "Use np.matmul or np.einsum.")


@composite(np.inner, lambda x: np.inner(x[0], x[1]), lambda x: np.inner(x, x), family="contraction")
def inner(a: Any, b: Any) -> Any:
    """``np.inner``."""
    return dot(a, np.transpose(b))


@composite(np.vdot, lambda x: np.vdot(x, x[::-1]), family="contraction")
def vdot(a: Any, b: Any) -> Any:
    """``np.vdot`` of real arrays."""
    return np.sum(np.multiply(np.ravel(a), np.ravel(b)))


@composite(np.outer, lambda x: np.outer(x[0], x[:, 1]), family="contraction")
def outer(a: Any, b: Any) -> Any:
    """``np.outer``."""
    return np.multiply(np.ravel(a)[:, None], np.ravel(b)[None, :])
