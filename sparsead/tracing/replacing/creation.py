"""NumPy's creation functions while a function is being traced.

``out = np.zeros(n)`` then ``out[i] = x[i]`` is the commonest pattern of real code, and NumPy has no hook for it: so
float arrays are allocated as traced arrays of known values, which take traced values later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.tracing.array import TracedArray, complex_of_values, stack_objects
from sparsead.tracing.complex import TracedComplex
from sparsead.tracing.replacing.names import patch
from sparsead.tracing.scalar import TracedScalar


def allocating(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return `original`, which allocates, with float arrays coming back ready for traced values."""

    def create(*args: Any, like: Any = None, **kwargs: Any) -> Any:
        values = original(*args, **kwargs)
        match values.dtype.kind if type(values) is np.ndarray else None:
            case "f":
                return TracedArray.of_values(values)
            case "c":
                return complex_of_values(values)
        return values

    return create


def _full(shape: Any, fill_value: Any, *args: Any, **kwargs: Any) -> Any:
    """``np.full`` with a value that may be traced."""
    if not isinstance(fill_value, (TracedArray, TracedScalar)):
        return _full_of_values(shape, fill_value, *args, **kwargs)
    out = _zeros(shape)
    out[...] = fill_value
    return out


def _viewing(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return `original`, which converts without a copy, with traced contents coming back as a traced array."""

    def convert(value: Any, *args: Any, **kwargs: Any) -> Any:
        stacked = stack_objects(value)
        return stacked if isinstance(stacked, (TracedArray, TracedComplex)) else original(value, *args, **kwargs)

    return convert


def _copying(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return `original`, which converts or copies: a new array, ready for traced values like one of zeros."""
    allocate = allocating(original)

    def convert(value: Any, *args: Any, **kwargs: Any) -> Any:
        stacked = stack_objects(value)
        if isinstance(stacked, (TracedArray, TracedComplex)):
            return stacked.copy() if stacked is value and kwargs.get("copy", True) else stacked
        new = isinstance(value, (list, tuple)) or kwargs.get("copy", True)
        return (allocate if new else original)(value, *args, **kwargs)

    return convert


_zeros, _full_of_values = allocating(np.zeros), allocating(np.full)
_ALLOCATING: list[Callable[..., Any]] = [
    np.zeros, np.ones, np.empty, np.zeros_like, np.ones_like, np.empty_like, np.full_like, np.eye, np.identity,
]  # fmt: skip
_VIEWING: list[Callable[..., Any]] = [np.asarray, np.asanyarray, np.ascontiguousarray]
for _function in _ALLOCATING:
    patch(_function, allocating(_function))
for _function in _VIEWING:
    patch(_function, _viewing(_function))
for _function in (np.array, np.copy):
    patch(_function, _copying(_function))
patch(np.full, _full)
