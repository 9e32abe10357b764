"""The traced sparse matrix: what the user's function sees in place of a scipy matrix whose values are traced.

It is a scipy matrix of numbers and an array of values: number k stands for ``values[k - 1]``. SciPy itself then
decides which entries a slice, a conversion or a diagonal takes: it is done to the numbers, and we look where they went.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from sparsead.errors import unsupported
from sparsead.ops.sparse import triplets
from sparsead.ops.sparse.dense import as_matrix
from sparsead.ops.sparse.numbering import Numbered, count, is_sparse, picked
from sparsead.ops.sparse.stored import ELEMENTWISE, HINT, Stored
from sparsead.ops.sparse.triplets import Triplets
from sparsead.tracing.array import TracedArray
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.scalar import TracedScalar

OPERATORS = {np.add: "add", np.subtract: "sub", np.multiply: "mul", np.matmul: "matmul", np.true_divide: "truediv"}


@functools.cache
def class_of(operation: Callable[..., Any], *operands: tuple[Any, int]) -> tuple[Any, int]:
    """Return class and number of axes of what SciPy makes of matrices (class, axes) or arrays (ndarray, axes)."""
    ones = [np.ones((1,) * axes) if kind is np.ndarray else kind(np.ones((1,) * axes)) for kind, axes in operands]
    with np.errstate(all="ignore"):
        result = operation(*ones)
    return type(result), np.ndim(result) if isinstance(result, np.ndarray) else getattr(result, "ndim", 0)


def _kind(value: Any) -> tuple[Any, int]:
    if issubclass(type(value), Numbered):
        return value.__class__, value.numbers.ndim
    axes: int = value.ndim if hasattr(value, "ndim") else np.ndim(value)
    return (type(value) if scipy.sparse.issparse(value) else np.ndarray), axes


class TracedSparse(Stored):
    """A sparse matrix of traced values, of the format and class that SciPy would have made."""

    __slots__ = ()
    __array_priority__ = 2000.0
    is_constant = False

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self.numbers)

    @property
    def dtype(self) -> np.dtype[Any]:
        """float64."""
        return np.dtype(np.float64)

    def __repr__(self) -> str:
        return f"<traced {type(self.numbers).__name__}, shape {self.numbers.shape}, {self.numbers.nnz} entries>"

    # -- sums -----------------------------------------------------------------------------------------------
    def sum(self, axis: Any = None) -> Any:
        """Same as ``csr_array.sum``."""
        ndim = self.numbers.ndim
        axis = (axis[0] if len(axis) == 1 else None) if isinstance(axis, tuple) else axis
        if axis is None or ndim == 1:
            return self.entries.sum(None)
        axis = operator.index(axis) % ndim
        sums = self.entries.sum(axis)
        return as_matrix(np.expand_dims(sums, axis)) if scipy.sparse.isspmatrix(self.numbers) else sums

    def mean(self, axis: Any = None) -> Any:
        """Same as ``csr_array.mean``."""
        shape = self.numbers.shape
        axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (operator.index(axis),)
        return self.sum(axis) * (1.0 / np.prod([shape[k] for k in axes]))

    def trace(self, offset: int = 0) -> Any:
        """Same as ``csr_array.trace``."""
        return np.sum(self.diagonal(offset))

    # -- arithmetic -----------------------------------------------------------------------------------------
    def _result(self, entries: Triplets, operation: Callable[..., Any], *operands: Any) -> Any:
        """Return the matrix of these entries, of the class that SciPy gives the result of an operation."""
        kind, axes = class_of(operation, *map(_kind, operands))
        return self.of_triplets(entries, kind, axes, _blocks(*operands)) if axes else np.sum(entries.values)

    def _added(self, other: Any, sign: float) -> Any:
        other = stack_objects(other)
        if is_sparse(other):
            if np.shape(other) != self.numbers.shape:
                raise ValueError(f"inconsistent shapes {self.numbers.shape} and {np.shape(other)}")
            entries = triplets.added(self.entries, entries_of(other), sign)
            return self._result(entries, operator.add, self, other)
        if np.ndim(other) == 0:
            if isinstance(other, (TracedArray, TracedScalar)) or other != 0:
                raise NotImplementedError("adding a nonzero scalar to a sparse matrix is not supported")
            return self.copy()
        if scipy.sparse.isspmatrix(self.numbers):
            return as_matrix(self.toarray() + sign * traced(other))
        return self.toarray() + sign * other

    def __add__(self, other: Any) -> Any:
        return self._added(other, 1.0)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._added(other, -1.0)

    def __rsub__(self, other: Any) -> Any:
        return (-self)._added(other, 1.0)

    def __neg__(self) -> Any:
        return self.with_values(-self.values)

    def __abs__(self) -> Any:
        return self.deduped().with_values(np.abs(self.values))

    def multiply(self, other: Any) -> Any:
        """Same as ``csr_array.multiply``: entry by entry, with shapes that fit each other."""
        other = stack_objects(other)
        if np.ndim(other) == 0:
            return self.with_values(self.values * other)
        shape = np.broadcast_shapes(self.numbers.shape, np.shape(other))
        if len(shape) > 2:
            raise unsupported(f"a sparse array of {len(shape)} axes", "Sparse arrays of unknowns have one or two axes.")
        if not is_sparse(other):
            return self._times_dense(other)
        entries = self.entries.summed().spread((1, *shape)[-2:])
        second = entries_of(other).summed().spread(entries.shape)
        return self._result(triplets.multiplied(entries, second), _times, self, other)

    def _times_dense(self, other: Any) -> Any:
        """Multiply by an array: SciPy says which stored entry meets which element."""
        matrix = self.unique()
        ones = matrix.numbers.copy()
        ones.data = np.sign(ones.data)
        first = matrix.numbers.multiply(np.ones(np.shape(other), dtype=np.int64))
        second = ones.multiply(count(np.shape(other)))
        values = picked(matrix.values, first.data) * picked(other, second.data)
        first.data = np.where(first.data > 0, count(first.data.shape), 0)
        return self.made(first, values)

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

    def __imul__(self, other: Any) -> Any:
        other = stack_objects(other)
        if np.ndim(other):
            return self * other
        self.values *= other
        return self

    def __itruediv__(self, other: Any) -> Any:
        other = stack_objects(other)
        if np.ndim(other):
            return self / other
        self.values /= other
        return self

    def __truediv__(self, other: Any) -> Any:
        other = stack_objects(other)
        if is_sparse(other):
            raise unsupported("the quotient of two sparse matrices", "It is dense: use .toarray().")
        return self.multiply(1.0 / other)

    def __rtruediv__(self, other: Any) -> Any:
        raise unsupported("a division by a sparse matrix", "Its zeros divide: use .toarray(), or divide .data.")

    def __matmul__(self, other: Any) -> Any:
        other = stack_objects(other)
        if is_sparse(other):
            second = entries_of(other)
            second = second.transposed if np.ndim(other) == 1 else second
            product = triplets.product(self.entries, second)
            product = product.transposed if np.ndim(other) == 1 else product
            return self._result(product, operator.matmul, self, other)
        product = triplets.by_array(self.entries, other)
        return product[0] if self.numbers.ndim == 1 else product

    def __rmatmul__(self, other: Any) -> Any:
        other = stack_objects(other)
        if is_sparse(other):
            return self.of_constant(other) @ self
        entries = self.entries if self.numbers.ndim == 1 else self.entries.transposed
        product = np.transpose(triplets.by_array(entries, np.transpose(other)))
        return product[..., 0] if self.numbers.ndim == 1 else product

    def dot(self, other: Any) -> Any:
        """Same as ``csr_array.dot``."""
        return self.multiply(other) if np.ndim(stack_objects(other)) == 0 else self @ other

    def power(self, n: Any, dtype: Any = None) -> Any:
        """Same as ``csr_array.power``: entry by entry."""
        if isinstance(n, (TracedArray, TracedScalar)) or n <= 0:
            raise NotImplementedError("power of a sparse matrix needs a positive number: zeros would not stay zeros")
        return self.deduped().with_values(self.values**n)

    def __pow__(self, n: Any) -> Any:
        if not scipy.sparse.isspmatrix(self.numbers):
            return self.power(n)
        power = self.of_constant(scipy.sparse.eye_array(self.numbers.shape[0]).tocsr())
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


def _blocks(*operands: Any) -> Any:
    """Return the size of the blocks of a result in blocks: that of the first operand."""
    sizes = [getattr(o, "blocksize", None) for o in operands if is_sparse(o)]
    return sizes[0] if sizes else None


def _times(a: Any, b: Any) -> Any:
    return a.multiply(b)


def entries_of(value: Any) -> Triplets:
    """Return the entries of a sparse matrix, of constants or traced; an array of one axis is one row."""
    return value.entries if issubclass(type(value), TracedSparse) else Triplets.of_constant(value)


def of_any(value: Any) -> TracedSparse:
    """Return a sparse matrix, of constants or traced, as a traced one."""
    return value if issubclass(type(value), TracedSparse) else TracedSparse.of_constant(value)
