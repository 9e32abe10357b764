"""Vertex orders for the greedy algorithms: functions from a problem to a permutation of its vertices.

For a column or row coloring the orders look at the intersection graph, for the other colorings at the
adjacency graph; the ``distance_two_`` orders look at its square (of a bipartite graph: at vertices with a
common neighbor).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from . import kernels
from .errors import ColoringError


class Ordered(Protocol):
    """What an order looks at; see `coloring.problems.Problem`."""

    seed: int
    num_vertices: int

    @property
    def tie_order(self) -> np.ndarray:
        """Order that breaks ties."""

    @property
    def degrees(self) -> np.ndarray:
        """Number of neighbors of each vertex."""

    def neighborhood(self, distance: int = 1) -> Any:
        """Return the conflict graph, at either distance."""


Order = Callable[[Any], np.ndarray]


def natural(problem: Ordered) -> np.ndarray:
    """Vertices as they stand."""
    return np.arange(problem.num_vertices, dtype=np.int32)


def random(problem: Ordered) -> np.ndarray:
    """Vertices shuffled, from the problem's seed."""
    return np.random.default_rng(problem.seed).permutation(problem.tie_order)


def largest_first(problem: Ordered) -> np.ndarray:
    """Vertices by decreasing degree, ties in natural order (Welsh and Powell 1967)."""
    return _decreasing(problem.degrees, problem.tie_order)


def smallest_first(problem: Ordered) -> np.ndarray:
    """Vertices by increasing degree, ties in natural order: good when few lines are dense."""
    return _decreasing(-problem.degrees, problem.tie_order)


def smallest_last(problem: Ordered) -> np.ndarray:
    """Reverse of taking away a vertex of least remaining degree (Matula and Beck 1983)."""
    return _dynamic(problem, 1, greatest=False, step=-1)[::-1].copy()


def dynamic_largest_first(problem: Ordered) -> np.ndarray:
    """Repeatedly a vertex of greatest degree among the vertices that remain."""
    return _dynamic(problem, 1, greatest=True, step=-1)


def incidence_degree(problem: Ordered) -> np.ndarray:
    """Repeatedly a vertex with most neighbors already visited (Coleman and Moré 1983)."""
    return _dynamic(problem, 1, greatest=True, step=1)


def saturation(problem: Ordered) -> np.ndarray:
    """DSATUR: repeatedly a vertex whose neighbors have most colors (Brélaz 1979)."""
    by_degree = _decreasing(problem.degrees, problem.tie_order)
    rank = np.empty_like(by_degree)
    rank[by_degree] = np.arange(by_degree.size, dtype=np.int32)
    order, _ = kernels.saturation.by_saturation(problem.neighborhood(), by_degree, rank)
    return order


def perfect_elimination(problem: Ordered) -> np.ndarray:
    """Lexicographic breadth-first search: optimal for chordal graphs, bands among them.

    Rose, Tarjan, Lueker (1976): if the graph is chordal, the neighbors of a vertex that precede it in this
    order are a clique.
    """
    return kernels.lexbfs.lexicographic(problem.neighborhood(), problem.tie_order)


def distance_two_largest_first(problem: Ordered) -> np.ndarray:
    """Largest first in the square of the graph."""
    return _decreasing(kernels.orders.degrees(problem.neighborhood(2)), problem.tie_order)


def distance_two_smallest_last(problem: Ordered) -> np.ndarray:
    """Smallest last in the square of the graph."""
    return _dynamic(problem, 2, greatest=False, step=-1)[::-1].copy()


def distance_two_incidence_degree(problem: Ordered) -> np.ndarray:
    """Incidence degree in the square of the graph."""
    return _dynamic(problem, 2, greatest=True, step=1)


def distance_two_dynamic_largest_first(problem: Ordered) -> np.ndarray:
    """Dynamic largest first in the square of the graph."""
    return _dynamic(problem, 2, greatest=True, step=-1)


ORDERS: dict[str, Order] = {
    order.__name__: order
    for order in (
        natural,
        random,
        largest_first,
        smallest_first,
        smallest_last,
        dynamic_largest_first,
        incidence_degree,
        saturation,
        perfect_elimination,
        distance_two_largest_first,
        distance_two_smallest_last,
        distance_two_incidence_degree,
        distance_two_dynamic_largest_first,
    )
}


def order_by_name(name: str) -> Order:
    """Return the order of that name.

    Raises
    ------
    ColoringError
        If there is none; the message lists the names.
    """
    try:
        return ORDERS[name]
    except KeyError:
        raise ColoringError(f"unknown order {name!r}; expected one of {', '.join(ORDERS)}") from None


def _decreasing(key: np.ndarray, ties: np.ndarray) -> np.ndarray:
    key = key[ties]
    if np.abs(key).max(initial=0) < np.iinfo(np.int16).max:
        key = key.astype(np.int16)  # which NumPy sorts by radix
    return ties[np.argsort(-key, kind="stable")]


def _dynamic(problem: Ordered, distance: int, *, greatest: bool, step: int) -> np.ndarray:
    start = problem.tie_order
    graph = problem.neighborhood(distance)
    if step > 0:
        degree = np.zeros(problem.num_vertices, np.int32)
    else:
        degree = problem.degrees.copy() if distance == 1 else kernels.orders.degrees(graph)
    return kernels.orders.by_dynamic_degree(graph, degree, start, greatest, step)
