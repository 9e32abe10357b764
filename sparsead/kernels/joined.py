"""Who owns what is read of a joined array, and where in the pieces it is read.

An array that is put together of blocks (padded, stacked, written to in slices) is a grid of a few cells, each of one
owner. A walk through it in equal steps is cut where it goes from one cell to the next; no list of all points is made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from coloring.cached import cached_property
from sparsead.kernels.indexmap import IndexMap, recognise
from sparsead.program.index import (
    MANY,
    IndexArray,
    box,
    coordinates,
    identity,
    is_identity,
    narrowed,
    read_at,
    walk,
    walked,
)  # fmt: skip
from sparsead.program.nodes import Join, Node

MOST_CELLS = 1 << 10


@dataclass(frozen=True, eq=False)
class _Cells:
    """The grid of a joined array: where cells start along each axis, who owns each, and where points are read."""

    starts: list[np.ndarray]
    owner: np.ndarray
    offset: IndexArray
    known: dict[tuple[int, ...], IndexMap] = field(default_factory=dict)

    def offset_in(self, cell: tuple[int, ...]) -> IndexMap:
        """Return where the points of a cell are read in their piece."""
        if cell not in self.known:
            self.known[cell] = recognise(self.offset[self._block(cell)])
        return self.known[cell]

    def _block(self, cell: tuple[int, ...]) -> tuple[slice, ...]:
        ends = [[*line[1:], n] for line, n in zip(self.starts, self.offset.shape, strict=True)]
        return tuple(slice(line[k], end[k]) for line, end, k in zip(self.starts, ends, cell, strict=True))


def _cells(join: Join) -> _Cells | None:
    """Return the grid of a joined array; None where there are too many cells."""
    if "cells" not in join.memo:
        owner = join.owner.reshape(join.shape)
        starts = [np.concatenate([[0], 1 + _changes(owner, axis)]) for axis in range(owner.ndim)]
        few = math.prod(map(len, starts)) <= MOST_CELLS
        join.memo["cells"] = _Cells(starts, owner[np.ix_(*starts)], join.offset.reshape(join.shape)) if few else None
    found: _Cells | None = join.memo["cells"]
    return found


def _changes(owner: np.ndarray, axis: int) -> np.ndarray:
    """Return after which coordinates of an axis another owner follows, anywhere along the others."""
    lines = np.moveaxis(owner, axis, 0)
    others = tuple(range(1, owner.ndim))
    return np.flatnonzero((lines[1:] != lines[:-1]).any(axis=others))


class Owners:
    """Who owns the points of a joined array that an index array reads.

    Parameters
    ----------
    join : Join
        The array.
    index : ndarray
        Which of its elements are read.
    """

    def __init__(self, join: Join, index: IndexArray) -> None:
        self.join, self.index = join, index
        self._walk = _Walk.of(join, index) if index.size >= MANY else None
        self._owner = _composed(join.owner, index) if self._walk is None else self._walk.owner

    @property
    def only(self) -> int | None:
        """The number of the owner, if there is but one."""
        first = self._owner.flat[0]
        return int(first) if (self._owner == first).all() else None

    @cached_property
    def parts(self) -> list[int]:
        """The numbers of all owners."""
        return [int(k) for k in np.unique(self._owner)]

    def points(self, owner: int) -> IndexArray:
        """Return the numbers of the points of an owner, as a block of the domain where they form one."""
        shape, mine = self.index.shape, self._owner == owner
        if self._walk is not None:
            block = self._walk.block(mine)
            if block is not None:
                return identity(shape)[block]
            mine = self._walk.spread(mine)
        selected = np.flatnonzero(mine)
        found = box(selected, shape)
        return identity(shape)[found[0]] if found is not None else narrowed(selected)

    @property
    def offset(self) -> IndexArray:
        """Where the points are read in their piece, if they have one owner."""
        found = None if self._walk is None else self._walk.offset(self.join.pieces)
        return _composed(self.join.offset, self.index) if found is None else found


@dataclass(frozen=True, eq=False)
class _Walk:
    """A walk through a grid of cells, and the grid of the domain that follows from it.

    Attributes
    ----------
    first, steps : ndarray
        The coordinates in the joined array: ``first + steps @ i``.
    starts : list of ndarray
        Where the walk comes to another cell, along each axis of the domain.
    cell : tuple of ndarray
        The cell of the joined array, for each cell of the domain.
    """

    cells: _Cells
    shape: tuple[int, ...]
    first: np.ndarray
    steps: np.ndarray
    starts: list[np.ndarray]
    cell: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, join: Join, index: IndexArray) -> _Walk | None:
        """Return the walk of an index array, if it goes in equal steps, along one axis of the domain for each axis."""
        walk = walked(index)
        moves = coordinates(walk[0], walk[1], index.shape, join.shape) if walk and walk[2] == join.size else None
        cells = None if moves is None else _cells(join)
        if moves is None or cells is None or (np.count_nonzero(moves[1], axis=1) > 1).any():
            return None
        first, steps = moves
        starts = []
        for k, n in enumerate(index.shape):
            met = [_crossings(first[a], steps[a, k], line) for a, line in enumerate(cells.starts) if steps[a, k]]
            cuts = np.unique(np.concatenate([[0], *met]).astype(np.int64))
            starts.append(cuts[(cuts >= 0) & (cuts < n)])
        corners = np.meshgrid(*starts, indexing="ij", sparse=True)
        places = [
            f + sum((s * c for s, c in zip(row, corners, strict=True)), np.int64(0))
            for f, row in zip(first, steps, strict=True)
        ]
        cell = tuple(np.searchsorted(line, at, side="right") - 1 for line, at in zip(cells.starts, places, strict=True))
        return cls(cells, index.shape, first, steps, starts, cell)

    @cached_property
    def owner(self) -> np.ndarray:
        """The owner of each cell of the domain."""
        return np.broadcast_to(self.cells.owner[self.cell], [len(line) for line in self.starts])

    def _lines(self, chosen: list[np.ndarray]) -> list[np.ndarray]:
        """Return the coordinates along each axis of the domain that lie in the chosen of its cells."""
        found = []
        for line, n, mine in zip(self.starts, self.shape, chosen, strict=True):
            found.append(np.flatnonzero(np.repeat(mine, np.diff([*line, n]))))
        return found

    def block(self, mine: np.ndarray) -> tuple[slice | np.ndarray, ...] | None:
        """Return the points of some cells of the domain as a block; None where they form none."""
        axes = range(mine.ndim)
        chosen = [np.asarray(mine.any(axis=tuple(a for a in axes if a != k))) for k in axes]
        if mine.sum() != math.prod(int(line.sum()) for line in chosen):
            return None
        lines = self._lines(chosen)
        if all(line[-1] - line[0] + 1 == line.size for line in lines):
            return tuple(slice(int(line[0]), int(line[-1]) + 1) for line in lines)
        return np.ix_(*lines)

    def spread(self, mine: np.ndarray) -> np.ndarray:
        """Tell for each point whether it lies in one of these cells of the domain."""
        for axis, (line, n) in enumerate(zip(self.starts, self.shape, strict=True)):
            mine = np.repeat(mine, np.diff([*line, n]), axis=axis)
        return mine

    def offset(self, pieces: tuple[Node, ...]) -> IndexArray | None:
        """Return where the points are read in their piece: in equal steps, if they lie in one cell where it is so."""
        cells = [np.unique(line) for line in self.cell]
        if any(line.size > 1 for line in cells):
            return None
        cell = tuple(int(line[0]) for line in cells)
        read = self.cells.offset_in(cell)
        if read.tables:
            return None
        start = [line[k] for line, k in zip(self.cells.starts, cell, strict=True)]
        along = np.array(read.strides, dtype=np.int64)
        offset = read.offset + int(along @ (self.first - start))
        return walk(offset, (along @ self.steps).tolist(), self.shape, pieces[int(self.cells.owner[cell])].size)


def _crossings(first: int, step: int, starts: np.ndarray) -> np.ndarray:
    """Return at which points a line comes to the other side of the places at which cells start."""
    if step > 0:
        return -((first - starts[1:]) // step)  # the first point that is not before the place
    return (first - starts[1:]) // -step + 1  # the first point that is


def _composed(values: np.ndarray, index: IndexArray) -> np.ndarray:
    """Return ``values.flat[index]``, without a copy where `index` takes all of it in order."""
    return values.reshape(index.shape) if is_identity(index, values.size) else read_at(values, index)
