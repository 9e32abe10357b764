"""Calls of the user's function on plain arrays, which cannot change what they are given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparsead.errors import InputError

TRACED = "sparsead.tracing."  # the home of what stands for arrays while a function is traced


def plain_value(function: Callable[..., Any], args: Sequence[Any]) -> np.ndarray:
    """Return ``function(*args)`` as an array of float64; arrays among the arguments are copied before.

    Raises
    ------
    InputError
        If what comes back is left from a trace, or not real.
    """
    value = function(*(copied(a) for a in args))
    left = _left(value)
    if left is not None:
        raise InputError(
            f"the function returned {left!r} when it was called on plain arrays: it keeps something from the run in "
            "which it was traced (in an attribute, a global, a cache or a default argument). Compute what is kept "
            "before the derivative is prepared, or do not keep it"
        )
    array = np.asarray(value)
    if array.dtype.kind == "c" and not np.any(array.imag):
        array = array.real
    if array.dtype.kind not in "fiubO":
        raise InputError(f"the function returned {array.dtype} on plain arrays; expected real numbers")
    return np.array(array, dtype=np.float64)


def copied(value: Any) -> Any:
    """Return an argument that a function may change: a copy of an array, other things as they are."""
    return value.copy(order="K") if type(value) is np.ndarray else value


def _left(value: Any) -> Any:
    """Return what a value holds that stands for an array in a trace; None if nothing."""
    if type(value).__module__.startswith(TRACED):
        return value
    if isinstance(value, (list, tuple)):
        return next((found for found in map(_left, value) if found is not None), None)
    if type(value) is np.ndarray and value.dtype == object:
        return next((found for found in map(_left, value.flat) if found is not None), None)
    return None
