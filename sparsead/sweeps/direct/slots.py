"""Where coefficients land among the stored values of a pattern: array arithmetic, with SciPy's compiled search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from coloring import SparsityPattern
from sparsead.memory import require
from sparsead.program.index import IndexArray, Shape, narrowed
from sparsead.sweeps.storage import Storage

BYTES_PER_LANDING = 40  # bytes for each product while its place is looked up: row, column, place


class Slots:
    """The places of the entries of a pattern, ready to be looked up.

    Parameters
    ----------
    pattern : SparsityPattern
        The entries.
    storage : Storage, optional
        Where they are stored; by default in row order.
    complete : bool
        False where coefficients may have no place: they are left out, as those of entries that are not stored.
    """

    def __init__(self, pattern: SparsityPattern, storage: Storage | None = None, complete: bool = True) -> None:
        self.pattern, self.complete = pattern, complete
        self.storage = None if storage is None or storage.in_order else storage
        self.size = pattern.nnz if storage is None else storage.size
        self._numbered = pattern.to_scipy(np.arange(1, pattern.nnz + 1, dtype=pattern.indices.dtype))

    def find(self, rows: IndexArray, columns: IndexArray) -> IndexArray:
        """Return the place of entry ``(rows[p], columns[p])`` for every p; -1 where it is left out."""
        if rows.size == 0:
            return np.empty(0, dtype=self.pattern.indices.dtype)
        found: Any = self._numbered[rows, columns]
        numbers = np.asarray(found.toarray() if hasattr(found, "toarray") else found)  # older SciPy: a sparse row
        numbers = numbers.reshape(-1) - 1
        missing = numbers < 0
        if missing.any() and self.complete:
            raise AssertionError("a coefficient has no place in the pattern")
        if self.storage is None:
            return numbers
        return np.where(missing, -1, self.storage.place[numbers]) if not self.complete else self.storage.place[numbers]

    @property
    def is_partial(self) -> bool:
        """Tell whether some coefficients may be left out."""
        return not self.complete or (self.storage is not None and self.storage.is_partial)

    def of_entries(self, rows: IndexArray, columns: IndexArray, domain: Shape) -> IndexArray:
        """Return the entry that each point of a domain belongs to, given index arrays over the domain."""
        return self.find(_flat(rows, domain), _flat(columns, domain)).reshape(domain)

    def of_rows(
        self, rows: IndexArray, read: SparsityPattern, reads: IndexArray, domain: Shape
    ) -> tuple[IndexArray, IndexArray, Chosen | None]:
        """Return, for every point, where the entries of row ``reads[i]`` of `read` land in row ``rows[i]``.

        The entries of point i are ``landing[first[i] : first[i] + length]``; returned are `first` and `landing`, and,
        where some entries are left out, which are chosen.
        """
        rows, reads = _flat(rows, domain), _flat(reads, domain)
        lengths = np.diff(read.indptr)[reads]
        entries = int(lengths.sum(dtype=np.int64))
        require(BYTES_PER_LANDING * entries, f"direct accumulation of {entries:.2g} products", 'use mode="compressed"')
        first = np.cumsum(lengths) - lengths
        within = np.arange(entries) - np.repeat(first, lengths)
        reading = np.repeat(read.indptr[reads], lengths) + within
        landing = self.find(np.repeat(rows, lengths), read.indices[reading])
        if not self.is_partial or (landing >= 0).all():
            return narrowed(first).reshape(domain), landing, None
        kept = landing >= 0
        before = np.concatenate([[0], np.cumsum(kept)])
        count = before[first + lengths] - before[first]
        chosen = Chosen(narrowed(count).reshape(domain), narrowed(reading[kept]))
        return narrowed(before[first]).reshape(domain), landing[kept], chosen


@dataclass(frozen=True, eq=False)
class Chosen:
    """The entries of rows that are read where others are left out: how many at each point, and which."""

    count: IndexArray
    reading: IndexArray


def _flat(index: IndexArray, domain: Shape) -> IndexArray:
    return np.broadcast_to(index, domain).reshape(-1)
