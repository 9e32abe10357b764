"""Where coefficients land among the stored values of a pattern: numba kernels over index arrays."""

from __future__ import annotations

import numba
import numpy as np

from coloring import SparsityPattern
from sparsead.program.index import Shape


@numba.njit(cache=True, nogil=True)
def _find(indptr: np.ndarray, indices: np.ndarray, rows: np.ndarray, columns: np.ndarray, out: np.ndarray) -> int:
    """Binary search of each (row, column); returns how many were not found."""
    missing = 0
    for p in range(rows.size):
        low, high = indptr[rows[p]], indptr[rows[p] + 1]
        end = high
        while low < high:
            middle = (low + high) // 2
            if indices[middle] < columns[p]:
                low = middle + 1
            else:
                high = middle
        if low == end or indices[low] != columns[p]:
            missing += 1
        out[p] = low
    return missing


@numba.njit(cache=True, nogil=True)
def _land(
    out_indptr: np.ndarray,
    out_indices: np.ndarray,
    rows: np.ndarray,
    indptr: np.ndarray,
    indices: np.ndarray,
    reads: np.ndarray,
    first: np.ndarray,
    landing: np.ndarray,
) -> int:
    """For each point, merge the row that is read into the row that is written; both are sorted."""
    missing, total = 0, 0
    for p in range(rows.size):
        first[p] = total
        at, end = out_indptr[rows[p]], out_indptr[rows[p] + 1]
        for e in range(indptr[reads[p]], indptr[reads[p] + 1]):
            while at < end and out_indices[at] < indices[e]:
                at += 1
            if at == end or out_indices[at] != indices[e]:
                missing += 1
            landing[total] = at
            total += 1
    return missing


@numba.njit(cache=True, nogil=True)
def _count(places: np.ndarray, counts: np.ndarray) -> None:
    for p in range(places.size):
        counts[places[p]] += 1


@numba.njit(cache=True, nogil=True)
def _add(places: np.ndarray, number: float, sums: np.ndarray) -> None:
    for p in range(places.size):
        sums[places[p]] += number


def _flat(index: np.ndarray, domain: Shape) -> np.ndarray:
    return np.ascontiguousarray(np.broadcast_to(index, domain), dtype=np.int32).reshape(-1)


def find(pattern: SparsityPattern, rows: np.ndarray, columns: np.ndarray, domain: Shape) -> np.ndarray:
    """Return the slot of entry ``(rows[i], columns[i])`` for every point i of the domain."""
    out = np.empty(int(np.prod(domain, dtype=np.int64)), dtype=np.int32)
    missing = _find(pattern.indptr, pattern.indices, _flat(rows, domain), _flat(columns, domain), out)
    assert missing == 0, "a coefficient has no place in the pattern"
    return out.reshape(domain)


def landing(
    written: SparsityPattern, rows: np.ndarray, read: SparsityPattern, reads: np.ndarray, domain: Shape
) -> tuple[np.ndarray, np.ndarray]:
    """Return, for every point, where the entries of row ``reads[i]`` of `read` land in row ``rows[i]`` of `written`.

    The entries of point i are ``landing[first[i] : first[i] + length]``.
    """
    rows, reads = _flat(rows, domain), _flat(reads, domain)
    first = np.empty(rows.size, dtype=np.int32)
    table = np.empty(int(np.diff(read.indptr)[reads].sum(dtype=np.int64)), dtype=np.int32)
    missing = _land(written.indptr, written.indices, rows, read.indptr, read.indices, reads, first, table)
    assert missing == 0, "a row that is read has an entry that the pattern of its target lacks"
    return first.reshape(domain), table


def count(places: np.ndarray, counts: np.ndarray) -> None:
    """Add 1 to ``counts[places[i]]`` for every point i."""
    _count(places.reshape(-1), counts)


def add(places: np.ndarray, number: float, sums: np.ndarray) -> None:
    """Add a number to ``sums[places[i]]`` for every point i."""
    _add(places.reshape(-1), number, sums)
