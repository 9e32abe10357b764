"""Methods of other packages' classes, replaced for the duration of a trace where they are given traced values.

Unlike the functions of `sparsead.tracing.replacing.names` these are found through an object (``compiled(x)``,
``np.r_[x]``), so the class is the place to meet them. Only a tracing thread has traced values: others get the method
itself.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sparsead.tracing.array import traced_in
from sparsead.tracing.replacing.names import AFTER_IMPORTS

Replacement = Callable[..., Any]  # replacement(original, self, *args, **kwargs)

METHODS: dict[tuple[str, str, str], Replacement] = {}

_lock = threading.Lock()
_active = 0
_replaced: list[tuple[type, str, Any]] = []  # class, name, what the class itself had there (None: it inherits)


def replace_method(module: str, cls: str, name: str, replacement: Replacement) -> None:
    """Let calls of a method with traced arguments go to ``replacement(original, self, *args, **kwargs)``.

    The class is looked up when a trace begins, and after imports during a trace, so that naming it imports nothing.
    """
    METHODS[module, cls, name] = replacement


def _run_as_python(original: Any, compiled: Any, *args: Any, **kwargs: Any) -> Any:
    """Run the Python that numba compiled."""
    return compiled.py_func(*args, **kwargs)


replace_method("numba.core.dispatcher", "Dispatcher", "__call__", _run_as_python)


def _wrapper(original: Any, replacement: Replacement) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if any(True for _ in traced_in([*args, kwargs])):
            return replacement(original, self, *args, **kwargs)
        return original(self, *args, **kwargs)

    return method


def _replace_all() -> None:
    for (module, name, method), replacement in METHODS.items():
        cls = getattr(sys.modules.get(module), name, None)
        cls = getattr(cls, "_original", cls)  # the class itself, where its name stands for another
        if cls is not None and (cls, method) not in [(c, m) for c, m, _ in _replaced]:
            _replaced.append((cls, method, vars(cls).get(method)))
            setattr(cls, method, _wrapper(getattr(cls, method), replacement))


def _restore_all() -> None:
    while _replaced:
        cls, method, own = _replaced.pop()
        if own is None:
            delattr(cls, method)
        else:
            setattr(cls, method, own)


def _replace_late() -> None:
    with _lock:
        if _active:
            _replace_all()


AFTER_IMPORTS.append(_replace_late)


@contextmanager
def methods_replaced() -> Iterator[None]:
    """Let the methods accept traced values, wherever they are called from, until the block ends."""
    global _active
    with _lock:
        _active += 1
        if _active == 1:
            _replace_all()
    try:
        yield
    finally:
        with _lock:
            _active -= 1
            if _active == 0:
                _restore_all()
