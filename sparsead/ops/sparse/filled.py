"""Matrices that begin empty and are filled element by element: ``lil_array(shape)``, ``dok_array(shape)``."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import scipy.sparse

from sparsead.errors import unsupported
from sparsead.ops.sparse import triplets
from sparsead.ops.sparse.matrix import TracedSparse, class_of
from sparsead.ops.sparse.triplets import Triplets
from sparsead.tracing.conversions import stack_objects, traced


class ByElement(TracedSparse):
    """A matrix of zeros, to be filled element by element: what ``lil_array(shape)`` and ``dok_array(shape)`` give.

    Elements wait in a dict until the matrix is used; then they go to a matrix in compressed form.
    """

    __slots__ = ("_kind", "_matrix", "_waiting")

    def __init__(self, kind: Any, matrix: TracedSparse) -> None:
        self._kind, self._matrix = kind, matrix
        self._waiting: dict[tuple[int, int], Any] = {}

    @staticmethod
    def of_shape(kind: Any, shape: tuple[int, int]) -> ByElement:
        """Return a matrix of zeros."""
        name = kind.__name__.replace("lil", "csr").replace("dok", "csr")
        return ByElement(kind, TracedSparse(getattr(scipy.sparse, name)(shape, dtype=np.int64), np.zeros(0)))

    made = TracedSparse.made
    of_triplets = TracedSparse.of_triplets
    of_constant = TracedSparse.of_constant

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return self._kind

    @property
    def numbers(self) -> Any:
        """Which value each stored entry is."""
        return self._stored().numbers

    @property
    def values(self) -> Any:
        """The values."""
        return self._stored().values

    @values.setter
    def values(self, new: Any) -> None:
        self._stored().values = new

    @property
    def data(self) -> Any:
        """The stored values; of compressed formats."""
        self._require_compressed("data")
        return self._stored().data

    @data.setter
    def data(self, new: Any) -> None:
        self._require_compressed("data")
        self._stored().data = new

    @property
    def _is_compressed(self) -> bool:
        return self._kind.__name__[:3] in ("csr", "csc")

    def _require_compressed(self, name: str) -> None:
        if not self._is_compressed:
            raise unsupported(f"{self._kind.__name__}.{name} of a matrix that holds traced values", "Use .tocsr().")

    def __getattr__(self, name: str) -> Any:
        if name == "format":
            return self._kind.__name__[:3]
        if name in ("indices", "indptr", "rows", "items", "keys", "get"):
            self._require_compressed(name)
        return super().__getattr__(name)

    def _stored(self) -> TracedSparse:
        """Return the matrix with the elements that were waiting."""
        if self._waiting:
            waiting, self._waiting = self._waiting, {}
            rows, columns = (np.array(places, dtype=np.int64) for places in zip(*waiting, strict=True))
            new = Triplets(rows, columns, traced(stack_objects(list(waiting.values()))), self._matrix.numbers.shape)
            old = self._matrix.entries
            old = old.picked(np.flatnonzero(~np.isin(old.keys, new.keys)))
            self._matrix = TracedSparse.of_triplets(triplets.added(old, new), type(self._matrix.numbers))
        return self._matrix

    def asked(self, operation: Any) -> Any:
        """Return what an operation of SciPy makes of the matrix."""
        matrix = self._stored()
        if self._is_compressed:
            found = matrix.asked(operation)
            return self if found is matrix else found
        numbers = matrix.numbers.asformat(self._kind.__name__[:3])
        found = operation(numbers)
        return self if found is numbers else matrix.moved(found, matrix.values)

    def __setitem__(self, key: Any, value: Any) -> None:
        place = self._place(key)
        if place is not None and np.ndim(value) == 0:
            self._waiting[place] = value
        else:
            self._stored()[key] = value

    def __getitem__(self, key: Any) -> Any:
        place = self._place(key)
        return self._waiting[place] if place in self._waiting else super().__getitem__(key)

    def with_values(self, values: Any) -> Any:
        """Return a matrix of the same structure."""
        return ByElement(self._kind, self._stored().with_values(values))

    def _of_kind(self, operation: Any, made: TracedSparse) -> Any:
        """Return a result in the format that SciPy gives it."""
        return made.asformat(class_of(operation, (self._kind, 2))[0].__name__[:3])

    def __neg__(self) -> Any:
        return self._of_kind(operator.neg, -self._stored())

    def __abs__(self) -> Any:
        return self._of_kind(abs, abs(self._stored()))

    def power(self, n: Any, dtype: Any = None) -> Any:
        """Same as ``lil_array.power``."""
        return self._of_kind(_square, self._stored().power(n, dtype))

    def _turn_into(self, made: Any) -> None:
        self._matrix = self._stored() if made is self else made

    def __iadd__(self, other: Any) -> Any:
        """Add in place, which matrices of lists do."""
        return self if self._overwritten(self + other) else self + other

    def __isub__(self, other: Any) -> Any:
        return self if self._overwritten(self - other) else self - other

    def _overwritten(self, new: Any) -> bool:
        if self._kind.__name__[:3] != "lil":
            return False
        self._turn_into(TracedSparse.of_triplets(new.entries, type(self.numbers)))
        return True

    def setdiag(self, values: Any, k: int = 0) -> None:
        """Same as ``lil_array.setdiag``."""
        self._stored().setdiag(values, k)

    def _place(self, key: Any) -> Any:
        if not (isinstance(key, tuple) and len(key) == 2 and all(isinstance(k, (int, np.integer)) for k in key)):
            return None
        shape = self._matrix.numbers.shape
        if any(not -n <= k < n for k, n in zip(key, shape, strict=True)):
            raise IndexError(f"index {key} is out of bounds for a matrix of shape {shape}")
        return tuple(int(k) % n for k, n in zip(key, shape, strict=True))


TracedSparse.by_element = ByElement


def _square(matrix: Any) -> Any:
    return matrix.power(2)
