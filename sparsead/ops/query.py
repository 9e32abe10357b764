"""Questions about shape and type, answered while tracing, and arrays made like a traced one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.registry import composite, query
from sparsead.tracing.array import TracedArray
from sparsead.tracing.complex import COMPLEX_HANDLERS, TracedComplex
from sparsead.tracing.conversions import stack_objects
from sparsead.tracing.known import adopted
from sparsead.tracing.late import HANDLERS


def _type(value: Any) -> Any:
    """Return the type of an array, and anything else as it is: numbers of Python take the type of the others."""
    return value.dtype if isinstance(value, (TracedArray, TracedComplex)) else value


def _shape_only(value: Any) -> Any:
    return np.zeros(value.shape) if isinstance(value, (TracedArray, TracedComplex)) else value


def _smallest_type(a: Any) -> Any:
    if np.ndim(a) == 0:
        raise unsupported("np.min_scalar_type of a traced number", "The answer depends on its value.")
    return a.dtype


def numbers(values: Any) -> Any:
    """Return a number or an array as it is, and a list as an array."""
    return stack_objects(values) if isinstance(values, (list, tuple)) else values


query(np.shape, lambda a: a.shape, lambda x: np.shape(x)[0] * x)
query(np.ndim, lambda a: a.ndim, lambda x: np.ndim(x) * x)
query(np.size, lambda a, axis=None: a.size if axis is None else a.shape[axis], lambda x: np.size(x) * x)
query(np.iscomplexobj, lambda x: False, lambda x: x if not np.iscomplexobj(x) else -x)
query(np.isrealobj, lambda x: True, lambda x: x if np.isrealobj(x) else -x)
query(np.real, lambda val: numbers(val).real, np.real, as_given="val")
query(
    np.result_type,
    lambda *arrays_and_dtypes: np.result_type(*map(_type, arrays_and_dtypes)),
    lambda x: x * {"f": 1.0, "c": 3.0}.get(np.result_type(x, 1).kind, 2.0),
)
query(np.min_scalar_type, _smallest_type, lambda x: x * (1.0 if np.min_scalar_type(x) == x.dtype else 2.0))
query(
    np.can_cast,
    lambda from_, to, casting="safe": np.can_cast(_type(from_), to, casting),
    lambda x: x if np.can_cast(x, np.float64) else -x,
)
query(
    np.common_type,
    lambda *arrays: np.common_type(*(np.zeros(0, _type(a)) for a in arrays)),
    lambda x: x if np.common_type(x, x[0]) is np.float64 else -x,
)
query(
    np.einsum_path,
    lambda *operands, optimize="greedy": np.einsum_path(*map(_shape_only, operands), optimize=optimize),
    lambda x: x if np.einsum_path("ij,kj", x, x)[0] == ["einsum_path", (0, 1)] else -x,
)
query(
    np.may_share_memory,
    lambda a, b, max_work=0: _share(np.may_share_memory, a, b, max_work),
    lambda x: x if np.may_share_memory(x, x[0]) else -x,
    lambda x: x if np.may_share_memory(x, x * 2.0) else -x,
)
query(
    np.shares_memory,
    lambda a, b, max_work=-1: _share(np.shares_memory, a, b, max_work),
    lambda x: x if np.shares_memory(x, x.T) else -x,
    lambda x: x if np.shares_memory(x, x + 1.0) else -x,
)
query(
    np.triu_indices_from,
    lambda arr, k=0: np.triu_indices_from(np.zeros(arr.shape), k),
    lambda x: x[np.triu_indices_from(x)],
)
query(
    np.tril_indices_from,
    lambda arr, k=0: np.tril_indices_from(np.zeros(arr.shape), k),
    lambda x: x[np.tril_indices_from(x)],
)
query(
    np.diag_indices_from,
    lambda arr: np.diag_indices_from(np.zeros(arr.shape)),
    lambda x: x[:, :3][np.diag_indices_from(x[:, :3])],
)


def _share(func: Callable[..., bool], a: Any, b: Any, max_work: Any) -> bool:
    """Ask NumPy on the positions of arrays in the same memory."""
    parts = [(v.real, v.imag) if isinstance(v, TracedComplex) else (v,) for v in (a, b)]
    return any(
        isinstance(p, TracedArray)
        and isinstance(q, TracedArray)
        and p.storage is q.storage
        and func(p.positions, q.positions, max_work)
        for p in parts[0]
        for q in parts[1]
    )


COMPLEX_HANDLERS |= {func: HANDLERS[func] for func in (np.result_type, np.can_cast, np.shares_memory)}
COMPLEX_HANDLERS |= {func: HANDLERS[func] for func in (np.min_scalar_type, np.may_share_memory)}


def _shaped_like(func: Callable[..., Any]) -> Callable[..., Any]:
    """Return a creation function asked on the positions of a traced array, which have its shape and order."""

    def create(a: Any, dtype: Any = None, order: Any = "K", *, shape: Any = None) -> Any:
        return adopted(func(a.positions, a.dtype if dtype is None else dtype, order, True, shape))

    return create


def _filled(out: Any, value: Any) -> Any:
    out[...] = value
    return out


composite(np.zeros_like, lambda x: np.zeros_like(x) + x, family="creation")(_shaped_like(np.zeros_like))
composite(np.ones_like, lambda x: np.ones_like(x) * x, family="creation")(_shaped_like(np.ones_like))
composite(np.empty_like, lambda x: x + _filled(np.empty_like(x), x * x), family="creation")(_shaped_like(np.zeros_like))


@composite(np.full_like, lambda x: np.full_like(x, 2.0) * x, family="creation")
def full_like(a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", *, shape: Any = None) -> Any:
    """``np.full_like``, with a constant or a traced value."""
    a = stack_objects(a)
    a = a if hasattr(a, "dtype") else np.asarray(a)
    like = a.positions if isinstance(a, (TracedArray, TracedComplex)) else a
    out = adopted(np.zeros_like(like, a.dtype if dtype is None else dtype, order, True, shape))
    out[...] = fill_value
    return out


_LIKE = (np.zeros_like, np.ones_like, np.empty_like, np.full_like)
COMPLEX_HANDLERS |= {func: HANDLERS[func] for func in _LIKE}
