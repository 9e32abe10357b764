"""What stands in for a function while a trace runs, and for whom: user code that this thread traces."""

from __future__ import annotations

import functools
import importlib
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sparsead.tracing.array import traced_in

# Packages whose code means plain arrays; scipy.optimize holds test functions that are written like user code, and
# the checks of their arguments are elsewhere.
_LIBRARIES = ("numpy", "sparsead", "coloring", "scipy", "numba", "networkx")
_LIKE_USER_CODE = ("scipy.optimize", "scipy._lib._array_api")


class _Tracing(threading.local):
    """How many traces this thread is in."""

    depth = 0


TRACING = _Tracing()


def _in(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in packages)


@functools.cache
def is_library(module: str) -> bool:
    """Tell whether the code of a module, given by name, deals in plain arrays of its own."""
    return _in(module, _LIBRARIES) and not _in(module, _LIKE_USER_CODE)


def is_users(frame: types.FrameType) -> bool:
    """Tell whether a frame is user code that this thread traces."""
    return TRACING.depth > 0 and not is_library(frame.f_globals.get("__name__", ""))


def is_tracing() -> bool:
    """Tell whether this thread is running a function on traced values."""
    return TRACING.depth > 0


@contextmanager
def aside() -> Iterator[None]:
    """Let this thread run as if it traced nothing, until the block ends: libraries compute on constants there."""
    depth, TRACING.depth = TRACING.depth, 0
    try:
        yield
    finally:
        TRACING.depth = depth


class StandIn:
    """What a function is replaced by; it equals the function, and has its attributes and its name in pickles."""

    __slots__ = ("_original", "_replacement")

    def __init__(self, original: Callable[..., Any], replacement: Callable[..., Any]) -> None:
        self._original = original
        self._replacement = replacement

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the replacement from traced user code, and the function itself from everywhere else."""
        called = self._replacement if is_users(sys._getframe(1)) else self._original
        return called(*args, **kwargs)

    def __getattribute__(self, name: str) -> Any:
        """Give what a class has of its own from the function: its module and its words."""
        if name in ("__module__", "__doc__"):
            return getattr(self._original, name)
        if name == "_implementation" and is_users(sys._getframe(1)):  # subclasses of ndarray call what NumPy would do
            return _numpys(self)
        return object.__getattribute__(self, name)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._original)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def __repr__(self) -> str:
        return repr(self._original)

    def __eq__(self, other: object) -> bool:
        mine: Any = other() if type(other) is weakref.ref else other  # by which numba knows functions
        return self._original == (mine._original if issubclass(type(mine), StandIn) else mine)

    def __hash__(self) -> int:
        return hash(self._original)

    def __reduce__(self) -> Any:
        module = getattr(self._original, "__module__", "numpy")
        return _named, (module or "numpy", self._original.__name__)


original_of = vars(StandIn)["_original"].__get__  # as its attribute, without the detour of `__getattribute__`


class Standing(type):
    """The type of what stands in for a class: what derives from that derives from the class itself."""

    original: Any

    def __new__(mcs, name: str, bases: tuple[type, ...], names: dict[str, Any], **options: Any) -> Any:
        """Return a class; one whose bases stand in for others is of these."""
        if not any(type(b) is mcs for b in bases):
            return super().__new__(mcs, name, bases, names)
        own: Any = tuple(b.original if type(b) is mcs else b for b in bases)
        return types.new_class(name, own, options, lambda held: held.update(names))


def _numpys(stand_in: Any) -> Callable[..., Any]:
    """Return what a function of NumPy does with arrays that are of no subclass any more."""

    def call(*args: Any, **kwargs: Any) -> Any:
        traced = any(True for _ in traced_in((args, kwargs)))
        return (stand_in._replacement if traced else stand_in._original._implementation)(*args, **kwargs)

    return call


def _named(module: str, name: str) -> Any:
    """Return a function by its name, for pickles."""
    return getattr(importlib.import_module(module), name)
