"""Coordinates in which the rows of a matrix look alike.

In the matrix of a stencil, the columns of a row lie in fixed directions from each other.  On a grid of N x N points
numbered in rows, the offsets of columns from their row are near multiples of N, and the coordinates are the digits of
the index: ``i % N`` and ``i // N``.  The strides (here 1 and N) are read off the offsets of a few rows; which
directions there are, and which coordinates are periodic, is read off the coordinates of these rows' entries.  Nothing
depends on it but the choice of colorings: they are checked on all rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..pattern import SparsityPattern

MAX_STRIDES = 4
MAX_ROW = 256  # entries of a row
MAX_CENTERS = 24  # groups of offsets
MAX_CHAINS = 10  # chains of strides that are looked at
REPEATS = 4  # times that a direction occurs in the rows that are looked at, on average and at least
SAMPLE = 8  # consecutive rows at each place that is looked at


@dataclass(frozen=True, eq=False)
class Lattice:
    """Coordinates of the columns of a matrix, and the directions in which columns of one row lie from each other.

    Attributes
    ----------
    strides, lengths : tuple of int
        Coordinate k of column j is ``j // strides[k] % lengths[k]``.
    periodic : tuple of bool
        Whether a coordinate goes around.
    directions : ndarray, shape (num_strides, k)
        Differences of coordinates between columns of one row, one of each pair of opposite ones; those of a periodic
        coordinate are between plus and minus half its length.
    """

    strides: tuple[int, ...]
    lengths: tuple[int, ...]
    periodic: tuple[bool, ...]
    directions: np.ndarray

    def coordinates(self, index: np.ndarray) -> list[np.ndarray]:
        """Coordinates of these columns, one array for each stride."""
        return [index // s % size for s, size in zip(self.strides, self.lengths, strict=True)]

    def angles(self, w: np.ndarray, parts: int, number: int) -> np.ndarray:
        """Angle ``w . x``, up to whole turns, of the first columns: coordinates vary one in the other."""
        dtype = np.int32 if parts * len(self.lengths) < np.iinfo(np.int32).max else np.int64
        angle = np.zeros(self.strides[0], dtype)
        for step, size in zip(w.tolist(), self.lengths, strict=True):
            turned = (step * np.arange(size) % parts).astype(dtype)
            angle = (turned[:, None] + angle).ravel()
        return angle[:number]


def find_lattices(A: SparsityPattern, of_edges: bool = False) -> list[Lattice]:
    """Lattices in which the columns of the rows of a pattern lie in few directions, the fewest first.

    With `of_edges`, the directions are those from a row to its columns: from a vertex to its neighbors.
    """
    m, n = A.shape
    if not A.nnz or A.nnz < 2 * n or np.diff(A.indptr).max() > MAX_ROW:
        return []
    starts = np.linspace(0, max(m - SAMPLE, 0), SAMPLE).astype(np.int64)
    rows = np.unique((starts[:, None] + np.arange(min(SAMPLE, m))).ravel())
    offsets = _frequent_offsets(A, rows)
    found = []
    for count, strides in enumerate(_chains(_centers(offsets))):
        lattice = _lattice(A, strides, of_edges) if count < MAX_CHAINS else None
        if lattice is not None:
            found.append(lattice)
    return sorted(found, key=lambda lattice: lattice.directions.shape[1])


def _places(m: int, strides: tuple[int, ...]) -> np.ndarray:
    """Rows to look at: some at either end, and where a coordinate goes on to its second and its middle value."""
    starts = [0, m - SAMPLE, *(s - SAMPLE // 2 for s in strides), *(m // 2 // s * s - SAMPLE // 2 for s in strides)]
    rows = np.unique(np.concatenate([np.arange(start, start + SAMPLE) for start in starts]))
    return rows[(rows >= 0) & (rows < m)]


def _entries(A: SparsityPattern, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of the entries of these rows."""
    lengths = A.indptr[rows + 1] - A.indptr[rows]
    first = np.concatenate([[0], np.cumsum(lengths)])
    entries = np.repeat(A.indptr[rows] - first[:-1], lengths) + np.arange(first[-1])
    return np.repeat(rows, lengths), A.indices[entries].astype(np.int64)


def _frequent_offsets(A: SparsityPattern, rows: np.ndarray) -> np.ndarray:
    """Offsets of columns from their row that occur in many of these rows."""
    at, columns = _entries(A, rows)
    offsets, counts = np.unique(columns - at, return_counts=True)
    return offsets[counts * 6 > counts.max(initial=0)]


def _centers(offsets: np.ndarray) -> list[int]:
    """Least distance between offsets; middles, then ends, of the groups of offsets at most twice so far apart."""
    if offsets.size < 2:
        return []
    gaps = np.diff(offsets)
    base = int(gaps.min())
    groups = np.split(offsets, np.flatnonzero(gaps > 2 * base) + 1)
    middles = {abs(int(group[0] + group[-1])) // 2 for group in groups}
    ends = {abs(int(end)) for group in groups for end in (group[0], group[-1])} - middles
    return [base, *(center for some in (middles, ends) for center in sorted(some) if center > base)][:MAX_CENTERS]


def _chains(candidates: list[int], chain: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """Chains of candidates, each a multiple of the one before, beginning with the least; the longest first."""
    if len(chain) < MAX_STRIDES:
        for stride in candidates if chain else candidates[:1]:
            if not chain or (stride > chain[-1] and stride % chain[-1] == 0):
                yield from _chains(candidates, (*chain, stride))
    if chain:
        yield chain


def _lattice(A: SparsityPattern, strides: tuple[int, ...], of_edges: bool) -> Lattice | None:
    """The lattice of these strides; None if rows do not look alike in it."""
    m, n = A.shape
    lengths = (*(following // stride for stride, following in pairwise(strides)), -(-n // strides[-1]))
    rows, columns = _entries(A, _places(m, strides))
    lattice = Lattice(strides, lengths, (False,) * len(strides), np.empty((len(strides), 0), np.int64))
    here, there = np.array(lattice.coordinates(rows)), np.array(lattice.coordinates(columns))
    size = np.array(lengths)[:, None]
    periodic = (2 * np.abs(there - here) > size).any(axis=1) & (size[:, 0] > 2)
    if of_edges:
        directions = there - here
    else:
        first, second = _pairs(rows)
        directions = there[:, first] - there[:, second]
    looked_at = directions.shape[1]
    around = (directions + size // 2) % size - size // 2
    directions = _distinct(np.where(periodic[:, None], around, directions), size)
    if REPEATS * directions.shape[1] > looked_at:
        return None
    leading = directions[(directions != 0).argmax(axis=0), np.arange(directions.shape[1])]
    directions = _distinct(np.where(leading < 0, -directions, directions), size)
    return Lattice(strides, lengths, tuple(periodic.tolist()), directions[:, (directions != 0).any(axis=0)])


def _distinct(directions: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Distinct directions, in order: each a number in the mixed radix of the lengths."""
    base = 2 * size + 1
    place = np.cumprod(np.concatenate([base[1:], [[1]]])[::-1])[::-1, None]
    numbers = np.unique(((directions + size) * place).sum(axis=0))
    return numbers // place % base - size


def _pairs(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of places of two entries of one row, the later one first; `rows` is increasing."""
    first = np.searchsorted(rows, rows)
    counts = np.arange(rows.size) - first
    end = np.cumsum(counts)
    second = np.repeat(first - (end - counts), counts) + np.arange(end[-1] if end.size else 0)
    return np.repeat(np.arange(rows.size), counts), second
