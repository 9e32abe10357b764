"""Pass counts of one pattern: every coloring that applies, by every order that can be waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import coloring
from coloring.problems import DistanceTwo, Problem, Symmetric, make_problem

Terms = tuple[str, str, str]  # structure, partition, decompression
Results = dict[tuple[str, str], tuple[coloring.ColoringResult, float]]  # by coloring and order; and seconds
SEARCHES = ("auto", "best")


def counted(
    pattern: coloring.SparsityPattern,
    colorings: Mapping[str, Terms],
    orders: Sequence[str],
    tell: Callable[[str], object],
) -> Results:
    """Color a pattern in every way; ``tell(what)`` is called before each. What takes too long is left out."""
    results: Results = {}
    for title, terms in colorings.items():
        problem = make_problem(pattern, *terms)
        for order in orders:
            tell(f"{title}, {order}")
            if is_affordable(problem, order):
                start = time.perf_counter()
                result = coloring.color(pattern, *terms, order=order)
                results[title, order] = result, time.perf_counter() - start
    return results


def is_affordable(problem: Problem, order: str) -> bool:
    """Whether the order exists for this problem and looks at no more pairs of vertices than one can wait for."""
    if order.startswith("distance_two"):
        return isinstance(problem, Symmetric) and problem.has_few_pairs
    looks_at_pairs = order not in (*SEARCHES, "natural", "random")
    return not isinstance(problem, DistanceTwo) or problem.has_few_pairs or not looks_at_pairs
