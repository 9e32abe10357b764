"""Where coefficients land among the stored values of a pattern: array arithmetic, with SciPy's compiled search."""

from __future__ import annotations

from typing import Any

import numpy as np

from coloring import SparsityPattern
from sparsead.memory import require
from sparsead.program.index import IndexArray, Shape, narrowed

BYTES_PER_LANDING = 40  # row, column and place of a product, while they are looked up


class Slots:
    """The entries of a pattern, numbered in row order, ready to be looked up."""

    def __init__(self, pattern: SparsityPattern) -> None:
        self.pattern = pattern
        self._numbered = pattern.to_scipy(np.arange(1, pattern.nnz + 1, dtype=pattern.indices.dtype))

    def find(self, rows: IndexArray, columns: IndexArray) -> IndexArray:
        """Return the number of entry ``(rows[p], columns[p])`` for every p; all must be in the pattern."""
        if rows.size == 0:
            return np.empty(0, dtype=self.pattern.indices.dtype)
        found: Any = self._numbered[rows, columns]
        numbers = np.asarray(found.toarray() if hasattr(found, "toarray") else found)  # older SciPy: a sparse row
        if not (numbers > 0).all():
            raise AssertionError("a coefficient has no place in the pattern")
        return numbers.reshape(-1) - 1

    def of_entries(self, rows: IndexArray, columns: IndexArray, domain: Shape) -> IndexArray:
        """Return the entry that each point of a domain belongs to, given index arrays over the domain."""
        return self.find(_flat(rows, domain), _flat(columns, domain)).reshape(domain)

    def of_rows(
        self, rows: IndexArray, read: SparsityPattern, reads: IndexArray, domain: Shape
    ) -> tuple[IndexArray, IndexArray]:
        """Return, for every point, where the entries of row ``reads[i]`` of `read` land in row ``rows[i]``.

        The entries of point i are ``landing[first[i] : first[i] + length]``; returned are `first` and `landing`.
        """
        rows, reads = _flat(rows, domain), _flat(reads, domain)
        lengths = np.diff(read.indptr)[reads]
        entries = int(lengths.sum(dtype=np.int64))
        require(BYTES_PER_LANDING * entries, f"direct accumulation of {entries:.2g} products", 'use mode="compressed"')
        first = np.cumsum(lengths) - lengths
        within = np.arange(entries) - np.repeat(first, lengths)
        columns = read.indices[np.repeat(read.indptr[reads], lengths) + within]
        landing = self.find(np.repeat(rows, lengths), columns)
        return narrowed(first).reshape(domain), landing


def _flat(index: IndexArray, domain: Shape) -> IndexArray:
    return np.broadcast_to(index, domain).reshape(-1)


def count(places: IndexArray, size: int) -> np.ndarray:
    """Return how often each of `size` entries occurs among `places`."""
    return np.bincount(places.reshape(-1), minlength=size)
