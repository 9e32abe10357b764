"""Arrays of objects that hold unknowns: NumPy makes them where a plain array or number meets a list in an operator.

Functions are given an array of the numbers instead. What is written to that would be lost, so nobody can write to it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.tracing.array import traced_in
from sparsead.tracing.conversions import stack_objects


def is_of_unknowns(value: Any) -> bool:
    """Tell whether a value is an array of objects, and unknowns among them."""
    return type(value) is np.ndarray and value.dtype == object and any(True for _ in traced_in(value.flat))


def lent(array: np.ndarray) -> Any:
    """Return a read-only array of the numbers in an array of objects."""
    numbers = stack_objects(array)
    numbers.setflags(write=False)
    return numbers


def written_nowhere(function: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse, in words, calls of a function that would write into an array of objects."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except ValueError as error:
            if "read-only" not in str(error) or not any(map(is_of_unknowns, (*args, *kwargs.values()))):
                raise
            hint = "Make an array of its numbers first, np.stack(list(a)), and write into that."
            raise unsupported("writing into an array of objects that holds unknowns", hint) from error

    return call
