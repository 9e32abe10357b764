"""One of the equal programs that lie side by side in a linear program: what is decided for it holds for all.

Many points in one function (cells, scenarios, elements) are blocks along the diagonal of its matrix.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from coloring import SparsityPattern
from sparsead.kernels.kernel import Buffer
from sparsead.kernels.linear import LinearKernel, LinearProgram
from sparsead.kernels.moving import Constants, Moving
from sparsead.program.index import narrowed
from sparsead.program.scalar import Pool

FEWEST_PARTS = 4
NOWHERE = -1


@dataclass(frozen=True, eq=False)
class One:
    """The first of `count` programs side by side, with the patterns of its rows."""

    linear: LinearProgram
    patterns: dict[Buffer, SparsityPattern]
    count: int


def one_of_equals(linear: LinearProgram, patterns: dict[Buffer, SparsityPattern]) -> One | None:
    """Return the first of the programs that have neither rows nor columns in common, if these may be equal.

    Whether they are is seen by whoever counts something in one and in all. Rows and entries are those of the whole;
    rows of the others are empty.
    """
    columns = _parts(patterns[linear.target])
    count = int(columns.max(initial=NOWHERE)) + 1
    if count < FEWEST_PARTS:
        return None
    rows = {b: _of_rows(pattern, columns) for b, pattern in patterns.items() if b is not linear.source}
    constants: Constants = {}
    kernels = [_first(kernel, rows, constants) for kernel in linear.kernels]
    if any(kernel is None for kernel in kernels):
        return None
    own = {b: _rows_alone(patterns[b], rows[b] == 0) for b in rows}
    first = tuple(kernel for kernel in kernels if kernel is not None and kernel.terms)
    return One(replace(linear, kernels=first, known={}), own, count)


def _parts(pattern: SparsityPattern) -> np.ndarray:
    """Return which part each column belongs to; NOWHERE where there is no entry. Parts have equally many entries."""
    m, n = pattern.shape
    nowhere = np.full(n, NOWHERE)
    if not pattern.nnz or pattern.nnz > (m * n) // FEWEST_PARTS:
        return nowhere
    for joined in (_joined_by_ends, _joined):  # the first joins too little, but costs a fraction
        label = joined(pattern)
        entries = np.bincount(label[pattern.indices], minlength=int(label.max()) + 1)
        there = entries > 0
        if np.count_nonzero(there) < FEWEST_PARTS:
            return nowhere
    if np.unique(entries[there]).size > 1:
        return nowhere
    return np.where(there, np.cumsum(there) - 1, NOWHERE)[label]


def _joined_by_ends(pattern: SparsityPattern) -> np.ndarray:
    """Return the components of columns that are the first of a row and its second, or its first and its last."""
    n, starts = pattern.shape[1], pattern.indptr[:-1]
    long = np.diff(pattern.indptr) > 1
    first, second, last = (pattern.indices[at[long]] for at in (starts, starts + 1, pattern.indptr[1:] - 1))
    pairs = (np.append(first, first), np.append(second, last))
    return connected_components(coo_array((np.ones(pairs[0].size, np.bool_), pairs), (n, n)), directed=False)[1]


def _joined(pattern: SparsityPattern) -> np.ndarray:
    """Return the components of columns that share a row with another one."""
    m, n = pattern.shape
    ends = np.append(pattern.indptr, np.full(n, pattern.nnz))  # a graph of rows, then columns
    graph = csr_array((np.ones(pattern.nnz, np.bool_), pattern.indices + m, ends), shape=(m + n, m + n))
    return connected_components(graph, directed=False)[1][m:]


def _of_rows(pattern: SparsityPattern, columns: np.ndarray) -> np.ndarray:
    """Return which part each row of a pattern belongs to."""
    found = np.full(pattern.shape[0], NOWHERE)
    filled = np.diff(pattern.indptr) > 0
    found[filled] = columns[pattern.indices[pattern.indptr[:-1][filled]]]
    return found


def _rows_alone(pattern: SparsityPattern, wanted: np.ndarray) -> SparsityPattern:
    lengths = np.where(wanted, np.diff(pattern.indptr), 0)
    kept = np.repeat(wanted, np.diff(pattern.indptr))
    return SparsityPattern(pattern.shape, np.append(0, np.cumsum(lengths)), pattern.indices[kept])


def _first(kernel: LinearKernel, rows: dict[Buffer, np.ndarray], constants: Constants) -> LinearKernel | None:
    """Return a kernel at the points that write to the first part; None where some terms do at some of them only."""
    written = [rows[t.target][t.place.array().reshape(-1)] == 0 for t in kernel.terms]
    points = narrowed(np.flatnonzero(np.logical_or.reduce(written)))
    shares = [int(np.count_nonzero(own[points])) for own in written]
    if any(share not in (0, points.size) for share in shares):
        return None
    domain = (*(1 for _ in kernel.domain[1:]), points.size)  # as many axes as before: these tell what may be joined
    terms = [term for term, share in zip(kernel.terms, shares, strict=True) if share]
    return LinearKernel(domain, tuple(Moving(points, domain, constants).terms(terms, Pool())))
