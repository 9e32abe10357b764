"""Column and row coloring: partial distance-2 coloring of the bipartite graph."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from .. import kernels
from ..bounds import clique_bound, packing_bound
from ..orientation import renumber
from ..pattern import SparsityPattern
from ..regular import circular_colorings
from .base import NO_LIMIT, Candidate, Problem

#: What the search for periodic colorings looks at besides entries.
LATTICE_WORK = 50_000
#: Up to so many pairs the intersection graph is built, which makes every order faster.
GRAPH_PAIR_LIMIT = 20_000_000
#: The lower bound looks for cliques beyond lines only up to this number.
BOUND_PAIR_LIMIT = 5_000_000
#: All orders, the most promising first; the others are the same at distance two.
THOROUGH = (
    "smallest_last",
    "largest_first",
    "incidence_degree",
    "saturation",
    "dynamic_largest_first",
    "perfect_elimination",
    "smallest_first",
    "random",
)


class DistanceTwo(Problem):
    """Columns (or rows) of one color share no row (column): they are structurally orthogonal."""

    def __init__(self, pattern: SparsityPattern, partition: str, seed: int = 0) -> None:
        super().__init__(pattern, seed)
        self.partition = partition
        by_column = partition == "column"
        self._lists = pattern.T if by_column else pattern  # per vertex, the lines it meets
        self._lines = pattern if by_column else pattern.T  # per line, its vertices
        self.num_vertices = self._lists.shape[0]

    def greedy(self, order: np.ndarray, limit: int = NO_LIMIT) -> np.ndarray | None:
        """First-fit partial distance-2 colors (Gebremedhin, Manne, Pothen 2005, Algorithm 3.2)."""
        lists = self._lists
        colors = kernels.distance2.color_columns(lists.indptr, lists.indices, lists.shape[1], order, limit)
        return colors if colors.size == self.num_vertices else None

    def neighborhood(self, distance: int = 1) -> Any:
        """Return the intersection graph, at either distance."""
        if self.num_pairs <= GRAPH_PAIR_LIMIT:
            return kernels.neighbors.distance_one(*self._intersection_lists)
        return self._pairs

    @cached_property
    def _intersection_lists(self) -> tuple[np.ndarray, np.ndarray]:
        return kernels.intersection.adjacency_lists(self._pairs)

    @property
    def _pairs(self) -> Any:
        lists, lines = self._lists, self._lines
        return kernels.neighbors.distance_two(lists.indptr, lists.indices, lines.indptr, lines.indices)

    @cached_property
    def _empty(self) -> np.ndarray:
        """Vertices without entries."""
        return np.diff(self._lists.indptr) == 0

    @cached_property
    def _has_empty(self) -> bool:
        return bool(self._empty.any())

    def settle(self, colors: np.ndarray) -> np.ndarray:
        """Empty columns need no color."""
        return renumber(np.where(self._empty, np.int32(-1), colors)) if self._has_empty else colors

    @property
    def distance_two(self) -> DistanceTwo:
        """This problem itself."""
        return self

    @cached_property
    def quick_bound(self) -> int:
        """Greatest number of entries in a line, whose vertices conflict pairwise; or what packing needs."""
        lengths = np.diff(self._lines.indptr)
        packed = packing_bound(np.diff(self._lists.indptr), int(np.count_nonzero(lengths)))
        return max(int(lengths.max(initial=0)), packed)

    def find_lower_bound(self) -> int:
        """The quick bound, or a greater clique."""
        if self.quick_bound < 2 or self.num_pairs > BOUND_PAIR_LIMIT:
            return self.quick_bound
        return max(self.quick_bound, clique_bound(self.neighborhood(), self.degrees))

    @cached_property
    def num_pairs(self) -> int:
        """Number of pairs of entries in a line."""
        return int((np.diff(self._lines.indptr).astype(np.int64) ** 2).sum())

    @cached_property
    def greedy_work(self) -> int:
        """Entries, once for every 64 colors."""
        return self.pattern.nnz * (1 + self.quick_bound // 64)

    def order_work(self, name: str) -> int:
        """All orders but two look at pairs."""
        return self.num_vertices if name in ("natural", "random") else self.num_pairs

    @property
    def pass_work(self) -> int:
        """All pairs (if they are not too many), then all entries."""
        return self.greedy_work + (self.num_pairs if self.has_few_pairs else 0)

    def all_orders(self) -> list[Candidate]:
        """The greedy algorithm in every order; distances one and two are the same."""
        return [one for one in super().all_orders() if not one.label.startswith("distance_two")]

    def portfolio(self, thorough: bool) -> Iterator[Candidate]:
        """Natural order and grids first; orders that look at pairs only where there are not too many."""
        yield self.by_order("natural")
        yield Candidate("lattice", self._lattice, min(40 * self.pattern.nnz, LATTICE_WORK) + 2 * self.pattern.nnz)
        if thorough or self.has_few_pairs:
            for name in THOROUGH:
                yield self.by_order(name)

    def _lattice(self, limit: int) -> np.ndarray | None:
        """The periodic coloring with fewest colors, if the matrix comes from a grid and has one."""
        lines = self._lines
        for colors in circular_colorings(lines, range(self.quick_bound, limit)):
            if kernels.offsets.first_repeat(lines.indptr, lines.indices, colors, colors.size)[0] < 0:
                return colors
        return None

    def exact_terms(self) -> Any:
        """Distance-1 coloring of the intersection graph."""
        from ..exact import Terms

        indptr, indices = kernels.intersection.adjacency_lists(self._pairs)
        neighbors = [set(around.tolist()) for around in np.split(indices, indptr[1:-1])]
        return Terms(neighbors, "distance one", [0] * self.num_vertices, self._empty.tolist())
