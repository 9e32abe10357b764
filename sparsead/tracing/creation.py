"""NumPy's creation functions while a function is being traced.

``out = np.zeros(n)`` then ``out[i] = x[i]`` is the commonest pattern of real code, and NumPy has no hook for it.
While a trace runs, the creation functions in module numpy, and in the modules of the traced function, are
replaced by wrappers that look first whether *this thread* is tracing; other threads get NumPy's own function.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from sparsead.tracing.array import TracedArray, stack_objects

# Callers that mean plain arrays when they allocate: their code is not the user's.
_LIBRARIES = ("numpy", "sparsead", "coloring", "scipy.sparse", "scipy.linalg", "numba", "networkx")

_tracing = threading.local()
_lock = threading.RLock()
_active = 0
_replaced: list[tuple[dict[str, Any], str, Any]] = []


def _for_user() -> bool:
    """Tell whether this thread is tracing and the caller of the wrapper is user code."""
    if not getattr(_tracing, "depth", 0):
        return False
    caller = sys._getframe(2).f_globals.get("__name__", "")
    return not any(caller == name or caller.startswith(f"{name}.") for name in _LIBRARIES)


def _buffer(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function that allocates: float arrays come back as constant traced arrays."""

    def create(*args: Any, **kwargs: Any) -> Any:
        if not _for_user():
            return original(*args, **kwargs)
        fill = args[1] if original is np.full and len(args) > 1 else kwargs.get("fill_value")
        if isinstance(fill, TracedArray) and not fill.is_constant:
            out = create_plain(_zeros, args[:1], {k: v for k, v in kwargs.items() if k != "fill_value"})
            out[...] = fill
            return out
        return create_plain(original, args, kwargs)

    return create


def create_plain(original: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Allocate and wrap a float array; arrays of other types stay plain."""
    kwargs = {k: v for k, v in kwargs.items() if k != "like"}
    values = original(*args, **kwargs)
    is_float = isinstance(values, np.ndarray) and values.dtype.kind == "f"
    return TracedArray.of_values(values) if is_float else values


def _converter(original: Callable[..., Any], copies: bool) -> Callable[..., Any]:
    """Wrap a function that converts: traced contents come back as a traced array."""

    def convert(value: Any, *args: Any, **kwargs: Any) -> Any:
        if not _for_user():
            return original(value, *args, **kwargs)
        stacked = stack_objects(value)
        if isinstance(stacked, TracedArray):
            return stacked.copy() if copies and stacked is value else stacked
        return original(value, *args, **kwargs)

    return convert


_zeros = np.zeros
_ALLOCATING = ("zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like")
_CONVERTING = {
    "array": True,
    "asarray": False,
    "asanyarray": False,
    "ascontiguousarray": False,
    "asfarray": False,
}
_WRAPPERS: dict[Any, Callable[..., Any]] = {}
for _name in _ALLOCATING:
    _WRAPPERS[getattr(np, _name)] = _buffer(getattr(np, _name))
for _name, _copies in _CONVERTING.items():
    if hasattr(np, _name):
        _WRAPPERS[getattr(np, _name)] = _converter(getattr(np, _name), _copies)


def _replace_in(names: dict[str, Any]) -> None:
    for name, value in list(names.items()):
        try:
            wrapper = _WRAPPERS.get(value)
        except TypeError:  # unhashable, so not a function
            continue
        if wrapper is not None:
            _replaced.append((names, name, value))
            names[name] = wrapper


def _modules_of(f: Callable[..., Any]) -> list[dict[str, Any]]:
    """Return the global names of a function and of the functions that it names directly."""
    names = getattr(f, "__globals__", {})
    found = {id(names): names}
    cells = [c.cell_contents for c in getattr(f, "__closure__", None) or () if _filled(c)]
    for value in [*names.values(), *cells]:
        inner = getattr(getattr(value, "py_func", value), "__globals__", None)
        if isinstance(inner, dict):
            found[id(inner)] = inner
    return list(found.values())


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


@contextmanager
def traced_creation(f: Callable[..., Any]) -> Iterator[None]:
    """Let the creation functions that `f` uses return traced arrays, in this thread, until the block ends."""
    global _active
    with _lock:
        _active += 1
        for names in ([vars(np)] if _active == 1 else []) + _modules_of(f):
            _replace_in(names)
    _tracing.depth = getattr(_tracing, "depth", 0) + 1
    try:
        yield
    finally:
        _tracing.depth -= 1
        with _lock:
            _active -= 1
            if _active == 0:
                while _replaced:
                    names, name, value = _replaced.pop()
                    names[name] = value
