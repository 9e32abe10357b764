"""Column and row coloring: partial distance-2 coloring of the bipartite graph."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, partial
from typing import Any

import numpy as np

from .. import kernels
from ..bounds import clique_bound
from ..lattice import lattice_colorings
from ..orders import order_by_name
from ..orientation import renumber
from ..pattern import SparsityPattern
from .base import NO_LIMIT, Candidate, Problem

#: Auto skips orders that look at pairs of columns when there are more pairs than this.
PAIR_LIMIT = 50_000_000
#: The lower bound looks for cliques beyond lines only up to this number.
BOUND_PAIR_LIMIT = 5_000_000
QUICK = ("largest_first", "smallest_last")
THOROUGH = (
    *QUICK,
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
        lists, lines = self._lists, self._lines
        return kernels.neighbors.distance_two(lists.indptr, lists.indices, lines.indptr, lines.indices)

    def settle(self, colors: np.ndarray) -> np.ndarray:
        """Empty columns need no color."""
        if np.diff(self._lists.indptr).all():
            return colors
        return renumber(np.where(np.diff(self._lists.indptr) > 0, colors, np.int32(-1)))

    @property
    def distance_two(self) -> DistanceTwo:
        """This problem itself."""
        return self

    @cached_property
    def quick_bound(self) -> int:
        """Greatest number of entries in a line: its vertices conflict pairwise."""
        return int(np.diff(self._lines.indptr).max(initial=0))

    def find_lower_bound(self) -> int:
        """The longest line, or a greater clique."""
        if self.quick_bound < 2 or self.num_pairs > BOUND_PAIR_LIMIT:
            return self.quick_bound
        return max(self.quick_bound, clique_bound(self.neighborhood(), self.degrees))

    @cached_property
    def num_pairs(self) -> int:
        """Number of pairs of entries in a line."""
        return int((np.diff(self._lines.indptr).astype(np.int64) ** 2).sum())

    @property
    def has_few_pairs(self) -> bool:
        """Whether an order that looks at all pairs of vertices in a line is affordable."""
        return self.num_pairs <= PAIR_LIMIT

    def portfolio(self, thorough: bool) -> Iterator[Candidate]:
        """Natural order and grids first; orders that look at pairs only where there are not too many."""
        yield "natural", partial(self._greedy_by_name, "natural")
        yield "lattice", self._lattice
        if thorough or self.has_few_pairs:
            for name in THOROUGH if thorough else QUICK:
                yield name, partial(self._greedy_by_name, name)

    def _greedy_by_name(self, name: str, limit: int) -> np.ndarray | None:
        return self.greedy(order_by_name(name)(self), limit)

    def _lattice(self, limit: int) -> np.ndarray | None:
        """The periodic coloring with fewest colors, if the matrix comes from a grid and has one."""
        lines = self._lines
        for colors in lattice_colorings(lines, range(self.quick_bound, limit)):
            if kernels.offsets.first_repeat(lines.indptr, lines.indices, colors, colors.size)[0] < 0:
                return colors
        return None

    def exact_terms(self) -> dict[str, Any]:
        """Distance-1 coloring of the intersection graph."""
        indptr, indices = kernels.intersection.adjacency_lists(self.neighborhood())
        empty = np.diff(self._lists.indptr) == 0
        return {
            "neighbors": [set(around.tolist()) for around in np.split(indices, indptr[1:-1])],
            "kind": "distance one",
            "side": np.zeros(self.num_vertices, int),
            "may_be_neutral": empty,
        }
