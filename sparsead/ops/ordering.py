"""Sorting short lines by a network of comparisons, which are the same for every order of the values.

Each comparison puts two elements in order; which ones are compared is fixed (Batcher's odd-even merge sort: Knuth,
The Art of Computer Programming 3, 1998, algorithm 5.2.2 M). NaN goes last, and equal elements stay where they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.arrays import known
from sparsead.ops.registry import composite
from sparsead.program.index import normalize_axes
from sparsead.tracing.conversions import traced
from sparsead.tracing.unordered import left_open

LONGEST = 16  # elements of a line: 63 comparisons, each a formula of all that went before


def network(n: int) -> Iterator[tuple[np.ndarray, int]]:
    """Yield the comparisons of `n` elements: places, and the distance to their partners; each lot at once."""
    step = 1
    while step < n:
        distance = step
        while distance:
            starts = np.arange(distance % step, n - distance)
            starts = starts[(starts - distance % step) % (2 * distance) < distance]
            together = starts // (2 * step) == (starts + distance) // (2 * step)
            yield starts[together], distance
            distance //= 2
        step *= 2


def _in_order(a: Any, what: str) -> Any:
    """Sort along axis 0."""
    if len(a) > LONGEST:
        raise unsupported(
            f"{what} of {len(a)} traced elements",
            f"Up to {LONGEST} elements along the axis are sorted by a fixed network of comparisons. For longer lines: "
            "np.max and np.min work; so does np.take with an order that is fixed.",
        )
    a = traced(a).copy()
    for places, distance in network(len(a)):
        low, high = a[places], a[places + distance]
        exchange = np.greater(low, high) | np.isnan(low)
        a[places], a[places + distance] = np.where(exchange, high, low), np.where(exchange, low, high)
    return a


@composite(np.sort, lambda x: np.sort(x), lambda x: np.sort(x, axis=0), lambda x: np.sort(x[:2], axis=None))
def sort(a: Any, axis: int | None = -1, kind: Any = None, *, stable: Any = None) -> Any:
    """``np.sort`` of short lines."""
    np.sort(np.zeros(np.shape(a)), axis, kind, stable=stable)  # raises what NumPy raises
    a, axis = (np.ravel(a), 0) if axis is None else (traced(a), axis)
    return np.moveaxis(_in_order(np.moveaxis(a, axis, 0), "np.sort"), 0, axis)


@composite(np.partition, lambda x: np.partition(x, 1)[:, 1], lambda x: np.partition(x, -1, axis=0)[-1])
def partition(a: Any, kth: Any, axis: int | None = -1, kind: Any = "introselect") -> Any:
    """``np.partition``: sorted lines are partitioned at every place."""
    np.partition(np.zeros(np.shape(a)), kth, axis, kind)  # raises what NumPy raises
    a, axis = (np.ravel(a), 0) if axis is None else (traced(a), axis)
    lines = _in_order(np.moveaxis(a, axis, 0), "np.partition")
    lines = left_open(lines, [int(k) % len(lines) for k in np.ravel(kth)])
    return np.moveaxis(lines, 0, axis)


@composite(
    np.quantile,
    lambda x: np.quantile(x, 0.3, axis=0),
    lambda x: np.quantile(x, [0.0, 0.45, 1.0], axis=1, keepdims=True),
    lambda x: np.quantile(x, 0.5),
    lambda x: np.quantile(x, [0.2, 0.7], axis=1, method="hazen"),
    lambda x: np.quantile(x, 0.4, method="higher"),
)
def quantile(a: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """``np.quantile`` of short lines, between neighbours in order."""
    q = np.asarray(known(q, "np.quantile with q="), np.float64)
    if not np.all((q >= 0.0) & (q <= 1.0)):
        raise ValueError("Quantiles must be in the range [0, 1]")
    a = traced(a)
    axes = normalize_axes(axis, a.ndim)
    kept = tuple(n for k, n in enumerate(a.shape) if k not in axes)
    line = _in_order(np.moveaxis(a, axes, range(len(axes))).reshape((-1, *kept)), "np.quantile")
    place = q * (len(line) - 1)
    if method != "linear":  # where NumPy finds it among the places themselves
        place = np.quantile(np.arange(float(len(line))), q, method=method)  # type: ignore[call-overload]
    below = np.clip(np.floor(place).astype(int), 0, max(len(line) - 2, 0))
    share = (place - below).reshape(np.shape(q) + (1,) * len(kept))
    value = line[below]
    if share.any():
        value = value + share * (line[np.minimum(below + 1, len(line) - 1)] - value)
    value = np.where(np.isnan(line[-1]), np.nan, value)  # NaN is last, and makes every quantile NaN
    shape = tuple(1 if k in axes else n for k, n in enumerate(a.shape)) if keepdims else kept
    return np.reshape(value, np.shape(q) + shape)


@composite(np.percentile, lambda x: np.percentile(x, [25.0, 60.0], axis=1))
def percentile(a: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """``np.percentile`` of short lines."""
    q = np.asarray(known(q, "np.percentile with q="), np.float64)
    if not np.all((q >= 0.0) & (q <= 100.0)):
        raise ValueError("Percentiles must be in the range [0, 100]")
    return quantile(a, q / 100.0, axis, method, keepdims)


@composite(np.median, lambda x: np.median(x, axis=0), lambda x: np.median(x, axis=1), lambda x: np.median(x))
def median(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """``np.median`` of short lines."""
    return quantile(a, 0.5, axis=axis, keepdims=keepdims)
