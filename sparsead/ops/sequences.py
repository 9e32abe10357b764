"""Evenly spaced numbers between traced ends."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsead.ops.registry import composite


@composite(
    np.linspace,
    lambda x: np.linspace(x[0, 0], x[0, 1], 5),
    lambda x: np.linspace(x[0], 2.0, 3, endpoint=False, axis=1),
    lambda x: np.linspace(0.0, x[0], 4, retstep=True)[1],
)
def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    """``np.linspace``."""
    parts = num - 1 if endpoint else num
    start, stop = np.broadcast_arrays(start, stop)
    share = np.arange(num) / max(parts, 1)
    values = np.tensordot(np.stack([1.0 - share, share], axis=1), np.stack([start, stop]), axes=1)
    values = np.moveaxis(values, 0, axis)
    return (values, (stop - start) / (parts or np.nan)) if retstep else values


@composite(np.logspace, lambda x: np.logspace(x[0, 0], x[0, 1], 4), lambda x: np.logspace(0.0, x[0], 3, base=2.0))
def logspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None,
             axis: int = 0) -> Any:  # fmt: skip
    """``np.logspace``."""
    return np.power(base, linspace(start, stop, num, endpoint, axis=axis))


@composite(np.geomspace, lambda x: np.geomspace(x[0, 0], x[0, 1], 4), lambda x: np.geomspace(x[0], 3.0, 3))
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """``np.geomspace`` between positive ends."""
    return np.exp(linspace(np.log(start), np.log(stop), num, endpoint, axis=axis))
