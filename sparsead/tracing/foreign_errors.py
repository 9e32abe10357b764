"""Errors of NumPy, libraries and compiled code that met traced values: refused in our own words, with the place."""

from __future__ import annotations

import itertools
import re
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from sparsead.errors import InputError, Origin, UnsupportedOperationError, is_installed, is_users, package_of
from sparsead.tracing.libraries import PACKAGES, call_of
from sparsead.tracing.refusals import LIBRARY_HINT
from sparsead.tracing.wrappers import inner

NO_SUCH = "'numpy.ndarray' object has no attribute"  # words of a traced array's own errors
MEMORY = ("'__array_interface__'", "'__array_struct__'")  # attributes by which code finds the memory of an array
NOT_SET = "'TracedSparse' object has no attribute"  # words of Python's own, where a library changes a sparse matrix
NO_ARRAY = "__array__ method not producing an array"  # likewise
# Words of errors of compiled code that got a traced array.
COMPILED = (
    "Traced", "buffer API", "JSON serializable", "No matching signature", "ambiguous argument types",
)  # fmt: skip
CALL = re.compile(r"missing \d+ required|takes .* arguments? but|unexpected keyword argument")  # words of Python's own
OF_OBJECTS = ("dtype('O')", "array of references")  # words of NumPy's errors about arrays of objects


def refuse_error(error: Exception, f: Callable[..., Any], args: Sequence[Any]) -> None:
    """Raise the refusal that stands behind an error of a traced function; where it may be its own, add a note."""
    words = str(error) if isinstance(error, (TypeError, AttributeError, ValueError)) else ""
    if isinstance(error, TypeError) and CALL.search(words):
        _refuse_call(error, f)
        return
    if isinstance(error, TypeError) and any(known in words for known in COMPILED):
        raise _refused_by_compiled_code(error, f) from error
    if isinstance(error, AttributeError) and any(known in words for known in MEMORY):
        raise _refused_by_compiled_code(error, f) from error
    if isinstance(error, AttributeError) and (NO_SUCH in words or NOT_SET in words):
        _refuse_in_library(error, f)
    if isinstance(error, TypeError) and any(known in words for known in OF_OBJECTS):
        raise _refused_array_of_objects(error, f) from error
    if isinstance(error, ValueError) and NO_ARRAY in words:
        raise _refused_protocol(f, error) from error
    error.add_note(_note(f, args))


def place_of(error: BaseException, f: Callable[..., Any]) -> Any:
    """Return where the user's code was when an error came up."""
    frames = traceback.extract_tb(error.__traceback__)
    places: list[Any] = [Origin(frame.filename, frame.lineno or 0) for frame in frames if is_users(frame.filename)]
    own = [each for each in places if not is_installed(each.file)]
    return (own or places or [where(f)])[-1]


def _refuse_call(error: TypeError, f: Callable[..., Any]) -> None:
    """Say which examples are wanted where `f` itself could not be called with those that were given."""
    raised = error.__traceback__
    if raised is None or raised.tb_next is None:
        raise InputError(
            f"{where(f)} cannot be called with the example arguments: {error}. Give one for each argument, in order, "
            "after the function; functools.partial binds others by name"
        ) from error


def _refuse_in_library(error: AttributeError, f: Callable[..., Any]) -> None:
    """Refuse what a library could not do because it asked for an attribute that a traced array does not have."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    call = call_of(list(itertools.takewhile(lambda frame: not is_users(frame.f_code.co_filename), reversed(frames))))
    if call is not None and (call.instead or NOT_SET in str(error)):
        raise UnsupportedOperationError(
            f"{call.name} ({error}) is not supported in a traced function.\n  {place_of(error, f)}\n  "
            f"{call.instead or LIBRARY_HINT}"
        ) from error


def _refused_by_compiled_code(error: Exception, f: Callable[..., Any]) -> UnsupportedOperationError:
    """Return the refusal where code of others was handed a traced array, and says so in its own words."""
    frames = traceback.extract_tb(error.__traceback__)
    raised = next((frame for frame in reversed(frames) if is_users(frame.filename)), frames[-1])
    package = package_of(raised.filename) if is_users(raised.filename) else ""
    if package in PACKAGES:
        return UnsupportedOperationError(
            f"a function of {package} ({error}) is not supported in a traced function.\n  {place_of(error, f)}\n"
            f"  in {package}: {Origin(raised.filename, raised.lineno or 0)}\n  {PACKAGES[package]}"
        )
    if package and raised is frames[-1]:
        return UnsupportedOperationError(
            f"code of {package} that tells arrays by their type ({error}) is not supported in a traced function.\n"
            f"  {place_of(error, f)}\n  in {package}: {Origin(raised.filename, raised.lineno or 0)}\n"
            '  Write what it computes with NumPy functions; or prepare with method="finite-difference".'
        )
    return UnsupportedOperationError(
        f"compiled code that asks for a plain array ({error}) is not supported in a traced function.\n  "
        f"{place_of(error, f)}\n  {_instead(str(error))}\n  A compiled routine can take part through "
        'sparsead.extend; or prepare with method="finite-difference".'
    )


def _instead(words: str) -> str:
    """Return the next step after a refusal in the words of compiled code."""
    if "descriptor" in words:
        return "Call the method, or the operator, of the array itself: x.dot(y) for np.ndarray.dot(x, y)."
    if any(known in words for known in MEMORY) or "bytes-like" in words or "buffer" in words or "JSON" in words:
        return "A traced array has no memory to look at: use the array itself, or its elements; write down outside."
    if "Decimal" in words:
        return "Numbers stay float64: use the number itself."
    return (
        "If a solver was made outside (splu, factorized), make it inside the function, or hold it in a variable that "
        "the function names."
    )


def _refused_array_of_objects(error: TypeError, f: Callable[..., Any]) -> UnsupportedOperationError:
    """Return the refusal where NumPy made an array of objects of a list with traced numbers, and cannot go on."""
    return UnsupportedOperationError(
        f"an array of objects, which NumPy makes of a list of unknowns beside plain numbers or arrays ({error}), is "
        f"not supported in a traced function.\n  {place_of(error, f)}\n"
        "  Make the list an array first: np.array([x[0], x[1]])."
    )


def _refused_protocol(f: Callable[..., Any], error: ValueError) -> UnsupportedOperationError:
    """Return the refusal where NumPy itself asked an object for its array, and got unknowns."""
    return UnsupportedOperationError(
        f"an object whose __array__ returns unknowns, where NumPy asks for it ({error}), is not supported in a traced "
        f"function.\n  {place_of(error, f)}\n  Make it an array first, by np.asarray, or call a function: "
        "np.multiply(a, b) for a * b."
    )


def _note(f: Callable[..., Any], args: Sequence[Any]) -> str:
    """Return what to say of an error that `f` raised: it may be its own, or come from the trace."""
    shapes = [getattr(a, "shape", None) for a in args]
    kinds = [type(a).__name__ if s is None else str(s or "a number") for a, s in zip(args, shapes, strict=True)]
    return (
        f"{where(f)} was being traced: it ran on arrays without values, as the examples are ({', '.join(kinds)}). "
        "If plain arrays of these shapes are no problem, something that it calls reads their memory: register that "
        "with sparsead.extend, or use method='central-difference'."
    )


def where(f: Callable[..., Any]) -> str:
    """Return the name of the user's function, and where it is defined."""
    f = inner(f)
    code = getattr(f, "__code__", None)
    place = f" ({Origin(code.co_filename, code.co_firstlineno)})" if code is not None else ""
    return f"{getattr(f, '__name__', type(f).__name__)}{place}"
