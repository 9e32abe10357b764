"""Trying several ways to color, and keeping the best."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import count

import numpy as np

from .exact import improve_exactly
from .problems.base import NO_LIMIT, Candidate, Problem
from .results import ColoringResult, colored

#: Entries that a quick search colors, all attempts together.
QUICK_ENTRIES = 20_000_000

#: Recoloring passes at the end of a quick search, and after each round of a thorough one.
QUICK_RECOLORINGS = 4
RECOLORINGS = 20


class Search:
    """The best coloring found so far, and how it was found.

    Parameters
    ----------
    problem : Problem
        What to color.
    postprocess : bool
        Whether colors that no recovery reads are dropped before colorings are compared.
    deadline : float
        Value of `time.perf_counter` after which nothing more is started.
    """

    def __init__(self, problem: Problem, postprocess: bool = True, deadline: float = np.inf) -> None:
        self.problem = problem
        self.postprocess = postprocess
        self.deadline = deadline
        self.max_tries = NO_LIMIT
        self.thorough = False  # whether to spend time on the lower bound at which the search can stop
        self.colors: np.ndarray | None = None
        self.num_colors = 0
        self.label = ""
        self.tried: list[tuple[str, int]] = []
        self.stopped = ""

    def offer(self, label: str, colors: np.ndarray) -> int:
        """Compare a coloring with the best, keep the better one, and return its number of colors."""
        if self.postprocess:
            colors = self.problem.settle(colors)
        number = self.problem.count(colors)
        self.tried.append((label, number))
        if self.colors is None or number < self.num_colors:
            self.colors, self.num_colors, self.label = colors, number, label
        return number

    @property
    def is_over(self) -> bool:
        """Whether the lower bound or the deadline has been reached."""
        bound = self.problem.lower_bound if self.thorough else self.problem.quick_bound
        if self.colors is not None and self.num_colors <= bound:
            self.stopped = "lower bound reached"
        elif time.perf_counter() > self.deadline:
            self.stopped = "time budget spent"
        elif len(self.tried) >= self.max_tries:
            self.stopped = f"{len(self.tried)} attempts made, enough for a matrix of this size"
        return bool(self.stopped)

    @property
    def _limit(self) -> int:
        """Number of colors at which a greedy algorithm gives up: dropping colors cannot make up for it."""
        return NO_LIMIT if self.colors is None else 2 * self.num_colors + 8

    def run(self, candidates: Iterable[Candidate]) -> None:
        """Try the candidates in turn; the first is tried in any case."""
        for label, make in candidates:
            if self.colors is not None and self.is_over:
                return
            colors = make(self._limit)
            if colors is not None:
                self.offer(label, colors)

    def run_quickly(self) -> None:
        """Try what is most promising and recolor; fewer attempts the larger the matrix is."""
        self.max_tries = max(1, QUICK_ENTRIES // max(1, self.problem.pattern.nnz))
        self.run(self.problem.portfolio(thorough=False))
        self.recolor(min(QUICK_RECOLORINGS, self.max_tries - len(self.tried)))

    def run_thoroughly(self) -> None:
        """Try all candidates, recolor, and begin again with other ties, until the search is over."""
        self._begin_quickly()
        rng = np.random.default_rng(self.problem.seed)
        ties = self.problem.tie_order[::-1].copy()  # natural ties were tried in part: they are next
        for turn in count():
            if self.is_over or self.problem.num_vertices < 2:
                return
            self.run(self.problem.with_ties(ties).portfolio(thorough=True))
            self.recolor(RECOLORINGS)
            ties = ties[::-1].copy() if turn == 0 else rng.permutation(ties)

    def run_exactly(self) -> None:
        """Look for a coloring with fewer colors until there is none, which raises the lower bound."""
        self._begin_quickly()
        if self.is_over:
            return
        found, proven = improve_exactly(self.problem, self.num_colors, self.deadline)
        for colors in found:
            self.offer("exact", colors)
        if proven:
            self.problem.lower_bound = max(self.problem.lower_bound, self.num_colors)
        self.stopped = "proven optimal" if proven else "time budget spent"

    def _begin_quickly(self) -> None:
        """Do what a quick search does, whatever the deadline; then look at the full lower bound."""
        deadline, self.deadline = self.deadline, np.inf
        self.run_quickly()
        self.deadline, self.max_tries, self.thorough = deadline, NO_LIMIT, True
        if self.num_colors > self.problem.quick_bound:
            self.stopped = ""

    def recolor(self, passes: int) -> None:
        """Color the classes of the best coloring again, one after the other, in changing orders.

        Iterated greedy (Culberson 1992): in distance-1 and partial distance-2 coloring no pass can need
        more colors, and many need fewer; in the others a pass that does is dropped.  The orders of the
        classes are in turn: reversed, by decreasing size, random.
        """
        if self.is_over or self.colors is None:
            return
        rng = np.random.default_rng(self.problem.seed)
        current, size, label = self.colors, self.num_colors, self.label
        for turn in range(passes):
            rank = _class_rank(self.problem.classes(current), turn, rng)
            colors = self.problem.recolor(current, rank, self._limit)
            if colors is None:
                continue
            if self.postprocess:
                colors = self.problem.settle(colors)
            number = self.problem.count(colors)
            if number <= size:
                if number < size:
                    self.offer(f"{label}, recolored", colors)
                current, size = colors, number
            if self.is_over:
                return

    def result(self) -> ColoringResult:
        """Wrap the best coloring, with the record of the search."""
        assert self.colors is not None  # the first candidate has no limit and always colors
        return colored(
            self.problem,
            self.colors,
            order=self.label,
            tried=tuple(self.tried),
            stopped=self.stopped or "everything tried",
        )


def _class_rank(classes: np.ndarray, turn: int, rng: np.random.Generator) -> np.ndarray:
    """Place of each color class in the next pass."""
    number = int(classes.max(initial=-1)) + 1
    if turn % 3 == 0:
        return np.arange(number)[::-1]
    if turn % 3 == 1:
        rank = np.empty(number, np.int64)
        rank[np.argsort(-np.bincount(classes[classes >= 0], minlength=number), kind="stable")] = np.arange(number)
        return rank
    return rng.permutation(number)
