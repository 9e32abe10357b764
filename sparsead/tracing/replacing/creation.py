"""NumPy's creation functions while a function is being traced.

``out = np.zeros(n)`` then ``out[i] = x[i]`` is the commonest pattern of real code, and NumPy has no hook for it: so
new float arrays come back as traced arrays of known values, which take traced values later. That goes for whatever
NumPy functions make of constants: ``np.linspace(...)``, ``np.diag(w)``, a copy of an array from outside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.tracing.array import TracedArray, traced_in
from sparsead.tracing.calls import call_function
from sparsead.tracing.complex import TracedComplex
from sparsead.tracing.conversions import arguments_of, of_number, stack_objects
from sparsead.tracing.foreign import taken_out
from sparsead.tracing.known import on_values
from sparsead.tracing.late import AS_NUMPY
from sparsead.tracing.object_arrays import is_of_unknowns, lent
from sparsead.tracing.probing import instead_of
from sparsead.tracing.replacing.names import patch
from sparsead.tracing.scalar import WHERE, TracedScalar, of_numbers
from sparsead.tracing.selection import Selection


def allocating(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return `original`, which makes arrays of constants, with new float arrays ready for traced values."""

    def create(*args: Any, like: Any = None, **kwargs: Any) -> Any:
        args = tuple(lent(a) if is_of_unknowns(a) else taken_out(a) for a in args)
        if any(type(a) is TracedScalar for a in args) or any(True for _ in traced_in((args, kwargs))):
            return call_function(original, *arguments_of(original, args, kwargs))
        new = on_values(original, args, kwargs)
        single = original in SIZED and type(new) is np.ndarray and new.dtype.kind == "f"
        return TracedArray.of_values(new) if single else new

    return create


def _full(shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", **kwargs: Any) -> Any:
    """``np.full`` with a value that may be traced."""
    filling = stack_objects(fill_value)
    if not isinstance(filling, (TracedArray, TracedComplex)):
        return on_values(np.full, (shape, fill_value, dtype, order), {})
    filling = filling.astype(filling.dtype if dtype is None else dtype)  # refused where it truncates
    return np.broadcast_to(filling, shape).copy(order)


def converting(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return `original`, which makes an array of its first argument, for traced ones: asked on the positions."""

    def convert(value: Any, dtype: Any = None, *args: Any, like: Any = None, **kwargs: Any) -> Any:
        try:
            array = lent(value) if is_of_unknowns(value) else stack_objects(value)
        except (TypeError, ValueError) as error:  # lists of several lengths
            instead_of(error, (original, (value, dtype, *args), kwargs))
        if not isinstance(array, (TracedArray, TracedComplex)):
            return on_values(original, (value, dtype, *args), kwargs)
        if array is not value and kwargs.get("copy", True) is False:
            raise ValueError("Unable to avoid copy while creating an array as requested.")
        kept = kwargs.get("subok", original is np.asanyarray)
        if isinstance(array, TracedArray) and type(array) is not TracedArray and not kept:
            array = TracedArray(array.storage, array.positions)  # a matrix is an array from here on
        wanted = array.dtype if dtype is None else np.dtype(dtype)
        if wanted != array.dtype and array.is_constant:
            return on_values(original, (array, dtype, *args), kwargs)
        if wanted != array.dtype:  # a copy, also where the numbers stay what they are (float32)
            if kwargs.get("copy", True) is False:
                raise ValueError("Unable to avoid copy while creating an array as requested.")
            array = array.astype(wanted)
        return _asked(original, array, args, kwargs)

    return convert


def _asked(original: Callable[..., Any], array: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Return what `original` makes of an array, or the array itself, by what it makes of the positions."""
    positions = array.positions
    new = original(positions, None, *args, **kwargs)
    return array if new is positions else array.moved(new)


def _where(condition: Any, *values: Any) -> Any:
    """``np.where``; of numbers, which loop code chooses from, without a detour."""
    selection = next((v for v in (condition, *values) if type(v) is Selection), None)
    if selection is not None and len(values) == 2:
        return selection.choice(condition, *values)
    chosen = of_numbers(WHERE, (condition, *values)) if len(values) == 2 else None
    return _chosen(condition, *values) if chosen is None else of_number(chosen)


def _copy(a: Any, order: Any = "K", subok: bool = False) -> Any:
    """``np.copy``."""
    array = stack_objects(a)
    if not isinstance(array, (TracedArray, TracedComplex)):
        return on_values(np.copy, (a, order), {})
    return array.moved(np.copy(array.positions, order)) if array is a else array


def _one_argument(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``np.ascontiguousarray`` or its kin for traced arrays."""
    convert = converting(lambda value, dtype=None, **kwargs: original(value, dtype))

    def call(a: Any, dtype: Any = None, *, like: Any = None) -> Any:
        return convert(a, dtype)

    return call


SIZED: tuple[Callable[..., Any], ...] = (
    np.zeros, np.ones, np.empty, np.eye, np.identity, np.zeros_like, np.ones_like, np.empty_like, np.full_like,
)  # fmt: skip
CONVERTING: list[Callable[..., Any]] = [np.array, np.asarray, np.asanyarray]
#: Functions whose results are new wherever they are floats, and take traced values then.
ALLOCATING: list[Callable[..., Any]] = [
    *SIZED, np.tri, np.arange, np.linspace, np.logspace, np.geomspace, np.fromfunction, np.vander,
    np.repeat, np.tile, np.diag, np.diagflat, np.tril, np.triu, np.concatenate, np.stack, np.hstack, np.vstack,
    np.dstack, np.column_stack, np.block, np.append, np.insert, np.delete, np.pad, np.roll, np.resize, np.flip,
    np.meshgrid, np.outer, np.kron, np.cumsum, np.diff, np.sort, np.take, np.dot, np.matmul, np.interp, np.clip,
]  # fmt: skip
for _function in ALLOCATING:
    if not isinstance(_function, np.ufunc):
        patch(_function, allocating(_function))
for _function in CONVERTING:
    patch(_function, converting(_function))
for _function in (np.ascontiguousarray, np.asfortranarray):
    patch(_function, _one_argument(_function))
_chosen = allocating(np.where)
patch(np.where, _where)
patch(np.copy, _copy)
patch(np.full, _full)
AS_NUMPY |= {np.copy, np.full_like, np.zeros_like, np.ones_like, np.empty_like}
