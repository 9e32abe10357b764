"""The traced sparse matrix: what the user's function sees in place of a scipy matrix whose values are traced.

It is a scipy matrix of numbers and an array of values: number k stands for ``values[k - 1]``. SciPy itself then
decides which entries a slice, a conversion or a diagonal takes: it is done to the numbers, and we look where they went.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from sparsead.errors import unsupported
from sparsead.ops.registry import traced
from sparsead.ops.sparse import triplets
from sparsead.ops.sparse.triplets import Triplets
from sparsead.tracing.array import TracedArray, stack_objects
from sparsead.tracing.positioned import Traced
from sparsead.tracing.scalar import TracedScalar

# Attributes and methods of a scipy matrix that ask for structure alone.
STRUCTURE = {
    "blocksize", "col", "coords", "format", "get_shape", "getformat", "getnnz", "has_canonical_format",
    "has_sorted_indices", "indices", "indptr", "ndim", "nnz", "offsets", "row", "shape", "size",
}  # fmt: skip
# Methods that move entries, or give them as arrays.
MOVEMENTS = {
    "asformat", "conj", "conjugate", "diagonal", "getH", "getcol", "getrow", "reshape", "toarray", "tobsr", "tocoo",
    "tocsc", "tocsr", "todense", "todia", "todok", "tolil", "transpose",
}  # fmt: skip
# Methods that act on each stored value, and map zero to zero.
ELEMENTWISE = {
    "arcsin", "arcsinh", "arctan", "arctanh", "ceil", "deg2rad", "expm1", "floor", "log1p", "rad2deg", "rint", "sign",
    "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
}  # fmt: skip
IN_PLACE_ON_ORDER = {"sort_indices", "sum_duplicates", "eliminate_zeros", "prune"}
HINT = "Write it with products, sums and slices of the matrix, or with its .data; or use .toarray()."


class TracedSparse(Traced):
    """A sparse matrix of traced values, of the format and class that SciPy would have made.

    Parameters
    ----------
    numbers : scipy sparse array or matrix
        Which value each stored entry is: 0 for none.
    values : TracedArray
        The values.
    """

    __slots__ = ("numbers", "values")
    __array_priority__ = 2000.0
    is_constant = False

    def __init__(self, numbers: Any, values: Any) -> None:
        if numbers.format in ("lil", "dok"):
            numbers = numbers.tocsr()
        stored = np.asarray(numbers.data)
        self.values = picked(values, stored)
        self.numbers = copy.copy(numbers)
        order = np.arange(1, stored.size + 1, dtype=np.int64).reshape(stored.shape)
        self.numbers.data = np.where(stored > 0, order, 0)

    # -- construction ---------------------------------------------------------------------------------------
    @classmethod
    def of_triplets(cls, entries: Triplets, like: Any = None, fmt: str = "csr") -> TracedSparse:
        """Return a matrix with these entries, equal places summed, of the kind (array or matrix) that `like` is."""
        entries = entries.summed()
        kind: Any = scipy.sparse.coo_matrix if scipy.sparse.isspmatrix(like) else scipy.sparse.coo_array
        numbers = np.arange(1, entries.rows.size + 1, dtype=np.int64)
        made = kind((numbers, (entries.rows, entries.columns)), shape=entries.shape)
        return cls(made.asformat(fmt), traced(entries.values))

    @classmethod
    def of_constant(cls, matrix: Any) -> TracedSparse:
        """Return a scipy matrix of constants."""
        if matrix.dtype.kind == "c":
            raise unsupported("a complex sparse matrix with traced values", "Keep real and imaginary parts apart.")
        matrix = matrix.tocsr() if matrix.format in ("lil", "dok") else matrix
        numbers = matrix.copy()
        numbers.data = np.arange(1, matrix.data.size + 1, dtype=np.int64).reshape(matrix.data.shape)
        return cls(numbers, TracedArray.of_values(np.asarray(matrix.data, dtype=np.float64).reshape(-1)))

    # -- what it looks like ---------------------------------------------------------------------------------
    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self.numbers)

    @property
    def dtype(self) -> np.dtype[Any]:
        """float64."""
        return np.dtype(np.float64)

    @property
    def data(self) -> Any:
        """The stored values; writing into them changes the matrix."""
        return self.values

    @data.setter
    def data(self, new: Any) -> None:
        if np.shape(new) != np.shape(self.values):
            raise ValueError(f"data has shape {np.shape(new)}, but the matrix stores {np.shape(self.values)} values")
        self.values = traced(stack_objects(new))

    def __repr__(self) -> str:
        return f"<traced {type(self.numbers).__name__}, shape {self.numbers.shape}, {self.numbers.nnz} entries>"

    @property
    def entries(self) -> Triplets:
        """Its entries as rows, columns and values, equal places summed."""
        coo = self.numbers.tocoo()
        kept = np.flatnonzero(coo.data)
        flat = np.reshape(self.values, -1)
        return Triplets(coo.row[kept], coo.col[kept], flat[coo.data[kept] - 1], coo.shape)

    def _unique(self) -> TracedSparse:
        """Return the same matrix without two entries at one place: those cannot be told by numbers that add up."""
        entries = self.entries
        if np.unique(entries.keys).size == entries.keys.size:
            return self
        return TracedSparse.of_triplets(entries, self.numbers, self.numbers.format)

    def _moved(self, numbers: Any) -> Any:
        """Return what stands where SciPy moved the numbers to: a matrix, an array, or one value."""
        if scipy.sparse.issparse(numbers):
            moved = TracedSparse(numbers, np.reshape(self.values, -1))
            return moved.constant() if moved.values.is_constant else moved
        found = picked(self.values, np.asarray(numbers))
        if np.ndim(numbers) == 0:
            return found.element()
        return as_matrix(found) if isinstance(numbers, np.matrix) else found

    def __getattr__(self, name: str) -> Any:
        if name in STRUCTURE:
            return getattr(self.numbers, name)
        if name == "A" or name == "T":
            return self._moved(getattr(self._unique().numbers, name))
        if name in MOVEMENTS:
            unique = self._unique()
            return lambda *args, **kwargs: unique._moved(getattr(unique.numbers, name)(*args, **kwargs))
        if name in ELEMENTWISE:
            unique = self._unique()
            return lambda: unique._with_values(getattr(np, name)(unique.values))
        if name in IN_PLACE_ON_ORDER:
            return self._reordered
        if name.startswith("__") or not hasattr(self.numbers, name):
            raise AttributeError(f"{type(self.numbers).__name__!r} object has no attribute {name!r}")
        raise unsupported(f"{type(self.numbers).__name__}.{name} of a matrix that holds traced values", HINT)

    def _reordered(self) -> None:
        self._turn_into(self._unique())

    def _with_values(self, values: Any) -> TracedSparse:
        return TracedSparse(self.numbers, np.reshape(values, -1))

    def copy(self) -> TracedSparse:
        """Same as ``csr_array.copy``."""
        return self._with_values(np.copy(self.values))

    def astype(self, dtype: Any, **kwargs: Any) -> TracedSparse:
        """Same as ``csr_array.astype``, to float."""
        if np.dtype(dtype).kind != "f":
            raise unsupported(f"astype({np.dtype(dtype)}) of a traced sparse matrix", "Traced matrices are float64.")
        return self.copy()

    def constant(self) -> Any:
        """Return the scipy matrix that a matrix without a traced value is."""
        matrix = copy.copy(self.numbers)
        matrix.data = self.values.plain.copy()
        return matrix

    # -- entries --------------------------------------------------------------------------------------------
    def __getitem__(self, key: Any) -> Any:
        unique = self._unique()
        return unique._moved(unique.numbers[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        unique = self._unique()
        value = stack_objects(value)
        entries = value if isinstance(value, TracedSparse) or scipy.sparse.issparse(value) else None
        if entries is not None:
            value = of_any(entries).toarray()
        start = unique.values.size
        numbers = unique.numbers.tolil()
        numbers[key] = np.arange(start + 1, start + 1 + np.size(value)).reshape(np.shape(value))
        joined = np.concatenate([np.reshape(unique.values, -1), np.reshape(traced(value), -1)])
        self._turn_into(TracedSparse(numbers.asformat(self.numbers.format), joined))

    def setdiag(self, values: Any, k: int = 0) -> None:
        """Same as ``csr_array.setdiag``."""
        m, n = self.numbers.shape
        length = max(min(m + min(k, 0), n - max(k, 0)), 0)
        values = np.broadcast_to(traced(values), (length,)) if np.size(values) == 1 else traced(values)[:length]
        rows = np.arange(np.size(values)) + max(-k, 0)
        entries = self.entries
        off = entries.picked(np.flatnonzero(~((entries.columns - entries.rows == k) & np.isin(entries.rows, rows))))
        new = Triplets(rows, rows + k, values, entries.shape)
        self._turn_into(TracedSparse.of_triplets(triplets.added(off, new), self.numbers, self.numbers.format))

    def _turn_into(self, made: TracedSparse) -> None:
        """Be the same as another matrix from now on."""
        self.numbers, self.values = made.numbers, made.values

    # -- sums -----------------------------------------------------------------------------------------------
    def sum(self, axis: int | None = None) -> Any:
        """Same as ``csr_array.sum``."""
        if axis is None:
            return self.entries.sum(None)
        axis = operator.index(axis) % 2
        sums = self.entries.sum(axis)
        return as_matrix(np.expand_dims(sums, axis)) if scipy.sparse.isspmatrix(self.numbers) else sums

    def mean(self, axis: int | None = None) -> Any:
        """Same as ``csr_array.mean``."""
        m, n = self.numbers.shape
        count = m * n if axis is None else (m, n)[operator.index(axis) % 2]
        return self.sum(axis) * (1.0 / count)

    def trace(self, offset: int = 0) -> Any:
        """Same as ``csr_array.trace``."""
        return np.sum(self.diagonal(offset))

    # -- arithmetic -----------------------------------------------------------------------------------------
    def _combined(self, combine: Callable[[Triplets, Triplets], Triplets], other: Any, fmt: str) -> TracedSparse:
        return TracedSparse.of_triplets(combine(self.entries, entries_of(other)), self.numbers, fmt)

    def _result_format(self) -> str:
        return self.numbers.format if self.numbers.format in ("csr", "csc") else "csr"

    def _added(self, other: Any, sign: float) -> Any:
        other = stack_objects(other)
        if is_sparse(other):
            return self._combined(lambda a, b: triplets.added(a, b, sign), other, self._result_format())
        if np.ndim(other) == 0:
            if isinstance(other, (TracedArray, TracedScalar)) or other != 0:
                raise NotImplementedError("adding a nonzero scalar to a sparse matrix is not supported")
            return self.copy()
        return self.toarray() + sign * other

    def __add__(self, other: Any) -> Any:
        return self._added(other, 1.0)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._added(other, -1.0)

    def __rsub__(self, other: Any) -> Any:
        return (-self)._added(other, 1.0)

    def __neg__(self) -> TracedSparse:
        return self._with_values(-self.values)

    def __abs__(self) -> TracedSparse:
        return self._unique()._with_values(np.abs(self._unique().values))

    def multiply(self, other: Any) -> Any:
        """Same as ``csr_array.multiply``: entry by entry, dense operands broadcast."""
        other = stack_objects(other)
        if is_sparse(other):
            return self._combined(triplets.multiplied, other, self._result_format())
        if np.ndim(other) == 0:
            return self._with_values(self.values * other)
        entries = self.entries.summed()
        spread = np.broadcast_to(other, entries.shape)[entries.rows, entries.columns]
        scaled = entries.with_values(entries.values * spread)
        return TracedSparse.of_triplets(scaled, self.numbers, self._result_format())

    def __mul__(self, other: Any) -> Any:
        other = stack_objects(other)
        if scipy.sparse.isspmatrix(self.numbers) and np.ndim(other):
            return self @ other
        return self.multiply(other)

    def __rmul__(self, other: Any) -> Any:
        other = stack_objects(other)
        if np.ndim(other) and scipy.sparse.isspmatrix(self.numbers):
            return self.__rmatmul__(other)
        return self.multiply(other)

    def __truediv__(self, other: Any) -> Any:
        other = stack_objects(other)
        if is_sparse(other):
            raise unsupported("the quotient of two sparse matrices", "It is dense: use .toarray().")
        return self.multiply(1.0 / other)

    def __matmul__(self, other: Any) -> Any:
        other = stack_objects(other)
        if is_sparse(other):
            return self._combined(triplets.product, other, self._result_format())
        return triplets.by_array(self.entries, other)

    def __rmatmul__(self, other: Any) -> Any:
        other = stack_objects(other)
        if is_sparse(other):
            return of_any(other) @ self
        return np.transpose(triplets.by_array(self.entries.transposed, np.transpose(other)))

    def dot(self, other: Any) -> Any:
        """Same as ``csr_array.dot``."""
        return self.multiply(other) if np.ndim(stack_objects(other)) == 0 else self @ other

    def power(self, n: Any, dtype: Any = None) -> TracedSparse:
        """Same as ``csr_array.power``: entry by entry."""
        if isinstance(n, (TracedArray, TracedScalar)) or n <= 0:
            raise NotImplementedError("power of a sparse matrix needs a positive number: zeros would not stay zeros")
        unique = self._unique()
        return unique._with_values(unique.values**n)

    def __pow__(self, n: Any) -> Any:
        if not scipy.sparse.isspmatrix(self.numbers):
            return self.power(n)
        power = TracedSparse.of_constant(scipy.sparse.eye_array(self.numbers.shape[0]).tocsr())
        result: Any = self if n else power
        for _ in range(n - 1):
            result = result @ self
        return result

    # -- NumPy protocols ------------------------------------------------------------------------------------
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Let ``x @ A`` and ``s * A`` of arrays come to the operators above."""
        if method == "__call__" and not kwargs and ufunc in OPERATORS and len(inputs) == 2:
            first, second = inputs
            name = OPERATORS[ufunc]
            return getattr(self, f"__{name}__")(second) if first is self else getattr(self, f"__r{name}__")(first)
        if method == "__call__" and not kwargs and len(inputs) == 1 and ufunc.__name__ in ELEMENTWISE:
            return getattr(self, ufunc.__name__)()
        raise unsupported(f"np.{ufunc.__name__} of a traced sparse matrix", HINT)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise unsupported("turning a traced sparse matrix into a plain array", "Use .toarray().")

    def __bool__(self) -> bool:
        raise ValueError("The truth value of an array with more than one element is ambiguous. Use a.any() or a.all().")

    def __len__(self) -> int:
        raise TypeError("sparse array length is ambiguous; use getnnz() or array.shape[0]")

    __hash__ = None  # type: ignore[assignment]


class ByElement(TracedSparse):
    """A matrix of zeros, to be filled element by element: what ``lil_array(shape)`` and ``dok_array(shape)`` give.

    Elements wait in a dict until the matrix is used.
    """

    __slots__ = ("_numbers", "_values", "_waiting")

    def __init__(self, original: Any, shape: tuple[int, int]) -> None:
        self._numbers: Any = original(shape, dtype=np.int64)
        self._values: Any = TracedArray.of_values(np.zeros(0))
        self._waiting: dict[tuple[int, int], Any] = {}

    @property
    def numbers(self) -> Any:
        """Which value each stored entry is."""
        return self._stored()._numbers

    @property
    def values(self) -> Any:  # type: ignore[override]
        """The values."""
        return self._stored()._values

    def _stored(self) -> ByElement:
        if self._waiting:
            waiting, self._waiting = self._waiting, {}
            rows, columns = (np.array(places, dtype=np.int64) for places in zip(*waiting, strict=True))
            new = Triplets(rows, columns, traced(stack_objects(list(waiting.values()))), self._numbers.shape)
            self._become(self._without(new.keys), new)
        return self

    def _without(self, keys: Any) -> Triplets:
        entries = TracedSparse(self._numbers, self._values).entries if self._numbers.nnz else None
        if entries is None:
            return Triplets(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), self._numbers.shape)
        return entries.picked(np.flatnonzero(~np.isin(entries.keys, keys)))

    def _become(self, old: Triplets, new: Triplets) -> None:
        self._turn_into(TracedSparse.of_triplets(triplets.added(old, new), self._numbers))

    def __setitem__(self, key: Any, value: Any) -> None:
        place = self._place(key)
        if place is not None and np.ndim(value) == 0:
            self._waiting[place] = value
            return
        made = TracedSparse(self.numbers, self.values)
        made[key] = value
        self._turn_into(made)

    def _turn_into(self, made: TracedSparse) -> None:
        self._numbers, self._values = made.numbers.asformat(self._numbers.format), made.values

    def __getitem__(self, key: Any) -> Any:
        place = self._place(key)
        return self._waiting[place] if place in self._waiting else super().__getitem__(key)

    def _place(self, key: Any) -> Any:
        if isinstance(key, tuple) and len(key) == 2 and all(isinstance(k, (int, np.integer)) for k in key):
            return tuple(int(k) % n for k, n in zip(key, self._numbers.shape, strict=True))
        return None


class TracedMatrix(TracedArray):
    """What the matrix classes of SciPy return for sums and dense forms: a ``np.matrix``, of two axes for ever."""

    __slots__ = ()

    @property
    def A(self) -> TracedArray:
        """The same as an array."""
        return TracedArray(self.storage, self.positions)

    @property
    def A1(self) -> TracedArray:
        """The elements as an array of one axis."""
        return self.A.reshape(-1)

    def ravel(self, order: Any = "C") -> TracedMatrix:
        """Same as ``np.matrix.ravel``: of shape (1, n)."""
        return as_matrix(self.A.ravel(order)[None, :])

    def flatten(self, order: Any = "C") -> TracedMatrix:
        """Same as ``np.matrix.flatten``: of shape (1, n)."""
        return as_matrix(self.A.flatten(order)[None, :])

    def __mul__(self, other: Any) -> Any:
        return as_matrix(self.A * other) if np.ndim(other) == 0 else self.A @ np.atleast_2d(other)

    def __rmul__(self, other: Any) -> Any:
        return as_matrix(other * self.A) if np.ndim(other) == 0 else np.atleast_2d(other) @ self.A

    def __pow__(self, n: Any) -> Any:
        raise unsupported("a power of a np.matrix", "Take np.asarray of it first.")


def as_matrix(array: Any) -> TracedMatrix:
    """Return a traced array of two axes as what stands for a ``np.matrix``."""
    array = traced(array)
    return TracedMatrix(array.storage, array.positions)


OPERATORS = {np.add: "add", np.subtract: "sub", np.multiply: "mul", np.matmul: "matmul", np.true_divide: "truediv"}


def picked(values: Any, numbers: np.ndarray) -> TracedArray:
    """Return the values that numbers stand for, in the shape of the numbers; zero for number 0."""
    flat = np.reshape(values, -1)
    numbers = np.asarray(numbers).astype(np.int64)
    if numbers.size and numbers.all():
        return traced(flat)[numbers.reshape(-1) - 1].reshape(numbers.shape)
    return np.concatenate([np.zeros(1), traced(flat)])[numbers.reshape(-1)].reshape(numbers.shape)


def is_sparse(value: Any) -> bool:
    """Tell whether a value is a sparse matrix, of constants or traced."""
    return issubclass(type(value), TracedSparse) or scipy.sparse.issparse(value)


def entries_of(value: Any) -> Triplets:
    """Return the entries of a sparse matrix, of constants or traced."""
    return value.entries if issubclass(type(value), TracedSparse) else Triplets.of_constant(value)


def of_any(value: Any) -> TracedSparse:
    """Return a sparse matrix, of constants or traced, as a traced one."""
    return value if issubclass(type(value), TracedSparse) else TracedSparse.of_constant(value)
