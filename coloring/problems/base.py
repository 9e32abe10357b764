"""What every coloring problem offers to the orders, the search and the results."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .. import kernels
from ..cached import cached_property
from ..orders import ORDERS, order_by_name
from ..pattern import SparsityPattern
from .small import SmallProblem, grown

#: More colors than any pattern can need.
NO_LIMIT = np.iinfo(np.int64).max

#: Patterns of up to so many rows and columns are colored in all orders by a quick search.
SMALL = 2000

#: A quick search skips orders that look at pairs of columns when there are more pairs than this.
PAIR_LIMIT = 50_000_000

#: From a number of colors to a coloring, or to nothing if it needs many more.
Make = Callable[[int], "np.ndarray | None"]


class Candidate(NamedTuple):
    """A way to color.

    Attributes
    ----------
    label : str
        Its name.
    make : callable
        From a number of colors to a coloring; or to None if that would need many more.
    work : int
        Entries and pairs of entries that it looks at, about.
    has_ties : bool
        Whether other ties are worth a try.
    """

    label: str
    make: Make
    work: int = 0
    has_ties: bool = True


@dataclass(frozen=True)
class Simpler:
    """A problem whose colorings, with all other vertices neutral, are colorings of this one too.

    Attributes
    ----------
    label : str
        What its colorings are called among those of this problem.
    problem : Problem
        The simpler problem.
    first, size : int
        The vertices that it colors are ``first, ..., first + problem.num_vertices - 1`` of `size`.
    weight : int
        What each of its colors costs.
    are_read : bool
        Whether all its colors are read here too; if not, fewer may be left in the end.
    """

    label: str
    problem: Problem
    first: int
    size: int
    weight: int = 1
    are_read: bool = True

    @property
    def bound(self) -> int:
        """What its colorings cost at least, as far as that is quick to see."""
        return self.weight * self.problem.quick_bound if self.are_read else 0

    def embedded(self, colors: np.ndarray) -> np.ndarray:
        """Return the coloring of all vertices."""
        after = self.size - self.first - colors.size
        return np.pad(colors, (self.first, after), constant_values=-1) if colors.size < self.size else colors

    def candidates(self, thorough: bool, ties: np.ndarray) -> Iterator[Candidate]:
        """Ways to color the simpler problem, as ways to color this one."""
        own = ties[(ties >= self.first) & (ties < self.first + self.problem.num_vertices)] - np.int32(self.first)
        for one in self.problem.with_ties(own).candidates(thorough):
            yield one._replace(label=f"{self.label}, {one.label}", make=partial(self._make, one.make))

    def _make(self, make: Make, limit: int) -> np.ndarray | None:
        colors = make(limit)
        return None if colors is None else self.embedded(colors)


def has_ties(order: str) -> bool:
    """Whether an order breaks ties, so that others are worth a try."""
    return order not in ("natural", "random")


class Problem(ABC):
    """A coloring problem on a pattern: its vertices, its greedy algorithm, its bounds.

    Parameters
    ----------
    pattern : SparsityPattern
        The matrix to compress.
    seed : int
        Seed of everything random that is done to solve the problem.
    threads : int, optional
        Number of threads for colorings in blocks (`coloring.speculative`); by default there are no blocks.

    Attributes
    ----------
    num_vertices : int
        Number of vertices to color: columns, or rows, or columns and then rows.
    """

    pattern: SparsityPattern
    seed: int
    threads: int | None
    num_vertices: int
    weights: tuple[int, int] = (1, 1)  # what a row color and a column color cost
    certificate: str = ""  # what an exact search proved the lower bound by

    def __init__(self, pattern: SparsityPattern, seed: int = 0, threads: int | None = None) -> None:
        self.pattern = pattern
        self.seed = seed
        self.threads = threads
        self._ordered: dict[str, np.ndarray] = {}
        self._counted: set[str] = set()  # orders that this problem has asked for; others may have made them before

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
    def evened(self, colors: np.ndarray) -> np.ndarray:
        """Return a coloring with as many colors, of sizes as equal as moving vertices makes them."""

    @abstractmethod
    def portfolio(self, thorough: bool) -> Iterator[Candidate]:
        """Named ways to color, the most promising first; all of them if `thorough`."""

    @abstractmethod
    def order_work(self, name: str) -> int:
        """Return the number of entries, or pairs of entries, that an order looks at."""

    @property
    @abstractmethod
    def num_pairs(self) -> int:
        """Number of pairs of entries in a line, all lines together: what the orders at distance two look at."""

    @property
    def has_few_pairs(self) -> bool:
        """Whether an order that looks at all pairs of entries in a line is affordable."""
        return self.num_pairs <= PAIR_LIMIT

    @property
    @abstractmethod
    def greedy_work(self) -> int:
        """Number of entries, or pairs of entries, that the greedy algorithm looks at."""

    @property
    @abstractmethod
    def pass_work(self) -> int:
        """Number of entries and pairs that the orders of this problem and its greedy algorithm look at."""

    @property
    def simpler(self) -> Sequence[Simpler]:
        """Problems whose colorings solve this one: it never needs more colors than they do."""
        return ()

    def candidates(self, thorough: bool) -> Iterator[Candidate]:
        """Own ways to color, then those of simpler problems."""
        yield from self.portfolio(thorough)
        for simpler in self.simpler:
            yield from simpler.candidates(thorough, self.tie_order)

    def ordered(self, name: str) -> np.ndarray:
        """The vertices in the order of that name (computed once)."""
        self._counted.add(name)
        if name not in self._ordered:
            self._ordered[name] = order_by_name(name)(self)
        return self._ordered[name]

    def by_order(self, name: str) -> Candidate:
        """The greedy algorithm in the order of that name."""
        return Candidate(name, partial(self._greedy_by_name, name), self._ordered_work(name), has_ties(name))

    def _ordered_work(self, name: str) -> int:
        """What is left to look at: orders that were asked for before cost nothing, whoever made them."""
        return self.greedy_work + (0 if name in self._counted else self.order_work(name))

    def _greedy_by_name(self, name: str, limit: int) -> np.ndarray | None:
        return self.greedy(self.ordered(name), limit)

    def all_orders(self) -> list[Candidate]:
        """The greedy algorithm in every order that does not look at too many pairs of vertices."""
        return [self.by_order(name) for name in ORDERS if self.order_work(name) <= PAIR_LIMIT]

    @property
    def is_small(self) -> bool:
        """Whether all orders are tried even by a quick search."""
        return max(self.pattern.shape) <= SMALL

    def with_ties(self, ties: np.ndarray) -> Problem:
        """Return this problem with another order for breaking ties."""
        twin = copy(self)
        twin.tie_order = ties
        twin._ordered, twin._counted = {}, set()
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
    def around(self, v: int) -> list[int]:
        """Return the neighbors of a vertex in the conflict graph."""

    @abstractmethod
    def part(self, vertices: list[int]) -> SmallProblem:
        """Write out the problem on these vertices alone."""

    def grown(self, size: int) -> list[int]:
        """Return so many vertices around the one that meets most entries; if all are asked for, of every component."""
        if size < self.num_vertices:
            return grown(self.around, self.entries_met, int(self.entries_met.argmax()), size)
        chosen: list[int] = []
        missing = np.ones(self.num_vertices, np.bool_)
        for start in np.argsort(-self.entries_met, kind="stable").tolist():
            if missing[start]:
                chosen += grown(self.around, self.entries_met, start, size - len(chosen))
                missing[chosen] = False
        return chosen

    def prove(self, sizes: Sequence[int], most_steps: int, enough: int, deadline: float = np.inf) -> None:
        """Raise the lower bound, up to `enough`, by trying to color growing parts with as few colors as it says."""
        chosen = self.grown(min(sizes[-1], self.num_vertices))
        for size in sizes:
            vertices = chosen[:size]
            part = self.part(vertices)
            while self.lower_bound < enough and time.perf_counter() < deadline:
                is_possible = part.backtrack(self.lower_bound, most_steps)
                if is_possible is None:
                    return
                if is_possible:
                    break
                self.lower_bound += 1
                self.certificate = f"vertices {sorted(vertices)} alone need {self._in_words(self.lower_bound)}"
            if size >= len(chosen):
                return

    def _in_words(self, cost: int) -> str:
        return f"{cost} colors" if self.weights == (1, 1) else f"colors that cost {cost}"

    @property
    @abstractmethod
    def entries_met(self) -> np.ndarray:
        """Number of entries in the lines of each vertex: about its degree, and found by looking at entries alone."""

    @property
    def distance_two(self) -> Problem | None:
        """The column or row coloring whose colors also solve this problem, if there is one."""
        return None

    @abstractmethod
    def find_lower_bound(self) -> int:
        """Prove a lower bound on the cost."""

    @property
    def quick_certificate(self) -> str:
        """What proves the quick bound, in words."""
        proofs = self.quick_proofs()
        return max(proofs, key=proofs.__getitem__)

    @abstractmethod
    def quick_proofs(self) -> dict[str, int]:
        """Lower bounds by what proves them, in words."""

    plain_bound = 0  # a lower bound that costs next to nothing

    @cached_property
    def quick_bound(self) -> int:
        """A lower bound that costs no more than an attempt to color."""
        return max(self.quick_proofs().values())

    @cached_property
    def lower_bound(self) -> int:
        """Proven lower bound on the cost, by default the number of colors; an exact search may raise it."""
        return self.find_lower_bound()

    def bound_against(self, cost: int, thorough: bool = True) -> int:
        """Return a proven lower bound: the cheapest that this cost meets, else the best (or a quick one)."""
        if cost <= self.plain_bound:
            return self.plain_bound
        return self.lower_bound if thorough and cost > self.quick_bound else self.quick_bound

    def cost(self, colors: np.ndarray) -> int:
        """Return the number of passes, or what they cost together."""
        return int(colors.max(initial=-1)) + 1

    @cached_property
    def tie_order(self) -> np.ndarray:
        """Order by which the orders break their ties at first: natural, unless it is replaced."""
        return np.arange(self.num_vertices, dtype=np.int32)

    @cached_property
    def degrees(self) -> np.ndarray:
        """Number of neighbors of each vertex in the conflict graph."""
        return kernels.orders.degrees(self.neighborhood())
