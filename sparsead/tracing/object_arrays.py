"""Arrays of objects that hold unknowns: NumPy makes them where a plain array or number meets a list in an operator.

Functions are given an array of the numbers instead. What is written to that would be lost, so it is refused.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from sparsead.errors import unsupported
from sparsead.tracing.array import traced_in
from sparsead.tracing.conversions import stack_objects


def is_of_unknowns(value: Any) -> bool:
    """Tell whether a value is an array of objects, and unknowns among them."""
    return type(value) is np.ndarray and value.dtype == object and any(True for _ in traced_in(value.flat))


def lent(array: np.ndarray) -> Any:
    """Return an array of the numbers in an array of objects, in memory of its own, that refuses what is written."""
    numbers = stack_objects(array)
    numbers.storage.flush()
    numbers.storage.refuse_write = _refuse
    return numbers


def _refuse() -> NoReturn:
    hint = "Make an array of its numbers first, np.stack(list(a)), and write into that."
    raise unsupported("writing into an array of objects that holds unknowns", hint)
