"""Calls of what is known: NumPy works on the memory of constant arrays, and its results are arrays of the trace."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.tracing import layout
from sparsead.tracing.array import TracedArray
from sparsead.tracing.complex import TracedComplex
from sparsead.tracing.late import late
from sparsead.tracing.loops.tape import BOOL, DOUBLE, INTEGER, is_tracing
from sparsead.tracing.sequences import rebuilt
from sparsead.tracing.storage import Storage

#: Whether arrays of integers and of truth values, too, are made so that they take traced values.
of_any_type: ContextVar[bool] = ContextVar("sparsead_of_any_type", default=False)


@late.bound
def on_values(func: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """Call a function on the memory of constant arrays, so that it may write there and return views of it."""
    held: list[Any] = []
    result = func(*_plain(args, held), **{name: _plain(value, held) for name, value in kwargs.items()})
    return wrapped(result, held) if is_tracing() else result


def _plain(items: Any, held: list[Any]) -> Any:
    """Return nested arguments with constant arrays replaced by their memory; these, and plain ones, are put down."""
    if isinstance(items, (TracedArray, TracedComplex)):
        held.append((items, items.plain))
        return held[-1][1]
    if type(items) is np.ndarray:
        held.append((items, items))
    if isinstance(items, (list, tuple)):
        return rebuilt(items, [_plain(i, held) for i in items])
    return items


@late.bound
def wrapped(result: Any, held: list[Any]) -> Any:
    """Return what a function of constant arrays returned, able to take traced values later.

    It is one of the arguments, a view of one, or new: that is seen by the memory.
    """
    if isinstance(result, (list, tuple)):
        return rebuilt(result, [wrapped(r, held) for r in result])
    if type(result) is not np.ndarray:
        return result
    for given, values in held:
        if result is values:
            return given
    base = result.base
    if (
        type(base) is np.ndarray
        and not layout.is_dense(result)
        and (base.dtype == result.dtype or result.dtype == DOUBLE)  # the real parts of complex numbers, perhaps
        and base.dtype in (DOUBLE, np.complex128)
        and layout.is_dense(base)
        and not any(np.may_share_memory(base, values) for _, values in held)
    ):
        held.append((adopted(base), base))  # other results may be views of it, too, and its elements be shared
    for given, values in held:
        if np.may_share_memory(result, values):
            return result if given is values else view_of(given, result)
    return adopted(result)


def adopted(values: Any) -> Any:
    """Return a new array able to take traced values if it is one of floats or complex numbers."""
    taken = (DOUBLE, BOOL, INTEGER) if of_any_type.get() else (DOUBLE,)
    if type(values) is np.ndarray and values.dtype in taken:
        return TracedArray.of_new(values)
    if type(values) is np.ndarray and values.dtype == np.complex128:
        return complex_of_values(values)
    return values


def view_of(array: TracedArray | TracedComplex, view: np.ndarray) -> Any:
    """Return the traced array for a view that NumPy made of the memory of a constant one."""
    storage = array.storage
    assert storage.values is not None
    if view.dtype == storage.dtype:
        return TracedArray(storage, layout.positions_of(view, storage.values))
    if view.dtype == np.complex128:
        return TracedComplex(storage, layout.positions_of(view, storage.values.view(np.complex128)))
    raise unsupported(f"a view of floats as {view.dtype}", "Use astype, which converts.")


@late.bound
def complex_of_values(values: np.ndarray) -> TracedComplex:
    """Return a new complex array of known values, ready to have traced values written into it."""
    writeable = values.flags.writeable
    if not layout.is_dense(values):
        values = np.array(values, order="K")
        writeable = writeable or values.size > 0  # a copy; of no elements it may stand for a view
    axes = layout.axes(values)
    flat = (values if axes is None else values.transpose(axes)).reshape(-1)
    made = TracedComplex(Storage(flat.view(DOUBLE)), layout.like(values))
    made.positions.flags.writeable = writeable
    return made


def complex_of_parts(real: TracedArray, imag: TracedArray) -> TracedComplex:
    """Return the new complex array of two parts.

    It lies in memory as the parts do, which tell where they differ by being computed: one may be filled up with zeros.
    """
    if real.is_constant and imag.is_constant:
        values = np.empty_like(real.plain, np.complex128)
        values.real, values.imag = real.plain, imag.plain
        return complex_of_values(values)
    order = layout.like((imag if real.is_constant else real).positions)
    return TracedComplex.of_refs((late.cast(part, DOUBLE).ref for part in (real, imag)), order)
