"""Questions about shape and type, answered while tracing, and arrays made like a traced one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.registry import HANDLERS, composite, query
from sparsead.tracing.array import TracedArray
from sparsead.tracing.replacing.creation import allocating


def _type(value: Any) -> Any:
    """Return the type of an array, and anything else as it is: numbers of Python take the type of the others."""
    return value.dtype if isinstance(value, TracedArray) else value


def _shape_only(value: Any) -> Any:
    return np.zeros(value.shape) if isinstance(value, TracedArray) else value


def _smallest_type(a: Any) -> Any:
    if np.ndim(a) == 0:
        raise unsupported("np.min_scalar_type of a traced number", "The answer depends on its value.")
    return a.dtype


query(np.shape, lambda a: a.shape, lambda x: np.shape(x)[0] * x)
query(np.ndim, lambda a: a.ndim, lambda x: np.ndim(x) * x)
query(np.size, lambda a, axis=None: a.size if axis is None else a.shape[axis], lambda x: np.size(x) * x)
query(np.iscomplexobj, lambda x: False, lambda x: x if not np.iscomplexobj(x) else -x)
query(np.isrealobj, lambda x: True, lambda x: x if np.isrealobj(x) else -x)
query(np.real, lambda val: val.real, np.real)
query(
    np.result_type,
    lambda *arrays_and_dtypes: np.result_type(*map(_type, arrays_and_dtypes)),
    lambda x: x * (1.0 if np.result_type(x, 1) == np.float64 else 2.0),
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
    lambda *operands, **settings: np.einsum_path(*map(_shape_only, operands), **settings),
    lambda x: x if np.einsum_path("ij,kj", x, x)[0] == ["einsum_path", (0, 1)] else -x,
)
query(
    np.may_share_memory,
    lambda a, b, max_work=0: _share(a, b),
    lambda x: x if np.may_share_memory(x, x[0]) else -x,
    lambda x: x if np.may_share_memory(x, x * 2.0) else -x,
)
query(
    np.shares_memory,
    lambda a, b, max_work=-1: _share(a, b),
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


def _share(a: Any, b: Any) -> bool:
    return isinstance(a, TracedArray) and isinstance(b, TracedArray) and a.storage is b.storage


def _shaped_like(fill: Any) -> Callable[..., Any]:
    def create(a: Any, dtype: Any = None, order: Any = "K", *, shape: Any = None) -> Any:
        shape = np.shape(a) if shape is None else shape
        return allocating(lambda: np.full(shape, fill, dtype=dtype or _float_type(a)))()

    return create


def _float_type(a: Any) -> Any:
    return np.float64 if isinstance(a, TracedArray) else np.asarray(a).dtype


def _filled(out: Any, value: Any) -> Any:
    out[...] = value
    return out


composite(np.zeros_like, lambda x: np.zeros_like(x) + x, family="creation")(_shaped_like(0))
composite(np.ones_like, lambda x: np.ones_like(x) * x, family="creation")(_shaped_like(1))
composite(np.empty_like, lambda x: x + _filled(np.empty_like(x), x * x), family="creation")(_shaped_like(0))


@composite(np.full_like, lambda x: np.full_like(x, 2.0) * x, family="creation")
def full_like(a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", *, shape: Any = None) -> Any:
    """``np.full_like``, with a constant or a traced value."""
    out = _shaped_like(0)(a, dtype, shape=shape)
    out[...] = fill_value
    return out


_CREATION: tuple[Callable[..., Any], ...] = (
    np.zeros, np.ones, np.empty, np.full, np.arange, np.eye, np.identity, np.array, np.asarray,
)  # fmt: skip
for _func in _CREATION:
    HANDLERS[_func] = allocating(_func)
