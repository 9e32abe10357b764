"""Star and acyclic coloring of a symmetric matrix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from functools import partial
from typing import Any

import numpy as np

from .. import kernels, speculative
from ..bounds import clique_bound, density_bound, star_band_bound
from ..cached import cached_property
from ..equitable import even_vertices
from ..errors import ColoringError
from ..graph import Graph
from ..orientation import read, settle
from ..pattern import SparsityPattern
from ..regular import Sample, circular_colorings, looks_tiled, tile_colorings
from .base import NO_LIMIT, Candidate, Problem, Simpler, has_ties
from .distance2 import DistanceTwo
from .small import SmallProblem, grown

#: Vertices of the parts of which all colorings are tried for a lower bound, and steps of that: some milliseconds.
PARTS, PART_STEPS = (6, 9, 12, 16, 20), 20_000

#: Vertices on which a periodic coloring is checked first, and what the search for one looks at besides entries.
SAMPLE, LATTICE_WORK = 60, 50_000

#: Vertices from which on a coloring by tiles is looked for, and steps of backtracking on each.
LEAST_TILED, TILE_STEPS = 500, 1_000

#: Neighbors of a vertex up to which star colorings are made in blocks.
MOST_AROUND = 1_000


class StarLike(Problem):
    """Star coloring (direct recovery) or acyclic coloring (substitution) of a graph."""

    graph: Any
    diagonal: Any

    def __init__(self, pattern: SparsityPattern, substitution: bool, seed: int = 0, threads: int | None = None) -> None:
        super().__init__(pattern, seed, threads)
        self.substitution = substitution

    def greedy(self, order: np.ndarray, limit: int = NO_LIMIT, cautious: bool = False) -> np.ndarray | None:
        """First-fit star or acyclic colors (Gebremedhin et al. 2007, Algorithms 4.1 and 3.1).

        Vertices missing from `order` stay neutral: their neighbors get distinct colors.  A `cautious` greedy
        gives distinct colors to the neighbors of every vertex that is not colored yet, too.
        """
        colors = np.full(self.num_vertices, kernels.star.NEUTRAL, np.int32)
        if not cautious:
            colors[order] = kernels.star.UNCOLORED
        graph = self.graph
        lists = graph.indptr, graph.indices
        if self.substitution:
            colors = kernels.acyclic.color_acyclic(*lists, graph.edge, order, colors, graph.is_bipartite, limit)
        else:
            colors = kernels.star.color_star(*lists, order, colors, graph.is_bipartite, limit)
        return colors if colors.size == self.num_vertices else None

    @cached_property
    def greedy_work(self) -> int:
        """Star coloring looks at entries, a word for 64 colors; acyclic coloring at pairs besides, mostly at half."""
        entries = 2 * self.graph.indices.size * (1 + self.quick_bound // 64)
        pairs = int((np.diff(self.graph.indptr).astype(np.int64) ** 2).sum())
        return entries + pairs // 2 if self.substitution else entries

    def order_work(self, name: str) -> int:
        """Orders look at entries, at distance two at pairs of them."""
        if name in ("natural", "random"):
            return self.num_vertices
        return self.num_pairs if name.startswith("distance_two") else self.graph.indices.size

    @property
    def pass_work(self) -> int:
        """All pairs (if they are not too many), then what the greedy algorithm looks at."""
        return self.greedy_work + (self.num_pairs if self.has_few_pairs else self.graph.indices.size)

    def with_direct_recovery(self) -> StarLike:
        """Return the star coloring of the same graph; it shares what has been found out about that."""
        twin = copy(self)
        twin.substitution = False
        twin._counted = set()  # so that a search for it is the same as by itself
        for name in ("quick_bound", "lower_bound", "greedy_work"):
            twin.__dict__.pop(name, None)
        return twin

    def neighborhood(self, distance: int = 1) -> Any:
        """Return the graph, or the graph of vertices that have a common neighbor."""
        lists = self.graph.indptr, self.graph.indices
        if distance == 1:
            return kernels.neighbors.distance_one(*lists)
        return kernels.neighbors.distance_two(*lists, *lists)

    @cached_property
    def entries_met(self) -> np.ndarray:
        """Number of neighbors."""
        return np.diff(self.graph.indptr)

    def solves(self, colors: np.ndarray) -> bool:
        """Whether these colors, none of them neutral, are a star or acyclic coloring."""
        graph = self.graph
        if (colors[graph.vertex] == colors[graph.indices]).any():
            return False
        item, _, _ = read(graph, colors, self.substitution)
        return not (item == kernels.orientation.CONFLICT).any()

    def around(self, v: int) -> list[int]:
        """Return the neighbors of a vertex."""
        graph = self.graph
        return graph.indices[graph.indptr[v] : graph.indptr[v + 1]].tolist()

    def part(self, vertices: list[int]) -> SmallProblem:
        """Star or acyclic coloring of an induced subgraph; vertices without a diagonal entry may be neutral."""
        place = {v: k for k, v in enumerate(vertices)}
        neighbors = [{place[w] for w in self.around(v) if w in place} for v in vertices]
        side = [int(v >= self.graph.num_first) for v in vertices]
        kind, neutral = "acyclic" if self.substitution else "star", (~self.diagonal[vertices]).tolist()
        return SmallProblem(neighbors, kind, side, neutral, self.weights[::-1])

    def find_lower_bound(self) -> int:
        """What a few vertices need that lie together, if it is more."""
        self.__dict__["lower_bound"] = self.quick_bound
        if self.graph.indices.size:
            self.prove(PARTS, PART_STEPS, NO_LIMIT)
        return self.lower_bound

    def settle(self, colors: np.ndarray) -> np.ndarray:
        """Vertices that are neither hub nor parent nor on the diagonal need no color."""
        if self.diagonal.all():
            return colors
        return settle(self.graph, colors, self.substitution, self.diagonal)

    def evened(self, colors: np.ndarray) -> np.ndarray:
        """Move vertices to smaller colors of their side."""
        backtracking = kernels.backtracking
        return even_vertices(self.graph, colors, backtracking.ACYCLIC if self.substitution else backtracking.STAR)


#: Orders and variants that a quick search tries first.
QUICK = {
    "star": (
        ("natural", "restricted"),
        ("smallest_last", "cautious"),
        ("largest_first", "cautious"),
        ("distance_two_smallest_last", "restricted"),
        ("dynamic_largest_first", "restricted"),
    ),
    "acyclic": (("smallest_last", ""), ("distance_two_smallest_last", "")),
}

#: All orders, the most promising first; a thorough search runs every variant in each.
THOROUGH = (
    "natural",
    "smallest_last",
    "distance_two_smallest_last",
    "incidence_degree",
    "largest_first",
    "distance_two_largest_first",
    "distance_two_incidence_degree",
    "perfect_elimination",
    "dynamic_largest_first",
    "distance_two_dynamic_largest_first",
    "saturation",
    "smallest_first",
    "random",
)


class Symmetric(StarLike):
    """Star or acyclic coloring of the adjacency graph of a symmetric matrix."""

    def __init__(self, pattern: SparsityPattern, substitution: bool, seed: int = 0, threads: int | None = None) -> None:
        super().__init__(pattern, substitution, seed, threads)
        if not pattern.is_symmetric:
            raise ColoringError(
                f"structure='symmetric' needs a symmetric pattern; this {pattern!r} is not equal to its "
                "transpose. Use structure='nonsymmetric', or color the union of both patterns"
            )
        self.num_vertices = pattern.shape[1]

    @cached_property
    def graph(self) -> Graph:
        """The adjacency graph."""
        return Graph.adjacency(self.pattern)

    @cached_property
    def _columns(self) -> DistanceTwo:
        """Column coloring of the matrix with a full diagonal: of the square of the adjacency graph."""
        A, v = self.pattern, np.arange(self.num_vertices)
        if not self.diagonal.all():
            A = SparsityPattern.from_coo(np.concatenate([A.rows, v]), np.concatenate([A.indices, v]), A.shape)
        return DistanceTwo(A, "column", self.seed, self.threads)

    @property
    def distance_two(self) -> DistanceTwo | None:
        """A column coloring is a star coloring in which no star has two edges of one color."""
        return None if self.substitution else self._columns

    @property
    def simpler(self) -> list[Simpler]:
        """Column colorings are star colorings, which are acyclic colorings."""
        n = self.num_vertices
        if self.substitution:
            return [Simpler("star", self.with_direct_recovery(), 0, n)]
        return [Simpler("distance two", self._columns, 0, n, are_read=bool(self.diagonal.all()))]

    @property
    def num_pairs(self) -> int:
        """Number of pairs of entries in a row."""
        return self._columns.num_pairs

    @cached_property
    def diagonal(self) -> np.ndarray:
        """Whether each diagonal entry is stored, so that its vertex needs a color."""
        stored = np.zeros(self.num_vertices, np.bool_)
        stored[self.pattern.rows[self.pattern.rows == self.pattern.indices]] = True
        return stored

    def order_work(self, name: str) -> int:
        """Orders at distance two look at the square, which the column coloring has."""
        return self._columns.order_work(name) if name.startswith("distance_two") else super().order_work(name)

    def neighborhood(self, distance: int = 1) -> Any:
        """Return the graph, or its square."""
        return super().neighborhood() if distance == 1 else self._columns.neighborhood()

    def quick_proofs(self) -> dict[str, int]:
        """Cliques, counting, and bands."""
        full = bool(self.diagonal.all())
        clique = clique_bound(self.neighborhood(), self.degrees) - (not full)  # one of it may be neutral
        A, order = self.pattern, self.ordered("smallest_last")
        density = density_bound(A.indptr, A.indices, order, self.num_vertices)
        band = star_band_bound(A) if full and not self.substitution else 0
        return {
            f"{clique} columns are adjacent pairwise": max(clique, 0),
            f"{density} products are needed for as many equations as a part has entries": density,
            f"a full band of half-width {band // 2} is a part of it": band,
        }

    def greedy(self, order: np.ndarray, limit: int = NO_LIMIT, cautious: bool = False) -> np.ndarray | None:
        """As for every graph; star colors of all vertices in blocks, if there are threads for them."""
        is_whole = order.size == self.num_vertices > 0
        if self.threads is None or self.substitution or cautious or not is_whole or self._has_dense_rows:
            return super().greedy(order, limit, cautious)
        return speculative.Stars(self.graph, order, limit, self.threads).run()

    @cached_property
    def _has_dense_rows(self) -> bool:
        """Whether conflicts between blocks might take long to find."""
        return int(self.entries_met.max(initial=0)) > MOST_AROUND

    def restricted_greedy(self, order: np.ndarray, limit: int = NO_LIMIT) -> np.ndarray | None:
        """First-fit restricted star colors (Gebremedhin, Manne, Pothen 2005, Algorithm 4.2)."""
        lists = self.graph.indptr, self.graph.indices
        colors = kernels.star.color_restricted_star(*lists, order, limit)
        return colors if colors.size == self.num_vertices else None

    def portfolio(self, thorough: bool) -> Iterator[Candidate]:
        """Orders on the adjacency graph and its square, and variants of the algorithm."""
        yield self.by_order("natural")
        kind = "acyclic" if self.substitution else "star"
        variants = ("",) if self.substitution else ("", "cautious", "restricted")
        nnz = self.pattern.nnz
        yield Candidate("lattice", self._lattice, min(40 * nnz, LATTICE_WORK) + 4 * nnz, has_ties=False)
        if self.num_vertices >= LEAST_TILED and looks_tiled(self.pattern):
            yield Candidate("tiles", self._tiles, LATTICE_WORK + 4 * nnz, has_ties=False)
        every = [(name, variant) for name in THOROUGH for variant in variants]
        choices = every if thorough else [*QUICK[kind], *((name, "") for name in THOROUGH)]
        for name, variant in dict.fromkeys(choices):
            if (name, variant) != ("natural", "") and (self.has_few_pairs or not name.startswith("distance_two")):
                label = f"{variant} {name}" if variant else name
                make = partial(self._variant, variant, name)
                yield Candidate(label, make, self._ordered_work(name), has_ties(name))

    def _lattice(self, limit: int) -> np.ndarray | None:
        """A periodic coloring, if the matrix comes from a grid and has one with less than so many colors."""
        if not self.graph.indices.size:
            return None
        found = circular_colorings(self.pattern, range(self.quick_bound, limit), Sample(self._sample))
        return next(filter(self.solves, found), None)

    def _sample(self) -> tuple[np.ndarray, Callable[[np.ndarray], bool]]:
        """Some vertices that lie together, and whether colors of theirs solve their part of the problem."""
        vertices = np.sort(np.array(grown(self.around, self.entries_met, self.num_vertices // 2, SAMPLE)))
        part = self.pattern.to_scipy(np.ones(self.pattern.nnz, np.int8))[vertices][:, vertices]
        return vertices, Symmetric(SparsityPattern.from_scipy(part), self.substitution).solves

    def _tiles(self, limit: int) -> np.ndarray | None:
        """A coloring by tiles, if the matrix comes from a grid and there is one."""
        kind = "acyclic" if self.substitution else "star"

        def solve(neighbors: list[set[int]], number: int) -> np.ndarray | None:
            order = grown(lambda v: sorted(neighbors[v]), np.zeros(len(neighbors)), 0, len(neighbors))
            if len(order) < len(neighbors):
                return None
            place = {v: k for k, v in enumerate(order)}
            around = [{place[w] for w in neighbors[v]} for v in order]
            small = SmallProblem(around, kind, [0] * len(order), [False] * len(order))
            colors = small.colored(number, TILE_STEPS)
            return None if colors is None else colors[[place[v] for v in range(len(order))]]

        found = tile_colorings(self.pattern, range(self.quick_bound, limit), solve)
        return next(filter(self.solves, found), None)

    def _variant(self, variant: str, name: str, limit: int) -> np.ndarray | None:
        order = self.ordered(name)
        if variant == "restricted":
            return self.restricted_greedy(order, limit)
        return self.greedy(order, limit, cautious=variant == "cautious")
