"""Star and acyclic bicoloring: rows and columns together."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, partial
from typing import Any

import numpy as np

from .. import kernels
from ..bounds import density_bound
from ..graph import Graph
from ..orders import order_by_name
from ..orientation import color_codes
from ..pattern import SparsityPattern
from .base import Candidate
from .distance2 import DistanceTwo
from .symmetric import StarLike

QUICK = ("largest_first", "dynamic_largest_first", "smallest_last")
THOROUGH = (*QUICK, "incidence_degree", "saturation", "perfect_elimination", "smallest_first", "random")


class Bidirectional(StarLike):
    """Star or acyclic coloring of [0 Aᵀ; A 0], with a palette for the columns and one for the rows.

    Coleman and Verma (1998); as a coloring of the augmented graph, Montoison, Dalle, Gebremedhin (2025).
    """

    def __init__(self, pattern: SparsityPattern, substitution: bool, seed: int = 0) -> None:
        super().__init__(pattern, substitution, seed)
        self.num_vertices = sum(pattern.shape)

    @cached_property
    def graph(self) -> Graph:
        """The bipartite graph: columns, then rows."""
        return Graph.bipartite(self.pattern)

    @cached_property
    def diagonal(self) -> np.ndarray:
        """No vertex is needed for itself: [0 Aᵀ; A 0] has no diagonal."""
        return np.zeros(self.num_vertices, np.bool_)

    def find_lower_bound(self) -> int:
        """The density bound."""
        graph, order = self.graph, order_by_name("smallest_last")(self)
        return density_bound(graph.indptr, graph.indices, order, graph.num_first)

    def count(self, colors: np.ndarray) -> int:
        """Row colors and column colors together."""
        n = self.graph.num_first
        return int(colors[:n].max(initial=-1) + colors[n:].max(initial=-1)) + 2

    def classes(self, colors: np.ndarray) -> np.ndarray:
        """Colors of either side are classes of their own."""
        return color_codes(self.graph, colors)

    def portfolio(self, thorough: bool) -> Iterator[Candidate]:
        """Implicit coverings, rows alone and columns alone, and dense lines against the others."""
        graph = self.graph
        for name in THOROUGH if thorough else QUICK:
            order = order_by_name(name)(self)
            kept = kernels.covers.implicit_cover(graph.indptr, graph.indices, order)
            yield f"{name}, covering", partial(self.greedy, order[kept[order]], cautious=True)
            if thorough:
                yield name, partial(self.greedy, order)
                yield f"{name}, cover first", partial(self.greedy, order[kept[order]])
        yield from self._one_sided(thorough)
        orders = {name: order_by_name(name)(self) for name in (THOROUGH if thorough else QUICK[::2])}
        for label, kept in self._dense_line_covers(2.0 if not thorough else 2**0.5):
            for name, order in orders.items():
                yield f"{name}, {label}", partial(self.greedy, order[kept[order]])

    def _one_sided(self, thorough: bool) -> Iterator[Candidate]:
        """Column colorings leave all rows neutral, row colorings all columns."""
        m, n = self.pattern.shape
        ties = self.tie_order
        sides = [
            ("columns", DistanceTwo(self.pattern, "column", self.seed), ties[ties < n], (0, m)),
            ("rows", DistanceTwo(self.pattern, "row", self.seed), ties[ties >= n] - n, (n, 0)),
        ]
        for side, problem, own_ties, padding in sorted(sides, key=lambda side: side[1].quick_bound):
            affordable = thorough and problem.has_few_pairs
            for name, make in problem.with_ties(own_ties).portfolio(affordable):
                yield f"{side} alone, {name}", partial(_padded, make, padding)

    def _dense_line_covers(self, ratio: float) -> Iterator[tuple[str, np.ndarray]]:
        """Rows (or columns) with more than t entries, and the columns (rows) that the others need."""
        A = self.pattern
        for side, dense_in in (("rows", A), ("columns", A.T)):
            counts = np.diff(dense_in.indptr)
            steps = np.log(max(counts.max(initial=0), 1)) / np.log(ratio)
            for t in np.unique(np.round(ratio ** np.arange(steps)).astype(int))[::-1]:
                dense = counts > t
                if not dense.any() or dense.all():
                    continue
                others = np.zeros(dense_in.shape[1], np.bool_)
                others[dense_in.indices[~dense[dense_in.rows]]] = True
                kept = (others, dense) if side == "rows" else (dense, others)
                yield f"{side} of more than {t}", np.concatenate(kept)


def _padded(make: Any, padding: tuple[int, int], limit: int) -> np.ndarray | None:
    colors = make(limit)
    return None if colors is None else np.pad(colors, padding, constant_values=-1)
