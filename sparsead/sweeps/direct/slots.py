"""Where coefficients land among the stored values of a pattern: array arithmetic, with SciPy's compiled search."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from coloring import SparsityPattern
from coloring.cached import cached_property
from sparsead.kernels.indexmap import Box, IndexMap, inside, recognise
from sparsead.kernels.straight import boxes, straight
from sparsead.memory import require
from sparsead.program.index import MANY, IndexArray, Shape, index_dtype, narrowed
from sparsead.sweeps.direct.target_entries import Part, TargetEntries
from sparsead.sweeps.storage import Storage

EDGE = 4  # points of an edge, along each axis
AT_ONCE = 1 << 16  # points whose entries are looked at at a time
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

    @cached_property
    def _numbered(self) -> Any:
        return self.pattern.to_scipy(np.arange(1, self.pattern.nnz + 1, dtype=self.pattern.indices.dtype))

    def of_maps(self, rows: IndexMap, columns: IndexMap) -> TargetEntries:
        """Return the entry that each point of a domain belongs to, given the maps to its row and column.

        Along equal steps entries follow in equal steps, in a stencil: that is tried first, and looked at everywhere.
        """
        parts = self._parts(rows, columns)
        if parts is None:
            return TargetEntries(recognise(self.of_entries(rows.array(), columns.array(), rows.shape)))
        if len(parts) == 1:
            return TargetEntries(parts[0][1])
        slots = np.empty(rows.shape, index_dtype(self.size))
        for box, part in parts:
            slots[inside(box)] = part.array()
        return TargetEntries(recognise(slots), parts)

    def _parts(self, rows: IndexMap, columns: IndexMap) -> list[Part] | None:
        """Return boxes that make up the domain, and the affine map to the entries on each; None if there are none."""
        found: list[Part] = []
        has_edges = math.prod(rows.shape) >= MANY
        for box in (boxes(rows, columns) if self.storage is None and 0 not in rows.shape else None) or ():
            parts = self._in_steps(straight(rows, box), straight(columns, box), has_edges)
            if parts is None:
                return None
            found += [(tuple((a + k, b + k) for (a, b), (k, _) in zip(p, box, strict=True)), m) for p, m in parts]
        return found or None

    def _in_steps(self, rows: IndexMap, columns: IndexMap, has_edges: bool) -> list[Part] | None:
        """Return the parts of a domain of affine maps: all of it, or inside and edges, whose rows are others."""
        whole = self._in_step(rows, columns)
        if whole is not None or not has_edges:
            return None if whole is None else [(tuple((0, n) for n in rows.shape), whole)]
        cuts = [[0, *self._edges(rows, columns, axis), n] for axis, n in enumerate(rows.shape)]
        found: list[Part] = []
        for box in itertools.product(*map(itertools.pairwise, cuts)):
            part = self._in_step(straight(rows, box), straight(columns, box))
            if part is None:
                return None
            found.append((box, part))
        return found

    def _edges(self, rows: IndexMap, columns: IndexMap, axis: int) -> list[int]:
        """Return where, near the ends of the middle line along an axis, entries take other steps than in its middle."""
        n = rows.shape[axis]
        if n <= 2 * (EDGE + 1):
            return []
        middle = [k // 2 for k in rows.shape]

        def step(k: int) -> int:
            ends = [[*middle[:axis], j, *middle[axis + 1 :]] for j in (k, k + 1)]
            first, second = (
                self._entry(*(m.offset + sum(map(operator.mul, m.strides, at)) for m in (rows, columns))) for at in ends
            )
            return second - first

        inner = step(n // 2)
        return [k + 1 for k in (*range(EDGE), *range(n - 1 - EDGE, n - 1)) if step(k) != inner]

    def _in_step(self, rows: IndexMap, columns: IndexMap) -> IndexMap | None:
        """Return the affine map to the entries, given affine maps; None where they do not follow in equal steps."""
        indptr, indices = self.pattern.indptr, self.pattern.indices
        first = self._entry(rows.offset, columns.offset)
        steps = (
            self._entry(rows.offset + r, columns.offset + c) - first if n > 1 else 0
            for r, c, n in zip(rows.strides, columns.strides, rows.shape, strict=True)
        )
        slots = IndexMap(rows.shape, first, tuple(steps))
        lowest, highest = slots.reach
        if lowest < 0 or highest >= indices.size:
            return None
        begins, ends, read = rows.view_of(indptr[:-1]), rows.view_of(indptr[1:]), slots.view_of(indices)
        for part in _slabs(rows.shape):  # small enough for the caches
            at, wanted = (straight(m, part).array() for m in (slots, columns))
            here = inside(part)
            if not ((begins[here] <= at).all() and (at < ends[here]).all() and (read[here] == wanted).all()):
                return None
        return slots

    def _entry(self, row: int, column: int) -> int:
        """Return where an entry is, or would be."""
        first, last = int(self.pattern.indptr[row]), int(self.pattern.indptr[row + 1])
        return first + int(np.searchsorted(self.pattern.indices[first:last], column))

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

    def of_rows(self, rows: IndexArray, read: SparsityPattern, reads: IndexArray, domain: Shape) -> RowPlaces:
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
            return RowPlaces(narrowed(first).reshape(domain), landing, None)
        kept = landing >= 0
        before = np.concatenate([[0], np.cumsum(kept)])
        count = before[first + lengths] - before[first]
        chosen = Chosen(narrowed(count).reshape(domain), narrowed(reading[kept]))
        return RowPlaces(narrowed(before[first]).reshape(domain), landing[kept], chosen)


@dataclass(frozen=True, eq=False)
class Chosen:
    """The entries of rows that are read where others are left out: how many at each point, and which."""

    count: IndexArray
    reading: IndexArray


class RowPlaces(NamedTuple):
    """Where the entries of rows land, those of a point from `first` on; which are chosen, where some are left out."""

    first: IndexArray
    landing: IndexArray
    chosen: Chosen | None


def _slabs(domain: Shape) -> Iterator[Box]:
    """Yield boxes of some thousand points, cut along the first axis."""
    rest = tuple((0, n) for n in domain[1:])
    step = max(1, AT_ONCE // max(1, math.prod(domain[1:])))
    if not domain:
        yield ()
    for first in range(0, domain[0] if domain else 0, step):
        yield ((first, min(first + step, domain[0])), *rest)


def _flat(index: IndexArray, domain: Shape) -> IndexArray:
    return np.broadcast_to(index, domain).reshape(-1)
