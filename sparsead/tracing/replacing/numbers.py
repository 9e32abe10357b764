"""`float`, `complex`, `np.float64` and its kin of traced numbers: the numbers as they are.

Calls of these types have no hook that might return anything but a number. So modules whose code has called them with
unknowns get names of their own for them (`answered`), which are the types in every other respect. NumPy's types take
arrays and lists as well.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.tracing.array import TracedArray, traced_in
from sparsead.tracing.calls import as_numbers
from sparsead.tracing.complex import TracedComplex
from sparsead.tracing.conversions import traced
from sparsead.tracing.known import complex_of_parts
from sparsead.tracing.late import late
from sparsead.tracing.replacing.names import NUMBERS, PATCHES, TYPES
from sparsead.tracing.replacing.standins import Standing
from sparsead.tracing.scalar import TracedScalar

STANDING = (TracedScalar, TracedArray, TracedComplex)


def _floating(value: Any) -> Any:
    """Return a traced real number as a float."""
    if type(value) is TracedScalar and value.dtype == np.float64:
        return value
    if type(value) is TracedComplex or (isinstance(value, TracedArray) and value.is_constant):
        return builtins.float(value)
    builtins.float(np.zeros(value.shape))  # NumPy says which shapes are a number
    return as_numbers(late.cast(traced(value).reshape(()), np.dtype(float)))


def _complex(real: Any, imag: Any = 0.0) -> Any:
    """Return the complex number of one number, or of two."""
    if type(real) is TracedComplex or type(imag) is TracedComplex:
        return as_numbers(real + 1j * imag)
    return as_numbers(complex_of_parts(*(traced(np.float64(0.0) + _real(part)).reshape(()) for part in (real, imag))))


def _of_numpy(kind: type) -> Callable[[Any], Any]:
    """Return what a type of NumPy's numbers makes of traced ones: a number of a number, an array of an array."""

    def convert(value: Any) -> Any:
        array = late.stack_objects(value)
        made = array.copy() if array.dtype == kind else array.astype(kind)
        return as_numbers(made) if made.ndim == 0 else made

    return convert


def _real(part: Any) -> Any:
    return _floating(part) if isinstance(part, STANDING) else part


class _Meta(Standing, type):
    """Makes a class act as one of Python's types of numbers."""

    traced: Any

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        unknown = any(True for _ in traced_in((args, kwargs)))
        return (cls.traced if unknown else cls.original)(*args, **kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.original)

    def __subclasscheck__(cls, subclass: Any) -> bool:
        return issubclass(subclass, cls.original)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is cls.original

    def __hash__(cls) -> int:
        return hash(cls.original)

    def __repr__(cls) -> str:
        return repr(cls.original)


def _standing_for(original: type, function: Any) -> Any:
    """Return what stands for a type of numbers; NumPy asks it for the type of its elements."""
    names = {"original": original, "traced": staticmethod(function), "dtype": np.dtype(original)}
    return type.__new__(_Meta, original.__name__, (original,), {**names, "__module__": original.__module__})


NUMBERS["float"] = TYPES[float] = _standing_for(float, _floating)
NUMBERS["complex"] = TYPES[complex] = _standing_for(complex, _complex)
for _kind in (np.float64, np.float32, np.complex128, np.bool_):
    TYPES[_kind] = PATCHES[_kind] = _standing_for(_kind, _of_numpy(_kind))
