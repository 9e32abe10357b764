"""Sparse matrices as rows, columns and values: what sums and products of them are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from sparsead.ops.arrays import scatter_sum
from sparsead.program.index import IndexArray, identity
from sparsead.program.room import require_products
from sparsead.tracing.conversions import traced


@dataclass(frozen=True)
class Triplets:
    """A matrix of which entry e is ``values[e]``, at ``rows[e], columns[e]``; equal places add up.

    `values` is a NumPy array or a traced one.
    """

    rows: IndexArray
    columns: IndexArray
    values: Any
    shape: tuple[int, int]

    @classmethod
    def of_constant(cls, matrix: Any) -> Triplets:
        """Return the nonzeros of a scipy matrix."""
        coo = scipy.sparse.coo_array(matrix, copy=True)
        coo.sum_duplicates()
        coo.eliminate_zeros()
        columns = coo.coords[-1]
        rows = coo.coords[0] if len(coo.shape) == 2 else np.zeros_like(columns)
        return cls(rows, columns, coo.data, (1, *coo.shape)[-2:])

    @property
    def keys(self) -> IndexArray:
        """One number per entry for its place, in row order."""
        return self.rows.astype(np.int64) * max(self.shape[1], 1) + self.columns

    def with_values(self, values: Any) -> Triplets:
        """Return a matrix of the same structure."""
        return Triplets(self.rows, self.columns, values, self.shape)

    def picked(self, entries: IndexArray) -> Triplets:
        """Return some of the entries."""
        return Triplets(self.rows[entries], self.columns[entries], self.values[entries], self.shape)

    def summed(self) -> Triplets:
        """Return the same matrix with one entry a place, sorted by rows."""
        keys, places = np.unique(self.keys, return_inverse=True)
        rows, columns = np.divmod(keys, max(self.shape[1], 1))
        if keys.size == self.values.size:
            order = np.empty_like(places)
            order[places] = np.arange(places.size)
            values = self.values[order]
        else:
            values = scatter_sum(traced(self.values), places, keys.shape)
        return Triplets(rows, columns, values, self.shape)

    @property
    def transposed(self) -> Triplets:
        """The transpose."""
        return Triplets(self.columns, self.rows, self.values, self.shape[::-1])

    def spread(self, shape: tuple[int, ...]) -> Triplets:
        """Return the matrix repeated along axes of length 1 until it has a shape."""
        entries = self
        for axis, length in enumerate(shape):
            if entries.shape[axis] != length:
                entries = entries._repeated(axis, length)
        return entries

    def _repeated(self, axis: int, length: int) -> Triplets:
        """Return the matrix with one row, or column, repeated."""
        require_products(float(length) * self.rows.size, "a sparse matrix spread over rows or columns")
        places = [np.tile(self.rows, length), np.tile(self.columns, length)]
        places[axis] = np.repeat(np.arange(length), self.rows.size)
        shape = (length, self.shape[1]) if axis == 0 else (self.shape[0], length)
        return Triplets(places[0], places[1], np.tile(self.values, length), shape)

    def sum(self, axis: int | None) -> Any:
        """Return the sum over an axis, as an array, or over all entries."""
        if axis is None:
            return np.sum(self.values)
        kept, length = (self.columns, self.shape[1]) if axis == 0 else (self.rows, self.shape[0])
        return scatter_sum(traced(self.values), kept, (length,))


def fitting(a: Triplets, b: Triplets) -> None:
    """Raise ValueError unless two matrices have one shape."""
    if a.shape != b.shape:
        raise ValueError(f"inconsistent shapes {a.shape} and {b.shape}")


def added(a: Triplets, b: Triplets, sign: float = 1.0) -> Triplets:
    """Return ``a + sign * b``."""
    fitting(a, b)
    values = np.concatenate([traced(a.values), traced(sign * b.values)])
    joined = Triplets(np.concatenate([a.rows, b.rows]), np.concatenate([a.columns, b.columns]), values, a.shape)
    return joined.summed()


def multiplied(a: Triplets, b: Triplets) -> Triplets:
    """Return the product entry by entry, at the places that both have."""
    fitting(a, b)
    a, b = a.summed(), b.summed()
    _, first, second = np.intersect1d(a.keys, b.keys, assume_unique=True, return_indices=True)
    return a.picked(first).with_values(a.values[first] * b.values[second])


def product(a: Triplets, b: Triplets) -> Triplets:
    """Return ``a @ b``: a term for each pair of entries that meet, summed by places."""
    if a.shape[1] != b.shape[0]:
        raise ValueError(f"matmul: shapes {a.shape} and {b.shape} do not fit")
    b = b.summed()
    starts = np.searchsorted(b.rows, np.arange(b.shape[0] + 1))
    counts = np.diff(starts)[a.columns]
    require_products(float(counts.sum()), "a product of sparse matrices")
    left = np.repeat(np.arange(a.columns.size), counts)
    right = np.arange(left.size) - np.repeat(np.cumsum(counts) - counts, counts) + starts[a.columns[left]]
    shape = (a.shape[0], b.shape[1])
    return Triplets(a.rows[left], b.columns[right], a.values[left] * b.values[right], shape).summed()


def by_array(a: Triplets, x: Any) -> Any:
    """Return ``a @ x`` for a dense x of shape (n,) or (n, k)."""
    if np.ndim(x) not in (1, 2) or a.shape[1] != np.shape(x)[0]:
        raise ValueError(f"matmul: a matrix of shape {a.shape} does not fit an array of shape {np.shape(x)}")
    tail = np.shape(x)[1:]
    require_products(a.rows.size * float(np.prod(tail)), "a product of a sparse matrix")
    terms = np.reshape(a.values, (-1,) + (1,) * len(tail)) * traced(x)[a.columns]
    return scatter_sum(traced(terms), identity((a.shape[0], *tail))[a.rows], (a.shape[0], *tail))


def kron(a: Triplets, b: Triplets) -> Triplets:
    """Return the Kronecker product."""
    require_products(float(a.rows.size) * b.rows.size, "a Kronecker product of sparse matrices")

    def pairs(first: Any, second: Any, length: int) -> Any:
        return (first[:, None].astype(np.int64) * length + second[None, :]).reshape(-1)

    values = (a.values[:, None] * b.values[None, :]).reshape(-1)
    shape = (a.shape[0] * b.shape[0], a.shape[1] * b.shape[1])
    return Triplets(pairs(a.rows, b.rows, b.shape[0]), pairs(a.columns, b.columns, b.shape[1]), values, shape)
