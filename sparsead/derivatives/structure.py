"""A fixed sparse structure: matrices and value arrays that share it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np
import scipy.sparse

from coloring import SparsityPattern
from coloring.cached import cached_property
from sparsead.derivatives.layouts import KINDS, Layout
from sparsead.derivatives.vectors import is_room
from sparsead.errors import InputError
from sparsead.sweeps.storage import Storage

AT_ONCE = 1 << 13  # indices that are compared at a time
ORDERS = {"csr": ("csr", "full"), "coo": ("csr", "full"), "csc": ("csc", "full"),
          "lower": ("csr", "lower"), "upper": ("csr", "upper")}  # fmt: skip

Fill = Callable[[np.ndarray], object]


class FixedStructure:
    """The pattern of a matrix, and what turns its values into scipy matrices. Explicit zeros are kept.

    The index arrays are shared by all matrices made here, and read-only.

    Parameters
    ----------
    pattern : SparsityPattern
        All entries.
    format, triangle : str
        As in `jacobian` and `hessian`.
    symmetric : bool
        True where the values are those of a symmetric matrix.
    """

    def __init__(
        self, pattern: SparsityPattern, format: str = "csr", triangle: str = "full", symmetric: bool = False
    ) -> None:
        self.pattern, self.format, self.triangle, self.symmetric = pattern, format, triangle, symmetric
        self.layout = Layout.of(pattern, format, triangle, symmetric)
        self.size = math.prod(self.layout.shape)
        self.index_arrays = tuple(_read_only(array) for array in self.layout.indices)
        self._others: dict[tuple[str, str], FixedStructure] = {}
        self._local = threading.local()
        self._kind = KINDS[format]
        self._is_dense = format == "dense"
        self._flat = len(self.layout.shape) == 1
        self._shape = pattern.shape
        self._plain_kind = self._kind if self._flat and not self._is_dense else None
        self._indices = attrgetter(*(("row", "col") if format == "coo" else ("indices", "indptr")))

    def matrix(self, data: np.ndarray) -> Any:
        """Return the matrix with these values, (size,), in the order in which they are stored."""
        if self._is_dense:
            return data.reshape(self.layout.shape)
        matrix = self._kind.__new__(self._kind)  # a shallow copy, at an eighth of its price
        held = matrix.__dict__
        held.update(self._common)
        held["data"] = data if self._flat else data.reshape(self.layout.shape)
        return matrix

    @cached_property
    def _common(self) -> dict[str, Any]:
        """The attributes of all matrices made here."""
        return dict(vars(self._empty))

    @cached_property
    def _empty(self) -> Any:
        """The matrix without values."""
        values = np.empty(self.layout.shape)
        shape, arrays = self.pattern.shape, self.index_arrays
        if self.format == "coo":
            matrix = self._kind((values, arrays), shape=shape, copy=False)
        else:
            matrix = self._kind((values, *arrays), shape=shape, copy=False)
            matrix.indices, matrix.indptr = arrays  # the very objects: `new_or_checked` knows them
        matrix.has_canonical_format = True
        matrix.data = values[:0].copy()
        return matrix

    @cached_property
    def storage(self) -> Storage:
        """Where each entry stands among the values."""
        return self.layout.storage or Storage.by_rows(self.pattern)

    @property
    def in_order(self) -> bool:
        """Tell whether all values are stored, in row order."""
        return self.layout.storage is None

    def by_rows(self, data: np.ndarray) -> Any:
        """Return the whole matrix by rows, given what is stored."""
        return self.pattern.to_scipy(data if self.in_order else self.storage.read(data))

    def known_room(self, out: Any) -> np.ndarray | None:
        """Return room for values: new, or that of `out` where its index arrays are the very ones; None elsewhere."""
        if out is None:
            return np.empty(self.size)
        if type(out) is not self._plain_kind:
            return None
        held = out.__dict__  # SciPy's properties take longer
        (first, rows), (second, columns) = self._held
        same = held.get(first) is rows and held.get(second) is columns and held.get("_shape") == self._shape
        return held["data"] if same else None

    @cached_property
    def _held(self) -> tuple[tuple[str, Any], tuple[str, Any]]:
        """The attributes in which matrices made here hold their indices, and what is there."""
        kept = self._common
        pairs = ("indices", "indptr"), ("row", "col"), ("coords", "coords")
        first, second = next(names for names in pairs if names[0] in kept)
        return (first, kept[first]), (second, kept[second])

    def new_or_checked(self, out: Any) -> np.ndarray:
        """Return room for values: new, or that of `out`, a matrix made here, after a look at its structure."""
        if out is None:
            return np.empty(self.size)
        kinds = (self._kind,) if self._is_dense else (self._kind, *_MATRICES[self.format])
        same = isinstance(out, kinds) and out.shape == self.pattern.shape
        data: Any = out if same and self._is_dense else out.data if same else None
        known = same and (self._is_dense or all(map(_equal, self._indices(out), self.index_arrays)))
        if not (known and is_room(data, self.layout.shape)):
            m, n = self.pattern.shape
            kind = "array" if self._is_dense else self._kind.__name__
            part = "" if self.triangle == "full" else f", {self.triangle} triangle"
            raise InputError(
                f"out must be a float64 {kind} as returned by an earlier call, with the same pattern "
                f"({m} x {n}, {self.pattern.nnz} entries{part})"
            )
        return data if self._flat else data.reshape(-1)  # the very array: constants in it are known by identity

    def given_room(self, out: Any) -> np.ndarray:
        """Return the room that a user gives for values: of a matrix of an earlier call, or an array in their order."""
        if out is None:
            raise InputError("out must be a matrix of an earlier call or an array for its values, to be written to")
        by_values = isinstance(out, np.ndarray) and out.ndim == 1
        return self.values(lambda _: None, out, None) if by_values else self.new_or_checked(out)

    def other(self, format: str, triangle: str) -> FixedStructure:
        """Return the structure of the same pattern in another format, or of another triangle."""
        key = format, triangle
        if key == (self.format, self.triangle):
            return self
        if key not in self._others:
            self._others[key] = FixedStructure(self.pattern, *key, self.symmetric)
        return self._others[key]

    def converted(self, data: np.ndarray, other: FixedStructure, out: np.ndarray | None = None) -> np.ndarray:
        """Return values, as they are stored here, in the order of another structure of the pattern."""
        if other.storage.padding.size:
            out = np.zeros(other.size) if out is None else out
            kept = np.flatnonzero(other.storage.place >= 0)
            out[other.storage.place[kept]] = data[self.storage.mirrored[kept]]
            return out
        return np.take(data, self._source(other), out=out, mode="clip")  # other modes buffer `out`

    def _source(self, other: FixedStructure) -> np.ndarray:
        """Return which of the values here make up those of another structure."""
        key = other.format, other.triangle
        if key not in self._sources:
            kept = np.flatnonzero(other.storage.place >= 0)
            source = np.empty(other.size, np.intp)  # as `take` wants them: it would copy others at each call
            source[other.storage.place[kept]] = self.storage.mirrored[kept]
            self._sources[key] = source
        return self._sources[key]

    @cached_property
    def _sources(self) -> dict[tuple[str, str], np.ndarray]:
        return {}

    def is_order(self, order: str | None) -> bool:
        """Tell whether values are stored in this order; None is the order in which they are."""
        return order is None or ORDERS.get(order) == (self.format, self.triangle)

    def values(self, fill: Fill, out: np.ndarray | None, order: str | None) -> np.ndarray:
        """Return values in an order, computed by `fill` as they are stored; by default as they are stored."""
        other = self if order is None else self.other(*ORDERS[order])
        if out is not None and not is_room(out, (other.size,)):
            raise InputError(
                f"out must be a contiguous float64 array of shape ({other.size},) for order {order!r} "
                "that can be written to"
            )
        if other is self or (other.in_order and self.in_order):
            data = np.empty(other.size) if out is None else out
            fill(data)
            return data
        data = self._data_of_thread()
        fill(data)
        return self.converted(data, other, out)

    def _data_of_thread(self) -> np.ndarray:
        """Return values to be reordered, kept for the next time."""
        if getattr(self._local, "data", None) is None:
            self._local.data = np.empty(self.size)
        return self._local.data


_MATRICES: dict[str, tuple[Any, ...]] = {
    name: (getattr(scipy.sparse, f"{name}_matrix"),) for name in ("csr", "csc", "coo", "bsr")
}


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
