"""How arrays lie in memory: positions with the strides and the order of the NumPy array that they stand for.

The positions of an array are a view of 0, 1, 2, ..., one number for each element of its memory. Their strides, and
whether they may be written to, are those of the array itself, so NumPy can be asked on the positions what it would do
to the array: make a view or a copy, in which order, and whether it can be written to.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from sparsead.program.index import IndexArray, Shape, numbers


def memory(shape: Shape) -> IndexArray:
    """Return the positions of a new array in C order."""
    if 0 in shape:
        return placed(0, shape, 0, steps(np.empty(shape)))  # which strides these are, NumPy knows
    return numbers(math.prod(shape)).reshape(shape)


def placed(size: int, shape: Shape, first: int, steps: Iterable[int]) -> IndexArray:
    """Return the positions of a view of `size` elements: where it begins, and the step along each axis, in elements."""
    base = numbers(size)
    strides = tuple(step * base.itemsize for step in steps)
    return np.ndarray(shape, base.dtype, base, 0 if 0 in shape else first * base.itemsize, strides)


def steps(array: np.ndarray, itemsize: int | None = None) -> tuple[int, ...]:
    """Return the strides of an array in elements."""
    itemsize = itemsize or array.itemsize
    return tuple(stride // itemsize for stride in array.strides)


def like(array: np.ndarray, shape: Shape | None = None, order: Any = "K") -> IndexArray:
    """Return the positions of a new array in the order that ``np.empty_like`` gives it."""
    if array.flags.c_contiguous and order in ("K", "C") and shape is None:
        return memory(array.shape)
    new = np.empty_like(array, shape=shape, order=order)
    return placed(new.size, new.shape, 0, steps(new))


def elementwise(shape: Shape, operands: Iterable[Any]) -> IndexArray:
    """Return the positions of what NumPy allocates for an elementwise operation: in the order of its operands."""
    arrays = [array for array in operands if array.ndim]
    if len(shape) < 2 or all(array.flags.c_contiguous for array in arrays):
        return memory(shape)
    flags: Any = [["readonly"]] * len(arrays) + [["writeonly", "allocate"]]
    allocated = np.nditer([*arrays, None], flags=["zerosize_ok"], op_flags=flags).operands[-1]
    return placed(allocated.size, allocated.shape, 0, steps(allocated))


def axes(positions: IndexArray) -> tuple[int, ...] | None:
    """Return the axes of a new array from the slowest to the fastest; None if that is C order."""
    if positions.flags.c_contiguous:
        return None
    return tuple(sorted(range(positions.ndim), key=lambda k: -abs(positions.strides[k])))


def viewed(values: np.ndarray, positions: IndexArray) -> np.ndarray:
    """Return the array that the elements of `values` (1-D) at `positions` are: a view."""
    if 0 < positions.size == values.size and positions.flags.c_contiguous:
        view = values.reshape(positions.shape)
    else:
        first = int(positions[(0,) * positions.ndim]) if positions.size else 0
        strides = tuple(step * values.itemsize for step in steps(positions))
        view = np.ndarray(positions.shape, values.dtype, values, first * values.itemsize, strides)
    view.flags.writeable = positions.flags.writeable
    return view


def positions_of(view: np.ndarray, values: np.ndarray, part: int = 0) -> IndexArray:
    """Return the positions of a view of `values` (1-D), the inverse of `viewed`.

    Of complex numbers in memory of floats, `part` tells which of the two is meant.
    """
    address = view.__array_interface__["data"][0] - values.__array_interface__["data"][0] if view.size else 0
    positions = placed(values.size, view.shape, address // values.itemsize + part, steps(view, values.itemsize))
    positions.flags.writeable = view.flags.writeable
    return positions


def part(positions: IndexArray, size: int, k: int) -> IndexArray:
    """Return the positions of the real parts (0) or the imaginary ones (1) of complex numbers in memory of floats."""
    first = 2 * int(positions[(0,) * positions.ndim]) + k if positions.size else 0
    found = placed(size, positions.shape, first, (2 * step for step in steps(positions)))
    found.flags.writeable = positions.flags.writeable
    return found


def part_of(positions: IndexArray) -> tuple[int, IndexArray] | None:
    """Tell which of the two parts of complex numbers some positions are, and of which numbers; None if of both."""
    if positions.size == 0:
        return 0, positions
    first = int(positions[(0,) * positions.ndim])
    if isinstance(positions.base, np.ndarray) and positions.base is numbers(positions.base.size):
        distances = [step for step, n in zip(steps(positions), positions.shape, strict=True) if n > 1]
        if any(step % 2 for step in distances):
            return None
        return first % 2, placed(
            positions.base.size // 2, positions.shape, first // 2, (s // 2 for s in steps(positions))
        )
    return (first % 2, positions // 2) if ((positions - first) % 2 == 0).all() else None


def repeats(positions: IndexArray) -> bool:
    """Tell whether some elements of an array share memory."""
    return not positions.flags.c_contiguous and np.unique(positions).size < positions.size


def is_dense(array: np.ndarray) -> bool:
    """Tell whether an array fills memory of its own without gaps."""
    return array.flags.owndata and (array.flags.c_contiguous or np.empty_like(array).strides == array.strides)
