"""Methods of other packages' classes, replaced for the duration of a trace where they are given traced values.

Unlike the functions of `sparsead.tracing.replacing.names` these are found through an object (``compiled(x)``,
``np.r_[x]``), so the class is the place to meet them. Only a tracing thread has traced values: others get the method
itself.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from sparsead.tracing.array import traced_in
from sparsead.tracing.replacing.names import TOO
from sparsead.tracing.replacing.standins import is_tracing
from sparsead.tracing.replacing.undo import CHANGES

Replacement = Callable[..., Any]  # replacement(original, self, *args, **kwargs)

HEAP_TYPE = 1 << 9  # of the flags of a class
OURS = "__traced_values_welcome__"

METHODS: dict[tuple[str, str, str], Replacement] = {}
ALWAYS: set[Replacement] = set()


def replace_method(module: str, cls: str, name: str, replacement: Replacement) -> None:
    """Let calls of a method with traced arguments go to ``replacement(original, self, *args, **kwargs)``.

    The class is looked up when a trace begins, and after imports during a trace, so that naming it imports nothing.
    """
    METHODS[module, cls, name] = replacement


def replace_method_always(module: str, cls: str, name: str, replacement: Replacement) -> None:
    """Do the same for all calls of a method, by a traced function, whatever its arguments."""
    METHODS[module, cls, name] = replacement
    ALWAYS.add(replacement)


def _run_as_python(original: Any, compiled: Any, *args: Any, **kwargs: Any) -> Any:
    """Run the Python that numba compiled."""
    return compiled.py_func(*args, **kwargs)


replace_method("numba.core.dispatcher", "Dispatcher", "__call__", _run_as_python)


@functools.cache
def _wrapper(original: Any, replacement: Replacement) -> Callable[..., Any]:
    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if any(True for _ in traced_in([*args, kwargs])) or (replacement in ALWAYS and is_tracing()):
            return replacement(original, self, *args, **kwargs)
        return original(self, *args, **kwargs)

    return method


def _replace_methods() -> None:
    """Let the methods accept traced values, wherever they are called from; names are undone together with them."""
    for (module, name, method), replacement in METHODS.items():
        cls = getattr(sys.modules.get(module), name, None)
        cls = getattr(cls, "_original", cls)  # the class itself, where its name stands for another
        if cls is None or not cls.__flags__ & HEAP_TYPE:  # not there, or of compiled code
            continue
        if not hasattr(vars(cls).get(method), OURS):
            wrapper = _wrapper(getattr(cls, method), replacement)
            setattr(wrapper, OURS, True)
            CHANGES.attribute(cls, method, wrapper)


TOO.append(_replace_methods)
