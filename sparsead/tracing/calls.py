"""Calls of NumPy's functions with traced arguments: their handlers, and results as NumPy returns them."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from sparsead.errors import SparseADError, unsupported
from sparsead.tracing.array import DIFFERENCES_HINT, TracedArray, traced_in
from sparsead.tracing.complex import TracedComplex, call_complex, is_complex
from sparsead.tracing.conversions import check_kind, is_single, stack_objects
from sparsead.tracing.known import adopted, on_values
from sparsead.tracing.late import ARRAYS, AS_NUMPY, HANDLERS, UFUNC_METHODS, late
from sparsead.tracing.libraries import NEXT
from sparsead.tracing.loops.tape import BOOL
from sparsead.tracing.positioned import Positioned, Traced
from sparsead.tracing.probing import (
    Call,
    as_numpy_orders,
    check_shape,
    check_target,
    instead_of,
    refuse_own_memory,
    write_out,
)
from sparsead.tracing.promotion import kind_of
from sparsead.tracing.refusals import refuse_outside
from sparsead.tracing.scalar import of_numbers
from sparsead.tracing.selection import Selection
from sparsead.tracing.sequences import rebuilt
from sparsead.tracing.subclasses import TracedSubclass, in_class, standing

BITS = (np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert)
JOINING = {np.concatenate, np.stack}  # write into out= piece by piece; others read everything before
WRITERS = {np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis}  # into their first argument
TARGETS = ("a", "arr", "dst")  # what that is called
SPARSE = scipy.sparse.coo_array  # the handler that makes a traced matrix of any sparse one


@late.bound
def traced_matrix(value: Any) -> Any:
    """Return a constant sparse matrix as a traced one, which knows its operations with arrays; all else as it is."""
    return HANDLERS[SPARSE](value) if hasattr(type(value), "tocsr") else value


@late.bound
def matmul(a: Any, b: Any) -> Any:
    """Return ``a @ b``, also for operands that do not dispatch."""
    if isinstance(b, Traced):
        return b.__rmatmul__(a)  # type: ignore[attr-defined]
    check_kind(a)
    check_kind(b)
    if is_complex(a) or is_complex(b):
        return call_complex(np.matmul, (a, b), {})
    return as_numbers(HANDLERS[np.matmul](a, b))


@late.bound
def call_ufunc(ufunc: np.ufunc, method: str, inputs: Any, kwargs: dict[str, Any]) -> Any:
    """Trace a call of a ufunc, or of one of its methods."""
    if method == "__call__" and not kwargs and all(map(is_single, inputs)):
        result = of_numbers(ufunc, [i.element() if type(i) is TracedArray else i for i in inputs])
        if result is not None:
            return result
    call = (getattr(ufunc, method), inputs, kwargs)
    if all(t.is_constant for t in traced_in((inputs, kwargs))):
        return on_values(*call)
    try:
        result = _traced_ufunc(ufunc, method, call)
        return result if "out" in kwargs else in_class(result, call)
    except (SparseADError, MemoryError):
        raise
    except Exception as error:
        instead_of(error, call)


def _traced_ufunc(ufunc: np.ufunc, method: str, call: Call) -> Any:
    _, inputs, kwargs = call
    if ufunc in BITS:
        _check_bits(ufunc, inputs)
    if method == "at":
        check_target(call)
    outputs, kwargs = kwargs.get("out"), {name: value for name, value in kwargs.items() if name != "out"}
    where = kwargs.pop("where", True) if outputs is not None and method == "__call__" else True
    if all(t.is_constant for t in traced_in((inputs, kwargs))):  # and written into what is traced, or where it says
        result = on_values(getattr(ufunc, method), inputs, kwargs)
    elif any(is_complex(i) for i in inputs):
        result = call_complex(ufunc if method == "__call__" else (ufunc, method), inputs, kwargs)
    elif method == "__call__":
        result = _handler(ufunc, _spelled(ufunc))(*inputs, **kwargs)
    elif method == "outer":
        first, second = (stack_objects(i) for i in inputs)
        result = ufunc(np.reshape(first, np.shape(first) + (1,) * np.ndim(second)), second, **kwargs)
    elif (ufunc, method) in UFUNC_METHODS:
        result = UFUNC_METHODS[ufunc, method](*inputs, **kwargs)
    else:
        raise unsupported(f"{_spelled(ufunc)}.{method}", DIFFERENCES_HINT)
    if outputs is None:
        elementwise = method == "__call__" and ufunc.signature is None  # whose results follow their operands
        return as_numbers(result if elementwise else as_numpy_orders(result, call))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    results = result if isinstance(result, tuple) else (result,)
    written = tuple(
        as_numbers(r) if out is None else write_out(out, r if where is True else np.where(where, r, out), call)
        for out, r in zip(outputs, results, strict=True)
    )
    return written if isinstance(result, tuple) else written[0]


def _check_bits(ufunc: np.ufunc, inputs: Any) -> None:
    """Refuse operations on the bits of integers; of real numbers NumPy itself has none."""
    kinds = (kind_of(i) for i in inputs)
    result = ufunc.resolve_dtypes((*kinds, None))[-1]
    if result != BOOL:
        raise unsupported(f"np.{ufunc.__name__} of integers that depend on x", "Use the arithmetic operators.")


def _spelled(ufunc: np.ufunc) -> str:
    """Return how a ufunc is called by users, as far as it has a home."""
    if getattr(np, ufunc.__name__, None) is ufunc:
        return f"np.{ufunc.__name__}"
    special = sys.modules.get("scipy.special")
    if getattr(special, ufunc.__name__, None) is ufunc:
        return f"scipy.special.{ufunc.__name__}"
    if ufunc.__name__.endswith(" (vectorized)"):
        return f"np.frompyfunc ({ufunc.__name__.removesuffix(' (vectorized)')}; np.vectorize is traced),"
    return f"the ufunc {ufunc.__name__}"


def _handler(func: Callable[..., Any], name: str) -> Callable[..., Any]:
    handler = HANDLERS.get(func)
    if handler is None:
        home = "scipy.special" if name.startswith("scipy.special.") else ""
        home = "scipy.stats" if name.startswith("the ufunc _") else home  # of its compiled distributions
        raise unsupported(name, NEXT.get(home, DIFFERENCES_HINT), final=True)
    return handler


@late.bound
def call_function(func: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Trace a call of a NumPy function, some of whose arguments are traced."""
    for other in args:
        if type(other) is Selection:  # stand-ins of functions call this for whatever is traced
            return other.__array_function__(func, (), args, kwargs)
    args, kwargs = standing((args, kwargs))
    acting = next((t for t in traced_in((args, kwargs)) if isinstance(t, TracedSubclass)), None)
    if acting is not None:
        return acting.__array_function__(func, {type(acting)}, args, kwargs)
    for other in args:
        check_kind(other)
    calls_back = func in HANDLERS and any(map(callable, args))
    if not calls_back and all(t.is_constant for t in traced_in((args, kwargs))):
        return on_values(func, args, kwargs)
    if func in WRITERS and any(type(given) is np.ndarray for given in (*args[:1], *map(kwargs.get, TARGETS))):
        refuse_outside()
    call = (func, args, kwargs)
    try:
        return _traced_function(*call)
    except (SparseADError, MemoryError):
        raise
    except Exception as error:
        instead_of(error, call)


def _traced_function(func: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    args, kwargs = getattr(HANDLERS.get(func), "with_out_named", _as_given)(args, kwargs)
    if any(is_complex(a) for a in args):
        result = call_complex(func, args, kwargs)
        return result if kwargs.get("out") is not None else as_numpy_orders(result, (func, args, kwargs))
    handler = _handler(func, f"{func.__module__}.{func.__name__}".replace("numpy", "np"))
    out = kwargs.get("out")
    if out is not None:
        others = {k: v for k, v in kwargs.items() if k != "out"}
        known = all(t.is_constant for t in traced_in((args, others)))
        result = on_values(func, args, others) if known else handler(*args, **others)
        check_shape(func, out, result)
        if func in JOINING and isinstance(out, Positioned):
            refuse_own_memory(_into(func, others), out, args)
        return write_out(out, result, (func, args, kwargs))
    result = as_numpy_orders(handler(*args, **kwargs), (func, args, kwargs))
    if func in ARRAYS:
        result = stack_objects(result)
        return adopted(np.asarray(result)) if isinstance(result, np.generic) else result
    return result if func in AS_NUMPY else as_numbers(adopted(result))


def _into(func: Callable[..., Any], others: dict[str, Any]) -> Callable[..., Any]:
    """Return a function that writes into its first argument, of one with ``out=``."""
    return functools.wraps(func)(lambda out, *args: func(*args, out=out, **others))


def _as_given(args: Any, kwargs: Any) -> tuple[Any, Any]:
    return args, kwargs


@late.bound
def as_numbers(result: Any) -> Any:
    """Return results of shape () as the numbers that NumPy returns."""
    if isinstance(result, tuple):
        return rebuilt(result, map(as_numbers, result))
    if type(result) is TracedArray and result.positions.ndim == 0:
        return result.element()
    if type(result) is np.ndarray and result.ndim == 0:
        return result[()]
    if type(result) is TracedComplex and result.ndim == 0:
        return result if result.is_number else result[()]
    return result
