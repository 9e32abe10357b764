"""Writing to single elements, and to places that count in C order: ``array.flat``, ``np.put``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.tracing import layout


class FlatIterator:
    """What ``array.flat`` is: the elements in C order, to read, write and iterate over."""

    __slots__ = ("base", "index")

    def __init__(self, base: Any) -> None:
        self.base = base
        self.index = 0

    @property
    def coords(self) -> tuple[Any, ...]:
        """The place of the next element."""
        if not self.base.ndim:
            return ()
        others = self.base.shape[1:]
        row, left = divmod(self.index, max(math.prod(others), 1))
        return (row, *map(int, np.unravel_index(left, others)))  # one row too far at the end, as in NumPy

    def __len__(self) -> int:
        return int(self.base.size)

    def __iter__(self) -> FlatIterator:
        return self

    def __next__(self) -> Any:
        if self.index >= len(self):
            raise StopIteration
        self.index += 1
        return self.base[np.unravel_index(self.index - 1, self.base.shape)]

    def __getitem__(self, key: Any) -> Any:
        return self.base.flatten()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        if not self.base.flags.writeable:
            raise ValueError("array is read-only")
        if not (len(self) and np.size(value)):
            np.zeros(len(self)).flat[key] = np.zeros(np.shape(value))  # raises what NumPy raises
            return
        if np.ndim(np.arange(len(self))[key]) == 0 and np.ndim(value):
            check_element(self.base.dtype, value)
            raise ValueError("Error setting single item of array.")
        if np.size(value) > 1 and np.shares_memory(self.base, value):
            raise unsupported(
                "writing into ndarray.flat from the same memory",
                "NumPy reads what it has just written there: copy first.",
            )
        put_flat(self.base, np.ravel(np.arange(len(self))[key]), value)

    def copy(self) -> Any:
        """Return the elements as a new array."""
        return self.base.flatten()


def is_written(array: Any, key: Any, value: Any) -> bool:
    """Tell whether an assignment writes anything; raise what NumPy raises for one to an element, or of no elements."""
    target = array.positions[key]
    if type(target) is not np.ndarray:
        check_element(array.dtype, value)
    elif target.size == 0 == np.size(value):  # NumPy fits some of these shapes
        np.empty(array.positions.shape, np.bool_)[key] = np.empty(np.shape(value), np.bool_)
        return False
    return True


def check_element(dtype: np.dtype[Any], value: Any) -> None:
    """Raise what NumPy raises where a value is written to one element; refuse a sequence whose truth it may take."""
    if np.ndim(value) and dtype == np.bool_:
        raise unsupported("writing a sequence to one truth value", "Write True or False.")
    np.ones(1, dtype)[0] = np.ones(np.shape(value), dtype)


def put_flat(array: Any, places: np.ndarray, values: Any) -> None:
    """Write values, repeated as needed, to places that count in C order whatever the memory is like."""
    if places.size and np.size(values):
        if layout.repeats(array.positions):
            raise unsupported("writing to places of an array whose elements share memory", "Write into a copy.")
        values = np.resize(values, places.size)
        if array.ndim:
            array[np.unravel_index(places, array.shape)] = values
        else:
            array[()] = values[-1]
