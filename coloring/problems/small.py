"""A coloring problem of a few vertices, written out; and whether it can be solved, by trying everything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from .. import kernels
from . import backtracking

#: As `kernels.backtracking` numbers them.
KINDS = ("distance one", "star", "acyclic")
#: Up to so many steps nothing is compiled: some ten milliseconds.
FEW_STEPS = 50_000


@dataclass(frozen=True)
class SmallProblem:
    """A coloring problem on a graph.

    Attributes
    ----------
    neighbors : list of set
        Neighbors of each vertex; for a column or row coloring, in the intersection graph.
    kind : {"distance one", "star", "acyclic"}
        What the coloring must be, besides proper.
    side : list of int
        0 or 1: vertices on different sides have different palettes, so that equal numbers are no conflict.
    may_be_neutral : list of bool
        Vertices that may stay without a color.
    weights : tuple of int
        What a color costs, on either side.
    """

    neighbors: list[set[int]]
    kind: str
    side: list[int]
    may_be_neutral: list[bool]
    weights: tuple[int, int] = (1, 1)

    def backtrack(self, most: int, most_steps: int) -> bool | None:
        """Whether there is a coloring that costs at most so much; None if so many steps do not suffice to know."""
        if most_steps <= FEW_STEPS and self.kind == "distance one" and not any(self.may_be_neutral):
            status = backtracking.find(self.neighbors, self.side, self.weights, most, most_steps)
        else:
            status, _ = self._search(most, most_steps)
        return None if status == kernels.backtracking.GIVEN_UP else status == kernels.backtracking.FOUND

    def colored(self, most: int, most_steps: int) -> np.ndarray | None:
        """Return a coloring that costs at most so much; None if so many steps find none."""
        status, colors = self._search(most, most_steps)
        return colors.astype(np.int32) if status == kernels.backtracking.FOUND else None

    def _search(self, most: int, most_steps: int) -> tuple[int, np.ndarray]:
        """Whether there is a coloring, as a number of `kernels.backtracking`, and the colors if there is."""
        lengths = [len(around) for around in self.neighbors]
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        indices = np.array([w for around in self.neighbors for w in sorted(around)], np.int64)
        sides, neutral = np.array(self.side, np.int64), np.array(self.may_be_neutral, np.bool_)
        order, kind = np.arange(len(lengths)), KINDS.index(self.kind)
        limits = np.array(self.weights, np.int64), most, most_steps
        status, colors = kernels.backtracking.find(indptr, indices, sides, neutral, order, kind, *limits)
        return int(status), colors


def grown(around: Callable[[int], Iterable[int]], degrees: np.ndarray, start: int, size: int) -> list[int]:
    """Vertices around `start`: always the one with most neighbors among those before, of equals that of most in all.

    Of vertices that are equal in this too, the one that was met first, so that the part grows round and not long.
    """
    chosen, count = [start], {start: 0}
    met = {start: 0}
    while len(chosen) < size:
        for w in around(chosen[-1]):
            count[w] = count.get(w, 0) + 1
            met.setdefault(w, len(met))
        left = count.keys() - set(chosen)
        if not left:
            break
        chosen.append(max(left, key=lambda u: (count[u], degrees[u], -met[u])))
    return chosen
