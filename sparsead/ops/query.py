"""Questions about shape and type, answered while tracing, and arrays made like a traced one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.ops.registry import HANDLERS, composite, query
from sparsead.tracing.array import TracedArray, adopted
from sparsead.tracing.complex import COMPLEX_HANDLERS, TracedComplex

query(np.shape, lambda a: a.shape, lambda x: np.shape(x)[0] * x)
query(np.ndim, lambda a: a.ndim, lambda x: np.ndim(x) * x)
query(np.size, lambda a, axis=None: a.size if axis is None else a.shape[axis], lambda x: np.size(x) * x)
query(np.iscomplexobj, lambda a: False, lambda x: x if not np.iscomplexobj(x) else -x)
query(np.isrealobj, lambda a: True, lambda x: x if np.isrealobj(x) else -x)
query(np.real, lambda val: val.real, np.real)
query(
    np.result_type,
    lambda *args: np.result_type(*(a.dtype if isinstance(a, (TracedArray, TracedComplex)) else a for a in args)),
    lambda x: x * (1.0 if np.result_type(x, 1) == np.float64 else 2.0),
)
query(np.min_scalar_type, lambda a: a.dtype, lambda x: x * (1.0 if np.min_scalar_type(x) == x.dtype else 2.0))
query(
    np.can_cast,
    lambda from_, to, casting="safe": np.can_cast(from_.dtype, to, casting),
    lambda x: x if np.can_cast(x, np.float64) else -x,
)
query(
    np.may_share_memory,
    lambda a, b, max_work=None: _share(np.may_share_memory, a, b, max_work),
    lambda x: x if np.may_share_memory(x, x[0]) else -x,
    lambda x: x if np.may_share_memory(x, x * 2.0) else -x,
)
query(
    np.shares_memory,
    lambda a, b, max_work=None: _share(np.shares_memory, a, b, max_work),
    lambda x: x if np.shares_memory(x, x.T) else -x,
    lambda x: x if np.shares_memory(x, x + 1.0) else -x,
)
query(
    np.triu_indices_from,
    lambda arr, k=0: np.triu_indices(arr.shape[-2], k, arr.shape[-1]),
    lambda x: x[np.triu_indices_from(x)],
)
query(
    np.tril_indices_from,
    lambda arr, k=0: np.tril_indices(arr.shape[-2], k, arr.shape[-1]),
    lambda x: x[np.tril_indices_from(x)],
)
query(
    np.diag_indices_from,
    lambda arr: np.diag_indices(arr.shape[0], arr.ndim),
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

    def create(
        a: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, **device: Any
    ) -> Any:
        return adopted(func(a.positions, a.dtype if dtype is None else dtype, order, subok, shape, **device))

    COMPLEX_HANDLERS[func] = create
    return create


def _filled(out: Any, value: Any) -> Any:
    out[...] = value
    return out


composite(np.zeros_like, lambda x: np.zeros_like(x) + x, family="creation")(_shaped_like(np.zeros_like))
composite(np.ones_like, lambda x: np.ones_like(x) * x, family="creation")(_shaped_like(np.ones_like))
composite(np.empty_like, lambda x: x + _filled(np.empty_like(x), x * x), family="creation")(_shaped_like(np.zeros_like))


@composite(np.full_like, lambda x: np.full_like(x, 2.0) * x, family="creation")
def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, **device: Any
) -> Any:
    """``np.full_like``, with a constant or a traced value."""
    like = a.positions if isinstance(a, (TracedArray, TracedComplex)) else a
    out = adopted(np.zeros_like(like, a.dtype if dtype is None else dtype, order, subok, shape, **device))
    out[...] = fill_value
    return out


COMPLEX_HANDLERS |= {np.empty_like: COMPLEX_HANDLERS[np.zeros_like], np.full_like: full_like}
