"""Reading generated code, in any number of threads."""

from __future__ import annotations

import ast
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
        for _ in range(TRIES):
            try:
                return ast.parse(text, mode=mode)
            except SystemError:
                continue
    return ast.parse(text, mode=mode)
