"""What every coloring problem offers to the orders, the search and the results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from copy import copy
from functools import cached_property
from typing import Any

import numpy as np

from .. import kernels
from ..pattern import SparsityPattern

#: More colors than any pattern can need.
NO_LIMIT = np.iinfo(np.int64).max

#: A name, and a function from a number of colors to a coloring, or to nothing if it needs many more.
Candidate = tuple[str, Callable[[int], "np.ndarray | None"]]


class Problem(ABC):
    """A coloring problem on a pattern: its vertices, its greedy algorithm, its bounds.

    Parameters
    ----------
    pattern : SparsityPattern
        The matrix to compress.
    seed : int
        Seed of everything random that is done to solve the problem.

    Attributes
    ----------
    num_vertices : int
        Number of vertices to color: columns, or rows, or columns and then rows.
    """

    pattern: SparsityPattern
    seed: int
    num_vertices: int

    def __init__(self, pattern: SparsityPattern, seed: int = 0) -> None:
        self.pattern = pattern
        self.seed = seed

    @abstractmethod
    def greedy(self, order: np.ndarray, limit: int = NO_LIMIT) -> np.ndarray | None:
        """First-fit colors, int32, of the vertices visited in this order; -1 for those left out.

        May give up, and return None, when there would be more than `limit` colors.
        """

    @abstractmethod
    def neighborhood(self, distance: int = 1) -> Any:
        """Return the conflict graph that the orders look at (distance 2: a wider one where it differs)."""

    @abstractmethod
    def settle(self, colors: np.ndarray) -> np.ndarray:
        """Take the color from every vertex whose color no recovery reads; renumber."""

    @abstractmethod
    def portfolio(self, thorough: bool) -> Iterator[Candidate]:
        """Named ways to color, the most promising first; all of them if `thorough`."""

    def with_ties(self, ties: np.ndarray) -> Problem:
        """Return this problem with another order for breaking ties."""
        twin = copy(self)
        twin.tie_order = ties
        return twin

    def classes(self, colors: np.ndarray) -> np.ndarray:
        """Return the color class of each vertex, -1 for neutral vertices."""
        return colors

    def recolor(self, colors: np.ndarray, rank: np.ndarray, limit: int) -> np.ndarray | None:
        """Greedy colors again, one color class after the other: class ``c`` has place ``rank[c]``."""
        classes = self.classes(colors)
        colored = np.flatnonzero(classes >= 0)
        order = colored[np.argsort(rank[classes[colored]], kind="stable")]
        return self.greedy(order.astype(np.int32), limit)

    @abstractmethod
    def exact_terms(self) -> dict[str, Any]:
        """Return the problem in the terms of `coloring.exact.ExactSearch`."""

    @property
    def distance_two(self) -> Problem | None:
        """The column or row coloring whose colors also solve this problem, if there is one."""
        return None

    @abstractmethod
    def find_lower_bound(self) -> int:
        """Prove a lower bound on the number of colors."""

    @property
    def quick_bound(self) -> int:
        """A lower bound that costs no more than an attempt to color."""
        return self.lower_bound

    @cached_property
    def lower_bound(self) -> int:
        """Proven lower bound on the number of colors; an exact search may raise it."""
        return self.find_lower_bound()

    def count(self, colors: np.ndarray) -> int:
        """Return the number of passes that these colors cost."""
        return int(colors.max(initial=-1)) + 1

    @cached_property
    def tie_order(self) -> np.ndarray:
        """Order by which the orders break their ties at first: natural, unless it is replaced."""
        return np.arange(self.num_vertices, dtype=np.int32)

    @cached_property
    def degrees(self) -> np.ndarray:
        """Number of neighbors of each vertex in the conflict graph."""
        return kernels.orders.degrees(self.neighborhood())
