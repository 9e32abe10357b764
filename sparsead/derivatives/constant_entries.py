"""Which arrays hold the entries of which matrix that do not depend on x, so that these need not be written again.

Arrays are known by identity, for all prepared objects together: whoever fills an array makes the others forget it.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class _Filled:
    """An array of values, what filled it, and the arguments beside x then."""

    data: weakref.ref[np.ndarray]
    matrix: weakref.ref[object]
    arguments: dict[str, np.ndarray]


_known: dict[int, _Filled] = {}
_outside: dict[int, weakref.ref[np.ndarray]] = {}  # arrays that are also written where nobody asks here


def holds(data: np.ndarray, matrix: object, arguments: Mapping[str, np.ndarray]) -> bool:
    """Tell whether `data` was last filled by `matrix`, for equal arguments, and noted."""
    found = _known.get(id(data))
    if found is None or found.data() is not data or found.matrix() is not matrix:
        return False
    return all(np.array_equal(arguments[name], then) for name, then in found.arguments.items())


def note(data: np.ndarray, matrix: object, arguments: Mapping[str, np.ndarray]) -> None:
    """Remember that `matrix` filled `data` for these arguments, as long as the array lives."""
    key = id(data)
    if key in _outside:
        return
    alive = weakref.ref(data, lambda _: _known.pop(key, None))
    _known[key] = _Filled(alive, weakref.ref(matrix), {name: array.copy() for name, array in arguments.items()})


def forget(data: np.ndarray) -> None:
    """Remember no longer that `data` was filled."""
    _known.pop(id(data), None)


def leave_out(data: np.ndarray) -> None:
    """Never remember that `data` was filled: machine code is going to write to it by itself."""
    key = id(data)
    forget(data)
    _outside[key] = weakref.ref(data, lambda _: _outside.pop(key, None))
