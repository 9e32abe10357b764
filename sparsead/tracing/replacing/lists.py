"""Functions of NumPy that are given lists with unknowns in them (``np.sum([x, x**2], axis=0)``).

Arrays of objects are such lists, too. A list does not ask NumPy to let it act, as a traced array does, so while a trace
runs each function is replaced by one that looks for lists. Everything else goes to the function itself, from whatever
thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.tracing.array import traced_in
from sparsead.tracing.calls import call_function
from sparsead.tracing.conversions import stack_objects
from sparsead.tracing.foreign import acts_on, held_in, taken_out
from sparsead.tracing.object_arrays import is_of_unknowns, lent
from sparsead.tracing.positioned import Positioned
from sparsead.tracing.replacing.names import PATCHES
from sparsead.tracing.replacing.standins import StandIn, original_of
from sparsead.tracing.scalar import TracedScalar
from sparsead.tracing.sequences import QUEUES

_METHODS = ("reduce", "accumulate", "reduceat", "at", "outer")


class TakesLists(StandIn):
    """A function, or ufunc, that takes lists with unknowns too, and objects that hold some."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself, unless a list with unknowns, or what holds some, is among the arguments."""
        for value in (*args, *kwargs.values()) if kwargs else args:
            if type(value) is TracedScalar:
                continue
            if type(value) is np.ndarray:
                found = is_of_unknowns(value)
            elif isinstance(value, (list, tuple)):
                found = any(True for _ in traced_in(value)) or taken_out(value) is not value
            elif isinstance(value, QUEUES):
                found = any(True for _ in traced_in(value))
            else:
                found = isinstance(held_in(value), Positioned) and not acts_on(self._original, value)
            if found:
                return self._replacement(*args, **kwargs)
        return original_of(self)(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._original, name)
        if name in _METHODS and isinstance(self._original, np.ufunc):
            return TakesLists(found, _ufunc_on_lists(found))
        return found


def _given(value: Any) -> Any:
    """Return an argument of a function, or the array that it stands for."""
    return lent(value) if is_of_unknowns(value) else taken_out(value)


def _stacked(value: Any) -> Any:
    return stack_objects(_given(value))


def _ufunc_on_lists(func: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: func(*map(_stacked, args), **kwargs)


def take_lists(func: Callable[..., Any]) -> None:
    """Let calls of `func` with lists of unknowns be traced."""
    if func in PATCHES:
        return
    if isinstance(func, np.ufunc):
        PATCHES[func] = TakesLists(func, _ufunc_on_lists(func))
    else:
        acting = lambda *args, **kwargs: call_function(func, tuple(map(_given, args)), kwargs)  # noqa: E731
        PATCHES[func] = TakesLists(func, acting)
