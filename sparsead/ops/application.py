"""Functions of NumPy that call a function of the user for each line or element: it runs that often, once."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.registry import composite, record
from sparsead.program.index import normalize_axes
from sparsead.tracing.array import traced_in
from sparsead.tracing.conversions import stack_objects
from sparsead.tracing.known import on_values
from sparsead.tracing.replacing.methods import replace_method
from sparsead.tracing.replacing.names import patch


@composite(
    np.apply_along_axis,
    lambda x: np.apply_along_axis(lambda line: np.cumsum(line) * line[0], 1, x),
    lambda x: np.apply_along_axis(np.sum, 0, x * x),
    lambda x: np.apply_along_axis(lambda line: line[:2] * line[2], 0, x),
)
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """``np.apply_along_axis``: the function runs once a line."""
    lines = np.moveaxis(arr, axis, -1)
    around, axis = np.shape(lines)[:-1], axis % np.ndim(arr)
    results = [func1d(line, *args, **kwargs) for line in np.reshape(lines, (-1, np.shape(lines)[-1]))]
    stacked = np.stack([stack_objects(r) for r in results])
    inner = np.shape(stacked)[1:]
    shaped = np.reshape(stacked, around + inner)
    return np.moveaxis(shaped, range(len(around), len(around) + len(inner)), range(axis, axis + len(inner)))


@composite(
    np.apply_over_axes, lambda x: np.apply_over_axes(np.sum, x, (0, 1)), lambda x: np.apply_over_axes(np.max, x, -1)
)
def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    """``np.apply_over_axes``: the function runs once for each axis, which stays, with length 1."""
    for axis in normalize_axes(axes, np.ndim(a)):
        result = func(a, axis)
        a = result if np.ndim(result) == np.ndim(a) else np.expand_dims(result, axis)
    return a


def taken(iter: Any, dtype: Any, count: int = -1, *, like: Any = None) -> Any:
    """``np.fromiter``: the elements are taken first, to see whether unknowns are among them."""
    elements = list(iter if count < 0 else itertools.islice(iter, count))
    if not any(True for _ in traced_in(elements)):
        return on_values(np.fromiter, (elements, dtype, count), {})
    if np.dtype(dtype).kind != "f":
        raise unsupported(f"np.fromiter of unknowns with dtype={dtype}", "Let dtype be float.")
    if len(elements) < count:
        raise ValueError(f"iterator too short: Expected {count} but iterator had only {len(elements)} items.")
    return stack_objects(elements)


patch(np.fromiter, taken)
record("composite", "np.fromiter", [lambda x: np.fromiter((x[0, k] * x[1, k] for k in range(3)), float)])


def vectorized(original: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
    """``np.vectorize(f)(...)``: `f` of every element, or with a signature every core, of the broadcast arguments."""
    if kwargs or function.excluded:
        raise unsupported("np.vectorize with keywords or excluded=", "Bind them by functools.partial, or a lambda.")
    arrays = [stack_objects(a) for a in args]
    cores = [0] * len(arrays)
    if function.signature is not None:
        cores = [len(names) for names in function._in_and_out_core_dims[0]]
    kept = [np.shape(a)[np.ndim(a) - core :] for a, core in zip(arrays, cores, strict=True)]
    shape = np.broadcast_shapes(*(np.shape(a)[: np.ndim(a) - core] for a, core in zip(arrays, cores, strict=True)))
    arrays = [np.broadcast_to(a, shape + core) for a, core in zip(arrays, kept, strict=True)]
    values = [function.pyfunc(*(a[place] for a in arrays)) for place in np.ndindex(shape)]
    if not values:
        return np.zeros(shape)
    if not isinstance(values[0], tuple):
        return _around(values, shape)
    return tuple(_around(each, shape) for each in zip(*values, strict=True))


def _around(values: Any, shape: tuple[int, ...]) -> Any:
    """Return values of one kind as an array, in axes behind those of the shape."""
    stacked = np.stack([stack_objects(v) for v in values])
    return np.reshape(stacked, shape + np.shape(stacked)[1:])


replace_method("numpy", "vectorize", "__call__", vectorized)
record(
    "composite",
    "np.vectorize",
    [
        lambda x: np.vectorize(lambda a, b: a * b + a)(x, x[0]),
        lambda x: np.vectorize(lambda a: np.sin(a))(x[:, 0]),
        lambda x: np.vectorize(lambda a, b: a * b[0], signature="(n),(m)->(n)")(x, x[0]),
        lambda x: np.vectorize(lambda a: (a * a, np.sin(a)))(x)[1],
    ],
)
