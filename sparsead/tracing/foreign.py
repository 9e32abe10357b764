"""Objects of other packages beside traced arrays: units, labelled arrays. NumPy's rules say who acts.

A unit has a priority and no ufuncs: an array leaves its operators to it. A labelled array (of pandas, of xarray) acts
on ufuncs, and holds the array that was put in, a traced one too; everything else takes what it holds. So does an
object of the user's that says by ``__array__`` which array it is.
"""

from __future__ import annotations

import functools
import types
from typing import Any

import numpy as np

from sparsead.errors import is_installed, is_users
from sparsead.tracing.positioned import Positioned
from sparsead.tracing.reflection import module_of
from sparsead.tracing.sequences import QUEUES, rebuilt

MISSING = object()
PLAIN = (float, int, bool, complex, str, list, tuple, dict, slice, type(None), np.ndarray, np.float64)


class Lookalike(np.ndarray):
    """What ``x.__class__`` says to libraries for a traced array, so that ``isinstance(x, np.ndarray)`` is true.

    Not ndarray itself, as to user code: where SciPy asks ``x.__class__ is np.ndarray`` it wants to read the memory.
    """


def _is_foreign(kind: type) -> bool:
    """Tell whether a class is neither NumPy's nor ours, nor a sparse matrix."""
    return not (
        kind in PLAIN
        or issubclass(kind, (np.ndarray, np.generic))
        or module_of(kind).startswith("sparsead")
        or hasattr(kind, "tocsr")
    )


def acts(value: Any) -> bool:
    """Tell whether a value takes part in ufuncs in a way of its own: it is asked before an array acts."""
    kind = type(value)
    if kind in PLAIN or getattr(kind, "__array_ufunc__", None) is None:
        return False
    return getattr(kind, "acts_in_ufuncs", False) or _is_foreign(kind)


@functools.cache
def class_acts(kind: Any) -> bool:
    """Tell whether a subclass of ndarray has a say in what NumPy's ufuncs and functions do with its arrays."""
    return issubclass(kind, np.ndarray) and (
        kind.__array_ufunc__ is not np.ndarray.__array_ufunc__
        or kind.__array_function__ is not np.ndarray.__array_function__
    )


def acts_as_class(value: Any) -> bool:
    """Tell whether a value is an array of a class that acts, such as one with units."""
    kind: Any = type(value)
    return kind not in PLAIN and class_acts(kind)


def has_units(value: Any) -> bool:
    """Tell whether a value is more than its numbers: of what it is made up there is no array."""
    return acts_as_class(value) or hasattr(type(value), "dimensionality")


def acts_in_operators(value: Any) -> bool:
    """Tell whether an array leaves ``array + value`` and its kin to the value."""
    kind = type(value)
    if kind in PLAIN:
        return False
    ufunc = getattr(kind, "__array_ufunc__", MISSING)
    if ufunc is None or hasattr(kind, "dimensionality"):
        return True
    return ufunc is MISSING and _is_foreign(kind) and getattr(value, "__array_priority__", 0.0) > 0.0


def held_in(value: Any) -> Any:
    """Return the array that is in a labelled one, or in an object of the user's; None if there is none.

    A quantity of a package is more than its numbers.
    """
    kind = type(value)
    if kind in PLAIN or not hasattr(kind, "__array__") or isinstance(value, type) or not _is_foreign(kind):
        return None
    return value.__array__() if hasattr(kind, "to_numpy") or _is_users(kind.__array__) else None


def _is_users(method: Any) -> bool:
    """Tell whether a method is the user's own."""
    file = method.__code__.co_filename if isinstance(method, types.FunctionType) else ""
    return bool(file) and is_users(file) and not is_installed(file)


def taken_out(value: Any) -> Any:
    """Return an argument, or the array in it; a list with the arrays in place of the labelled ones that hold them.

    Only what holds a traced array is taken apart: of the others NumPy makes an array itself.
    """
    if isinstance(value, QUEUES):
        value = list(value)
    if isinstance(value, (list, tuple)):
        parts = [v if type(v) in PLAIN and not isinstance(v, (list, tuple)) else taken_out(v) for v in value]
        return value if all(p is v for p, v in zip(parts, value, strict=True)) else rebuilt(value, parts)
    held = held_in(value)
    return held if isinstance(held, Positioned) else value


def acts_on(function: Any, value: Any) -> bool:
    """Tell whether a value is asked by a function of NumPy what to do."""
    return acts(value) if isinstance(function, np.ufunc) else hasattr(type(value), "__array_function__")
