"""Scipy matrices of constants in operations with traced values: their methods give way to those of traced matrices."""

from __future__ import annotations

from typing import Any

import scipy.sparse

from sparsead.errors import unsupported
from sparsead.ops.arrays import any_traced
from sparsead.ops.sparse.matrix import TracedSparse
from sparsead.tracing.calls import SPARSE
from sparsead.tracing.late import HANDLERS
from sparsead.tracing.positioned import Traced
from sparsead.tracing.replacing.methods import replace_method

CLASSES = [
    getattr(scipy.sparse, f"{name}_{kind}")
    for name in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
    for kind in ("array", "matrix")
]
PRODUCTS = ("__matmul__", "__rmatmul__", "dot")  # with dense arrays: SciPy hands these to the array by itself
OTHERS = (
    "__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__truediv__", "multiply",
)  # fmt: skip

WRITING = ("__setitem__", "setdiag")


def _given_way(name: str) -> Any:
    def replacement(original: Any, matrix: Any, *args: Any, **kwargs: Any) -> Any:
        if issubclass(type(matrix), TracedSparse) or _by_array(name, matrix, args):
            return original(matrix, *args, **kwargs)
        return getattr(TracedSparse.of_constant(matrix), name)(*args, **kwargs)

    return replacement


def _by_array(name: str, matrix: Any, args: tuple[Any, ...]) -> bool:
    """Tell whether an operation is a product with a dense array."""
    product = name in PRODUCTS or (name in ("__mul__", "__rmul__") and scipy.sparse.isspmatrix(matrix))
    return product and not isinstance(args[0], Traced) and bool(getattr(args[0], "ndim", 0))


def _written(original: Any, matrix: Any, *args: Any, **kwargs: Any) -> None:
    raise unsupported(
        "writing traced values into a sparse matrix of constants",
        "Collect rows, columns and values, and build csr_array((values, (rows, columns)), shape=...) of them; "
        "or begin with lil_array(shape) inside the function.",
    )


def _attribute(original: Any, matrix: Any, name: str, value: Any) -> None:
    raise unsupported(
        f"assigning traced values to .{name} of a sparse matrix of constants",
        "Build a new one: csr_array((data, A.indices, A.indptr), shape=A.shape).",
    )


def _made(original: Any, matrix: Any, *args: Any, **kwargs: Any) -> None:
    if not any_traced(args, kwargs):
        original(matrix, *args, **kwargs)
        return
    name = f"scipy.sparse.{type(matrix).__name__}"
    raise unsupported(
        f"{name} of traced values where it is not called by its name (but held in a dict, an attribute, a library)",
        f"Call {name}(...) in the function itself.",
    )


def _scaled(original: Any, matrix: Any, *args: Any) -> None:
    raise unsupported(
        "multiplying a sparse matrix of constants by traced values in place", "Make a new one: A = A * s."
    )


HANDLERS[SPARSE] = TracedSparse.of_constant
replace_method("scipy.sparse._base", "_spbase", "__setattr__", _attribute)
SPECIAL = dict.fromkeys(WRITING, _written) | dict.fromkeys(("__imul__", "__itruediv__"), _scaled) | {"__init__": _made}
for _name in (*PRODUCTS, *OTHERS, *SPECIAL):
    _replacement = SPECIAL.get(_name) or _given_way(_name)
    _bases = dict.fromkeys(base for cls in CLASSES for base in cls.__mro__ if _name in vars(base))
    for _home in [base for base in _bases if base not in (object, dict)]:
        replace_method(_home.__module__, _home.__name__, _name, _replacement)
