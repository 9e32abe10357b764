"""Vertex orders for the greedy colorings, by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import kernels
from .errors import ColoringError
from .pattern import SparsityPattern

Order = Callable[[SparsityPattern], np.ndarray]


def natural(A: SparsityPattern) -> np.ndarray:
    """Columns as they stand."""
    return np.arange(A.shape[1], dtype=np.int32)


def largest_first(A: SparsityPattern) -> np.ndarray:
    """Columns by decreasing degree in the column intersection graph (Welsh and Powell 1967)."""
    degree = kernels.orders.distance2_degrees(*_both_ways(A))
    return np.argsort(-degree, kind="stable").astype(np.int32)


def smallest_last(A: SparsityPattern) -> np.ndarray:
    """Reverse of: repeatedly take a column of least remaining degree (Matula and Beck 1983)."""
    graph = _both_ways(A)
    degree = kernels.orders.distance2_degrees(*graph)
    return kernels.orders.distance2_dynamic(*graph, degree, False, -1)[::-1].copy()


ORDERS: dict[str, Order] = {f.__name__: f for f in (natural, largest_first, smallest_last)}


def order_named(name: str) -> Order:
    """Return the order function of that name."""
    try:
        return ORDERS[name]
    except KeyError:
        raise ColoringError(f"unknown order {name!r}; expected one of {', '.join(ORDERS)}") from None


def _both_ways(A: SparsityPattern) -> tuple[np.ndarray, ...]:
    return A.T.indptr, A.T.indices, A.indptr, A.indices
