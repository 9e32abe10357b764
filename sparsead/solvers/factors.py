"""Sparse LU factors, with the column order that fits the pattern."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

SYMMETRIC = 0.9  # share of entries with a mirror image from which a pattern counts as symmetric


def symmetry(A: Any) -> float:
    """Return the share of the entries of a square pattern or sparse matrix that have a mirror image in it."""
    pattern = scipy.sparse.csr_array((np.ones(A.indices.size, np.int8), A.indices, A.indptr), shape=A.shape)
    return pattern.multiply(pattern.T).nnz / max(pattern.nnz, 1)


def column_order(A: Any) -> str:
    """Return SuperLU's name of the ordering that leaves the least fill, by the pattern of A."""
    return "MMD_AT_PLUS_A" if symmetry(A) >= SYMMETRIC else "COLAMD"


def superlu(A: Any, order: str) -> Any:
    """Factor a sparse matrix in compressed columns."""
    return scipy.sparse.linalg.splu(A, permc_spec=order)  # type: ignore[call-overload]
