"""Calls of the user's function on plain arrays, which cannot change what they are given."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from sparsead.errors import InputError

NUMBERS = frozenset({float, int, np.float64})
TRACED = "sparsead.tracing."  # the home of what stands for arrays while a function is traced


def plain_value(function: Callable[..., Any], args: Sequence[Any]) -> Any:
    """Return ``function(*args)``; the function gets copies, whatever it does to its arguments."""
    return plain(function(*map(copied, args)))


def quietly() -> Callable[[], AbstractContextManager[Any]]:
    """Return what lets no floating-point error be heard of, except where the function, or its caller, asks to see it.

    Then it may decide what the function does: a warning that is made an error and caught, one that is recorded.
    """
    filters, modes = warnings.filters, {k: "call" if mode == "warn" else mode for k, mode in np.geterr().items()}

    def warn(kind: str, _: int) -> None:
        if warnings.filters is not filters:
            warnings.warn(f"{kind} encountered", RuntimeWarning, stacklevel=2)

    call: Any = np.geterrcall() if "call" in np.geterr().values() else warn
    return lambda: np.errstate(call=call, **modes)  # type: ignore[arg-type]


def plain(value: Any) -> Any:
    """Return what a function returned.

    Raises
    ------
    InputError
        If something in it is left from a trace.
    """
    left = next(_left(value), None)
    if left is not None:
        raise InputError(
            f"the function returned {left!r} when it was called on plain arrays: it keeps something from the run in "
            "which it was traced (in an attribute, a global, a cache or a default argument). Compute what is kept "
            "before the derivative is prepared, or do not keep it"
        )
    return value


def copied(value: Any) -> Any:
    """Return an argument with the arrays in it copied, in their memory order; what else there is is shared.

    Traced arrays pass for arrays, here too.
    """
    if isinstance(value, np.ndarray):
        return value.copy(order="K")
    if type(value) in (list, tuple):
        return type(value)(map(copied, value))
    if type(value) is dict:
        return {key: copied(child) for key, child in value.items()}
    return value


def real(value: np.ndarray) -> np.ndarray:
    """Return values of a function as float64; complex numbers without imaginary parts are real.

    Raises
    ------
    InputError
        If they are not real.
    """
    value = np.asarray(value)  # without a unit, as of what was traced
    if value.dtype.kind == "c" and not np.any(value.imag):
        value = value.real
    if value.dtype.kind not in "fiubO":
        raise InputError(f"the function returned {value.dtype} on plain arrays; expected real numbers")
    return value.astype(np.float64)


def _left(value: Any) -> Iterator[Any]:
    """Yield what a value holds that stands for an array in a trace."""
    if str(type(value).__module__).startswith(TRACED):
        yield value
        return
    if type(value) in (list, tuple) and NUMBERS.issuperset(map(type, value)):
        return  # loops make long ones
    if type(value) is np.ndarray:
        held: Any = value.flat if value.dtype == object else ()
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        held = vars(value).values() if hasattr(value, "__dict__") else ()
    else:
        held = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    for part in held:
        yield from _left(part)
