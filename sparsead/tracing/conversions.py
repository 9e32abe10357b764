"""What stands for a traced array, or becomes one: numbers, lists, object arrays, constants, other types."""

from __future__ import annotations

import builtins
import numbers
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from sparsead.errors import unsupported
from sparsead.program.index import Shape
from sparsead.program.nodes import Ref, constant, whole
from sparsead.tracing import layout
from sparsead.tracing.array import TracedArray, traced_in
from sparsead.tracing.complex import TracedComplex, call_complex, is_complex
from sparsead.tracing.decisions import active
from sparsead.tracing.foreign import taken_out
from sparsead.tracing.known import complex_of_parts
from sparsead.tracing.late import HANDLERS, late
from sparsead.tracing.libraries import FIELDS, MASKED
from sparsead.tracing.loops.tape import BOOL, DOUBLE
from sparsead.tracing.reflection import module_of
from sparsead.tracing.refusals import BRANCH_HINT, refuse_value
from sparsead.tracing.scalar import TracedScalar, is_number
from sparsead.tracing.sequences import rebuilt
from sparsead.tracing.storage import Storage
from sparsead.tracing.subclasses import seen_as_kind

DIGITS = (
    "The digits behind the point would be cut off: use np.floor, np.trunc or np.rint, which stay real. An array that "
    "takes what depends on x is one of floats: np.zeros(n), np.full(n, 1.0), np.zeros_like(k, dtype=float)."
)
IN_ROWS = {TracedScalar, float}
STACK, BLOCK = np.stack, np.block  # the functions themselves: their names are bound to others while one is traced
SUBCLASS_HINT = (
    "It is a subclass of ndarray, which holds numbers only: take its values (to_value, .value) before, or use pint, "
    "whose quantities hold any array."
)


@late.bound
def seen_as(array: TracedArray, dtype: Any, type: Any) -> Any:
    """Return a traced array by ``array.view(dtype, type)``."""
    if dtype is np.ndarray and type is None:
        dtype, type = None, np.ndarray
    of_class = isinstance(dtype, builtins.type) and issubclass(dtype, np.ndarray)
    if dtype is not None and not of_class and np.dtype(dtype) == array.dtype:
        dtype = None
    if dtype is None and type is np.ndarray:
        return TracedArray(array.storage, array.positions.view())
    if dtype is None and type is None:
        return array.moved(array.positions.view())
    kind: Any = dtype if type is None else type
    if isinstance(kind, builtins.type) and issubclass(kind, np.ndarray) and (dtype is None or type is None):
        seen = seen_as_kind(array, kind)
        if seen is not None:
            return seen
        hint = "Use the array itself, and @ for products." if issubclass(kind, np.matrix) else SUBCLASS_HINT
        raise unsupported(f"ndarray.view({kind.__name__})", hint)
    if dtype is None or np.dtype(dtype) != np.complex128 or type is not None:
        hint = FIELDS if dtype is not None and np.dtype(dtype).fields else "Use astype, which converts."
        raise unsupported(f"ndarray.view({dtype if type is None else type})", hint)
    if array.size and array.positions.strides[-1:] != (array.positions.itemsize,):
        raise ValueError("To change to a dtype of a different size, the last axis must be contiguous")
    if array.shape[-1] % 2:
        raise ValueError("When changing to a larger dtype, its size must be a divisor of the total size")
    evens = layout.part_of(array.positions[..., ::2])
    if evens is None or evens[0] or array.storage.size % 2:
        raise unsupported("ndarray.view(complex) from an odd element on", "Use x[0::2] + 1j * x[1::2].")
    evens[1].flags.writeable = array.positions.flags.writeable
    return TracedComplex(array.storage, evens[1])


@late.bound
def of_number(number: TracedScalar) -> TracedArray:
    """Return a new array of shape () that holds a number, which may go on as a number."""
    return TracedArray(Storage.of_number(number), layout.memory(()))


def is_single(value: Any) -> bool:
    """Tell whether a value is a number, or a traced array of shape ()."""
    kind = type(value)
    return kind is TracedScalar or (value.positions.ndim == 0 if kind is TracedArray else is_number(value))


@late.bound
def as_integers(array: Any) -> Any:
    """Return a new array of whole numbers as one of integers."""
    ref = traced(array).ref
    ref.node.integer = True
    return TracedArray.of_ref(ref, traced(array).positions)


@late.bound
def fitted(ref: Ref, shape: Shape) -> Ref:
    """Broadcast a value to the place it is assigned to; leading axes of length 1 are dropped, as NumPy does."""
    while len(ref.shape) > len(shape) and ref.shape[0] == 1:
        ref = Ref(ref.node, ref.index[0])
    try:
        return ref.broadcast(shape)
    except ValueError:
        raise ValueError(f"could not broadcast input array from shape {ref.shape} into shape {shape}") from None


@late.bound
def cast(value: Any, dtype: np.dtype[Any]) -> Any:
    """Convert to the type of an array: as NumPy does, where nothing is truncated."""
    if not isinstance(value, TracedArray):
        return np.asarray(value).astype(dtype) if np.asarray(value).dtype.kind in "fiub" else value
    if value.dtype.kind == dtype.kind:
        return value
    if dtype.kind == "b":
        return traced(np.not_equal(value, 0))
    if dtype.kind == "i" and dtype.itemsize >= 4 and value.dtype == BOOL:
        return traced(np.where(value, 1, 0))
    if dtype.kind == "f":
        return traced(np.where(value, 1.0, 0.0) if value.dtype == BOOL else np.add(value, 0.0))
    if dtype.kind == "c":
        real = value.copy("K") if value.dtype == DOUBLE else cast(value, DOUBLE)
        return complex_of_parts(real, TracedArray.of_new(np.zeros(value.shape)))
    if dtype.kind in "iu" and value.dtype != DOUBLE:
        raise unsupported(
            f"casting {value.dtype} to {dtype}", "Whole numbers are int64, which do not wrap: astype(int)."
        )
    if dtype.kind in "iu":
        raise unsupported(f"casting float64 to {dtype} (by astype, or as it is written into an array of these)", DIGITS)
    raise unsupported(f"casting float64 to {dtype}", "Numbers stay float64 or complex: leave the type out.")


@late.bound
def reading(value: Any) -> Ref:
    """Return the reading of a traced array, or of a constant."""
    if isinstance(value, TracedArray):
        return value.ref
    if isinstance(value, TracedScalar):
        return value.array.ref
    if scipy.sparse.issparse(value):
        raise unsupported("a sparse matrix in an operation of dense arrays", "Use A.toarray(), or A @ x.")
    check_kind(value)
    array = np.asarray(value)
    if array.dtype == object and isinstance(value, numbers.Rational):
        array = np.asarray(float(value))
    if array.dtype.kind not in "fiub":
        raise unsupported(f"a value of dtype {array.dtype}", "Constants must be real numbers.")
    return whole(constant(array))


def check_kind(value: Any) -> None:
    """Refuse arrays of classes whose operations mean something else: np.matrix, arrays with units."""
    kind = type(value)
    if kind is np.ndarray or not issubclass(kind, np.ndarray):
        return
    if issubclass(kind, np.matrix):
        raise unsupported("an np.matrix together with unknowns", "Use np.asarray(m), and @ for products.")
    if issubclass(kind, np.ma.MaskedArray):
        raise unsupported("a masked array together with unknowns", MASKED)
    if kind.__array_ufunc__ is not np.ndarray.__array_ufunc__:
        raise unsupported(
            f"an array of {module_of(kind).partition('.')[0]} ({kind.__name__}) together with unknowns", SUBCLASS_HINT
        )


def is_row(value: Any) -> bool:
    """Tell whether a value is a list of traced numbers and floats, and of nothing else: loops make long ones."""
    return type(value) in (list, tuple) and TracedScalar in (kinds := set(map(type, value))) and kinds <= IN_ROWS


@late.bound
def stack_objects(value: Any) -> Any:
    """Return `value` with traced scalars, and lists and object arrays of them, made one traced array."""
    if isinstance(value, TracedScalar):
        return value.array
    if type(value) is TracedComplex and value.is_number:
        return value.moved(value.positions)
    if is_row(value):
        row = _of_numbers(value)
        if row is not None:
            return row
    value = taken_out(value)
    if isinstance(value, (list, tuple)) and any(True for _ in traced_in(value)):
        if is_complex(value):
            return call_complex(STACK, ([stack_objects(v) for v in value],), {})
        numbers = _of_numbers(value)
        return HANDLERS[STACK]([stack_objects(v) for v in value]) if numbers is None else numbers
    if type(value) is np.ndarray and value.dtype == object and any(True for _ in traced_in(value.flat)):
        flat = stack_objects(list(value.flat))
        return flat.reshape(value.shape + flat.shape[1:])
    return value


def _of_numbers(value: Any) -> TracedArray | None:
    """Return the array of nested lists of equal lengths with numbers at the bottom; None if they are not that."""
    shape, flat = [len(value)], list(value)
    while flat and all(isinstance(v, (list, tuple)) for v in flat):
        lengths = {len(v) for v in flat}
        if len(lengths) != 1:
            return None
        shape += lengths
        flat = [element for v in flat for element in v]
    out = TracedArray(Storage(np.zeros(len(flat))), layout.memory(tuple(shape)))
    if not all(out._set_element(k, v) for k, v in enumerate(flat)):
        return None
    return out


@late.bound
def traced(array: Any) -> TracedArray:
    """Return `array` (a constant, or a list of traced scalars) as a traced array."""
    array = stack_objects(array)
    return array if isinstance(array, TracedArray) else TracedArray.of_values(array)


@late.bound
def arguments_of(func: Callable[..., Any], args: Any, kwargs: Any) -> tuple[Any, Any]:
    """Return the arguments of a NumPy function with numbers, and flat lists of them, as arrays.

    What a list of numbers is to np.block depends on how deep it lies: one block, or several. It takes lists apart
    itself.
    """
    if func is BLOCK:
        return args, kwargs
    return tuple(map(with_arrays, args)), {name: with_arrays(value) for name, value in kwargs.items()}


@late.bound
def with_arrays(value: Any) -> Any:
    """Return an argument with traced scalars in it, and flat lists of them, replaced by traced arrays."""
    if isinstance(value, TracedScalar):
        return value.array
    if not isinstance(value, (list, tuple)):
        return value
    if is_complex(value) and not any(isinstance(v, (list, tuple)) or np.ndim(v) for v in value):
        return stack_objects(value)
    if any(isinstance(v, TracedScalar) for v in value):
        numbers = _of_numbers(value)
        if numbers is not None:
            return numbers
    return rebuilt(value, map(with_arrays, value))


@late.bound
def static_key(key: Any) -> Any:
    """Return an index with the constant traced arrays in it made plain."""
    if isinstance(key, tuple):
        return tuple(static_key(k) for k in key)
    if isinstance(key, (TracedArray, TracedScalar)):
        if not key.is_constant:
            whole = recorded(key)
            return refuse_value("indexing with a traced array or mask", BRANCH_HINT) if whole is None else whole
        return key.plain
    return key


@late.bound
def recorded(array: Any) -> np.ndarray | None:
    """Return traced whole numbers, or truth values, as a recorded branch; None where no branches are recorded."""
    decisions = active.get()
    if decisions is None or array.dtype.kind == "f":
        return None
    array = traced(array)
    values = decisions.example(array.ref).astype(array.dtype)
    decisions.decide(traced(np.all(np.equal(array, values))).ref)
    return values
