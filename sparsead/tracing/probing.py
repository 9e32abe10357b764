"""What NumPy says of a call: the same call is made on other arrays that lie in memory as the traced ones do.

Where a rule fails, NumPy may fail, too: then its own error is raised. If NumPy takes the arguments, they are refused by
name: no error of the machinery reaches a user. The order in memory of what a function returns is NumPy's own. And the
types of arrays that are given as ``out=`` differ from function to function: reductions write whatever they have into
whatever is given, elementwise operations what can be cast "same_kind", products what is of the same type.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Container, Iterator
from typing import Any, NoReturn

import numpy as np
import scipy.sparse

from sparsead.errors import unsupported
from sparsead.tracing import layout
from sparsead.tracing.late import late
from sparsead.tracing.positioned import Positioned
from sparsead.tracing.refusals import refuse_outside
from sparsead.tracing.scalar import TracedScalar
from sparsead.tracing.sequences import rebuilt

ELEMENTWISE = {np.clip, np.round, np.around}  # functions whose out= may be larger than their result
DIFFERENT = 4099  # so many generic values, a prime number: rows of matrices differ
Call = tuple[Callable[..., Any], Any, dict[str, Any]]  # a function and its arguments, out= among them


def instead_of(error: Exception, call: Call) -> NoReturn:
    """Raise what NumPy raises for a call for which a rule raised `error`; refuse the call if NumPy accepts it."""
    func = call[0]
    if any(callable(a) and not isinstance(a, type) for a in (*call[1], *call[2].values())):  # perhaps the user's own
        raise error
    try:
        made(call, generic=True)
    except Exception as theirs:
        raise theirs.with_traceback(None) from error
    raise unsupported(
        f"{_spelled(func)} with these arguments ({type(error).__name__}: {error})",
        "Write it with other NumPy functions.",
    ) from error


def _spelled(func: Callable[..., Any]) -> str:
    """Return how users call a function: without the modules that are for its package alone."""
    name = str(getattr(func, "__qualname__", None) or getattr(func, "__name__", ""))
    home = str(getattr(func, "__module__", None) or "numpy").split(".")
    return ".".join([*(part for part in home if not part.startswith("_")), name]).replace("numpy.", "np.")


def refuse_own_memory(func: Callable[..., Any], target: Any, args: Any) -> None:
    """Refuse a write from the target's own memory where what NumPy reads there has been written by itself.

    The write is made on numbers that are all different, of the same memory, and of copies.
    """
    arrays = [a for a in _arrays_in((args,)) if isinstance(a, Positioned) and np.shares_memory(target, a)]
    if not arrays:
        return
    size = max(int(a.positions.max(initial=0)) + 1 for a in (target, *arrays))

    def written(apart: bool) -> np.ndarray:
        memory = np.arange(1.0, 1.0 + size)

        def numbers(value: Any) -> Any:
            if isinstance(value, (list, tuple)):
                return rebuilt(value, map(numbers, value))
            if not any(value is a for a in arrays):
                return np.ones(value.shape) if isinstance(value, Positioned) else value
            seen = layout.viewed(memory, value.positions)
            return seen.copy() if apart else seen

        func(layout.viewed(memory, target.positions), *map(numbers, args))
        return memory

    if not np.array_equal(written(apart=False), written(apart=True)):
        raise unsupported(
            f"np.{func.__name__} from the memory that it writes to",
            "NumPy reads what it has just written there: copy first.",
        )


def check_target(call: Call) -> None:
    """Raise what NumPy raises for the target of ``ufunc.at``; refuse one that it fills in an order of its own."""
    _, (target, *_), _ = call
    if not isinstance(target, Positioned):
        return
    if not target.flags.writeable:
        made(call)
    values = (value for value in call[1][2:] if isinstance(value, Positioned) and value.ndim)
    if layout.repeats(target.positions) and any(np.shares_memory(target, value) for value in values):
        raise unsupported("adding values of the same memory at places that share memory", "Copy the values first.")


def as_returned(result: Any, call: Call) -> Any:
    """Return what a rule gave for a call of a function that does not dispatch as the function itself returns it."""
    if not (isinstance(result, Positioned) and result.ndim == 0):
        return as_numpy_orders(result, call, ask=True)  # LAPACK's order is F
    if any(map(callable, call[1])):
        return result
    try:
        asked, _ = made(call, generic=True)
    except Exception:
        return result
    return result if isinstance(asked, np.ndarray) else late.as_numbers(result)


def as_numpy_orders(result: Any, call: Call, ask: bool = False) -> Any:
    """Return what a rule gave for a call, each new array in the order in which NumPy makes it.

    NumPy is asked where the order may be another one than C: where arguments, or what the rule gave, have another one.
    With `ask`, it always is. Views of memory that was given stay as they are.
    """
    func, args, kwargs = call
    given = list(_arrays_in((args, kwargs)))
    found = [r for r in _arrays_in((result,)) if isinstance(r, Positioned) and r.ndim > 1]
    in_c_order = not ask and func is not np.einsum and all(a.flags.c_contiguous for a in (*given, *found))
    known = {id(a.storage) for a in given if isinstance(a, Positioned)}
    if in_c_order or all(id(r.storage) in known for r in found) or any(map(callable, args)):
        return result
    try:
        asked, _ = made(call, generic=True)
    except Exception:  # the values mean something; then these are new arrays of LAPACK's or a loop's
        asked = None
    return in_order_of(asked, result, known)


def in_order_of(asked: Any, result: Any, known: Container[int] = ()) -> Any:
    """Return results in the order in memory of those that NumPy gave; views of `known` memory stay as they are."""
    if isinstance(result, (list, tuple)) and isinstance(asked, (list, tuple)) and len(result) == len(asked):
        return rebuilt(result, (in_order_of(a, r, known) for r, a in zip(result, asked, strict=True)))
    if isinstance(result, (list, tuple)):
        return rebuilt(result, (in_order_of(None, r, known) for r in result)) if asked is None else result
    if not isinstance(result, Positioned) or result.ndim == 0:
        return result
    order = layout.memory(result.shape)
    if np.shape(asked) == result.shape:
        order = layout.like(asked)
        if layout.steps(order) != layout.steps(asked):  # a part of something, with gaps, or one element many times
            return result if 0 in asked.strides or id(result.storage) in known else _with_gaps(result, asked)
    is_same = layout.steps(order) == layout.steps(result.positions)
    return result if is_same or id(result.storage) in known else result.in_order(order)


def _with_gaps(result: Any, like: np.ndarray) -> Any:
    """Return a copy of an array in memory with the gaps of another one."""
    walk = list(zip(layout.steps(like), like.shape, strict=True))
    first = sum(-step * (n - 1) for step, n in walk if step < 0)
    size = first + sum(step * (n - 1) for step, n in walk if step > 0) + 1
    if result.dtype.kind != "f":
        return result
    copied = late.traced(np.zeros(size)).moved(layout.placed(size, like.shape, first, layout.steps(like)))
    copied[...] = result
    return copied


def _arrays_in(items: Any) -> Iterator[Any]:
    for item in items.values() if isinstance(items, dict) else items:
        if isinstance(item, (list, tuple, dict)) and not scipy.sparse.issparse(item):  # dok_matrix is a dict
            yield from _arrays_in(item)
        elif type(item) is np.ndarray or isinstance(item, Positioned):
            yield item


def check_shape(func: Any, out: Any, result: Any) -> None:
    """Raise what NumPy raises for a target that is not of the shape of the result of a function (not of a ufunc)."""
    if func not in ELEMENTWISE and np.shape(result) != np.shape(out):
        raise ValueError(f"output array has shape {np.shape(out)}, and the result {np.shape(result)}")


def write_out(out: Any, result: Any, call: Call | None = None) -> Any:
    """Write `result` into `out`, the target of ``out=`` or of an in-place operator, and return it.

    `call` is what gave the result: if it is known, NumPy says whether it takes the type of the target.
    """
    out = out[0] if isinstance(out, tuple) and len(out) == 1 else out
    if not isinstance(out, Positioned):
        if not isinstance(out, np.ndarray):
            raise TypeError(f"return arrays must be of ArrayType, not {type(out).__name__}")
        known = result
        if not getattr(result, "is_constant", True):
            known = late.recorded(result) if result.dtype.kind in "bi" else None
        if known is None:
            refuse_outside()
        np.copyto(out, np.asarray(known))
        return out
    shape, dtype = np.shape(result), getattr(result, "dtype", np.dtype(np.float64))
    if shape != out.shape and np.broadcast_shapes(shape, out.shape) != out.shape:
        raise ValueError(f"non-broadcastable output operand with shape {out.shape} doesn't match the shape {shape}")
    if call is not None and (dtype != out.dtype or not out.flags.c_contiguous):
        _check_target(call, out, dtype)
    elif not np.can_cast(dtype, out.dtype, "same_kind"):
        raise TypeError(f"Cannot cast ufunc output from {dtype!r} to {out.dtype!r} with casting rule 'same_kind'")
    out[...] = result  # type: ignore[index]
    return out


def _check_target(call: Call, out: Any, dtype: np.dtype[Any]) -> None:
    """Raise what NumPy raises for a target; refuse it for functions that compute something else because of its type.

    ``np.einsum`` of truth values counts them if the target is one of integers.
    """
    _, target = made(call, out, out.dtype)
    if dtype != out.dtype and not np.array_equal(target, made(call, out, dtype)[1].astype(out.dtype), equal_nan=True):
        raise unsupported(
            f"{call[0].__name__} with out= of {out.dtype}, which computes in that type,", "Convert with astype."
        )


def made(call: Call, out: Any = None, dtype: Any = None, generic: bool = False) -> tuple[Any, Any]:
    """Make a call on ones, or on `generic` values, and return its result and its target, `out`, which is of `dtype`.

    With `generic` values, arrays whose values are known keep them: quantiles lie between 0 and 1.
    """
    func, args, kwargs = call
    target = None if out is None else _ones(out, dtype)

    def filled(value: Any) -> Any:
        if out is not None and value is out:
            return target
        if isinstance(value, (list, tuple)):
            return rebuilt(value, map(filled, value))
        if isinstance(value, Positioned):
            keeps = generic and getattr(value, "is_constant", False)
            numbers = np.array(value, order="K") if keeps else _ones(value, value.dtype, generic)
            return value.of_its_class(numbers)
        if type(value) is TracedScalar:
            return value.dtype.type(1)
        return value.copy(order="K") if isinstance(value, np.ndarray) else value

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return func(*map(filled, args), **{name: filled(value) for name, value in kwargs.items()}), target


def same_values(first: Any, second: Any) -> bool:
    """Tell whether two results hold the same values, of whichever class their arrays are."""
    if isinstance(first, (list, tuple)):
        return all(map(same_values, first, second))
    return first is second or bool(np.array_equal(np.asarray(first), np.asarray(second), equal_nan=True))


def _ones(array: Any, dtype: Any, generic: bool = False) -> np.ndarray:
    """Return ones, or generic values, that lie in memory as an array does, whatever their type."""
    positions = array.positions
    values = np.ones(int(positions.max(initial=0)) + 1, dtype)
    if generic and dtype.kind in "fc":
        values *= np.resize(1.5 + np.sin(np.arange(min(values.size, DIFFERENT)) ** 2), values.size)
    view = layout.viewed(values, positions)
    if generic and dtype.kind in "fc" and view.ndim > 1 and view.shape[-1] == view.shape[-2] and view.flags.writeable:
        view += 4.0 * view.shape[-1] * np.eye(view.shape[-1])  # matrices have inverses, and factors of all kinds
    return view
