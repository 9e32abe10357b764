"""Where the values of a matrix stand in memory: by rows, or in any other order that a sweep is to write at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coloring import SparsityPattern
from coloring.cached import cached_property
from sparsead.program.index import IndexArray, identity, narrowed


@dataclass(frozen=True, eq=False)
class Storage:
    """Which entries of a pattern are stored, and where each goes.

    Attributes
    ----------
    place : ndarray of int, shape (nnz,)
        The place of each entry, in row order, among the stored values; -1 for one that is not stored.
    mirrored : ndarray of int, shape (nnz,)
        The place of each entry or, in a symmetric matrix, of its mirror image: where its value can be read.
    size : int
        How many values are stored; places that no entry has hold zeros.
    """

    place: IndexArray
    mirrored: IndexArray
    size: int

    @classmethod
    def by_rows(cls, pattern: SparsityPattern) -> Storage:
        """Return the order of the pattern itself."""
        place = identity(pattern.nnz)
        return cls(place, place, pattern.nnz)

    @classmethod
    def of(cls, place: np.ndarray, size: int, mirror: np.ndarray | None = None) -> Storage:
        """Return a storage, given the place of each entry, and which entry is the mirror image of each."""
        place = narrowed(place)
        mirrored = place if mirror is None else np.where(place >= 0, place, place[mirror])
        return cls(place, mirrored, size)

    @classmethod
    def of_diagonal(cls, pattern: SparsityPattern) -> Storage:
        """Return the storage of the diagonal alone, an element for each row of the square part."""
        return cls.of(np.where(pattern.rows == pattern.indices, pattern.rows, -1), min(pattern.shape))

    @cached_property
    def in_order(self) -> bool:
        """Tell whether all entries are stored, by rows, and nothing else."""
        return self.size == self.place.size and bool((self.place == np.arange(self.size)).all())

    @cached_property
    def entries(self) -> np.ndarray:
        """The entries that are stored, in the order of their places."""
        kept = np.flatnonzero(self.place >= 0)
        return kept[np.argsort(self.place[kept])]

    @cached_property
    def is_partial(self) -> bool:
        """Tell whether some entries are not stored."""
        return bool((self.place < 0).any())

    @cached_property
    def padding(self) -> np.ndarray:
        """The places that no entry has."""
        empty = np.ones(self.size, dtype=np.bool_)
        empty[self.place[self.place >= 0]] = False
        return np.flatnonzero(empty)

    def read(self, data: np.ndarray) -> np.ndarray:
        """Return the values of all entries in row order, (.., nnz), from those that are stored, (.., size)."""
        return data[..., self.mirrored]
