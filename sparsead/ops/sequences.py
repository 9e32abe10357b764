"""Evenly spaced numbers between traced ends."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from sparsead.ops.arrays import is_traced
from sparsead.ops.registry import composite


@composite(
    np.linspace,
    lambda x: np.linspace(x[0, 0], x[0, 1], 5),
    lambda x: np.linspace(x[0], 2.0, 3, endpoint=False, axis=1),
    lambda x: np.linspace(0.0, x[0], 4, retstep=True)[1],
)
def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, *, axis: int = 0
) -> Any:
    """``np.linspace``."""
    num = operator.index(num)
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    parts = num - 1 if endpoint else num
    start, stop = np.broadcast_arrays(start, stop)
    share = np.arange(num) / max(parts, 1)
    values = np.tensordot(np.stack([1.0 - share, share], axis=1), np.stack([start, stop]), axes=1)
    values = np.moveaxis(values, 0, axis)
    return (values, (stop - start) / (parts or np.nan)) if retstep else values


@composite(np.logspace, lambda x: np.logspace(x[0, 0], x[0, 1], 4), lambda x: np.logspace(0.0, x[0], 3, base=2.0))
def logspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, *, axis: int = 0) -> Any:
    """``np.logspace``."""
    if np.ndim(base):
        start, stop, base = np.broadcast_arrays(start, stop, base)
        base = np.expand_dims(base, axis)
    return np.power(base, linspace(start, stop, num, endpoint, axis=axis))


@composite(np.geomspace, lambda x: np.geomspace(x[0, 0], x[0, 1], 4), lambda x: np.geomspace(x[0], 3.0, 3))
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, *, axis: int = 0) -> Any:
    """``np.geomspace`` between ends of one sign (of two signs it is NaN between the ends, as NumPy's)."""
    if any(not is_traced(end) and np.any(np.equal(end, 0.0)) for end in (start, stop)):
        raise ValueError("Geometric sequence cannot include zero")
    start, stop = (np.copy(end) for end in np.broadcast_arrays(start, stop))
    sign = np.sign(start)
    values = sign * np.exp(linspace(np.log(sign * start), np.log(sign * stop), num, endpoint))
    if num > 0:
        values[0] = start
    if num > 1 and endpoint:
        values[-1] = stop
    return np.moveaxis(values, 0, axis)
