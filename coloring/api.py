"""The entry point: a problem and an order in, a coloring out."""

from __future__ import annotations

from typing import Any

from .orders import order_by_name
from .pattern import as_pattern
from .problems import make_problem
from .results import ColoringResult


def color(
    A: Any,
    structure: str = "nonsymmetric",
    partition: str = "column",
    decompression: str = "direct",
    order: str = "auto",
    postprocess: bool = True,
) -> ColoringResult:
    """Color the columns or rows of `A` so that the members of a color share no row or column."""
    problem = make_problem(as_pattern(A), structure, partition, decompression)
    best, used, tried = None, "", []
    for name in ("natural", "largest_first", "smallest_last") if order == "auto" else (order,):
        colors = problem.greedy(order_by_name(name)(problem))
        if postprocess:
            colors = problem.settle(colors)
        tried.append((name, problem.count(colors)))
        if best is None or problem.count(colors) < problem.count(best):
            best, used = colors, name
        if problem.count(best) <= problem.lower_bound:
            break
    return problem.result(best, order=used, tried=tuple(tried), lower_bound=problem.lower_bound)
