"""What solvers ask of the structure of a prepared matrix: that it is square, compressed columns, blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

from sparsead.derivatives.matrix import PreparedMatrix
from sparsead.errors import InputError
from sparsead.tracing.trees import pack, unpack


def check_square(jac: PreparedMatrix) -> None:
    """Refuse a Jacobian that has not as many rows as columns."""
    if jac.shape[0] != jac.shape[1]:
        raise InputError(f"Newton's method needs as many equations as unknowns, got {jac.shape[0]} and {jac.shape[1]}")


class Shaped:
    """How the vector of a solver looks to the function: as an array of some shape, or as a container of arrays.

    Parameters
    ----------
    like : array_like, or dict, list, tuple, named tuple, dataclass of float arrays and floats
        An example.
    """

    def __init__(self, like: Any) -> None:
        try:
            array = np.array(like, dtype=np.float64)
            self._like, self.shape, self.vector = None, array.shape, array.ravel()
        except (TypeError, ValueError):  # no array, nor a list that makes one
            self._like, self.vector = like, pack(like)
            self.shape = self.vector.shape

    def __call__(self, vector: np.ndarray) -> Any:
        """Return the values of a vector, built like the example."""
        return vector.reshape(self.shape) if self._like is None else unpack(vector, self._like)


class Columns:
    """The entries of a prepared matrix by columns; explicit zeros are kept.

    Parameters
    ----------
    prepared : Jacobian or Hessian
        What computes the values.
    """

    def __init__(self, prepared: PreparedMatrix) -> None:
        self.prepared = prepared
        self.indptr, self.indices = prepared.pattern.T.indptr, prepared.pattern.T.indices

    def values(self, x: Any, *args: Any, out: np.ndarray | None = None) -> np.ndarray:
        """Return the values by columns, or write them to `out`."""
        return self.prepared.values(x, *args, out=out, order="csc")

    def matrix(self, values: np.ndarray) -> scipy.sparse.csc_array:
        """Return the matrix of these values; the index arrays are shared with every other one."""
        matrix = scipy.sparse.csc_array((values, self.indices, self.indptr), shape=self.prepared.shape)
        matrix.has_canonical_format = True
        return matrix

    def __call__(self, x: Any, *args: Any) -> scipy.sparse.csc_array:
        """Return the matrix at x."""
        return self.matrix(self.values(x, *args))


def places_of_blocks(prepared: PreparedMatrix) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return each block that has entries, by the names of its rows and columns.

    Of each, the rows and columns of its entries, counted within the block, and where their values are among
    `PreparedMatrix.values`.
    """
    named, pattern = prepared.blocks(prepared.structure.matrix(np.empty(prepared.pattern.nnz))), prepared.pattern
    found = {}
    for row, down in named.rows.items():
        for column, across in named.columns.items():
            begin, end = pattern.indptr[down.start], pattern.indptr[down.stop]
            columns = pattern.indices[begin:end]
            places = begin + np.flatnonzero((columns >= across.start) & (columns < across.stop))
            if places.size:
                found[row, column] = (pattern.rows[places] - down.start, pattern.indices[places] - across.start, places)
    return found
