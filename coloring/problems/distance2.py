"""Column and row coloring: partial distance-2 coloring of the bipartite graph."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from .. import kernels, speculative
from ..bounds import clique_bound, packing_bound
from ..cached import cached_property
from ..equitable import even_columns
from ..orientation import renumber
from ..pattern import SparsityPattern
from ..regular import block_size, blocks_of, circular_colorings, torus_bound
from ..sizes import index_dtype
from ..threads import in_shares
from .base import NO_LIMIT, Candidate, Problem
from .small import SmallProblem

#: What the search for periodic colorings looks at besides entries.
LATTICE_WORK = 50_000
#: From so many entries on it costs less than a greedy coloring, and comes first.
LATTICE_FIRST = 1_000_000
#: Up to so many pairs the intersection graph is built, which makes every order faster.
GRAPH_PAIR_LIMIT = 20_000_000
#: Parts of which all colorings are tried for a lower bound, in vertices more than the bound, and steps of that: some
#: milliseconds; not where already the bound is high, since the part would be too large.
PARTS, PART_STEPS, MOST_PROVEN = (1, 3, 6, 10, 15), 20_000, 200
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

    def __init__(self, pattern: SparsityPattern, partition: str, seed: int = 0, threads: int | None = None) -> None:
        super().__init__(pattern, seed, threads)
        self.partition = partition
        by_column = partition == "column"
        self._lists = pattern.T if by_column else pattern  # per vertex, the lines it meets
        self._lines = pattern if by_column else pattern.T  # per line, its vertices
        self.num_vertices = self._lists.shape[0]

    def greedy(self, order: np.ndarray, limit: int = NO_LIMIT) -> np.ndarray | None:
        """First-fit partial distance-2 colors (Gebremedhin, Manne, Pothen 2005, Algorithm 3.2)."""
        lists = self._lists
        if self.threads is not None:
            return speculative.Columns(lists, self._lines, order, self.threads).run(limit)
        colors = kernels.distance2.color_columns(lists.indptr, lists.indices, lists.shape[1], order, limit)
        return colors if colors.size == self.num_vertices else None

    def neighborhood(self, distance: int = 1) -> Any:
        """Return the intersection graph, at either distance."""
        if self.num_pairs <= GRAPH_PAIR_LIMIT:
            return kernels.neighbors.distance_one(*self._intersection_lists)
        return self._pairs

    @cached_property
    def _intersection_lists(self) -> tuple[np.ndarray, np.ndarray]:
        indptr, indices = kernels.intersection.adjacency_lists(self._pairs)
        return indptr.astype(index_dtype(indices.size)), indices

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

    def evened(self, colors: np.ndarray) -> np.ndarray:
        """Move vertices to smaller colors."""
        return even_columns(self._lists, self._lines, colors)

    @property
    def distance_two(self) -> DistanceTwo:
        """This problem itself."""
        return self

    def _line_proofs(self) -> dict[str, int]:
        """Entries of a line conflict pairwise; those of one color share none."""
        lengths = np.diff(self._lines.indptr)
        longest, at = int(lengths.max(initial=0)), int(lengths.argmax()) if lengths.size else 0
        line, members = ("row", "columns") if self.partition == "column" else ("column", "rows")
        packed = packing_bound(np.diff(self._lists.indptr), int(np.count_nonzero(lengths)))
        return {
            f"{line} {at} has {longest} entries": longest,
            f"{members} of one color are too few to have the entries of all in {packed - 1} colors": packed,
        }

    @cached_property
    def plain_bound(self) -> int:
        """What the lengths of lines say."""
        return max(self._line_proofs().values())

    def quick_proofs(self) -> dict[str, int]:
        """What the lengths of lines say, and in small patterns cliques."""
        return self._line_proofs() | (self._clique(self.plain_bound) if self.is_small else {})

    def find_lower_bound(self) -> int:
        """What rows that are all alike need, or a few vertices that lie together, if it is more than is known."""
        self.__dict__["lower_bound"] = bound = self.quick_bound
        on_torus, proof = torus_bound(self._lines, f"{self.partition}s")
        if on_torus > bound:
            self.lower_bound, self.certificate = on_torus, proof
        if 1 < bound <= MOST_PROVEN:
            self.prove([bound + more for more in PARTS], PART_STEPS, NO_LIMIT)
        return self.lower_bound

    def _clique(self, least: int) -> dict[str, int]:
        """A clique of more vertices than `least`, if one is found."""
        if least < 2:
            return {}
        size = clique_bound(self.neighborhood(), self.degrees)
        return {f"{size} {self.partition}s meet pairwise": size} if size > least else {}

    @cached_property
    def num_pairs(self) -> int:
        """Number of pairs of entries in a line."""
        return int((np.diff(self._lines.indptr).astype(np.int64) ** 2).sum())

    @cached_property
    def greedy_work(self) -> int:
        """Entries, once for every 64 colors."""
        return self.pattern.nnz * (1 + self.plain_bound // 64)

    def order_work(self, name: str) -> int:
        """All orders but two look at pairs; of the intersection graph, once it is there."""
        if name in ("natural", "random"):
            return self.num_vertices
        return self._intersection_lists[1].size if "_intersection_lists" in self.__dict__ else self.num_pairs

    @property
    def pass_work(self) -> int:
        """All pairs (if they are not too many), then all entries."""
        return self.greedy_work + (self.num_pairs if self.has_few_pairs else 0)

    def all_orders(self) -> list[Candidate]:
        """The greedy algorithm in every order; distances one and two are the same."""
        return [one for one in super().all_orders() if not one.label.startswith("distance_two")]

    def portfolio(self, thorough: bool) -> Iterator[Candidate]:
        """Natural order and grids first; orders that look at pairs only where there are not too many."""
        lattices = [self._lattice_candidate(size) for size in dict.fromkeys((1, block_size(self._lists)))]
        natural = self.by_order("natural")
        yield from (natural, *lattices) if self.pattern.nnz < LATTICE_FIRST else (*lattices, natural)
        if thorough or self.has_few_pairs:
            for name in THOROUGH:
                yield self.by_order(name)

    def _lattice_candidate(self, size: int) -> Candidate:
        nnz = self.pattern.nnz
        label = "lattice" if size == 1 else f"lattice of blocks of {size}"
        return Candidate(label, partial(self._lattice, size), min(40 * nnz, LATTICE_WORK) + 2 * nnz, has_ties=False)

    def _lattice(self, size: int, limit: int) -> np.ndarray | None:
        """The periodic coloring with fewest colors, if the matrix comes from a grid and has one.

        Blocks of `size` equal columns are colored as one.  If no coloring is right on all rows, as where a few rows at
        a boundary have more entries, the greedy algorithm follows the first one, color by color.
        """
        lines = self._lines
        almost = None
        for blocks in circular_colorings(
            blocks_of(lines, size), range(-(-self.quick_bound // size), -(-limit // size))
        ):
            colors = (blocks[:, None] * size + np.arange(size, dtype=np.int32)).ravel()
            if self.tells_apart(colors):
                return colors
            almost = colors if almost is None else almost
        return None if almost is None else self.greedy(np.argsort(almost, kind="stable").astype(np.int32), limit)

    def tells_apart(self, colors: np.ndarray) -> bool:
        """Whether no line has two vertices of one color."""
        lines, threads = self._lines, self.threads or 1
        cuts = np.linspace(0, lines.shape[0], threads + 1).astype(np.int64)
        repeated = [False] * threads

        def look(k: int) -> None:
            some = lines.indptr[cuts[k] : cuts[k + 1] + 1]
            repeated[k] = kernels.distance2.first_repeat(some, lines.indices, colors, colors.size)[0] >= 0

        in_shares(look, threads, threads)
        return not any(repeated)

    @cached_property
    def entries_met(self) -> np.ndarray:
        """Number of entries in the lines that each vertex meets."""
        lists = self._lists
        before = np.concatenate([[0], np.cumsum(np.diff(self._lines.indptr)[lists.indices])])
        return before[lists.indptr[1:]] - before[lists.indptr[:-1]]

    def around(self, v: int) -> list[int]:
        """Return the vertices that share a line with this one."""
        lists, lines = self._lists, self._lines
        met = lists.indices[lists.indptr[v] : lists.indptr[v + 1]].tolist()
        return sorted({w for i in met for w in lines.indices[lines.indptr[i] : lines.indptr[i + 1]].tolist()} - {v})

    def part(self, vertices: list[int]) -> SmallProblem:
        """Distance-1 coloring of a part of the intersection graph."""
        place = {v: k for k, v in enumerate(vertices)}
        neighbors = [{place[w] for w in self.around(v) if w in place} for v in vertices]
        return SmallProblem(neighbors, "distance one", [0] * len(vertices), self._empty[vertices].tolist())
