"""Reading generated code, in any number of threads."""

from __future__ import annotations

import ast
import gc
from typing import Any, Literal

from sparsead.forks import ProcessLock

TRIES = 100  # while other threads parse something of their own

_lock = ProcessLock()


def parse(text: str, mode: Literal["exec", "eval"] = "exec") -> Any:
    """Return the syntax tree of a text.

    Before Python 3.13, how deep a tree is gets counted in one place for all threads; where two of them build trees at
    once, one gets a SystemError ("AST constructor recursion depth mismatch"), though nothing is wrong with the text.
    """
    with _lock.held():
        try:
            return ast.parse(text, mode=mode)
        except SystemError:
            return _parsed_undisturbed(text, mode)


def _parsed_undisturbed(text: str, mode: Literal["exec", "eval"]) -> Any:
    """Try again without the garbage collector, whose finalizers are what lets other threads in within a short text."""
    collects = gc.isenabled()
    gc.disable()
    try:
        for _ in range(TRIES):
            try:
                return ast.parse(text, mode=mode)
            except SystemError:
                continue
        return ast.parse(text, mode=mode)
    finally:
        if collects:
            gc.enable()
