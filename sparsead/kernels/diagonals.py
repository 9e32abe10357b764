"""Patterns of few diagonals, of stencils: found from index maps, without a sort of all entries.

Where column less row takes few values, an entry is known by its row and the number of its diagonal. A table of truth
values, a line for each diagonal, holds all of them, each once however many terms reach it; read row by row it is the
pattern in order.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from coloring import SparsityPattern
from sparsead.kernels.indexmap import IndexMap
from sparsead.program.index import index_dtype

MANY = 1 << 14  # partial derivatives from which on diagonals are looked for
MOST = 64  # diagonals
MOST_STEPS = 8  # different values along one axis
LEAST_FULL = 0.25  # of the table: partial derivatives to each truth value in it
SAMPLE = 1 << 10  # points at which different values are looked for first
AT_ONCE = 1 << 12  # rows whose columns are written at a time

Group = tuple[int, np.ndarray]  # a value, and which points have it
Rows = IndexMap | np.ndarray


def by_diagonals(terms: Iterable[tuple[IndexMap, IndexMap]], shape: tuple[int, int]) -> SparsityPattern | None:
    """Return the pattern of terms; None if it has many diagonals.

    Parameters
    ----------
    terms : iterable of (IndexMap, IndexMap)
        The maps to the rows and to the columns of each, over one domain.
    shape : tuple of int
        The shape of the matrix.
    """
    terms = list(terms)
    points = sum(math.prod(place.shape) for place, _ in terms)
    if points < MANY:
        return None
    found: dict[int, list[Rows]] = defaultdict(list)
    for place, index in terms:
        parts = _diagonals(place, index)
        if parts is None:
            return None
        for diagonal, rows in parts:
            found[diagonal].append(rows)
        if len(found) > MOST or shape[0] * len(found) * LEAST_FULL > points:
            return None
    diagonals = sorted(found)
    there = np.zeros((len(diagonals), shape[0]), dtype=np.bool_)
    for line, diagonal in zip(there, diagonals, strict=True):
        for rows in found[diagonal]:
            if isinstance(rows, IndexMap):
                rows.view_of(line)[...] = True
            else:
                line[rows] = True
    return _pattern(there, np.array(diagonals, dtype=np.int64), shape)


def _pattern(there: np.ndarray, diagonals: np.ndarray, shape: tuple[int, int]) -> SparsityPattern:
    """Read the table row by row, a part at a time that stays in the caches."""
    dtype = index_dtype(max(*shape, int(np.count_nonzero(there))) + 1)
    indptr = np.zeros(shape[0] + 1, dtype=dtype)
    np.cumsum(there.view(np.uint8).sum(axis=0, dtype=np.uint8), out=indptr[1:])
    indices = np.empty(int(indptr[-1]), dtype=dtype)
    for first in range(0, shape[0], AT_ONCE):
        part = there[:, first : first + AT_ONCE].T
        columns = np.arange(first, first + len(part), dtype=dtype)[:, None] + diagonals.astype(dtype)
        np.compress(part.ravel(), columns.ravel(), out=indices[indptr[first] : indptr[first + len(part)]])
    if indices.size and not 0 <= int(indices.min()) <= int(indices.max()) < shape[1]:
        raise AssertionError("a term reads outside of its source")
    return SparsityPattern.from_csr(indptr, indices, shape)


def _diagonals(place: IndexMap, index: IndexMap) -> list[tuple[int, Rows]] | None:
    """Return the diagonals of a term with the rows on each; None if there are many."""
    first = index.offset - place.offset
    if not place.tables and not index.tables and place.strides == index.strides:
        return [(first, place)]
    if any(len(t.axes) > 1 for t in (*place.tables, *index.tables)):
        rows, columns = place.array(), index.array()
        groups = _groups(columns.astype(np.int64) - rows)
        return None if groups is None else [(d, rows[points]) for d, points in groups]
    lines = [index.line(axis) - place.line(axis) for axis in range(len(place.shape))]
    axes = [_groups(line) for line in lines]
    known = [groups for groups in axes if groups is not None]
    if len(known) < len(axes):
        return None
    return [
        (first + sum(d for d, _ in each), _selected(place, [p for _, p in each])) for each in itertools.product(*known)
    ]


def _selected(place: IndexMap, points: list[np.ndarray]) -> Rows:
    """Return the rows of a product of points along each axis: as a map where they are a box."""
    lines = [np.flatnonzero(line) for line in points]
    if not place.tables and all(line[-1] - line[0] + 1 == line.size for line in lines):
        return place.within(tuple((int(line[0]), int(line[-1]) + 1) for line in lines))
    return place.array()[np.ix_(*lines)] if lines else place.array()


def _groups(values: np.ndarray) -> list[Group] | None:
    """Return the different ones of some values, with the points that have each; None if they are many."""
    flat = values.reshape(-1)
    sample = flat[:: max(1, flat.size // SAMPLE)]
    groups: list[Group] = []
    left, count = np.ones(values.shape, dtype=np.bool_), flat.size
    while count:
        for value in np.unique(sample):
            if len(groups) == MOST_STEPS:
                return None
            groups.append((int(value), values == value))
            left &= ~groups[-1][1]
        sample = values[left][:SAMPLE]
        count = sample.size
    return groups
