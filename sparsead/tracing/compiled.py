"""Functions compiled by numba, called with traced values: the Python they were made from runs instead."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sparsead.tracing.array import traced_in

_lock = threading.Lock()
_active = 0


def _call(self: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a compiled function, or with a traced argument (which only a tracing thread can have) its Python."""
    if any(True for _ in traced_in([*args, kwargs])):
        return self.py_func(*args, **kwargs)
    return super(_dispatcher(), self).__call__(*args, **kwargs)


def _dispatcher() -> Any:
    """Return the class of compiled functions, None while nobody has imported numba."""
    return getattr(sys.modules.get("numba.core.dispatcher"), "Dispatcher", None)


@contextmanager
def numba_in_python() -> Iterator[None]:
    """Let compiled functions accept traced values, wherever they are called from, until the block ends."""
    global _active
    with _lock:
        _active += 1
        if _active == 1 and _dispatcher() is not None:
            _dispatcher().__call__ = _call
    try:
        yield
    finally:
        with _lock:
            _active -= 1
            if _active == 0 and "__call__" in vars(_dispatcher() or object):
                del _dispatcher().__call__
