"""Gaussian elimination for many matrices of one pattern: planned once, run for several points side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph
import scipy.sparse.linalg

from coloring.kernels.kernel import Kernel
from sparsead.memory import require
from sparsead.program.index import index_dtype
from sparsead.solvers.factors import superlu

WIDTH = 8  # points side by side: they fill the vector registers, and their factors stay in cache
UNSOLVED = 1e-6  # share of a right-hand side that good pivots do not leave
ADVICE = "solve the points one after the other, by newton without batch="


class Elimination:
    """Solutions of systems with many matrices of one pattern, all at once.

    Pivots are chosen once, by the matrix of one point: rows are matched with columns so that the product of the pivots
    is as large as it can be, and both are ordered for little fill. A matrix for which these pivots turn out to be bad
    is solved on its own, with pivots of its own.

    Parameters
    ----------
    pattern : SparsityPattern, shape (n, n)
        Where the matrices have entries.
    values : ndarray, shape (nnz,)
        Those of one of the matrices, by rows.

    Raises
    ------
    RuntimeError
        If every matrix of this pattern is singular.

    Notes
    -----
    Duff and Koster, On algorithms for permuting large entries to the diagonal of a sparse matrix, SIAM J. Matrix Anal.
    Appl. 22 (2001); the fill is found row by row, as in Saad, Iterative Methods for Sparse Linear Systems, 2003,
    section 10.3, with nothing left out.
    """

    def __init__(self, pattern: Any, values: np.ndarray) -> None:
        self._pattern, self.size = pattern, pattern.shape[0]
        A = scipy.sparse.csr_array((values, pattern.indices, pattern.indptr), shape=pattern.shape)
        rows = _matched(A)
        order = _little_fill(A[rows])
        self._rows, self._columns = rows[order], order
        numbered = scipy.sparse.csr_array((np.arange(A.nnz), A.indices, A.indptr), shape=A.shape)
        ordered = scipy.sparse.csr_array(numbered[self._rows][:, order])
        ordered.sort_indices()
        starts, columns = ordered.indptr.astype(np.int64), ordered.indices.astype(np.int64)
        self._starts, self._diagonal, self._filled = _fill(starts, columns)
        kind, changes = np.dtype(index_dtype(self._filled.size)), _count(self._starts, self._diagonal, self._filled)
        require(float(kind.itemsize) * changes, "the plan of an elimination", ADVICE)
        slots, self._targets = np.empty(A.nnz, np.int64), np.empty(changes, kind)
        _plan(self._starts, self._diagonal, self._filled, starts, columns, slots, self._targets)
        self._slots = np.empty(A.nnz, np.int64)
        self._slots[ordered.data] = slots

    def solve(self, values: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return the solutions, shape (n, points); NaN where a matrix is singular.

        Parameters
        ----------
        values : ndarray, shape (nnz, points)
            Of the matrices, by rows.
        right : ndarray, shape (n, points)
            The right-hand sides.
        """
        x = np.empty(right.shape)
        left = np.empty(right.shape[1])
        plan = self._starts, self._diagonal, self._filled, self._targets, self._slots, self._rows, self._columns
        values, right = np.ascontiguousarray(values), np.ascontiguousarray(right)
        _solved(*plan, self._pattern.indptr, self._pattern.indices, values, right, x, left)
        for point in np.flatnonzero(~(left <= UNSOLVED * np.abs(right).max(axis=0, initial=0.0))):
            x[:, point] = self._alone(values[:, point], right[:, point])
        return x

    def _alone(self, values: np.ndarray, right: np.ndarray) -> np.ndarray:
        A = scipy.sparse.csr_array((values, self._pattern.indices, self._pattern.indptr), shape=self._pattern.shape)
        if not np.all(np.isfinite(values)):
            return np.full(self.size, np.nan)
        try:
            return superlu(A.tocsc(), "COLAMD").solve(right)
        except RuntimeError:  # "Factor is exactly singular"
            return np.full(self.size, np.nan)


def _matched(A: Any) -> np.ndarray:
    """Return a row for each column, whose entries there have the largest product."""
    sizes = np.abs(A.data)
    largest = np.maximum(abs(A).max(axis=0).toarray().reshape(-1), np.finfo(float).tiny)[A.indices]
    weights = 1.0 - np.log(np.maximum(sizes / largest, 1e-200))  # at least 1: zeros would not count as entries
    graph = scipy.sparse.csr_array((np.where(np.isfinite(weights), weights, 1e3), A.indices, A.indptr), shape=A.shape)
    try:
        rows, columns = scipy.sparse.csgraph.min_weight_full_bipartite_matching(graph)
    except ValueError as error:
        raise RuntimeError("singular whatever the values: some equations cannot be matched with unknowns") from error
    of_column = np.empty_like(rows)
    of_column[columns] = rows
    return of_column


def _little_fill(A: Any) -> np.ndarray:
    """Return the order of rows and columns in which elimination along the diagonal fills in little."""
    n = A.shape[0]
    ones: Any = scipy.sparse.csr_array((np.ones(A.nnz), A.indices, A.indptr), shape=A.shape)
    dominant = scipy.sparse.csc_array(ones + 2.0 * n * scipy.sparse.eye_array(n))  # the values play no part
    factors = scipy.sparse.linalg.splu(
        dominant, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
    )
    return np.argsort(factors.perm_c)


@Kernel
def _fill(starts: np.ndarray, columns: np.ndarray) -> Any:
    """Return the rows of L + U: where they start, where their diagonals are, and their columns."""
    n = starts.size - 1
    row_starts, diagonal = np.zeros(n + 1, np.int64), np.zeros(n, np.int64)
    filled = np.empty(4 * columns.size + n, np.int64)
    after = np.zeros(n + 1, np.int64)  # the columns of a row as a list in ascending order; n is before and behind it
    for i in range(n):
        last = n
        for p in range(starts[i], starts[i + 1]):
            after[last] = columns[p]
            last = columns[p]
        after[last] = n
        k = after[n]
        while k < i:
            last = k
            for q in range(diagonal[k] + 1, row_starts[k + 1]):
                j = filled[q]
                while after[last] < j:
                    last = after[last]
                if after[last] != j:
                    after[j] = after[last]
                    after[last] = j
                last = j
            k = after[k]
        end = row_starts[i]
        if end + n > filled.size:
            larger = np.empty(2 * filled.size + n, np.int64)
            larger[:end] = filled[:end]
            filled = larger
        k = after[n]
        while k < n:
            if k == i:
                diagonal[i] = end
            filled[end] = k
            end += 1
            k = after[k]
        row_starts[i + 1] = end
    return row_starts, diagonal, filled[: row_starts[n]].copy()


@Kernel
def _count(starts: np.ndarray, diagonal: np.ndarray, filled: np.ndarray) -> int:
    """Return the number of multiplications that subtract one row from another."""
    total = 0
    for i in range(diagonal.size):
        for p in range(starts[i], diagonal[i]):
            total += starts[filled[p] + 1] - diagonal[filled[p]] - 1
    return total


@Kernel
def _plan(
    starts: np.ndarray,
    diagonal: np.ndarray,
    filled: np.ndarray,
    given_starts: np.ndarray,
    given: np.ndarray,
    slots: np.ndarray,
    targets: np.ndarray,
) -> None:
    """Find the slots in L + U of the given entries, and those that each multiplication changes, in order."""
    n, t = diagonal.size, 0
    place = np.zeros(n, np.int64)
    for i in range(n):
        for p in range(starts[i], starts[i + 1]):
            place[filled[p]] = p
        for e in range(given_starts[i], given_starts[i + 1]):
            slots[e] = place[given[e]]
        for p in range(starts[i], diagonal[i]):
            k = filled[p]
            for q in range(diagonal[k] + 1, starts[k + 1]):
                targets[t] = place[filled[q]]
                t += 1


@Kernel
def _eliminated(
    starts: np.ndarray, diagonal: np.ndarray, filled: np.ndarray, targets: np.ndarray, work: np.ndarray, y: np.ndarray
) -> None:
    """Turn matrices into L + U, the pivots inverted, and right-hand sides `y` into those of U."""
    t = 0
    for i in range(diagonal.size):
        for p in range(starts[i], diagonal[i]):
            k = filled[p]
            d = diagonal[k]
            for w in range(WIDTH):
                work[p, w] *= work[d, w]
                y[i, w] -= work[p, w] * y[k, w]
            for q in range(d + 1, starts[k + 1]):
                s = targets[t]
                t += 1
                for w in range(WIDTH):
                    work[s, w] -= work[p, w] * work[q, w]
        d = diagonal[i]
        for w in range(WIDTH):
            pivot = work[d, w]
            work[d, w] = 1.0 / pivot if pivot != 0.0 else np.inf


@Kernel
def _substituted(
    starts: np.ndarray,
    diagonal: np.ndarray,
    filled: np.ndarray,
    work: np.ndarray,
    columns: np.ndarray,
    y: np.ndarray,
    found: np.ndarray,
) -> None:
    """Solve systems with U, and put the unknowns in their own order."""
    for i in range(diagonal.size - 1, -1, -1):
        for q in range(diagonal[i] + 1, starts[i + 1]):
            for w in range(WIDTH):
                y[i, w] -= work[q, w] * y[filled[q], w]
        for w in range(WIDTH):
            y[i, w] *= work[diagonal[i], w]
            found[columns[i], w] = y[i, w]


@Kernel
def _solved(
    starts: np.ndarray,
    diagonal: np.ndarray,
    filled: np.ndarray,
    targets: np.ndarray,
    slots: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    given_starts: np.ndarray,
    given: np.ndarray,
    values: np.ndarray,
    right: np.ndarray,
    x: np.ndarray,
    left: np.ndarray,
) -> None:
    """Solve the systems of `WIDTH` points at a time, and find the largest element that each leaves of ``A x - b``.

    Lanes without a point compute what nobody reads.
    """
    n, points = right.shape
    work, block = np.empty((filled.size, WIDTH)), np.zeros((slots.size, WIDTH))
    y, found, row = np.zeros((n, WIDTH)), np.empty((n, WIDTH)), np.empty(WIDTH)
    for first in range(0, points, WIDTH):
        width = min(WIDTH, points - first)
        work[:] = 0.0
        for e in range(slots.size):
            for w in range(width):
                block[e, w] = values[e, first + w]
            for w in range(WIDTH):
                work[slots[e], w] = block[e, w]
        for i in range(n):
            for w in range(width):
                y[i, w] = right[rows[i], first + w]
        _eliminated(starts, diagonal, filled, targets, work, y)
        _substituted(starts, diagonal, filled, work, columns, y, found)
        left[first : first + width] = 0.0
        for i in range(n):
            row[:] = 0.0
            for e in range(given_starts[i], given_starts[i + 1]):
                for w in range(WIDTH):
                    row[w] += block[e, w] * found[given[e], w]
            for w in range(width):
                x[i, first + w] = found[i, w]
                distance = abs(row[w] - right[i, first + w])
                if not distance <= left[first + w]:
                    left[first + w] = distance
