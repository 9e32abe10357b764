"""Arrays from outside: what a function reads of globals, closures, defaults and objects, as constant arrays of a trace.

What a function computes from plain arrays alone is plain as well, and cannot hold what depends on x. Where that turns
out to be needed, these arrays are replaced while the function is traced once more: then NumPy's results are arrays of
the trace, as those of arguments are. Their own memory is shared with the program around, so nothing that depends on x
may be written there.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from sparsead.errors import is_users
from sparsead.tracing import layout
from sparsead.tracing.arguments import Signature
from sparsead.tracing.known import adopted, view_of
from sparsead.tracing.loops.tape import DOUBLE, Tape
from sparsead.tracing.reflection import own_attributes
from sparsead.tracing.refusals import refuse_outside
from sparsead.tracing.replacing.undo import CHANGES
from sparsead.tracing.surroundings import Place, data_of_class, read_by
from sparsead.tracing.trees import with_fixed

NO_TRACE = Tape()
NO_TRACE.closed = True
DEEP, MOST = 8, 100_000  # containers inside containers, and values in all, that are looked at


class CapturedArrays:
    """The arrays that a function reads from outside, and constant arrays of their memory in their place.

    Parameters
    ----------
    f : callable
        The function.
    signature : Signature
        Its arguments; some have fixed parts that hold arrays.
    """

    def __init__(self, f: Callable[..., Any], signature: Signature) -> None:
        self._seen: dict[int, tuple[Any, Any]] = {}
        self._changes: list[Callable[[], None]] = []
        self._at(read_by(f), 0)
        self._arguments = tuple(with_fixed(a, self._of) for a in signature.arguments)

    def __bool__(self) -> bool:
        return any(stand_in is not value for value, stand_in in self._seen.values())

    def stand_in(self, signature: Signature) -> Signature:
        """Replace the arrays until no function is traced, those among fixed parts of arguments in what is returned."""
        for change in self._changes:
            change()
        return replace(signature, arguments=self._arguments)

    def _of(self, value: Any, depth: int = 0) -> Any:
        """Return what stands for a value: itself if there is no array in it, or where these are replaced in place."""
        if id(value) not in self._seen and depth <= DEEP and len(self._seen) < MOST:
            self._seen[id(value)] = value, value  # it may hold itself
            self._seen[id(value)] = value, self._made(value, depth + 1)
        return self._seen.get(id(value), (value, value))[1]

    def _made(self, value: Any, depth: int) -> Any:
        if type(value) is np.ndarray:
            return self._array(value, depth)
        if type(value) is dict:
            self._inside(value, list(value), depth)
        elif type(value) is list:
            self._inside(value, range(len(value)), depth)
        elif isinstance(value, tuple):
            parts = [self._of(part, depth) for part in value]
            if any(new is not old for new, old in zip(parts, value, strict=True)):
                return value._make(parts) if hasattr(value, "_make") else tuple(parts)
        elif _is_plain_object(value):
            self._inside(vars(value), list(vars(value)), depth)
            self._at(data_of_class(type(value)), depth)
        return value

    def _array(self, array: np.ndarray, depth: int) -> Any:
        """Return the constant array for one of floats or complex numbers, of the same memory; all else as it is."""
        if array.dtype not in (DOUBLE, np.complex128):
            return array
        if not layout.is_dense(array):  # part of a larger one, perhaps
            whole = self._of(array.base, depth)
            return array if whole is array.base or whole.dtype != array.dtype else view_of(whole, array)
        stand_in = adopted(array)
        storage = stand_in.storage
        storage.home, storage.is_outside = NO_TRACE, True  # what a trace leaves behind is made plain again: not this
        storage.refuse_write = refuse_outside
        return stand_in

    def _at(self, places: Iterable[Place], depth: int) -> None:
        for place in places:
            stand_in = self._of(place.value, depth)
            if stand_in is not place.value:
                self._changes.append(partial(place.bind, stand_in))

    def _inside(self, items: Any, keys: Iterable[Any], depth: int) -> None:
        for key in keys:
            stand_in = self._of(items[key], depth)
            if stand_in is not items[key]:
                self._changes.append(partial(CHANGES.item, items, key, stand_in))


def _is_plain_object(value: Any) -> bool:
    """Tell whether a value is an object of a class of the user's, with attributes."""
    kind = type(value)
    if own_attributes(value) is None or isinstance(value, (type, types.ModuleType, types.FunctionType)):
        return False
    home = getattr(sys.modules.get(kind.__module__), "__file__", None)
    return kind is types.SimpleNamespace or kind.__module__ == "__main__" or (home is not None and is_users(home))
