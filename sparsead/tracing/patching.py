"""Replacing functions for the duration of a trace, for this thread only.

Some functions never ask a traced array how they should act: those that allocate (``np.zeros``) and those that are
written in terms of plain arrays (``scipy.special.logsumexp``). While a trace runs, every name that user code may
call them by is bound to a wrapper, which looks first whether *this thread* is tracing and the caller is user code;
everybody else gets the function itself.
"""

from __future__ import annotations

import functools
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.machinery import EXTENSION_SUFFIXES
from typing import Any

import numpy as np

# Packages whose code means plain arrays; scipy.optimize holds test functions that are written like user code, and
# the checks of their arguments are elsewhere.
_LIBRARIES = ("numpy", "sparsead", "coloring", "scipy", "numba", "networkx")
_LIKE_USER_CODE = ("scipy.optimize", "scipy._lib._array_api")
_HOMES = ("numpy", "math", "scipy.special", "scipy.linalg")  # where users find the patched functions

_COMPILED = tuple(EXTENSION_SUFFIXES)

PATCHES: dict[Callable[..., Any], Callable[..., Any]] = {}

_tracing = threading.local()
_lock = threading.RLock()
_active = 0
_replaced: list[tuple[dict[str, Any], str, Any]] = []


def _in(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in packages)


def is_library(module: str) -> bool:
    """Tell whether the code of a module, given by name, deals in plain arrays of its own."""
    return _in(module, _LIBRARIES) and not _in(module, _LIKE_USER_CODE)


def patch(original: Callable[..., Any], replacement: Callable[..., Any]) -> None:
    """Let calls of `original` from traced user code go to `replacement`."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if getattr(_tracing, "depth", 0) and not is_library(sys._getframe(1).f_globals.get("__name__", "")):
            return replacement(*args, **kwargs)
        return original(*args, **kwargs)

    PATCHES[original] = wrapper


def _modules(f: Callable[..., Any]) -> list[dict[str, Any]]:
    """Return the global names of a function and of the functions that it names or holds directly."""
    names = getattr(f, "__globals__", {})
    found = {id(names): names}
    cells = [c.cell_contents for c in getattr(f, "__closure__", None) or () if _filled(c)]
    for value in [*names.values(), *cells, *getattr(f, "__dict__", {}).values()]:
        inner = getattr(getattr(value, "py_func", value), "__globals__", None)
        if isinstance(inner, dict):
            found[id(inner)] = inner
    return list(found.values())


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _replace_in(names: dict[str, Any], candidates: Iterable[str]) -> None:
    for name in candidates:
        value = names[name]
        try:
            wrapper = PATCHES.get(value)
        except TypeError:  # unhashable, so not a function
            continue
        if wrapper is not None:
            _replaced.append((names, name, value))
            names[name] = wrapper


@functools.cache
def _treatment(name: str, file: str) -> str:
    """Decide what happens to the names of a module while a trace runs: "replace", "shield" or nothing."""
    if name in _HOMES:
        return "replace"
    if file.endswith(_COMPILED):
        return "shield"
    plain = is_library(name) or name.partition(".")[0] in sys.stdlib_module_names
    return "" if plain else "replace"


def _shield(names: dict[str, Any], plain: types.ModuleType) -> None:
    """Let a compiled module see NumPy as it is: its calls leave no frame, and it trusts what it gets to be arrays."""
    for name in ("np", "numpy"):
        if names.get(name) is np:
            _replaced.append((names, name, np))
            names[name] = plain


def _replace_everywhere() -> None:
    """Replace the patched functions where they live, and in the modules of users that imported them by name."""
    spelled = {func.__name__ for func in PATCHES}
    plain = types.ModuleType("numpy")
    plain.__dict__.update(np.__dict__)
    for name, module in list(sys.modules.items()):
        names = getattr(module, "__dict__", None)
        if names is None:
            continue
        treatment = _treatment(name, str(names.get("__file__", "")))
        if treatment == "shield":
            _shield(names, plain)
        elif treatment:
            _replace_in(names, spelled & names.keys())


@contextmanager
def patched(f: Callable[..., Any]) -> Iterator[None]:
    """Bind the patches in this thread's view of the world, until the block ends; `f` is about to be called."""
    global _active
    with _lock:
        _active += 1
        if _active == 1:
            _replace_everywhere()
        for names in _modules(f):
            _replace_in(names, list(names))
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
