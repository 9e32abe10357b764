"""Star and acyclic coloring of a symmetric matrix."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from .. import kernels
from ..errors import ColoringError
from ..graph import Graph
from ..orders import order_by_name
from ..orientation import neutralize, orient
from ..pattern import SparsityPattern
from .base import Candidate, Problem


class StarLike(Problem):
    """Star coloring (direct recovery) or acyclic coloring (substitution) of a graph."""

    graph: Any
    diagonal: Any

    def __init__(self, pattern: SparsityPattern, substitution: bool, seed: int = 0) -> None:
        super().__init__(pattern, seed)
        self.substitution = substitution

    def greedy(self, order: np.ndarray, cautious: bool = False) -> np.ndarray:
        """First-fit star or acyclic colors (Gebremedhin et al. 2007, Algorithms 4.1 and 3.1).

        A `cautious` greedy gives distinct colors to the neighbors of every vertex that is not colored yet.
        """
        uncolored = kernels.star.NEUTRAL if cautious else kernels.star.UNCOLORED
        colors = np.full(self.num_vertices, uncolored, np.int32)
        graph = self.graph
        if self.substitution:
            return kernels.acyclic.color_acyclic(
                graph.indptr, graph.indices, graph.edge, order, colors, graph.is_bipartite
            )
        return kernels.star.color_star(graph.indptr, graph.indices, order, colors, graph.is_bipartite)

    def neighborhood(self, distance: int = 1) -> Any:
        """Return the graph, or its square."""
        graph = self.graph
        if distance == 1:
            return kernels.neighbors.distance_one(graph.indptr, graph.indices)
        A = self.pattern
        return kernels.neighbors.distance_two(A.indptr, A.indices, A.indptr, A.indices)

    def settle(self, colors: np.ndarray) -> np.ndarray:
        """Vertices that are neither hub nor parent nor on the diagonal need no color."""
        orientation = orient(self.graph, colors, self.substitution, self.diagonal)
        return neutralize(self.graph, colors, orientation, self.diagonal)

    @cached_property
    def lower_bound(self) -> int:
        """See `coloring.bounds`."""
        return 0

    def portfolio(self, thorough: bool) -> Iterator[Candidate]:
        """Orders on the adjacency graph, then on its square, each plain and cautious."""
        names = ["natural", "smallest_last", "largest_first", "incidence_degree","dynamic_largest_first", "saturation", "perfect_elimination"]
        if not self.graph.is_bipartite: names += ["distance_two_"+n for n in ("smallest_last","largest_first","incidence_degree")]
        for name in names:
            yield name, lambda name=name: self.greedy(order_by_name(name)(self))
            if not self.substitution:
                yield name+":cautious", lambda name=name: self.greedy(order_by_name(name)(self), cautious=True)

    def recolor(self, colors: np.ndarray, rank: np.ndarray) -> np.ndarray:
        """Class by class; unlike distance-1 coloring this may need more colors."""
        return self.greedy(np.argsort(rank[colors], kind="stable").astype(np.int32))


class Symmetric(StarLike):
    """Star or acyclic coloring of the adjacency graph of a symmetric matrix."""

    def __init__(self, pattern: SparsityPattern, substitution: bool, seed: int = 0) -> None:
        super().__init__(pattern, substitution, seed)
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
    def diagonal(self) -> np.ndarray:
        """Whether each diagonal entry is stored, so that its vertex needs a color."""
        stored = np.zeros(self.num_vertices, np.bool_)
        stored[self.pattern.rows[self.pattern.rows == self.pattern.indices]] = True
        return stored

    def result(self, colors: np.ndarray, **found: Any) -> Any:
        """Wrap the colors."""
        from ..results import SymmetricColoring

        return SymmetricColoring(self, colors, **found)
