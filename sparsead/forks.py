"""What a fork must not cut in two: a forked child has one thread, and waits for ever for a lock that another one held.

Locks that guard what several objects share (names that are replaced, the compilers) are held while a process forks,
so nobody else holds them then. `ProcessLock` is for all others: a child has it anew.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

REPLACING = threading.RLock()  # of all names that are replaced while functions are traced

_held: list[ExitStack] = []


class ProcessLock:
    """A reentrant lock that a forked child has anew. What it guards must be whole at any moment, or made again.

    Examples
    --------
    >>> lock = ProcessLock()
    >>> with lock.held():
    ...     pass  # no other thread of this process
    """

    def __init__(self) -> None:
        self._of = os.getpid(), threading.RLock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it until the block ends."""
        if self._of[0] != os.getpid():
            self._of = os.getpid(), threading.RLock()
        with self._of[1]:
            yield


def _found(module: str, *names: str) -> Any:
    """Return something of a module if that has been imported, else what changes nothing."""
    value: Any = sys.modules.get(module)
    for name in names:
        value = getattr(value, name, None)
    return value if hasattr(value, "__enter__") else ExitStack()


def _locks() -> Iterator[AbstractContextManager[Any]]:
    """The locks that everybody shares, outer ones first: who compiles may trace and import, and uses LLVM inside."""
    for context in ("typing_context", "target_context"):  # made now: another thread that makes one holds a lock
        _found("numba.core.registry", "cpu_target", context)
    yield _found("numba.core.compiler_lock", "global_compiler_lock")
    yield REPLACING
    yield _found("llvmlite.binding.ffi", "lib", "_lock")


def _before() -> None:
    with ExitStack() as stack:
        for lock in _locks():
            stack.enter_context(lock)
        _held.append(stack.pop_all())


def _after() -> None:
    _held.pop().close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
