"""Runtime values as float64 arrays: what is converted, and what is refused, in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

from sparsead.errors import InputError
from sparsead.tracing.foreign import has_units
from sparsead.tracing.trees import Leaf

DOUBLE = np.dtype(np.float64)


def checked_leaf(value: Any, leaf: Leaf, title: str) -> np.ndarray:
    """Return a runtime value as a flat float64 array; raise InputError where it does not fit."""
    array = real_array(value, title)
    if array.shape != leaf.shape:
        raise InputError(
            f"{title} has shape {array.shape}, but this derivative was prepared for shape {leaf.shape}; prepare again "
            "for other shapes"
        )
    return array.ravel()


def real_array(value: Any, title: str) -> np.ndarray:
    """Return `value` as a float64 array; integers are converted, anything else is refused."""
    if type(value) is np.ndarray and value.dtype is DOUBLE:
        return value
    if isinstance(value, np.ma.MaskedArray):
        raise InputError(f"{title} is a masked array, whose mask would be lost; pass {title}.filled(a value)")
    if isinstance(value, np.matrix):
        raise InputError(f"{title} is a np.matrix, which multiplies in its own way; pass np.asarray({title})")
    if has_units(value):
        raise InputError(
            f"{title} is a {type(value).__name__}, whose unit would be lost; pass its numbers, and put the unit on "
            f"them in the function: {title} * unit"
        )
    try:
        array = np.asarray(value)
    except ValueError:
        raise InputError(f"{title} is a ragged list; expected an array of real numbers (float64)") from None
    if array.dtype.kind not in ("fiub" if isinstance(value, np.ndarray) else "fiubO"):
        raise InputError(f"{title} has dtype {array.dtype}; expected real numbers (float64)")
    if array.dtype == object:
        raise InputError(f"{title} is {_described(value)}; expected an array of real numbers (float64)")
    return array.astype(DOUBLE)


def _described(value: Any) -> str:
    if callable(value):
        name = getattr(value, "__name__", type(value).__name__)
        return f"a function, {name} (are the arguments in order: the function, then x0?)"
    if scipy.sparse.issparse(value):
        return "a sparse matrix"
    return "None" if value is None else f"of type {type(value).__name__} (dtype object)"
