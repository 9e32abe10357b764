"""Rows of a matrix as PETSc stores them: entries one by one, or dense blocks of those that belong together."""

from __future__ import annotations

import numpy as np

from sparsead.errors import InputError


def require_blocks(size: int, block: int) -> None:
    """Raise InputError unless so many unknowns can be put together in blocks."""
    if block < 1 or size % block:
        raise InputError(f"{size} unknowns cannot be put together in blocks of {block}")


class Stored:
    """A structure in blocks, and where the entries of its rows stand in them.

    Parameters
    ----------
    indptr, indices : ndarray
        The rows, entry by entry, columns sorted.
    block : int
        How many rows, and columns, a block has.

    Attributes
    ----------
    structure : (ndarray, ndarray)
        The same for blocks: rows and columns of blocks.

    Examples
    --------
    >>> stored = Stored(np.array([0, 1, 3]), np.array([0, 1, 4]), 2)  # two rows: one row of blocks
    >>> [array.tolist() for array in stored.structure]
    [[0, 2], [0, 2]]
    >>> stored.placed(np.array([7.0, 8.0, 9.0])).reshape(2, 2, 2)  # block after block, as petsc4py takes them
    array([[[7., 0.],
            [0., 8.]],
    <BLANKLINE>
           [[0., 0.],
            [9., 0.]]])
    """

    def __init__(self, indptr: np.ndarray, indices: np.ndarray, block: int) -> None:
        self.structure, self._size = (indptr, indices), indices.size
        self._place: np.ndarray | None = None
        if block > 1:
            self._in_blocks(indptr, indices, block)

    def _in_blocks(self, indptr: np.ndarray, indices: np.ndarray, block: int) -> None:
        rows = np.repeat(np.arange(indptr.size - 1), np.diff(indptr))
        wide = int(indices.max(initial=0)) // block + 1
        every = rows // block * wide + indices // block  # the number of the block in which an entry stands
        found, number = np.unique(every, return_inverse=True)
        starts = np.searchsorted(found, np.arange((indptr.size - 1) // block + 1) * wide)
        self.structure = (starts.astype(indptr.dtype), (found % wide).astype(indices.dtype))
        self._size = found.size * block**2
        self._place = (number * block + rows % block) * block + indices % block

    def placed(self, values: np.ndarray) -> np.ndarray:
        """Return the values of the rows as the structure has them, with zeros where a block has no entry."""
        if self._place is None:
            return values
        stored = np.zeros(self._size)
        stored[self._place] = values
        return stored
