"""The entry point: a problem and an order in, a coloring out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from .errors import ColoringError
from .orders import order_by_name
from .pattern import as_pattern
from .problems import make_problem
from .problems.base import Candidate, Problem
from .results import ColoringResult
from .search import Search

QUICK_PASSES = 4
TIME_BUDGET = 10.0


def color(
    A: Any,
    structure: str = "nonsymmetric",
    partition: str = "column",
    decompression: str = "direct",
    order: Any = "auto",
    postprocess: bool = True,
    engine: str = "numba",
    seed: int | None = None,
    time_budget: float | None = None,
) -> ColoringResult:
    """Color the columns or rows of `A` so that the members of a color share no row or column."""
    problem = make_problem(as_pattern(A), structure, partition, decompression, seed or 0)
    deadline = np.inf
    if time_budget is not None or order == "best":
        deadline = time.perf_counter() + (TIME_BUDGET if time_budget is None else time_budget)
    search = Search(problem, postprocess, deadline)
    if isinstance(order, str) and order == "best":
        search.run(problem.portfolio(thorough=True))
        search.recolor(None)
    elif isinstance(order, str) and order == "auto":
        search.run(problem.portfolio(thorough=False))
        search.recolor(QUICK_PASSES)
    else:
        search.run(_named(problem, order))
    return search.result()


def _named(problem: Problem, orders: Any) -> Iterator[Candidate]:
    for order in orders if isinstance(orders, list | tuple) else [orders]:
        function: Callable[[Problem], np.ndarray] = order_by_name(order) if isinstance(order, str) else order
        label = order if isinstance(order, str) else getattr(order, "__name__", repr(order))
        yield label, partial(_greedy, problem, function)


def _greedy(problem: Problem, order: Callable[[Problem], np.ndarray], limit: int) -> np.ndarray | None:
    return problem.greedy(_permutation(order(problem), problem), limit)


def _permutation(order: Any, problem: Problem) -> np.ndarray:
    order = np.asarray(order)
    n = problem.num_vertices
    if order.shape != (n,) or not np.array_equal(np.sort(order), np.arange(n)):
        raise ColoringError(f"an order must be a permutation of the {n} vertices; got {order}")
    return np.ascontiguousarray(order, np.int32)
