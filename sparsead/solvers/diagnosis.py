"""Why a square sparse matrix is singular, in terms of equations and unknowns."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
from scipy.sparse.csgraph import maximum_bipartite_matching

Shape = tuple[int, ...]


def named(index: int, shape: Shape) -> str:
    """Return the index of an element as the user writes it."""
    if len(shape) == 1:
        return str(index)
    return ", ".join(str(int(k)) for k in np.unravel_index(index, shape))


def singular_because(A: Any, rows: Shape, columns: Shape) -> str:
    """Say why a matrix is singular, naming an equation and an unknown.

    Parameters
    ----------
    A : scipy.sparse array, shape (n, n)
        The Jacobian, its structural entries stored.
    rows, columns : tuple of int
        The shapes of f(x) and of x.
    """
    present = scipy.sparse.csr_array(A)
    found = _unmatched(present)
    if found is not None:
        i, j = named(found[0], rows), named(found[1], columns)
        return (
            f"the Jacobian is structurally singular: equation f[{i}] and unknown x[{j}] are left over when equations "
            f"are matched with unknowns ({_count(present, *found)})"
        )
    present = present.copy()
    present.eliminate_zeros()
    found = _unmatched(present)
    if found is not None:
        i, j = named(found[0], rows), named(found[1], columns)
        return (
            f"the Jacobian is singular at this x, where entries vanish: equation f[{i}] and unknown x[{j}] are left "
            f"over ({_count(present, *found)})"
        )
    right, left = _null_vector(present), _null_vector(present.T)
    i, j = named(int(np.argmax(np.abs(left))), rows), named(int(np.argmax(np.abs(right))), columns)
    return (
        f"the Jacobian is numerically singular at this x: its equations are dependent, f[{i}] most of all, and leave a "
        f"direction free in which x[{j}] moves most"
    )


def _unmatched(A: Any) -> tuple[int, int] | None:
    """Return a row and a column that no perfect matching covers."""
    matched = maximum_bipartite_matching(scipy.sparse.csr_matrix(A), perm_type="column")  # a column for each row
    if np.all(matched >= 0):
        return None
    columns = np.setdiff1d(np.arange(A.shape[1]), matched)
    return int(np.flatnonzero(matched < 0)[0]), int(columns[0])


def _count(A: Any, row: int, column: int) -> str:
    entries, equations = int(np.diff(A.indptr)[row]), int(np.count_nonzero(A.indices == column))
    return f"the equation depends on {entries} unknowns, the unknown appears in {equations} equations"


def _null_vector(A: Any) -> np.ndarray:
    """Return a vector that A nearly maps to zero, by inverse iteration on a matrix beside A."""
    scale = float(np.abs(A.data).max())
    shift = 1e-10 * scale * scipy.sparse.eye_array(A.shape[0], format="csc")
    factors = scipy.sparse.linalg.splu(scipy.sparse.csc_array(A) + shift)
    v = np.random.default_rng(0).standard_normal(A.shape[0])
    for _ in range(3):
        v = factors.solve(v)
        v /= np.abs(v).max()
    return v
