"""The arrays that operations return: scalar operations at every point, elements moved, put together, added up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from sparsead.errors import user_origin
from sparsead.program.index import IndexArray, Shape, index_dtype
from sparsead.program.nodes import Constant, Join, Map, Ref, Sum, constant, whole
from sparsead.program.room import require_numbers
from sparsead.program.scalar import Op
from sparsead.tracing.array import TracedArray, traced_in
from sparsead.tracing.complex import TracedComplex
from sparsead.tracing.conversions import as_integers, cast, is_single, of_number, reading, recorded, stack_objects
from sparsead.tracing.layout import elementwise as elementwise_layout
from sparsead.tracing.loops.tape import MOST_OPERANDS
from sparsead.tracing.positioned import Positioned
from sparsead.tracing.promotion import as_logic, result_type
from sparsead.tracing.refusals import BRANCH_HINT, refuse_value
from sparsead.tracing.scalar import TracedScalar, applied
from sparsead.tracing.sequences import rebuilt
from sparsead.tracing.storage import assemble, in_turn


def is_traced(array: Any) -> bool:
    """Tell whether `array` depends on the traced arguments."""
    return isinstance(array, (TracedArray, TracedScalar)) and not array.is_constant


def any_traced(*args: Any) -> bool:
    """Tell whether anything in arguments, or in lists, tuples and dicts of them, depends on the traced arguments."""
    return any(not value.is_constant for value in traced_in(args))


def known(value: Any, what: str) -> Any:
    """Return a setting without traced arrays in it; refuse one that depends on the unknowns."""
    if isinstance(value, (list, tuple)):
        return rebuilt(value, (known(v, what) for v in value)) if any(True for _ in traced_in(value)) else value
    if is_traced(value):
        whole = recorded(value)
        if whole is not None:
            return whole
        refuse_value(what.rstrip("="), BRANCH_HINT)
    return value.plain if isinstance(value, (TracedArray, TracedComplex)) else value


def known_zeros(ref: Ref) -> np.ndarray:
    """Tell which elements of an array are known to be zero."""
    node, index = ref.node, ref.index
    if isinstance(node, Constant):
        return node.value.reshape(-1)[index] == 0.0
    zeros = np.zeros(index.shape, dtype=np.bool_)
    if isinstance(node, Join):
        owner, offset = node.owner.reshape(-1)[index], node.offset.reshape(-1)[index]
        for k, piece in enumerate(node.pieces):
            zeros[owner == k] = known_zeros(Ref(piece, offset[owner == k]))
    return zeros


def apply(op: Op, operands: Sequence[Any], conditions: tuple[int, ...] = ()) -> TracedArray:
    """Apply a scalar operation at every point of the broadcast operands."""
    number = _of_singles(op, operands)
    if number is not None:
        return of_number(number)
    operands = [stack_objects(o) for o in operands]
    dtype = result_type(op, operands)
    if dtype == np.bool_ and not op.boolean:
        if op.arity == 1:
            return operands[0].copy("K")
        return as_logic(op, [_conditions(o) for o in operands], lambda used, *os: apply(used, os, used.conditions))
    refs = [_typed(reading(o), k in conditions) for k, o in enumerate(operands)]
    try:
        shape = np.broadcast_shapes(*(r.shape for r in refs))
    except ValueError:
        shapes = " ".join(str(r.shape) for r in refs)
        raise ValueError(f"operands could not be broadcast together with shapes {shapes}") from None
    arrays = [o.positions if isinstance(o, TracedArray) else np.asarray(o) for o in operands]
    node = partial(Map, boolean=op.boolean, integer=dtype.kind == "i", op=op, origin=user_origin())
    return TracedArray.of_points(elementwise_layout(shape, arrays), tuple(r.broadcast(shape) for r in refs), node)


def _of_singles(op: Op, operands: Sequence[Any]) -> TracedScalar | None:
    """Return an operation on numbers, traced or not, which the loops that they come from may have in every turn."""
    if op.arity > MOST_OPERANDS or not all(map(is_single, operands)):
        return None
    return applied(op, [o.element() if isinstance(o, TracedArray) else o for o in operands])


def _conditions(operand: Any) -> Any:
    return operand if isinstance(operand, TracedArray) else TracedArray.of_values(np.asarray(operand, np.bool_))


def _typed(ref: Ref, condition: bool) -> Ref:
    """Turn truth values to 0.0 and 1.0 where numbers are expected, and numbers to truth values."""
    if ref.node.boolean == condition:
        return ref
    held = TracedArray.of_ref(ref)
    return reading(np.not_equal(held, 0.0) if condition else np.where(held, 1.0, 0.0))


def moved(array: Positioned, placed: Any) -> Any:
    """Return what an array holds at the positions that a function put there: an array, a number, or a list of these."""
    if isinstance(placed, (list, tuple)):
        return rebuilt(placed, (moved(array, p) for p in placed))
    return array.moved(placed) if type(placed) is np.ndarray else array.moved(np.asarray(placed))[()]


def dtype_of(array: Any) -> np.dtype[Any]:
    """Return the type that NumPy has for an array or a list of knowns and unknowns: known integers are such there."""
    array = stack_objects(array)
    return array.dtype if isinstance(array, TracedArray) else np.asarray(array).dtype


def as_written(values: Any, dtype: np.dtype[Any]) -> Any:
    """Return values as NumPy casts them where it makes room for them in a copy of an array; refuse to truncate."""
    return cast(values, dtype) if dtype.kind in "biu" else values


def assembled(func: Callable[..., Any], *operands: Any) -> TracedArray:
    """Apply `func` to arrays of element numbers in place of the operands and read off who went where.

    Number 0 is the constant zero, so functions that fill up with zeros (``tril``, ``pad``) need no rule.
    """
    size = sum(map(_size, operands))
    require_numbers(size, "an array")
    dtype = index_dtype(int(size) + 1)
    parts: list[Ref] = []
    starts = [1]

    def number(operand: Any) -> Any:
        if isinstance(operand, (list, tuple)):
            return rebuilt(operand, map(number, operand))
        operand = stack_objects(operand)
        ref = reading(operand)
        start = starts[-1]
        parts.append(ref)
        starts.append(start + ref.index.size)
        numbers = np.empty_like(operand.positions if isinstance(operand, TracedArray) else operand, dtype)
        numbers[...] = np.arange(start, starts[-1], dtype=dtype).reshape(ref.shape)
        return numbers

    numbers = np.asarray(func(*(number(o) for o in operands))).astype(dtype, "K", copy=False)  # [] makes floats
    flat = numbers.reshape(-1)
    if flat.size == size > 0 and flat[0] == 1 and (flat[1:] > flat[:-1]).all():  # 1, 2, ..., size
        return TracedArray.of_ref(in_turn(parts, numbers.shape), numbers)
    # empty operands share their start with the next one; searchsorted then finds the last, which is right
    part = np.searchsorted(starts, numbers, side="right") - 1
    if (part < 0).any():
        parts.append(whole(constant(np.zeros(1))))
        part[part < 0] = len(parts) - 1
        starts[-1] = 0
    element = numbers - np.asarray(starts, dtype)[part]
    return TracedArray.of_ref(assemble(parts, part, element, numbers.shape), numbers)


def _size(operand: Any) -> float:
    """Return the number of elements of an array, or of nested lists of arrays."""
    return sum(map(_size, operand)) if isinstance(operand, (list, tuple)) else float(np.size(operand))


def scatter_sum(terms: TracedArray, place: IndexArray, shape: Shape) -> TracedArray:
    """Return the array of `shape` whose flat element p is the sum of the terms with ``place == p``."""
    integer = terms.dtype.kind in "bi"
    if int(np.prod(shape)) == 0 or terms.size == 0:
        zeros = TracedArray.of_values(np.zeros(shape))
        return as_integers(zeros) if integer else zeros
    node = Sum(shape=shape, integer=integer, terms=_typed(terms.ref, False), place=place, origin=user_origin())
    return TracedArray.of_node(node)
