"""Functions of NumPy that are given lists with unknowns in them (``np.sum([x, x**2], axis=0)``).

A list does not ask NumPy to let it act, as a traced array does, so while a trace runs each function is replaced by one
that looks for lists. Everything else goes to the function itself, from whatever thread.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

from sparsead.tracing.array import call_function, stack_objects, traced_in
from sparsead.tracing.replacing.names import PATCHES, STAND_INS

_METHODS = ("reduce", "accumulate", "reduceat", "at", "outer")


class StandIn:
    """A function (or ufunc) that also takes lists with unknowns; it equals the function and has its attributes."""

    __slots__ = ("_call", "_original")

    def __init__(self, original: Callable[..., Any], call: Callable[..., Any]) -> None:
        self._original = original
        self._call = call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself, unless a list with unknowns is among the arguments."""
        for value in (*args, *kwargs.values()) if kwargs else args:
            if type(value) in (list, tuple) and any(True for _ in traced_in(value)):
                return self._call(args, kwargs)
        return self._original(*args, **kwargs)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._original)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._original, name)
        if name in _METHODS and isinstance(self._original, np.ufunc):
            return StandIn(found, lambda args, kwargs: found(*map(stack_objects, args), **kwargs))
        return found

    def __repr__(self) -> str:
        return repr(self._original)

    def __eq__(self, other: object) -> bool:
        return self._original == (other._original if type(other) is StandIn else other)

    def __hash__(self) -> int:
        return hash(self._original)

    def __reduce__(self) -> Any:
        module = "scipy.special" if self._original is getattr(scipy.special, self.__name__, None) else "numpy"
        return _named, (getattr(self._original, "__module__", module), self.__name__)


def _named(module: str, name: str) -> Any:
    """Return a function by its name, for pickles."""
    return getattr(importlib.import_module(module), name)


def take_lists(func: Callable[..., Any]) -> None:
    """Let calls of `func` with lists of unknowns be traced."""
    if func in PATCHES:
        return
    if isinstance(func, np.ufunc):
        STAND_INS[func] = StandIn(func, lambda args, kwargs: func(*map(stack_objects, args), **kwargs))
    else:
        STAND_INS[func] = StandIn(func, lambda args, kwargs: call_function(func, args, kwargs))
