"""The forms in which a matrix is returned: what SciPy's arrays hold beside the values, and where each value goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse

from coloring import SparsityPattern
from sparsead.program.index import index_dtype
from sparsead.sweeps.storage import Storage

TRIANGLES = ("full", "lower", "upper")
LARGEST_BLOCK = 8  # rows of a block that is looked for
FILLED = 0.8  # share of the places in blocks that entries must have

# The very classes: while another thread traces, something else has these names.
KINDS: dict[str, Any] = {
    "csr": scipy.sparse.csr_array,
    "csc": scipy.sparse.csc_array,
    "coo": scipy.sparse.coo_array,
    "bsr": scipy.sparse.bsr_array,
    "dense": np.ndarray,
}
FORMATS = tuple(KINDS)


@dataclass(frozen=True, eq=False)
class Layout:
    """How the values of a pattern make up a matrix of one format.

    Attributes
    ----------
    format, triangle : str
        As users say it.
    storage : Storage or None
        Where each entry goes; None where they are stored in row order.
    indices : tuple of ndarray
        The index arrays, in the order of SciPy's constructor.
    shape : tuple of int
        The shape of the array of values.
    """

    format: str
    triangle: str
    storage: Storage | None
    indices: tuple[np.ndarray, ...]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, pattern: SparsityPattern, format: str, triangle: str = "full", symmetric: bool = False) -> Layout:
        """Lay a pattern out; a triangle is one of a symmetric matrix, whose columns are its rows."""
        if triangle == "full" and format == "csc" and symmetric and pattern.is_symmetric:
            return replace(LAYOUTS["csr"](pattern, np.arange(0), triangle), format=format)
        if triangle == "full":
            return LAYOUTS[format](pattern, np.arange(0 if format in IN_ORDER else pattern.nnz), triangle)
        if not (symmetric and pattern.is_symmetric):
            rows, columns = (pattern.rows, pattern.indices)[:: 1 if triangle == "lower" else -1]
            return LAYOUTS[format](pattern, np.flatnonzero(columns <= rows), triangle)
        lower = np.flatnonzero(pattern.indices <= pattern.rows)
        mirror = np.argsort(pattern.indices, kind="stable")  # entry k of the transpose, in row order
        return LAYOUTS[format](pattern, lower, triangle, mirror)


IN_ORDER = {"csr", "coo"}  # whole matrices whose values are stored in row order: no list of them is needed


class _Kept:
    """The entries of a pattern that are stored: where each stands, and where its value goes."""

    def __init__(self, pattern: SparsityPattern, kept: np.ndarray, triangle: str, mirror: np.ndarray | None) -> None:
        self.pattern, self.kept, self.mirror = pattern, kept, mirror
        sides = pattern.rows[kept], pattern.indices[kept]
        self.rows, self.columns = sides if mirror is None or triangle == "lower" else sides[::-1]

    def storage(self, places: np.ndarray, size: int) -> Storage:
        """Return the storage, given the places of the entries that are kept."""
        place = np.full(self.pattern.nnz, -1)
        place[self.kept] = places
        return Storage.of(place, size, self.mirror)

    def compressed(self, lines: np.ndarray, others: np.ndarray, count: int) -> tuple[np.ndarray, ...]:
        """Return the order of entries by lines, their other coordinates in it, and where each line begins."""
        order = np.lexsort((others, lines))
        kind = index_dtype(max(self.kept.size, *self.pattern.shape))
        begins = np.searchsorted(lines[order], np.arange(count + 1)).astype(kind)
        return order, others[order].astype(kind), begins


def _by_lines(format: str) -> Callable[..., Layout]:
    def lay_out(pattern: SparsityPattern, kept: np.ndarray, triangle: str, mirror: np.ndarray | None = None) -> Layout:
        if format == "csr" and triangle == "full":
            return Layout(format, triangle, None, (pattern.indices, pattern.indptr), (pattern.nnz,))
        entries = _Kept(pattern, kept, triangle, mirror)
        lines, others = (entries.rows, entries.columns)[:: 1 if format == "csr" else -1]
        order, *indices = entries.compressed(lines, others, pattern.shape[0 if format == "csr" else 1])
        return Layout(format, triangle, entries.storage(_inverse(order), kept.size), tuple(indices), (kept.size,))

    return lay_out


def _coo(pattern: SparsityPattern, kept: np.ndarray, triangle: str, mirror: np.ndarray | None = None) -> Layout:
    if triangle == "full":
        return Layout("coo", triangle, None, (pattern.rows, pattern.indices), (pattern.nnz,))
    entries = _Kept(pattern, kept, triangle, mirror)
    order, columns, _ = entries.compressed(entries.rows, entries.columns, pattern.shape[0])
    indices = (entries.rows[order].astype(columns.dtype), columns)
    return Layout("coo", triangle, entries.storage(_inverse(order), kept.size), indices, (kept.size,))


def _dense(pattern: SparsityPattern, kept: np.ndarray, triangle: str, mirror: np.ndarray | None = None) -> Layout:
    entries, (m, n) = _Kept(pattern, kept, triangle, mirror), pattern.shape
    places = entries.rows.astype(np.int64) * n + entries.columns
    return Layout("dense", triangle, entries.storage(places, m * n), (), (m, n))


def _bsr(pattern: SparsityPattern, kept: np.ndarray, triangle: str, mirror: np.ndarray | None = None) -> Layout:
    entries, (m, n) = _Kept(pattern, kept, triangle, mirror), pattern.shape
    size = block_size(entries.rows, entries.columns, pattern.shape)
    rows, columns = entries.rows // size, entries.columns // size
    blocks, number = np.unique(rows.astype(np.int64) * (n // size) + columns, return_inverse=True)
    kind = index_dtype(max(blocks.size, m, n))
    indptr = np.searchsorted(blocks // max(n // size, 1), np.arange(m // size + 1)).astype(kind)
    places = (number.reshape(-1) * size + entries.rows % size) * size + entries.columns % size
    storage = entries.storage(places, blocks.size * size**2)
    indices = ((blocks % max(n // size, 1)).astype(kind), indptr)
    return Layout("bsr", triangle, storage, indices, (blocks.size, size, size))


LAYOUTS: dict[str, Callable[..., Layout]] = {
    "csr": _by_lines("csr"), "csc": _by_lines("csc"), "coo": _coo, "bsr": _bsr, "dense": _dense,
}  # fmt: skip


def block_size(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> int:
    """Return the size of the largest square blocks, aligned with rows and columns, that entries fill well enough."""
    m, n = shape
    for size in range(LARGEST_BLOCK, 1, -1):
        if m % size or n % size:
            continue
        blocks = np.unique((rows // size).astype(np.int64) * (n // size) + columns // size).size
        if rows.size >= FILLED * blocks * size**2 and blocks:
            return size
    return 1


def _inverse(order: np.ndarray) -> np.ndarray:
    places = np.empty_like(order)
    places[order] = np.arange(order.size)
    return places
