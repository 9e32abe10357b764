"""Numbers in place of values, and the way back: what SciPy moves, and what it makes views of."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import scipy.sparse

from sparsead.errors import unsupported
from sparsead.tracing import layout
from sparsead.tracing.array import TracedArray
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.positioned import Traced
from sparsead.tracing.sequences import rebuilt


class Numbered(Traced):
    """A sparse matrix of numbers, and the values that they stand for.

    Parameters
    ----------
    numbers : scipy sparse array or matrix
        Which value each stored entry is: 0 for none.
    values : TracedArray
        The values.
    stored : TracedArray, optional
        The values as they are stored, where that is in memory of another matrix or of an array.
    """

    __slots__ = ("numbers", "values")

    def __init__(self, numbers: Any, values: Any, stored: TracedArray | None = None) -> None:
        numbers = with_data(numbers)
        given = np.asarray(numbers.data)
        self.values = picked(values, given) if stored is None else stored
        self.numbers = copy.copy(numbers)
        self.numbers.data = np.where(given > 0, count(given.shape), 0) if stored is None else count(given.shape)


def with_data(matrix: Any) -> Any:
    """Return a scipy matrix in a format that stores its values in one array."""
    return matrix.tocsr() if matrix.format in ("lil", "dok") else matrix


def picked(values: Any, numbers: np.ndarray) -> TracedArray:
    """Return the values that numbers stand for, in the shape and memory order of the numbers; zero for number 0."""
    flat = np.reshape(values, -1)
    numbers = np.asarray(numbers).astype(np.int64)
    if numbers.size and numbers.all():
        values = traced(flat)[numbers.reshape(-1) - 1].reshape(numbers.shape)
    else:
        values = np.concatenate([np.zeros(1), traced(flat)])[numbers.reshape(-1)].reshape(numbers.shape)
    return values if numbers.flags.c_contiguous else values.in_order(numbers)


def count(shape: Any) -> np.ndarray:
    """Return the numbers 1, 2, 3, ... in an array of a shape."""
    return np.arange(1, int(np.prod(shape)) + 1, dtype=np.int64).reshape(shape)


def view_of(values: TracedArray, own: np.ndarray, moved: np.ndarray) -> TracedArray | None:
    """Return the view of `values` that SciPy made of their numbers: `moved`, of `own`; None if it made a copy.

    What is written into one of them is then seen in the other, as in SciPy.
    """
    if not np.may_share_memory(own, moved):
        return None
    if moved.shape == own.shape and moved.strides == own.strides:
        return values
    positions = values.positions
    if positions.ndim > 1 and not positions.flags.c_contiguous:
        raise unsupported(
            "a sparse matrix that shares a part of the memory of another one, whose data is a view itself",
            "Make a copy first: A.copy().",
        )
    flat = positions.reshape(-1)
    first = (moved.__array_interface__["data"][0] - own.__array_interface__["data"][0]) // own.itemsize
    strides = [step * flat.strides[0] for step in layout.steps(moved)]
    return values.moved(np.lib.stride_tricks.as_strided(flat[first:], moved.shape, strides))


def is_sparse(value: Any) -> bool:
    """Tell whether a value is a sparse matrix, of constants or traced."""
    return issubclass(type(value), Numbered) or scipy.sparse.issparse(value)


def numbered(matrix: Any) -> tuple[Any, TracedArray]:
    """Return a matrix, of constants or traced, as one of numbers from 1 on in memory of its own, and its values."""
    if issubclass(type(matrix), Numbered):
        matrix = matrix.unique()
        return matrix.numbers.copy(), matrix.values
    if matrix.dtype.kind == "c":
        raise unsupported("a complex sparse matrix with traced values", "Keep real and imaginary parts apart.")
    matrix = with_data(matrix)
    numbers = matrix.copy()
    if hasattr(matrix, "sum_duplicates"):
        numbers.sum_duplicates()
    values = TracedArray.of_values(np.array(numbers.data, dtype=np.float64))
    numbers.data = count(numbers.data.shape)
    return numbers, values


class Numbering:
    """Values that were given numbers, one after the other."""

    def __init__(self) -> None:
        self.pieces: list[Any] = []
        self.count = 0
        self.arrays: list[tuple[np.ndarray, TracedArray]] = []  # numbers, and the array that they stand for

    def number(self, value: Any) -> Any:
        """Return an array, a sparse matrix, a number, or lists of them, with numbers in place of the values."""
        if value is None:
            return None
        if is_sparse(value):
            numbers, values = numbered(value)
            numbers.data[numbers.data > 0] += self.count
            self._add(numbers.data, values)
            return numbers
        if isinstance(value, (list, tuple)) and any(
            is_sparse(v) or v is None or np.ndim(stack_objects(v)) for v in value
        ):
            return rebuilt(value, map(self.number, value))
        array = traced(stack_objects(value))
        if array.dtype.kind == "b":
            raise unsupported("a sparse matrix of conditions", "Make them numbers: np.where(condition, 1.0, 0.0).")
        numbers = count(array.shape) + self.count
        self._add(numbers, array)
        return numbers

    def _add(self, numbers: np.ndarray, array: TracedArray) -> None:
        self.arrays.append((numbers, array))
        self.pieces.append(np.reshape(array, -1))
        self.count += array.size

    @property
    def values(self) -> Any:
        """All values in the order of their numbers."""
        return np.concatenate(self.pieces)

    def shared(self, numbers: Any) -> TracedArray | None:
        """Return the values of a matrix of numbers if SciPy let it share the memory of one that was numbered."""
        for own, array in self.arrays:
            view = view_of(array, own, with_data(numbers).data)
            if view is not None:
                return view
        return None
