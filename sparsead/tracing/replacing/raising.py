"""Exceptions of arithmetic that a function catches: they are raised by values, and a trace has none.

Where NumPy is told to raise (`np.errstate`, `np.seterr`), warnings are made errors, or a function of module math may
raise, the source says whether somebody around catches that: then it is refused.
"""

from __future__ import annotations

import ast
import functools
import sys
import warnings
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import numpy as np

from sparsead.errors import is_installed, is_users, unsupported
from sparsead.tracing.loops.tape import is_tracing
from sparsead.tracing.replacing.loaded import LOADED
from sparsead.tracing.replacing.names import patch
from sparsead.tracing.sources import at

ANY = frozenset({"Exception", "BaseException", ""})  # what catches all: "" is a bare except
FLOATING = frozenset({"FloatingPointError", "ArithmeticError"}) | ANY
WARNED = frozenset({"RuntimeWarning", "Warning"}) | ANY
MATH = frozenset({"ValueError", "OverflowError", "ZeroDivisionError", "ArithmeticError"}) | ANY
CALLING = "sparsead.tracing.trace"  # calls the function: what stands around that does not catch for it
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
HINT = (
    "There are no values yet that could raise it. Choose by np.where, with an argument that is fine where it is not "
    "chosen: np.where(y == 0.0, 0.0, x / np.where(y == 0.0, 1.0, y)); np.nan_to_num, np.clip. "
    'Or prepare with method="finite-difference".'
)


def refuse_caught(frame: FrameType | None, kinds: frozenset[str], whole: bool) -> None:
    """Refuse to go on where code of users around a frame catches exceptions of some kinds.

    The frame has to be in a block that does, or with `whole` in a function; those that call it in a block.
    """
    while frame is not None and is_tracing() and frame.f_globals.get("__name__") != CALLING:
        code = frame.f_code
        if is_users(code.co_filename) and not is_installed(code.co_filename):
            handles = code.co_exceptiontable != b""  # most do not; to look up code takes time
            found = _caught(code.co_filename, code, frame.f_lasti, kinds, whole) if handles else None
            if found is not None:
                raise unsupported(f"catching an exception of arithmetic ({found or 'by a bare except'})", HINT)
            whole = False
        frame = frame.f_back


@functools.lru_cache(maxsize=1 << 10)
def _caught(file: str, code: CodeType, step: int, kinds: frozenset[str], whole: bool) -> str | None:
    """Return the name of an exception that is caught around a step of code; None if none of these kinds is."""
    found = at(file, code, step, lambda node: _catches(node, kinds) is not None)
    if found is None and whole:
        found = at(file, code, step, lambda node: isinstance(node, FUNCTIONS) and _within(node, kinds) is not None)
    return None if found is None else _catches(found[1], kinds) if not whole else _within(found[1], kinds)


def _within(node: ast.AST, kinds: frozenset[str]) -> str | None:
    """Return what is caught somewhere in a function."""
    return next((name for part in ast.walk(node) if (name := _catches(part, kinds)) is not None), None)


def _catches(node: Any, kinds: frozenset[str]) -> str | None:
    """Return which of some kinds of exceptions a statement catches, and does not raise again; None if none."""
    if isinstance(node, ast.Try):
        handlers = [h for h in node.handlers if not any(isinstance(part, ast.Raise) for part in ast.walk(h))]
        types = [handler.type for handler in handlers]
    elif isinstance(node, ast.With):
        calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
        types = [arg for call in calls if "suppress" in ast.unparse(call.func) for arg in call.args]
    else:
        return None
    names = [name for kind in types for name in _names(kind)]
    return next((name for name in names if name in kinds), None)


def _names(kind: ast.expr | None) -> list[str]:
    if isinstance(kind, ast.Tuple):
        return [name for each in kind.elts for name in _names(each)]
    return [""] if kind is None else [ast.unparse(kind).rpartition(".")[2]]


def _told_to_raise(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return what sets NumPy's handling of errors."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if "raise" in (*args, *kwargs.values()):
            refuse_caught(sys._getframe(1), FLOATING, whole=True)
        return original(*args, **kwargs)

    return call


def _made_errors(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return what sets the handling of warnings."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if "error" in (*args[:1], kwargs.get("action")):
            refuse_caught(sys._getframe(1), WARNED, whole=True)
        return original(*args, **kwargs)

    return call


LOADED.add_home("warnings")
for _numpys in (np.errstate, np.seterr):
    patch(_numpys, _told_to_raise(_numpys))
for _pythons in (warnings.simplefilter, warnings.filterwarnings, warnings.catch_warnings):
    patch(_pythons, _made_errors(_pythons))
