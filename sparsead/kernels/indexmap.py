"""Index maps: which element of a buffer each point of a domain touches, in the cheapest form that says it.

``offset + sum of stride * i over the axes + sum of small tables``; a table over all axes that matter where
nothing cheaper fits. Index -1 means nowhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import as_strided

from coloring.cached import cached_property
from sparsead.program.index import IDENTITIES, IndexArray, Shape, index_dtype, narrowed, stored_part

MOST_DIFFERENCES = 1 << 20  # of two index maps, to be looked at one by one
AT_ONCE = 1 << 16  # indices that are looked at together
Box = tuple[tuple[int, int], ...]  # first and one past the last, for each axis of a domain


@dataclass(frozen=True, eq=False)
class Table:
    """Entries in C order over `axes` of the domain."""

    axes: tuple[int, ...]
    entries: np.ndarray

    @cached_property
    def key(self) -> Hashable:
        """A key that is equal for equal tables."""
        return self.axes, hashlib.blake2b(np.ascontiguousarray(self.entries).data, digest_size=16).digest()


@dataclass(frozen=True, eq=False)
class IndexMap:
    """An index map over a domain of `shape`."""

    shape: Shape
    offset: int
    strides: tuple[int, ...]
    tables: tuple[Table, ...] = ()

    @cached_property
    def key(self) -> Hashable:
        """A key that is equal for equal maps of the same form."""
        return self.shape, self.offset, self.strides, tuple(t.key for t in self.tables)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IndexMap) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @cached_property
    def bounds(self) -> tuple[int, int]:
        """The smallest and the largest index, or beyond them where tables are over axes that have strides."""
        if 0 in self.shape:
            return 0, -1
        low, high = self.reach
        tables = [t.entries for t in self.tables]
        return low + sum(int(t.min()) for t in tables), high + sum(int(t.max()) for t in tables)

    def less(self, start: int) -> IndexMap:
        """Return the map into what begins at element `start`, where all indices lie."""
        if self.offset >= start or not self.tables:
            return replace(self, offset=self.offset - start)
        first, *others = self.tables
        entries = first.entries.astype(np.int64) + (self.offset - start)
        return replace(self, offset=0, tables=(Table(first.axes, narrowed(entries)), *others))

    @property
    def form(self) -> str:
        """``affine``, ``separable`` or ``table``."""
        if not self.tables:
            return "affine"
        return "separable" if all(len(t.axes) == 1 for t in self.tables) else "table"

    @property
    def masked(self) -> bool:
        """True where some points are sent nowhere (index -1): then a table without an offset holds them."""
        return not self.offset and any(bool((t.entries < 0).any()) for t in self.tables)

    @property
    def is_in_line(self) -> bool:
        """Tell whether neighbours along the last axis have neighbouring elements."""
        last = len(self.shape) - 1
        return last >= 0 and self.strides[last] == 1 and not any(last in t.axes for t in self.tables)

    @property
    def is_affine_and_distinct(self) -> bool:
        """Tell, of an affine map, whether all points are seen to have elements of their own; False for others."""
        reach = 0  # of the axes so far, from the shortest stride on
        for stride, n in sorted((abs(s), n) for s, n in zip(self.strides, self.shape, strict=True) if n > 1):
            if stride <= reach:
                return False
            reach += stride * (n - 1)
        return not self.tables

    @property
    def reach(self) -> tuple[int, int]:
        """The lowest and the highest element that offset and strides lead to."""
        reach = [s * (n - 1) for s, n in zip(self.strides, self.shape, strict=True)]
        return self.offset + sum(min(r, 0) for r in reach), self.offset + sum(max(r, 0) for r in reach)

    def view_of(self, values: np.ndarray) -> np.ndarray:
        """Return the elements of an array that an affine map leads to, as a view."""
        lowest, highest = self.reach
        if 0 not in self.shape and not 0 <= lowest <= highest < values.size:
            raise AssertionError("an index map leads out of an array")
        strides = tuple(s * values.itemsize * (n > 1) for s, n in zip(self.strides, self.shape, strict=True))
        step = values.strides[0] // values.itemsize  # none where one number stands for all
        return as_strided(values[self.offset :], self.shape, tuple(step * s for s in strides), writeable=step > 0)

    def array(self) -> IndexArray:
        """Return the map as an index array over the domain (axes that do not matter have stride 0)."""
        ndim = len(self.shape)
        if not self.offset and not any(self.strides) and len(self.tables) == 1:
            (table,) = self.tables
            entries = table.entries.reshape([self.shape[a] for a in table.axes])
            return np.broadcast_to(_along(entries, table.axes, ndim), self.shape)
        dtype = index_dtype(self._sums)
        total = np.full((1,) * ndim, self.offset, dtype=dtype)
        for k, stride in enumerate(self.strides):
            if stride:
                steps = np.arange(self.shape[k], dtype=dtype)
                total = total + _along(steps if stride == 1 else steps * dtype(stride), (k,), ndim)
        for table in self.tables:
            entries = table.entries.astype(dtype, copy=False).reshape([self.shape[a] for a in table.axes])
            total = total + _along(entries, table.axes, ndim)
        return np.broadcast_to(stored_part(narrowed(total)), self.shape)

    @property
    def _sums(self) -> int:
        """A bound of all sums on the way to an index, and of their terms."""
        terms = [abs(s) * max(n, 2) for s, n in zip(self.strides, self.shape, strict=True)]
        tables = [max(abs(int(t.entries.min(initial=0))), int(t.entries.max(initial=0))) for t in self.tables]
        return abs(self.offset) + sum(terms) + sum(tables)

    def backwards(self) -> IndexMap:
        """Return the map over the domain walked in the opposite order, along every axis."""
        turn = sum(s * (n - 1) for s, n in zip(self.strides, self.shape, strict=True))
        tables = []
        for table in self.tables:
            entries = np.flip(table.entries.reshape([self.shape[a] for a in table.axes]))
            tables.append(Table(table.axes, np.ascontiguousarray(entries).reshape(-1)))
        return IndexMap(self.shape, self.offset + turn, tuple(-s for s in self.strides), tuple(tables))

    def within(self, box: Box) -> IndexMap:
        """Return the map over a box of the domain, in the cheapest form, with the box's first point as origin."""
        if self.tables:
            return recognise(self.array()[inside(box)])
        offset = self.offset + sum(s * first for s, (first, _) in zip(self.strides, box, strict=True))
        return IndexMap(tuple(stop - first for first, stop in box), offset, self.strides)

    def at(self, points: tuple[np.ndarray, ...]) -> IndexArray:
        """Return the indices of points given by their coordinates, an array per axis."""
        total = np.full(points[0].shape, self.offset, dtype=np.int64)
        for stride, coordinate in zip(self.strides, points, strict=True):
            total += stride * coordinate
        for table in self.tables:
            entries = table.entries.reshape([self.shape[a] for a in table.axes])
            total += entries[tuple(points[a] for a in table.axes)]
        return narrowed(total)

    def meets(self, other: IndexMap) -> bool:
        """Tell whether the map agrees with another one at some point."""
        if "table" in (self.form, other.form):
            return bool((self.array() == other.array()).any())
        lines = [(self._line(axis), other._line(axis), n) for axis, n in enumerate(self.shape)]
        differing = [pair for pair in lines if not (np.ndim(pair[0]) == np.ndim(pair[1]) == 0 and pair[0] == pair[1])]
        reached = np.array([self.offset - other.offset])  # differences, as far as they depend on the axes so far
        for own, others, n in differing:
            steps = _every(own, n) - _every(others, n)
            if len(differing) == 1:
                return bool((steps == -reached).any())
            steps = np.unique(steps)
            if reached.size * steps.size > MOST_DIFFERENCES:
                return bool((self.array() == other.array()).any())
            reached = np.unique(reached[:, None] + steps)
        return bool((reached == 0).any())

    def line(self, axis: int) -> np.ndarray:
        """Return what each coordinate of an axis adds to the index, if no table is over several axes."""
        return _every(self._line(axis), self.shape[axis])

    def _line(self, axis: int) -> np.ndarray | int:
        """Return what the coordinate of an axis adds to the index, or the stride where there is no table."""
        tables = [t.entries for t in self.tables if t.axes == (axis,)]
        return _every(self.strides[axis], self.shape[axis]) + sum(tables) if tables else self.strides[axis]

    def merged(self, axis: int) -> IndexMap | None:
        """Return the map with `axis` and the next one made one axis; None where its form would be lost."""
        n, inner = self.shape[axis], self.shape[axis + 1]
        if n > 1 and inner > 1 and self.strides[axis] != self.strides[axis + 1] * inner:
            return None
        if any((axis in t.axes) != (axis + 1 in t.axes) for t in self.tables if n > 1 and inner > 1):
            return None
        stride = self.strides[axis + 1] if inner > 1 else self.strides[axis]
        return IndexMap(
            (*self.shape[:axis], n * inner, *self.shape[axis + 2 :]),
            self.offset,
            (*self.strides[:axis], stride, *self.strides[axis + 2 :]),
            tuple(Table(tuple(sorted({a - (a > axis) for a in t.axes})), t.entries) for t in self.tables),
        )

    def __str__(self) -> str:
        parts = [str(self.offset)] if self.offset else []
        parts += [f"{s}*i{k}" if s != 1 else f"i{k}" for k, s in enumerate(self.strides) if s]
        parts += [f"t[{','.join(f'i{a}' for a in t.axes)}]" for t in self.tables]
        return " + ".join(parts) or "0"


def inside(box: Box) -> tuple[slice, ...]:
    """Return what picks the points of a box out of an array over the domain."""
    return tuple(slice(*ends) for ends in box)


def _every(line: np.ndarray | int, size: int) -> np.ndarray:
    return line * np.arange(size) if isinstance(line, int) else line


def _along(values: np.ndarray, axes: tuple[int, ...], ndim: int) -> np.ndarray:
    shape = [1] * ndim
    for length, axis in zip(values.shape, axes, strict=True):
        shape[axis] = length
    return values.reshape(shape)


def recognise(index: IndexArray) -> IndexMap:
    """Return the cheapest index map that equals an index array."""
    core = stored_part(index)
    ndim = core.ndim
    if core.size == 0:
        return IndexMap(index.shape, 0, (0,) * ndim)
    offset = int(core[(0,) * ndim])
    base = core.base
    if isinstance(base, np.ndarray) and base is IDENTITIES.get(base.size):  # a view: its strides are the map
        return IndexMap(index.shape, offset, _strides_of_view(core))
    axes = tuple(k for k in range(ndim) if core.shape[k] > 1)
    lines = [_line(core, k) - core.dtype.type(max(offset, 0)) for k in axes]  # which indices from -1 on cannot overflow
    if offset < 0 or not _is_sum_of_lines(core, offset, lines, axes):
        return IndexMap(index.shape, 0, (0,) * ndim, (Table(axes, np.ascontiguousarray(core).reshape(-1)),))
    strides, tables = [0] * ndim, []
    for axis, line in zip(axes, lines, strict=True):
        step, n = int(line[1]), len(line)
        if line[-1] == step * (n - 1) and np.array_equal(line, step * np.arange(n)):
            strides[axis] = step
        else:
            tables.append(Table((axis,), narrowed(line)))
    if core.min() < 0:
        return IndexMap(index.shape, 0, (0,) * ndim, (Table(axes, np.ascontiguousarray(core).reshape(-1)),))
    return IndexMap(index.shape, offset, tuple(strides), tuple(tables))


def _strides_of_view(core: IndexArray) -> tuple[int, ...]:
    return tuple(s // core.itemsize if n > 1 else 0 for s, n in zip(core.strides, core.shape, strict=True))


def _line(core: IndexArray, axis: int) -> IndexArray:
    """Return the elements along an axis that are first along all others."""
    return core[tuple(slice(None) if a == axis else 0 for a in range(core.ndim))]


def _is_sum_of_lines(core: IndexArray, offset: int, lines: list[np.ndarray], axes: tuple[int, ...]) -> bool:
    """Tell whether ``core == offset + sum of lines``: by stretches that stay in the caches, the last row first."""
    if len(axes) < 2:
        return True
    limits = np.iinfo(core.dtype)  # the largest sum is at a point, so it must be an element
    ends = offset + sum(int(line.min()) for line in lines), offset + sum(int(line.max()) for line in lines)
    if ends[0] < limits.min or ends[1] > limits.max:
        return False
    lines = [line.astype(core.dtype) for line in lines]

    def is_sum(first: slice) -> bool:
        total = np.asarray(offset, dtype=core.dtype)
        for axis, line in zip(axes, lines, strict=True):
            total = total + _along(line[first] if axis == axes[0] else line, (axis,), core.ndim)
        return np.array_equal(core[(slice(None),) * axes[0] + (first,)], total)

    rows, steps = len(lines[0]), max(1, AT_ONCE * len(lines[0]) // core.size)
    return is_sum(slice(rows - 1, rows)) and all(is_sum(slice(k, k + steps)) for k in range(0, rows, steps))
