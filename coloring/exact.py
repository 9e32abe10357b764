"""Optimal colorings and lower bounds of small matrices.

A part of a coloring is a coloring of that part, so that what a few vertices around a dense place need is a bound for
all: bounds are proven on growing parts by backtracking first.  Then an integer program (for HiGHS, which comes with
SciPy) looks at the whole: a 0-1 variable says that a vertex has a color, another that two vertices near each other
have the same one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, milp

from .problems.base import Problem
from .problems.small import SmallProblem

NEUTRAL = -1

#: Vertices beyond which nothing is tried, variables and constraints beyond which a program is not written down.
MOST_VERTICES, MOST_TERMS = 20_000, 400_000
#: Vertices of the parts that bounds are proven on, and steps of backtracking on each: a second or two.
PARTS, PART_STEPS = (6, 9, 12, 16, 20, 25, 32, 40, 50, 64), 3_000_000


class OutOfReachError(Exception):
    """The time is spent, or the program too large."""


@dataclass
class Program:
    """The integer program for colorings that cost at most so much."""

    small: SmallProblem
    most: int
    rows: list[tuple[list[int], list[float], float, float]] = field(default_factory=list)
    same: dict[tuple[int, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.num_colors = self.most // min(self.small.weights)  # on either side
        self.used = len(self.small.neighbors) * (self.num_colors + 1)  # variables of vertices come first
        self.size = self.used + 2 * self.num_colors
        self._choose()
        if self.small.kind == "distance one":
            self._differ()
            return
        self._neighbors()
        if self.small.kind == "star":
            self._paths()

    def at_most(
        self, most: float, variables: list[int], factors: list[float] | None = None, least: float = -np.inf
    ) -> None:
        """Add a constraint."""
        self.rows.append((variables, factors or [1.0] * len(variables), least, most))
        if len(self.rows) > MOST_TERMS:
            raise OutOfReachError

    def has(self, v: int, color: int) -> int:
        """Variable: vertex `v` has this color (`num_colors`: none)."""
        return v * (self.num_colors + 1) + color

    def is_used(self, side: int, color: int) -> int:
        """Variable: some vertex of this side has this color."""
        return self.used + side * self.num_colors + color

    def are_same(self, a: int, b: int) -> int:
        """Variable: `a` and `b` have the same color, and are not neutral."""
        pair = (min(a, b), max(a, b))
        if pair not in self.same:
            self.same[pair] = self.size
            self.size += 1
            for c in range(self.num_colors):
                self.at_most(1, [self.has(a, c), self.has(b, c), self.same[pair]], [1.0, 1.0, -1.0])
        return self.same[pair]

    def _choose(self) -> None:
        """One color for each vertex, which is then used; used colors come first."""
        k = self.num_colors
        for v, side in enumerate(self.small.side):
            self.at_most(1, [self.has(v, c) for c in range(k + 1)], least=1)
            for c in range(k):
                self.at_most(0, [self.has(v, c), self.is_used(side, c)], [1.0, -1.0])
        for side in (0, 1):
            for c in range(k - 1):
                self.at_most(0, [self.is_used(side, c + 1), self.is_used(side, c)], [1.0, -1.0])
        costs = [float(weight) for weight in self.small.weights for _ in range(k)]
        self.at_most(self.most, [self.is_used(side, c) for side in (0, 1) for c in range(k)], costs)

    def _differ(self) -> None:
        """Every clique of a cover of the edges has each color once."""
        for clique in _clique_cover(self.small.neighbors):
            for c in range(self.num_colors):
                self.at_most(0, [*(self.has(v, c) for v in clique), self.is_used(0, c)], [1.0] * len(clique) + [-1.0])

    def _neighbors(self) -> None:
        """Neighbors differ, are not both neutral, and are distinct around a neutral vertex."""
        k, around, side = self.num_colors, self.small.neighbors, self.small.side
        for v, w in _edges(around):
            self.at_most(1, [self.has(v, k), self.has(w, k)])
            if side[v] == side[w]:
                for c in range(k):
                    self.at_most(1, [self.has(v, c), self.has(w, c)])
        for v in range(len(around)):
            if self.small.may_be_neutral[v]:
                for a, b in combinations(sorted(around[v]), 2):
                    if side[a] == side[b]:
                        self.at_most(1, [self.are_same(a, b), self.has(v, k)])

    def _paths(self) -> None:
        """No path a - v - w - b on four vertices has two colors."""
        around, side = self.small.neighbors, self.small.side
        for v, w in _edges(around):
            for a in around[v] - {w}:
                for b in around[w] - {v, a}:
                    if side[a] == side[w] and side[b] == side[v]:
                        self.at_most(1, [self.are_same(a, w), self.are_same(v, b)])

    def solve(self, deadline: float) -> np.ndarray | None:
        """Return a coloring that costs least, or None if there is none.

        Raises
        ------
        OutOfReachError
            If the time did not suffice.
        """
        while True:
            colors = self._solve_once(deadline)
            cycle = (
                _two_colored_cycle(self.small, colors) if colors is not None and self.small.kind == "acyclic" else []
            )
            if not cycle:
                return colors
            pairs = {self.are_same(a, b) for a, b in zip(cycle, cycle[2:] + cycle[:2], strict=True)}
            self.at_most(len(pairs) - 1, sorted(pairs))

    def _solve_once(self, deadline: float) -> np.ndarray | None:
        left = min(deadline - time.perf_counter(), 1e6)
        if left <= 0 or self.size > MOST_TERMS:
            raise OutOfReachError
        lengths = [len(variables) for variables, *_ in self.rows]
        matrix = sp.csr_array(
            (
                np.concatenate([factors for _, factors, _, _ in self.rows]),
                np.concatenate([variables for variables, *_ in self.rows]),
                np.concatenate([[0], np.cumsum(lengths)]),
            ),
            shape=(len(self.rows), self.size),
        )
        least, most = np.array([row[2:] for row in self.rows]).T
        cost = np.zeros(self.size)
        cost[self.used : self.used + 2 * self.num_colors] = np.repeat(self.small.weights, self.num_colors)
        found = milp(
            cost,
            integrality=np.ones(self.size, np.int64),
            bounds=Bounds(0, self._upper()),
            constraints=LinearConstraint(matrix, least, most),
            options={"time_limit": left},
        )
        if found.status == 2:
            return None
        if found.status != 0:
            raise OutOfReachError
        return self._colors(found.x)

    def _upper(self) -> np.ndarray:
        """Neutral vertices where they may be; the first vertices of a side have the first colors."""
        k, upper, seen = self.num_colors, np.ones(self.size), [0, 0]
        for v in range(len(self.small.neighbors)):
            upper[self.has(v, k)] = self.small.may_be_neutral[v]
            side = self.small.side[v]
            upper[self.has(v, min(seen[side] + 1, k)) : self.has(v, k)] = 0
            seen[side] += 1
        return upper

    def _colors(self, solution: np.ndarray) -> np.ndarray:
        chosen = solution[: self.used].reshape(-1, self.num_colors + 1).argmax(axis=1) if self.used else np.zeros(0)
        return np.where(chosen == self.num_colors, NEUTRAL, chosen).astype(np.int32)


def improve_exactly(problem: Problem, cost: int, deadline: float) -> tuple[np.ndarray | None, bool]:
    """Prove bounds on parts of the graph, then look for a coloring that costs less than `cost`.

    ``problem.lower_bound`` is raised to what could be proven.

    Returns
    -------
    colors : ndarray or None
        A coloring that costs least, if there is a better one.
    proven : bool
        Whether it is certain that none costs less.
    """
    if problem.num_vertices > MOST_VERTICES:
        return None, False
    problem.prove(PARTS, PART_STEPS, cost, deadline)
    order = problem.grown(problem.num_vertices)
    small = problem.part(order)
    if problem.lower_bound >= cost:
        return None, True
    try:
        colors = Program(small, cost - 1).solve(deadline)
    except OutOfReachError:
        return None, False
    if colors is None:
        problem.lower_bound = cost
        problem.certificate = "an integer program for all vertices has no solution"
        return None, True
    placed = np.empty(problem.num_vertices, np.int32)
    placed[order] = colors
    problem.lower_bound = max(problem.lower_bound, problem.cost(placed))
    return placed, True


def _edges(neighbors: list[set[int]]) -> Iterable[tuple[int, int]]:
    return ((v, w) for v, around in enumerate(neighbors) for w in sorted(around) if v < w)


def _clique_cover(neighbors: list[set[int]]) -> list[list[int]]:
    """Cliques that have every edge between them, each grown greedily from an edge that no one before has."""
    cliques, covered = [], set()
    for v, w in _edges(neighbors):
        if (v, w) not in covered:
            clique, common = [v, w], neighbors[v] & neighbors[w]
            while common:
                u = max(common, key=lambda u: (len(neighbors[u]), -u))
                clique.append(u)
                common = common & neighbors[u]
            covered |= {(min(pair), max(pair)) for pair in combinations(clique, 2)}
            cliques.append(clique)
    return cliques


def _two_colored_cycle(small: SmallProblem, colors: np.ndarray) -> list[int]:
    """A cycle in which two colors alternate; empty if there is none."""
    code = [None if c == NEUTRAL else (s, int(c)) for s, c in zip(small.side, colors, strict=True)]
    pairs = {frozenset((code[v], code[w])) for v, w in _edges(small.neighbors) if code[v] and code[w]}
    for pair in pairs:
        members = {v for v, c in enumerate(code) if c in pair}
        cycle = _cycle({v: small.neighbors[v] & members for v in members})
        if cycle:
            return cycle
    return []


def _cycle(around: dict[int, set[int]]) -> list[int]:
    """A cycle of a graph, found where a search comes back to a vertex; empty if it is a forest."""
    parent: dict[int, int] = {}
    for root in around:
        if root in parent:
            continue
        parent[root] = root
        stack = [root]
        while stack:
            v = stack.pop()
            for w in around[v] - {parent[v]}:
                if w in parent:
                    return _join(parent, v, w)
                parent[w] = v
                stack.append(w)
    return []


def _join(parent: dict[int, int], v: int, w: int) -> list[int]:
    """The cycle that the edge v - w closes in a tree."""
    ups = []
    for end in (v, w):
        up = [end]
        while parent[up[-1]] != up[-1]:
            up.append(parent[up[-1]])
        ups.append(up)
    common = next(u for u in ups[0] if u in ups[1])
    first, second = (up[: up.index(common)] for up in ups)
    return [*first, common, *reversed(second)]
