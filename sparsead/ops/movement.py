"""Functions that move the elements of one array: slices of NumPy itself, no derivative to state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.ops.registry import Sample, composite, movement
from sparsead.tracing.conversions import stack_objects
from sparsead.tracing.late import AS_NUMPY
from sparsead.tracing.positioned import Positioned


def _is_separate(func: Callable[[Any], Any], x: Any) -> Any:
    """Write into what a function returned: its argument stays as it was."""
    before = x * 2.0
    copied = func(before)
    copied[0] = 1.0
    return before + 3.0 * copied


movement(np.roll, lambda x: np.roll(x, 1), lambda x: np.roll(x, (1, -2), axis=(0, 1)))
movement(np.reshape, lambda x: np.reshape(x, (2, -1)), lambda x: np.reshape(x, (4, 3), order="F"))
movement(np.ravel, np.ravel, lambda x: np.ravel(x.T))
movement(np.transpose, np.transpose)
movement(np.moveaxis, lambda x: np.moveaxis(x, 0, 1))
movement(np.swapaxes, lambda x: np.swapaxes(x, 0, 1))
movement(np.rollaxis, lambda x: np.rollaxis(x, 1))
movement(np.flip, np.flip, lambda x: np.flip(x, axis=1))
movement(np.fliplr, np.fliplr)
movement(np.flipud, np.flipud)
movement(np.rot90, np.rot90)
movement(np.squeeze, lambda x: np.squeeze(x[:1]))
movement(np.expand_dims, lambda x: np.expand_dims(x, 1))
movement(np.broadcast_to, lambda x: np.broadcast_to(x, (2, 3, 4)))
movement(np.tile, lambda x: np.tile(x, (2, 1)), size=lambda a, reps: np.size(a) * np.prod(reps, dtype=float))
movement(
    np.repeat,
    lambda x: np.repeat(x, 2, axis=1),
    lambda x: np.repeat(x, [1, 0, 2], axis=0),
    size=lambda a, repeats: np.size(a) * np.mean(repeats, dtype=float),
)
movement(np.take, lambda x: np.take(x, [0, -1, 2], axis=1), lambda x: np.take(x, [5, 5]))
movement(np.take_along_axis, lambda x: np.take_along_axis(x, np.array([[0, 2]] * 3), axis=1))
movement(np.compress, lambda x: np.compress([True, False, True], x, axis=0), argument=1)
movement(np.extract, lambda x: np.extract(np.eye(3, 4) > 0, x), argument=1)
movement(np.diagonal, np.diagonal, lambda x: np.diagonal(x, 1))
movement(np.delete, lambda x: np.delete(x, 1, axis=0))
movement(np.split, lambda x: np.split(x, 2, axis=1)[1])
movement(np.array_split, lambda x: np.array_split(x, 3, axis=1)[0])
movement(np.hsplit, lambda x: np.hsplit(x, 2)[0])
movement(np.vsplit, lambda x: np.vsplit(x, 3)[2])
movement(np.dsplit, lambda x: np.dsplit(x.reshape(2, 3, 2), 2)[1])
movement(np.copy, lambda x: np.copy(x), lambda x: _is_separate(np.copy, x))

if hasattr(np, "astype"):  # NumPy 2.1

    @composite(np.astype, lambda x: np.astype(x, x.dtype).__imul__(2.0) + x, family="movement")
    def astype(x: Any, dtype: Any, /, *, copy: bool = True) -> Any:
        """``np.astype``."""
        return x.astype(dtype, copy=copy)

    AS_NUMPY.add(np.astype)


def of_each(func: Callable[..., Any], *samples: Sample) -> None:
    """State that `func` moves the elements of each of its arguments, apart from the others."""

    def rule(*arys: Any) -> Any:
        held = [stack_objects(a) for a in arys]
        moved = tuple(a.moved(func(a.positions)) if isinstance(a, Positioned) else func(a) for a in held)
        return moved[0] if len(moved) == 1 else moved

    composite(func, *samples, family="movement")(rule)


of_each(np.atleast_1d, lambda x: np.atleast_1d(x[0, 0]), lambda x: np.atleast_1d(x[0], np.array([2, 0]))[1] * x[0, 0])
of_each(np.atleast_2d, lambda x: np.atleast_2d(x[0]))
of_each(np.atleast_3d, np.atleast_3d)


@composite(np.positive, np.positive, lambda x: _is_separate(np.positive, x), family="movement")
def positive(x: Any) -> Any:
    """``np.positive``: a copy, of numbers."""
    if x.dtype == np.bool_:
        np.positive(np.zeros(0, np.bool_))  # raises NumPy's error
    return x.moved(np.positive(x.positions))
