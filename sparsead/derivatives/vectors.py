"""Vectors that users hand in, and operators that take them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse.linalg

from sparsead.errors import InputError


def checked_vector(name: str, v: Any, size: int) -> np.ndarray:
    """Return a vector, (size,) or (size, k), as float64; raise InputError, naming the caller, if it does not fit."""
    given, v = type(v).__name__, np.asarray(v)
    if v.dtype.kind not in "fiubO":
        raise InputError(f"{name} expects a vector of real numbers, got {v.dtype}")
    try:
        v = v.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        raise InputError(f"{name} expects a vector of real numbers, got {given}; sparsead.pack makes one") from None
    if v.ndim not in (1, 2) or v.shape[0] != size:
        raise InputError(f"{name} expects a vector of shape ({size},) or ({size}, k), got {v.shape}")
    return v


def is_room(out: Any, shape: tuple[int, ...]) -> bool:
    """Tell whether results of a shape can be written to `out`: a contiguous array of float64."""
    fits = isinstance(out, np.ndarray) and out.shape == shape and out.dtype == np.float64
    return fits and out.flags.c_contiguous and out.flags.writeable


def new_or_checked(name: str, out: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return room for an array: new, or `out`, flat, after a look at its shape and type."""
    if out is None:
        return np.empty(math.prod(shape))
    if not (is_room(out, shape) or is_room(out, (math.prod(shape),))):
        raise InputError(f"{name}: out must be a contiguous float64 array of shape {shape} that can be written to")
    return out.reshape(-1)


def apart(inputs: dict[str, np.ndarray], *outs: np.ndarray) -> dict[str, np.ndarray]:
    """Return inputs that share no memory with what is written: copies where they do.

    Raises
    ------
    InputError
        If two arrays that are written share memory.
    """
    if any(np.may_share_memory(a, b) for k, a in enumerate(outs) for b in outs[:k]):
        raise InputError("the two parts of out share memory")
    return {
        name: given.copy() if any(np.may_share_memory(given, out) for out in outs) else given
        for name, given in inputs.items()
    }


def checked_pair(name: str, out: Any) -> tuple[Any, Any]:
    """Return the two parts of an `out` that takes an array and a matrix; either may be None."""
    if out is None:
        return None, None
    if not isinstance(out, tuple) or len(out) != 2:
        raise InputError(f"{name}: out must be a pair (array, matrix), as an earlier call returned; either may be None")
    return out


def as_operator(
    shape: tuple[int, int], product: Callable[[np.ndarray], np.ndarray], transposed: Callable[[np.ndarray], np.ndarray]
) -> scipy.sparse.linalg.LinearOperator:
    """Return an operator of its products, and those of its transpose, with a vector or with columns."""
    return scipy.sparse.linalg.LinearOperator(
        shape,
        matvec=lambda v: product(np.ravel(v)),
        rmatvec=lambda w: transposed(np.ravel(w)),
        matmat=product,
        rmatmat=transposed,
        dtype=np.dtype(np.float64),
    )
