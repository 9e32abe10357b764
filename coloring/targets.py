"""Where values come from and go to: matrices of the user, checked before anything is read or written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from .errors import ColoringError
from .pattern import SparsityPattern, is_above

#: Types that compiled kernels move; the others are moved by NumPy.
COMPILED = frozenset("bhilqBHILQfdFD")


def is_compiled(*arrays: np.ndarray) -> bool:
    """Whether kernels can be called with these arrays: types that numba knows, in the order of this machine's bytes."""
    return all(array.dtype.char in COMPILED and array.dtype.isnative for array in arrays)


@dataclass(frozen=True, eq=False)
class Target:
    """A matrix to write values to.

    Attributes
    ----------
    data : ndarray
        Its values: flat, or the matrix itself if it is dense.
    places : ndarray or tuple of ndarray, optional
        Where each entry of the pattern is among them; None if they are the entries of the pattern.
    """

    data: np.ndarray
    places: Any = None

    @classmethod
    def of(cls, out: Any, pattern: SparsityPattern, dtype: np.dtype, sources: Iterable[np.ndarray]) -> Target:
        """Check a matrix that values of this pattern and type, read from `sources`, are written to.

        Raises
        ------
        ColoringError
            If they cannot be; the message says why, and names an entry that has no place.
        """
        is_dense = isinstance(out, np.ndarray)
        if not is_dense and getattr(out, "format", "") != "csr":
            raise ColoringError(f"out is a {type(out).__name__}; expected a csr_array, or a dense array")
        data = out if is_dense else out.data
        if out.shape != pattern.shape:
            raise ColoringError(f"out has shape {out.shape}; expected {pattern.shape}")
        if not data.flags.writeable:
            raise ColoringError("out cannot be written to: its data is read-only")
        if not np.can_cast(dtype, data.dtype, "same_kind"):
            raise ColoringError(f"out holds {data.dtype}; values of type {dtype} cannot be written to it")
        if any(np.may_share_memory(data, source) for source in sources):
            raise ColoringError("out shares memory with the compressed matrix that it is computed from; pass a copy")
        if is_dense:
            return cls(data, (pattern.rows, pattern.indices))
        return cls(data, _places(out, pattern))

    def holds(self, dtype: np.dtype) -> bool:
        """Whether values of this type can be computed in place."""
        return self.places is None and self.data.dtype == dtype and self.data.flags.c_contiguous

    def write(self, values: np.ndarray) -> None:
        """Write the values of the entries, and zero elsewhere."""
        if self.places is None:
            self.data[:] = values
        else:
            self.data[...] = 0
            self.data[self.places] = values


def inside(A: sp.csr_array, pattern: SparsityPattern, tolerance: float = 0.0) -> sp.csr_array:
    """Return a matrix without its entries outside the pattern, refused if they are larger than the tolerance.

    Raises
    ------
    ColoringError
        Such a value would be added to others; the message names one.
    """
    if _is_same(A, pattern):
        return A
    rows = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
    is_outside = _found(pattern, rows, A.indices) < 0
    if not is_outside.any():
        return A
    outside = np.flatnonzero(is_outside & is_above(A.data, tolerance))
    if outside.size:
        i, j = int(rows[outside[0]]), int(A.indices[outside[0]])
        raise ColoringError(
            f"the matrix has {outside.size} values outside the pattern that was colored, at ({i}, {j}) for one: "
            f"{A.data[outside[0]]!s}; color a pattern that has them too, or pass a tolerance if they mean nothing"
        )
    return sp.csr_array((A.data[~is_outside], (rows[~is_outside], A.indices[~is_outside])), A.shape)


def _places(out: Any, pattern: SparsityPattern) -> np.ndarray | None:
    """Position of each entry of the pattern in `out`; None if they are its entries, in order."""
    stored = int(out.indptr[-1])
    if out.data.shape != out.indices.shape or out.data.size < stored:
        raise ColoringError(f"out has {out.data.size} values for {stored} entries; expected one for each")
    if _is_same(out, pattern) and out.data.size == stored:
        return None
    held = SparsityPattern(pattern.shape, out.indptr, out.indices)
    places = _found(held, pattern.rows, pattern.indices)
    missing = np.flatnonzero(places < 0)
    if missing.size:
        i, j = int(pattern.rows[missing[0]]), int(pattern.indices[missing[0]])
        raise ColoringError(
            f"out has no place for {missing.size} of the {pattern.nnz} entries, for ({i}, {j}) for one. Pass a matrix "
            "that decompress returned before with the same triangle, or one with at least these entries"
        )
    return places


def _is_same(A: Any, pattern: SparsityPattern) -> bool:
    """Whether the compressed rows of `A` are those of the pattern."""
    pairs = ((A.indptr, pattern.indptr), (A.indices, pattern.indices))
    return all(mine is theirs or np.array_equal(mine, theirs) for mine, theirs in pairs)


def _found(pattern: SparsityPattern, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Position of each of these entries among those of the pattern (in any order), -1 where it is not."""
    n = max(pattern.shape[1], 1)
    stored = pattern.rows.astype(np.int64) * n + pattern.indices[: pattern.rows.size]
    by_key = np.argsort(stored, kind="stable")
    wanted = rows.astype(np.int64) * n + columns
    at = np.searchsorted(stored, wanted, sorter=by_key)
    at[at == stored.size] = 0
    places = by_key[at] if stored.size else np.full(wanted.size, -1)
    return np.where(stored[places] == wanted, places, -1) if stored.size else places
