"""Optimal colorings of small matrices, by branch and bound.

Vertices are colored one after the other; a color is tried if the vertices colored so far remain a valid
coloring of the part of the graph between them (which a part of a coloring always is), and colors that have
not been used yet are tried once, being alike.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from .orders import order_by_name

NEUTRAL = -1
UNCOLORED = -2


class OutOfTimeError(Exception):
    """The search was not finished when its time was spent."""


class ExactSearch:
    """Backtracking over the colorings of a graph, in plain Python.

    Parameters
    ----------
    neighbors : list of set
        Neighbors of each vertex; for a column or row coloring, in the intersection graph.
    kind : {"distance one", "star", "acyclic"}
        What the coloring must be, besides proper.
    side : sequence of int
        0 or 1: vertices on different sides have different palettes, so that equal numbers are no conflict.
    may_be_neutral : sequence of bool
        Vertices that may stay without a color.
    deadline : float
        Value of `time.perf_counter` at which `OutOfTimeError` is raised.
    """

    def __init__(
        self, neighbors: list[set[int]], kind: str, side: Any, may_be_neutral: Any, deadline: float = np.inf
    ) -> None:
        self.neighbors, self.kind, self.side = neighbors, kind, side
        self.may_be_neutral, self.deadline = may_be_neutral, deadline
        self.colors = [UNCOLORED] * len(neighbors)

    def find(self, order: list[int], num_colors: int) -> list[int] | None:
        """Return a coloring with at most this many colors (on both sides together), or None."""
        return self.colors if self._extend(order, 0, [0, 0], num_colors) else None

    def _extend(self, order: list[int], depth: int, used: list[int], num_colors: int) -> bool:
        if depth == len(order):
            return True
        if time.perf_counter() > self.deadline:
            raise OutOfTimeError
        v = order[depth]
        side = self.side[v]
        for color in self._choices(v, used, num_colors):
            self.colors[v] = color
            if self._fits(v):
                new = color == used[side]
                used[side] += new
                if self._extend(order, depth + 1, used, num_colors):
                    return True
                used[side] -= new
        self.colors[v] = UNCOLORED
        return False

    def _choices(self, v: int, used: list[int], num_colors: int) -> Iterator[int]:
        if self.may_be_neutral[v]:
            yield NEUTRAL
        yield from range(used[self.side[v]] + (sum(used) < num_colors))

    def _fits(self, v: int) -> bool:
        """Whether the color of `v` breaks nothing among the vertices colored so far."""
        if self.colors[v] == NEUTRAL:
            return self._all_distinct_around(v)
        for w in self.neighbors[v]:
            if self.colors[w] == NEUTRAL:
                if any(x != v and self._same(x, v) for x in self.neighbors[w]):
                    return False
            elif self._same(v, w):
                return False
        if self.kind == "star":
            return not any(self._is_path_end(v, w) or self._is_path_middle(v, w) for w in self._around(v))
        if self.kind == "acyclic":
            return not any(self._closes_cycle(v, w) for w in self._around(v))
        return True

    def _around(self, v: int) -> Iterator[int]:
        return (w for w in self.neighbors[v] if self.colors[w] >= 0)

    def _same(self, v: int, w: int) -> bool:
        return self.colors[v] == self.colors[w] and self.side[v] == self.side[w]

    def _all_distinct_around(self, v: int) -> bool:
        around = [self.colors[w] for w in self.neighbors[v] if self.colors[w] != UNCOLORED]
        return NEUTRAL not in around and len(set(around)) == len(around)

    def _is_path_end(self, v: int, w: int) -> bool:
        """Whether v - w - x - y has two colors."""
        return any(
            x != v and self._same(x, v) and any(y != w and self._same(y, w) for y in self.neighbors[x])
            for x in self.neighbors[w]
        )

    def _is_path_middle(self, v: int, w: int) -> bool:
        """Whether y - v - w - x has two colors."""
        return any(x != v and self._same(x, v) for x in self.neighbors[w]) and any(
            y != w and self._same(y, w) for y in self.neighbors[v]
        )

    def _closes_cycle(self, v: int, w: int) -> bool:
        """Whether the vertices with the colors of `v` and `w` connected with `v` have a cycle."""
        component, edges, queue = {v}, 0, [v]
        for x in queue:
            for y in self.neighbors[x]:
                if self._same(y, v) or self._same(y, w):
                    edges += 1
                    if y not in component:
                        component.add(y)
                        queue.append(y)
        return edges // 2 >= len(component)


def improve_exactly(problem: Any, num_colors: int, deadline: float) -> tuple[list[np.ndarray], bool]:
    """Find ever better colorings with fewer than `num_colors` colors.

    Returns
    -------
    found : list of ndarray
        Colorings, the best last.
    proven : bool
        Whether it is certain that there is no better one than the last (or, if there is none, than
        `num_colors`).
    """
    order = order_by_name("saturation")(problem).tolist()
    found: list[np.ndarray] = []
    while num_colors > problem.lower_bound:
        search = ExactSearch(**problem.exact_terms(), deadline=deadline)
        try:
            colors = search.find(order, num_colors - 1)
        except OutOfTimeError:
            return found, False
        if colors is None:
            return found, True
        found.append(np.array(colors, np.int32))
        num_colors = problem.count(found[-1])
    return found, True
