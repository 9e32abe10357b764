"""Star and acyclic bicoloring: rows and columns together."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from .. import kernels
from ..bounds import covering_bound, density_bound
from ..cached import cached_property
from ..graph import Graph
from ..pattern import SparsityPattern
from .base import Candidate, Simpler
from .distance2 import DistanceTwo
from .symmetric import StarLike

QUICK = ("largest_first", "dynamic_largest_first", "smallest_last")
THOROUGH = (*QUICK, "incidence_degree", "saturation", "perfect_elimination", "smallest_first", "random")


class Bidirectional(StarLike):
    """Star or acyclic coloring of [0 Aᵀ; A 0], with a palette for the columns and one for the rows.

    Coleman and Verma (1998); as a coloring of the augmented graph, Montoison, Dalle, Gebremedhin (2025).
    """

    def __init__(
        self,
        pattern: SparsityPattern,
        substitution: bool,
        seed: int = 0,
        threads: int | None = None,
        weights: tuple[int, int] = (1, 1),
    ) -> None:
        super().__init__(pattern, substitution, seed, threads)
        self.weights = weights
        self.num_vertices = sum(pattern.shape)

    @cached_property
    def graph(self) -> Graph:
        """The bipartite graph: columns, then rows."""
        return Graph.bipartite(self.pattern)

    @cached_property
    def diagonal(self) -> np.ndarray:
        """No vertex is needed for itself: [0 Aᵀ; A 0] has no diagonal."""
        return np.zeros(self.num_vertices, np.bool_)

    def quick_proofs(self) -> dict[str, int]:
        """Counting, of all equations and of those that recover an entry."""
        graph, order = self.graph, self.ordered("smallest_last")
        density = density_bound(graph.indptr, graph.indices, order, graph.num_first, self.weights[::-1])
        needed = f"{density} products are" if self.weights == (1, 1) else f"products that cost {density} are"
        proofs = {f"{needed} needed for as many equations as a part has entries": density}
        if not self.substitution:
            counts = np.diff(self.pattern.indptr), np.diff(self.pattern.T.indptr)
            covering = covering_bound(*counts, self.weights)
            proofs[f"products recover too few entries for less than {covering}: none one in every row or column"] = (
                covering
            )
        return proofs

    def cost(self, colors: np.ndarray) -> int:
        """Row colors and column colors together, each with its weight."""
        row, column = self.weights
        n = self.graph.num_first
        return row * (int(colors[n:].max(initial=-1)) + 1) + column * (int(colors[:n].max(initial=-1)) + 1)

    def classes(self, colors: np.ndarray) -> np.ndarray:
        """Colors of either side are classes of their own."""
        return kernels.orientation.color_codes(colors, self.graph.num_first)[0]

    @cached_property
    def num_pairs(self) -> int:
        """Number of pairs of entries in a row or in a column."""
        return sum(int((np.diff(A.indptr).astype(np.int64) ** 2).sum()) for A in (self.pattern, self.pattern.T))

    @property
    def simpler(self) -> list[Simpler]:
        """Column colorings leave all rows neutral, row colorings all columns."""
        n, size, (row, column) = self.pattern.shape[1], self.num_vertices, self.weights
        if self.substitution:
            return [Simpler("star", self.with_direct_recovery(), 0, size)]
        sides = [
            Simpler("columns alone", DistanceTwo(self.pattern, "column", self.seed, self.threads), 0, size, column),
            Simpler("rows alone", DistanceTwo(self.pattern, "row", self.seed, self.threads), n, size, row),
        ]
        if self.pattern.is_symmetric:
            return [sides[row < column]]
        return sorted(sides, key=lambda side: side.bound)

    def portfolio(self, thorough: bool) -> Iterator[Candidate]:
        """Implicit coverings, dense lines against the others, and all orders."""
        for place, name in enumerate(THOROUGH if thorough else QUICK):
            yield self._covering(name, "covering", cautious=True)
            if place == 0 and self.substitution and self.has_few_pairs:
                yield self.by_order("distance_two_incidence_degree")  # the best one most often
            if thorough:
                yield self._covering(name, "cover first")
        names = THOROUGH[:-1] if thorough else QUICK[::2]  # all but random
        for label, kept in self._dense_line_covers(*((2**0.5, 1.0) if thorough else (2.0, self._many))):
            for name in names:
                make = partial(self._greedy_on, name, kept, False)
                yield Candidate(f"{name}, {label}", make, self._ordered_work(name))
        for order in self.all_orders():
            if thorough or not order.label.startswith("distance_two"):
                yield order

    def _covering(self, name: str, label: str, cautious: bool = False) -> Candidate:
        return Candidate(f"{name}, {label}", partial(self._greedy_on, name, None, cautious), self._ordered_work(name))

    def _greedy_on(self, name: str, kept: np.ndarray | None, cautious: bool, limit: int) -> np.ndarray | None:
        """Color the vertices in `kept` (by default those of an implicit cover) in the order of that name."""
        order = self.ordered(name)
        if kept is None:
            kept = kernels.covers.implicit_cover(self.graph.indptr, self.graph.indices, order)
        return self.greedy(order[kept[order]], limit, cautious)

    @property
    def _many(self) -> float:
        """Twice as many entries as lines have on the side that has fewer lines."""
        return 2 * max(self.pattern.nnz, 1) / max(min(self.pattern.shape), 1)

    def _dense_line_covers(self, ratio: float, least: float) -> Iterator[tuple[str, np.ndarray]]:
        """Rows (or columns) with more than t entries, and the columns (rows) that the others need.

        The best are mostly those of some more entries than others have, so that they come first.
        """
        A = self.pattern
        longest = max(int(np.diff(lines.indptr).max(initial=1)) for lines in (A, A.T))
        numbers = np.unique(np.round(ratio ** np.arange(np.log(longest) / np.log(ratio))).astype(int))
        met = set()
        for t in sorted(numbers[numbers >= least].tolist(), key=lambda t: abs(np.log(t / self._many))):
            for side, dense_in in (("rows", A), ("columns", A.T)):
                dense = np.diff(dense_in.indptr) > t
                number = int(np.count_nonzero(dense))
                if number in (0, dense.size) or (side, number) in met:
                    continue
                met.add((side, number))
                others = np.zeros(dense_in.shape[1], np.bool_)
                others[dense_in.indices[~dense[dense_in.rows]]] = True
                kept = (others, dense) if side == "rows" else (dense, others)
                yield f"{side} of more than {t}", np.concatenate(kept)
