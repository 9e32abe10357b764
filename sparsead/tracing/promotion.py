"""Which of its loops NumPy runs: truth values and integers in, truth values, integers or floats out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.program.scalar import OPS, Op

# Arithmetic of truth values is logic in NumPy.
LOGIC = {
    "add": "logical_or", "maximum": "logical_or", "fmax": "logical_or",
    "multiply": "logical_and", "minimum": "logical_and", "fmin": "logical_and",
}  # fmt: skip
BOOL = np.dtype(np.bool_)


def kind_of(operand: Any) -> Any:
    """Return what NumPy goes by: the type of an array or NumPy number, the Python type of a Python number."""
    kind = type(operand)
    if kind is bool:
        return BOOL
    if kind is float or kind is int:
        return kind
    dtype = getattr(operand, "dtype", None)
    return np.asarray(operand).dtype if dtype is None else dtype


def is_float(kind: Any) -> bool:
    """Tell whether a kind is that of real numbers."""
    return kind is float or (isinstance(kind, np.dtype) and kind.kind == "f")


def _computed(function: Any, kinds: tuple[Any, ...]) -> np.dtype[Any]:
    """Return the type of what a function of NumPy computes: what its loops say, or one that is no ufunc (np.sinc)."""
    if isinstance(function, np.ufunc):
        return function.resolve_dtypes((*kinds, *(None,) * function.nout))[-1]
    return np.asarray(function(*(np.ones(1, kind) for kind in kinds))).dtype


@functools.cache
def loop(op: Op, kinds: tuple[Any, ...]) -> np.dtype[Any]:
    """Return the type of what NumPy computes for operands of these kinds.

    Raises
    ------
    TypeError
        NumPy's own, where it has no loop: ``bool - bool``.
    """
    ufunc: Any = op.numpy
    if op.name == "select":
        result, logic = np.result_type(*kinds[1:]), True
    else:
        result = _computed(ufunc, kinds)
        logic = op.boolean or op.name in LOGIC or op.arity == 1
    if (logic and result == BOOL) or (result.kind in "fi" and result.itemsize == 8):
        return result
    raise unsupported(
        f"{ufunc.__name__} of {' and '.join(str(getattr(k, 'name', k)) for k in kinds)}, which gives {result},",
        "Results are float64, int64 or bool: convert the operands first, with astype(float).",
    )


def result_type(op: Op, operands: Sequence[Any]) -> np.dtype[Any]:
    """Return the type of an operation on operands; where one of them is real, so is the result."""
    kinds = tuple(kind_of(o) for o in operands)
    if op.boolean:
        return BOOL
    if any(is_float(k) for n, k in enumerate(kinds) if n not in op.conditions):
        return np.dtype(np.float64)
    return loop(op, kinds)


def as_logic(op: Op, operands: Sequence[Any], apply: Callable[..., Any]) -> Any:
    """Compute arithmetic of truth values, which is logic; `apply` takes an operation and its operands."""
    if op.arity == 1:
        return operands[0]
    if op.name != "select":
        return apply(OPS[LOGIC[op.name]], *operands)
    condition, a, b = operands
    both, neither = OPS["logical_and"], OPS["logical_not"]
    return apply(OPS["logical_or"], apply(both, condition, a), apply(both, apply(neither, condition), b))
