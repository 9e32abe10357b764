"""What traced values call that makes traced values: tables of handlers, and functions bound when they are defined.

A number and an array call NumPy's functions, and what traces these makes numbers and arrays again. The circle is closed
here, so that imports run one way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

# What NumPy (or SciPy) function -> how to trace it. The modules of `sparsead.ops` fill it, one statement an entry.
HANDLERS: dict[Callable[..., Any], Callable[..., Any]] = {}
UFUNC_METHODS: dict[tuple[Callable[..., Any], str], Callable[..., Any]] = {}

# Functions asked on positions (a number is one there too); those whose handlers return a number or an array of shape
# () as NumPy does; and those that always return arrays. All others return numbers.
MOVEMENTS: set[Callable[..., Any]] = {np.real, np.imag}
AS_NUMPY: set[Callable[..., Any]] = {
    np.where, np.full, np.array, np.asarray, np.real, np.imag, np.real_if_close, np.broadcast_arrays,
}  # fmt: skip
ARRAYS: set[Callable[..., Any]] = {
    np.tensordot, np.linalg.tensordot, np.cov, np.piecewise, np.select, np.apply_along_axis,
}  # fmt: skip


class Late:
    """Functions of modules further up, by their names."""

    arguments_of: Callable[..., Any]
    array_in: Callable[..., Any]
    as_integers: Callable[..., Any]
    as_numbers: Callable[..., Any]
    call_function: Callable[..., Any]
    call_ufunc: Callable[..., Any]
    cast: Callable[..., Any]
    complex_of_values: Callable[..., Any]
    fitted: Callable[..., Any]
    matmul: Callable[..., Any]
    of_number: Callable[..., Any]
    on_values: Callable[..., Any]
    seen_as: Callable[..., Any]
    standing: Callable[..., Any]
    reading: Callable[..., Any]
    recorded: Callable[..., Any]
    stack_objects: Callable[..., Any]
    static_key: Callable[..., Any]
    traced: Callable[..., Any]
    traced_matrix: Callable[..., Any]
    with_arrays: Callable[..., Any]
    wrapped: Callable[..., Any]

    def bound(self, function: F) -> F:
        """Put a function here: a decorator, where it is defined."""
        setattr(self, function.__name__, function)
        return function


late = Late()
