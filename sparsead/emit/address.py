"""Where the elements of an array are in memory, at the price of one read."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np

HEADER = object.__basicsize__  # NumPy's C interface fixes that the data pointer follows the header of the object


def _documented(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def _direct(array: np.ndarray) -> int:
    return ctypes.c_void_p.from_address(id(array) + HEADER).value or 0


def _chosen() -> Callable[[np.ndarray], int]:
    """Take the read of the array object, a microsecond faster, where it finds what NumPy documents."""
    probe = np.empty(3)
    return _direct if all(_direct(a) == _documented(a) for a in (probe, probe[1:])) else _documented


address = _chosen()
