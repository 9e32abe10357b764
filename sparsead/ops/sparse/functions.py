"""Functions of whole sparse matrices that SciPy has beside its classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from sparsead.errors import unsupported
from sparsead.ops.sparse.building import kron, stated
from sparsead.ops.sparse.matrix import of_any
from sparsead.ops.sparse.numbering import is_sparse
from sparsead.tracing.conversions import stack_objects, traced


@stated(
    scipy.sparse.kronsum,
    lambda x: scipy.sparse.kronsum(scipy.sparse.csr_array(x[:2, :2]), np.eye(2)).toarray(),
)
def kronsum(A: Any, B: Any, format: Any = None) -> Any:
    """``scipy.sparse.kronsum``."""
    A, B = (m if is_sparse(m) else scipy.sparse.coo_array(m) if type(m) is np.ndarray else m for m in (A, B))
    sizes = [np.shape(m)[0] for m in (A, B)]
    arrays = not (scipy.sparse.isspmatrix(A) and scipy.sparse.isspmatrix(B))
    eye: Any = scipy.sparse.eye_array if arrays else scipy.sparse.eye
    return (kron(eye(sizes[1]), A) + kron(B, eye(sizes[0]))).asformat(format)


@stated(scipy.sparse.find, lambda x: scipy.sparse.find(scipy.sparse.csr_array(x))[2])
def find(A: Any) -> Any:
    """``scipy.sparse.find``: the places of all stored entries, and their values."""
    coo = of_any(A).tocoo(copy=True)
    coo.sum_duplicates()
    return coo.row, coo.col, coo.data


@stated(
    scipy.sparse.linalg.norm,
    lambda x: scipy.sparse.linalg.norm(scipy.sparse.csr_array(x)),
    lambda x: scipy.sparse.linalg.norm(scipy.sparse.csr_matrix(x), 1),
    lambda x: scipy.sparse.linalg.norm(scipy.sparse.csr_array(x), axis=1),
)
def norm(x: Any, ord: Any = None, axis: Any = None) -> Any:
    """``scipy.sparse.linalg.norm``: of the matrix for 'fro', 1 and inf, of lines for 1, 2 and inf."""
    x = of_any(x)
    if axis is None or isinstance(axis, tuple):
        match ord:
            case None | "fro" | "f":
                return np.sqrt(np.sum(x.deduped().values ** 2))
            case 1 | np.inf:
                return np.max(np.ravel(abs(x).sum(axis=0 if ord == 1 else 1)))
        raise unsupported(f"scipy.sparse.linalg.norm(..., {ord!r})", "'fro', 1 and inf have rules.")
    match ord:
        case None | 2:
            return np.sqrt(np.ravel(x.power(2).sum(axis=axis)))
        case 1:
            return np.ravel(abs(x).sum(axis=axis))
        case np.inf:
            return np.max(np.abs(traced(stack_objects(x.toarray()))), axis=axis)
    raise unsupported(f"scipy.sparse.linalg.norm(..., {ord!r}, axis=...)", "1, 2 and inf have rules.")
