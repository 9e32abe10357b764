"""Trying several ways to color, and keeping the best."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import count, islice, zip_longest

import numpy as np

from .interrupts import deferred
from .problems.base import NO_LIMIT, Candidate, Problem, Simpler
from .results import ColoringResult, colored

#: A quick search looks at so many times what one order and its greedy algorithm look at, and at so many times more for
#: every search that is part of it: of columns, 13 times; of acyclic colorings, with those of stars and columns, 20 ...
QUICK_PASSES, PASSES_PER_SEARCH, MOST_PASSES = 9, 4, 20
#: ... but at no more entries and pairs of entries than this, less than a second's work, unless the pattern is small ...
QUICK_WORK = 60_000_000
#: ... and at as many in any case, for each of up to three searches: half a millisecond and more.
LEAST_WORK = 66_000
#: What an attempt costs besides, in entries looked at: calls, and arrays that are as short as this.
ATTEMPT_WORK = 2_200

#: From so many entries and pairs of them on, a proof of the lower bound costs less than an attempt to color.
PROOF_WORK = 1_000_000

#: Quick searches of patterns with fewer pairs take some milliseconds.
TINY_PAIRS = 100_000

#: Recoloring passes at the end of a quick search, and after each round of a thorough one.
QUICK_RECOLORINGS = 6
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
        self.allowance: float = np.inf  # entries and pairs of entries that may be looked at
        self.work = 0  # entries and pairs looked at so far, about
        self.num_searches = 1  # this one, and those for simpler problems: also if there is no need for them
        self.begun: set[str] = set()  # labels of candidates that were tried, with success or not
        self.thorough = False  # whether to spend time on the lower bound at which the search can stop
        self.colors: np.ndarray | None = None
        self.cost = 0
        self.label = ""
        self.tried: list[tuple[str, int]] = []
        self.stopped = ""

    def offer(self, label: str, colors: np.ndarray) -> int:
        """Compare a coloring with the best, keep the better one, and return what it costs."""
        if self.postprocess:
            colors = self.problem.settle(colors)
        number = self.problem.cost(colors)
        self.tried.append((label, number))
        if self.colors is None or number < self.cost:
            self.colors, self.cost, self.label = colors, number, label
        return number

    @property
    def is_over(self) -> bool:
        """Whether the lower bound or the deadline has been reached."""
        if self.colors is not None and self.cost <= self._bound:
            self.stopped = "lower bound reached"
        elif self.deadline < np.inf and time.perf_counter() > self.deadline:
            self.stopped = "time budget spent"
        return bool(self.stopped)

    @property
    def _bound(self) -> int:
        """The cost at which the search can stop: the lower bound, as far as this search proves it."""
        return self.problem.bound_against(self.cost, self.thorough)

    @property
    def _limit(self) -> int:
        """Number of colors at which a greedy algorithm gives up: dropping colors cannot make up for it."""
        return NO_LIMIT if self.colors is None else 2 * self.cost // min(self.problem.weights) + 8

    def run(self, candidates: Iterable[Candidate]) -> None:
        """Try the candidates in turn, the first in any case, the others if they do not look at too much."""
        for label, make, work, *_ in candidates:
            if self.colors is not None and (self.is_over or not self._may_look_at(work)):
                if self.stopped:
                    return
                continue
            self.work += ATTEMPT_WORK + work
            self.begun.add(label)
            colors = make(self._limit)
            if colors is not None:
                self.offer(label, colors)

    def _may_look_at(self, work: int) -> bool:
        """Whether an attempt is within what this search may look at."""
        return self.work + ATTEMPT_WORK + work <= self.allowance

    def run_quickly(self) -> None:
        """Try what is most promising, what simpler problems give, and recolor.

        The attempts are in proportion to the matrix: counted by what they look at, so that the result does not
        depend on the speed of the machine.  Small patterns are colored in all orders in any case.
        """
        # interrupts that are put off once need not be put off by every kernel: half the time of a tiny pattern
        with deferred() if self.problem.num_pairs <= TINY_PAIRS else nullcontext():
            self._run_quickly()

    def _run_quickly(self) -> None:
        problem = self.problem
        before, one_pass = self.work, ATTEMPT_WORK + problem.pass_work
        self.thorough = problem.pass_work >= PROOF_WORK
        candidates = problem.portfolio(thorough=False)
        self.run(islice(candidates, 1))
        for simpler in problem.simpler:
            if self.is_over:
                return
            self._learn(simpler)
        most = min(QUICK_PASSES + PASSES_PER_SEARCH * self.num_searches, MOST_PASSES) * one_pass
        most = most if problem.is_small else min(most, self.work - before + QUICK_WORK)
        self.allowance = before + max(most, LEAST_WORK * min(self.num_searches, 3))
        self.run(candidates)
        if problem.is_small:
            self.run(self._untried(problem.all_orders()))
        self.recolor(QUICK_RECOLORINGS)
        if problem.pass_work > ATTEMPT_WORK:
            self._try_more()
        if not self.stopped:
            self.stopped = f"{len(self.tried)} attempts made, enough for a matrix of this size"

    def _try_more(self) -> None:
        """Try the other candidates, and all with other ties, those first that look at little; recolor again."""
        cost, little = self.cost, 2 * self.problem.greedy_work
        order = self.problem.by_order("largest_first")  # of which the ties are the reverse
        if self.is_over or not self._may_look_at(order.work):
            return
        self.work += order.work
        turned = self.problem.with_ties(self.problem.ordered(order.label)[::-1].copy())
        for most in (little, np.inf):
            self.run(one for one in self._untried(_with_both_ties(self.problem, turned)) if one.work <= most)
        if self.cost < cost:
            self.recolor(QUICK_RECOLORINGS)

    def _untried(self, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
        """Those of some candidates that have not been tried."""
        return (candidate for candidate in candidates if candidate.label not in self.begun)

    def _learn(self, simpler: Simpler) -> None:
        """Take the coloring that the same search finds for a simpler problem, unless that cannot be a better one."""
        if simpler.bound >= self.cost:
            self.num_searches += 1
            return
        search = Search(simpler.problem, self.postprocess)
        search.run_quickly()
        assert search.colors is not None  # the first candidate always colors
        self.work += search.work
        self.num_searches += search.num_searches
        self.offer(f"{simpler.label}, {search.label}", simpler.embedded(search.colors))

    def run_thoroughly(self) -> None:
        """Try all candidates, recolor, and begin again with other ties, until the search is over."""
        self._begin_quickly()
        rng = np.random.default_rng(self.problem.seed)
        ties = self.problem.tie_order[::-1].copy()  # natural ties were tried in part: they are next
        for turn in count():
            if self.is_over or self.problem.num_vertices < 2:
                return
            candidates = self.problem.with_ties(ties).candidates(thorough=True)
            self.run(one for one in candidates if one.has_ties or turn == 0)
            self.recolor(RECOLORINGS)
            ties = ties[::-1].copy() if turn == 0 else rng.permutation(ties)

    def run_exactly(self) -> None:
        """Look for a coloring with fewer colors until there is none, which raises the lower bound."""
        self._begin_quickly()
        if self.is_over:
            return
        from .exact import improve_exactly  # which imports the solver

        colors, proven = improve_exactly(self.problem, self.cost, self.deadline)
        if colors is not None:
            self.offer("exact", colors)
        self.stopped = "proven optimal" if proven else "time budget spent"

    def _begin_quickly(self) -> None:
        """Do what a quick search does, whatever the deadline; then look at the full lower bound."""
        deadline, self.deadline = self.deadline, np.inf
        self.run_quickly()
        self.deadline, self.thorough, self.allowance = deadline, True, np.inf
        if self.cost > self.problem.lower_bound:
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
        current, size, label = self.colors, self.cost, self.label
        for turn in range(passes):
            if not self._may_look_at(self.problem.greedy_work):
                return
            self.work += ATTEMPT_WORK + self.problem.greedy_work
            rank = _class_rank(self.problem.classes(current), turn, rng)
            colors = self.problem.recolor(current, rank, self._limit)
            if colors is None:
                continue
            if self.postprocess:
                colors = self.problem.settle(colors)
            number = self.problem.cost(colors)
            if number <= size:
                if number < size:
                    self.offer(f"{label}, recolored", colors)
                current, size = colors, number
            if self.is_over:
                return

    def result(self, equitable: bool = False) -> ColoringResult:
        """Wrap the best coloring, its sizes evened out if `equitable`, with the record of the search."""
        assert self.colors is not None  # the first candidate has no limit and always colors
        return colored(
            self.problem,
            self.problem.evened(self.colors) if equitable else self.colors,
            order=self.label,
            tried=tuple(self.tried),
            stopped=self.stopped or "everything tried",
        )


def _with_both_ties(problem: Problem, turned: Problem) -> Iterator[Candidate]:
    """All candidates, in turn with those of the same problem with other ties."""
    others = (one._replace(label=f"{one.label}, last first") for one in turned.portfolio(True) if one.has_ties)
    for pair in zip_longest(problem.portfolio(True), others):
        yield from filter(None, pair)


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
