"""Errors of sparsead: what was met, where in the user's file, what to do next."""

from __future__ import annotations

import functools
import os
import re
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import FrameType
from typing import Any

__all__ = [
    "InputError",
    "Origin",
    "SparseADError",
    "TracedBranchError",
    "UnsupportedOperationError",
    "user_origin",
]


_refusals: ContextVar[list[SparseADError] | None] = ContextVar("sparsead_refusals", default=None)


class SparseADError(Exception):
    """Base class of every error that sparsead raises on purpose.

    Those that refuse to go on with a trace are kept until it ends, for the function may catch them.
    """

    refuses = True
    #: Whether a plain array was asked to take what depends on x.
    plain = False
    #: Whether a function without a rule was met: other arrays in place of its arguments would not help.
    final = False

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        refusals = _refusals.get()
        if self.refuses and refusals is not None:
            refusals.append(self)


@contextmanager
def remembered() -> Iterator[list[SparseADError]]:
    """Collect the refusals that are made inside the block, whether or not somebody catches them there."""
    refusals: list[SparseADError] = []
    token = _refusals.set(refusals)
    try:
        yield refusals
    finally:
        _refusals.reset(token)


class UnsupportedOperationError(SparseADError, TypeError):
    """The traced function uses something that cannot be differentiated (yet)."""


class TracedBranchError(SparseADError, TypeError):
    """Python asked for the value of a traced array: ``if``, ``float()``, ``range()``."""

    #: The global names of code that asked by a call, such as ``float(x)``, whose answer may be unknown, too.
    calling: dict[str, Any] | None = None


class InputError(SparseADError, ValueError):
    """An argument has the wrong type, shape or value."""

    refuses = False


class NotOfferedError(InputError, AttributeError):
    """A derivative of this kind has the member, but this one cannot have it."""


@dataclass(frozen=True)
class Origin:
    """A place in the user's code."""

    file: str
    line: int

    def __str__(self) -> str:
        return f'File "{self.file}", line {self.line}'


_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_PROBLEMS = _PACKAGE + "problems" + os.sep  # functions as users write them
_STDLIB = sysconfig.get_paths()["stdlib"] + os.sep
_TRACE = os.path.join(_PACKAGE, "tracing", "trace.py")  # what calls the traced function
_INSTALLED = re.compile(r"(?:site|dist)-packages[/\\]([^/\\]+)")
_CYTHON = re.compile(r"^__pyx|^View\.MemoryView$|^<stringsource>$|\.p(yx|xd|xi)$")  # what tracebacks name of its code
_LIBRARIES = tuple(f"{os.sep}site-packages{os.sep}{name}{os.sep}" for name in ("numpy", "scipy", "numba"))


@functools.lru_cache(maxsize=1 << 12)  # it is asked for every frame, and whenever an array is asked for its class
def is_users(file: str) -> bool:
    """Tell whether a file holds user's code: not sparsead's, NumPy's, SciPy's, numba's, Python's own, or Cython's."""
    if file.startswith(_PROBLEMS):
        return True
    if file.startswith(_PACKAGE) or _CYTHON.search(file) or any(part in file for part in _LIBRARIES):
        return False
    return not (file.startswith(_STDLIB) and "site-packages" not in file)


def is_installed(file: str) -> bool:
    """Tell whether a file belongs to an installed package."""
    return package_of(file) != ""


def package_of(file: str) -> str:
    """Return the name of the installed package that a file belongs to; "" of other files."""
    found = _INSTALLED.search(file)
    return found[1].partition(".")[0] if found else ""


def user_origin() -> Origin:
    """Return the innermost place on the call stack that is the user's own code."""
    frame = sys._getframe(1)
    while frame.f_back is not None and not is_users(frame.f_code.co_filename):
        frame = frame.f_back
    if _is_nameless(frame.f_code.co_filename):
        frame = _in_a_file(frame)
    return Origin(frame.f_code.co_filename, frame.f_lineno)


def _is_nameless(file: str) -> bool:
    """Tell whether code is of no file: typed into an interpreter, or generated, as methods of dataclasses are."""
    return file.startswith("<")


def _in_a_file(frame: FrameType) -> FrameType:
    """Return the frame of the user's file from which code of no file is called; the frame itself where none is."""
    outer: FrameType | None = frame
    while outer is not None and (file := outer.f_code.co_filename) != _TRACE:
        if is_users(file) and not is_installed(file) and not _is_nameless(file):
            return outer
        outer = outer.f_back
    return frame


def place() -> str:
    """Return where a refusal was met: the user's own line, and below it that of a package that the line calls."""
    frame: FrameType | None = sys._getframe(1)
    inner, name, typed = None, "", None
    while frame is not None and frame.f_code.co_filename != _TRACE:
        file = frame.f_code.co_filename
        if is_users(file):
            origin = Origin(file, frame.f_lineno)
            if _is_nameless(file):
                typed = typed or origin
            elif not (package := _INSTALLED.search(file)):
                return _told(origin, name, inner)
            elif inner is None:
                inner, name = origin, package[1].partition(".")[0]
        frame = frame.f_back
    return _told(typed, name, inner) if typed is not None else str(inner or user_origin())


def _told(origin: Origin, package: str, inner: Origin | None) -> str:
    """Return the words for a place, and below it that of a package."""
    return str(origin) if inner is None else f"{origin}\n  in {package}: {inner}"


def unsupported(what: str, instead: str, final: bool = False) -> UnsupportedOperationError:
    """Build the error for an operation met in the user's code, with its place and the next step."""
    error = UnsupportedOperationError(f"{what} is not supported in a traced function.\n  {place()}\n  {instead}")
    error.final = final
    return error
