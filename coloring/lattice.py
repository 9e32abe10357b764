"""Periodic colorings for matrices that come from grids.

In the matrix of a stencil the entries of row ``i`` lie at ``i + d`` for a few offsets ``d``.  On a grid of
``N`` x ``N`` points numbered in rows, ``d`` is a combination ``e_1 + e_2 N`` with small digits ``e``.  Where
the offsets are such combinations of a chain of strides (1, N, N^2, ...; with f interleaved fields 1, f, f N,
...), a vertex with coordinates ``x`` can have color ``(a . x) mod p``; it is enough that offsets which occur
in one row are told apart.  For the 7-point stencil in three dimensions ``(x + 2 y + 3 z) mod 7`` is a perfect
tiling with the fewest colors there can be (Goldfarb and Toint 1984), where greedy colorings need 8 to 13.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from . import kernels
from .pattern import SparsityPattern

MAX_OFFSETS = 64
MAX_DIGIT = 2
MAX_STRIDES = 4
MAX_CHOICES = 200_000  # coefficient vectors looked at for one modulus
MAX_TRIALS = 500  # of those that separate the offsets, as many are tried on a sample of rows
SAMPLE = 64  # rows at either end, and between, in that sample


@dataclass(frozen=True, eq=False)
class Lattice:
    """Coordinates of the columns of a matrix, in which its offsets have small digits.

    Attributes
    ----------
    strides : tuple of int
        Each divides the next.
    differences : ndarray, shape (num_strides, k)
        Digit vectors of the differences between offsets that occur in one row: a coloring must not map them
        to 0.
    """

    strides: tuple[int, ...]
    differences: np.ndarray

    def coordinates(self, index: np.ndarray) -> np.ndarray:
        """Coordinates of these columns, shape (num_strides, len(index))."""
        places = [index // stride for stride in self.strides]
        for k, (stride, following) in enumerate(zip(self.strides, self.strides[1:], strict=False)):
            places[k] %= following // stride
        return np.stack(places)

    def coefficients(self, p: int) -> np.ndarray:
        """Coefficient vectors that separate the offsets modulo `p`, shape (num_strides, k)."""
        dimensions = len(self.strides)
        if p**dimensions > MAX_CHOICES:
            return np.empty((dimensions, 0), np.int64)
        choices = np.indices((p,) * dimensions).reshape(dimensions, -1)
        for difference in self.differences.T:
            choices = choices[:, difference @ choices % p != 0]
        return choices[:, :MAX_TRIALS]


def lattice_colorings(A: SparsityPattern, moduli: range) -> Iterator[np.ndarray]:
    """Colorings ``(a . x) mod p`` of the columns of `A` that tell the offsets of a stencil apart.

    Parameters
    ----------
    A : SparsityPattern
        The matrix; nothing is found unless its entries lie on at most 64 diagonals.
    moduli : range
        Numbers of colors ``p`` to try, in order.

    Yields
    ------
    ndarray of int32, shape (n,)
        Candidates that are right for a sample of the rows; the caller checks them on all rows.
    """
    lattices = list(find_lattices(A)) if moduli and A.nnz >= 500 else []
    if not lattices:
        return
    indptr, indices = _sample(A)
    here = np.arange(indices.size)
    for p in moduli:
        for lattice in lattices:
            coordinates = lattice.coordinates(indices)
            for a in lattice.coefficients(p).T:
                colors = (a @ coordinates % p).astype(np.int32)
                if kernels.offsets.first_repeat(indptr, here, colors, p)[0] < 0:
                    yield (a @ lattice.coordinates(np.arange(A.shape[1])) % p).astype(np.int32)


def find_lattices(A: SparsityPattern) -> Iterator[Lattice]:
    """Chains of strides in which the frequent offsets of a matrix have small digits.

    Offsets that occur in few rows, such as those that wrap around a periodic grid, are left out of account.
    """
    offsets, counts, together = kernels.offsets.distinct_offsets(A.indptr, A.indices, MAX_OFFSETS)
    frequent = np.flatnonzero(counts * 4 > counts.max(initial=0))
    if frequent.size < 2:
        return
    one = np.uint64(1)
    pairs = [
        (s, t) for s in range(frequent.size) for t in range(s) if together[frequent[s]] >> np.uint64(frequent[t]) & one
    ]
    offsets = offsets[frequent]
    for strides in _chains(sorted({abs(int(d)) for d in offsets} - {0})):
        digits = _digits(offsets, strides)
        if digits is not None:
            differences = np.array([digits[s] - digits[t] for s, t in pairs])
            yield Lattice(strides, np.unique(differences, axis=0).T)


def _chains(candidates: list[int], chain: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """Chains of candidates, each a multiple of the one before, beginning with the least."""
    if chain:
        yield chain
    if len(chain) < MAX_STRIDES:
        for stride in candidates if chain else candidates[:1]:
            if not chain or (stride > chain[-1] and stride % chain[-1] == 0):
                yield from _chains(candidates, (*chain, stride))


def _digits(offsets: np.ndarray, strides: tuple[int, ...]) -> np.ndarray | None:
    """Balanced digits of the offsets to these strides, or None if one is large or there is a remainder."""
    digits = np.zeros((offsets.size, len(strides)), np.int64)
    rest = offsets.copy()
    for place in range(len(strides) - 1, -1, -1):
        digits[:, place] = np.rint(rest / strides[place])
        rest -= digits[:, place] * strides[place]
    return None if rest.any() or np.abs(digits).max() > MAX_DIGIT else digits


def _sample(A: SparsityPattern) -> tuple[np.ndarray, np.ndarray]:
    """The first and last rows of a matrix and some between, where most wrong colorings show."""
    m = A.shape[0]
    middle = np.linspace(0, m - 1, SAMPLE).astype(np.int64)
    rows = np.unique(np.concatenate([np.arange(min(m, SAMPLE)), np.arange(max(0, m - SAMPLE), m), middle]))
    lengths = A.indptr[rows + 1] - A.indptr[rows]
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    entries = np.repeat(A.indptr[rows] - indptr[:-1], lengths) + np.arange(indptr[-1])
    return indptr, A.indices[entries]
