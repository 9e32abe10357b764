"""A fixed sparse structure: matrices and value arrays that share it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from coloring import SparsityPattern
from coloring.cached import cached_property
from sparsead.errors import InputError

AT_ONCE = 1 << 13  # indices that are compared at a time

CSR = scipy.sparse.csr_array  # while another thread traces, something else has this name

Fill = Callable[[np.ndarray], object]


class FixedStructure:
    """The pattern of a matrix, and what turns its values into scipy matrices. Explicit zeros are kept.

    The index arrays are shared by all matrices made here, and read-only.
    """

    def __init__(self, pattern: SparsityPattern) -> None:
        self.pattern = pattern
        self.indices = _read_only(pattern.indices)
        self.indptr = _read_only(pattern.indptr)
        self._places: dict[str, np.ndarray] = {}
        self._local = threading.local()
        self._parts: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def matrix(self, data: np.ndarray) -> scipy.sparse.csr_array:
        """Return the matrix with these values, (nnz,), in row order."""
        matrix = CSR.__new__(CSR)  # a shallow copy, at a quarter of its price
        vars(matrix).update(vars(self._empty))
        matrix.data = data
        return matrix

    @cached_property
    def _empty(self) -> scipy.sparse.csr_array:
        """The matrix without values."""
        values = np.empty(self.pattern.nnz)
        matrix = scipy.sparse.csr_array((values, self.indices, self.indptr), shape=self.pattern.shape, copy=False)
        matrix.indices, matrix.indptr = self.indices, self.indptr  # the very objects: `new_or_checked` knows them
        matrix.has_canonical_format = True
        matrix.data = values[:0].copy()
        return matrix

    def plain(self, out: Any) -> np.ndarray | None:
        """Return room for values: new, or that of `out` where its index arrays are the very ones; None elsewhere."""
        if out is None:
            return np.empty(self.pattern.nnz)
        if (
            type(out) is CSR
            and out.indices is self.indices
            and out.indptr is self.indptr
            and out.shape == self.pattern.shape
        ):
            return out.data
        return None

    def new_or_checked(self, out: Any) -> np.ndarray:
        """Return room for values: new, or that of `out`, a matrix made here, after a look at its structure."""
        if out is None:
            return np.empty(self.pattern.nnz)
        same = (
            isinstance(out, (scipy.sparse.csr_array, scipy.sparse.csr_matrix))
            and out.shape == self.pattern.shape
            and out.data.dtype == np.float64
            and out.data.flags.c_contiguous
            and out.data.flags.writeable
            and out.data.size == self.pattern.nnz
            and _equal(out.indices, self.indices)
            and _equal(out.indptr, self.indptr)
        )
        if not same:
            m, n = self.pattern.shape
            raise InputError(
                "out must be a float64 csr_array as returned by an earlier call, with the same pattern "
                f"({m} x {n}, {self.pattern.nnz} entries)"
            )
        return out.data

    def triangle(self, data: np.ndarray, name: str) -> scipy.sparse.csr_array:
        """Return the ``"lower"`` or ``"upper"`` triangle of the matrix with these values."""
        if name not in ("lower", "upper"):
            raise InputError(f"unknown triangle {name!r}; expected 'full', 'lower' or 'upper'")
        place = self.place(name)
        if name not in self._parts:
            indptr = np.searchsorted(place, self.pattern.indptr).astype(self.pattern.indptr.dtype)
            self._parts[name] = _read_only(self.pattern.indices[place]), _read_only(indptr)
        return scipy.sparse.csr_array((data[place], *self._parts[name]), shape=self.pattern.shape)

    def values(self, fill: Fill, out: np.ndarray | None, order: str) -> np.ndarray:
        """Return values in an order, computed by `fill` in row order."""
        nnz = self.pattern.nnz
        by_row = order in ("csr", "coo")
        size = nnz if by_row else self.place(order).size
        if out is not None and not (
            isinstance(out, np.ndarray)
            and out.shape == (size,)
            and out.dtype == np.float64
            and out.flags.c_contiguous
            and out.flags.writeable
        ):
            raise InputError(
                f"out must be a contiguous float64 array of shape ({size},) for order {order!r} that can be written to"
            )
        if by_row:
            data = np.empty(nnz) if out is None else out
            fill(data)
            return data
        data = self._data_of_thread()
        fill(data)
        return np.take(data, self.place(order), out=out, mode="clip")  # other modes buffer `out`

    def _data_of_thread(self) -> np.ndarray:
        """Return values to be reordered, kept for the next time."""
        if not hasattr(self._local, "data"):
            self._local.data = np.empty(self.pattern.nnz)
        return self._local.data

    def place(self, order: str) -> np.ndarray:
        """Return which values, in row order, make up ``"csc"``, ``"lower"`` or ``"upper"``."""
        if order not in self._places:
            pattern = self.pattern
            match order:
                case "csc":
                    place = np.argsort(pattern.indices, kind="stable")
                case "lower":
                    place = np.flatnonzero(pattern.indices <= pattern.rows)
                case "upper":
                    place = np.flatnonzero(pattern.indices >= pattern.rows)
                case _:
                    raise InputError(f"unknown order {order!r}; expected csr, csc, coo, lower or upper")
            self._places[order] = place
        return self._places[order]


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    """Compare index arrays, a part at a time: the comparison allocates nothing that grows with them."""
    if a is b:
        return True
    parts = range(0, b.size, AT_ONCE)
    return a.shape == b.shape and all(np.array_equal(a[k : k + AT_ONCE], b[k : k + AT_ONCE]) for k in parts)


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.setflags(write=False)
    return view
