"""A loop as a grid: one thread a point."""

from __future__ import annotations

import ast
from dataclasses import dataclass

import numpy as np

from sparsead.emit.parsing import parse
from sparsead.emit.sharing import Procedure
from sparsead.emit.staging import Stretch

NARROW = (1 << 31) - (1 << 10)  # whole numbers below are int on the device; a last block may count on a little

BLOCK = 128  # points of a block, at most
REACH = 32  # points that a block computes first beside its own


def most_left_out(points: np.ndarray) -> int:
    """Return how many points are left out, at most, between those of a block; many where they do not go on evenly."""
    if (np.diff(points) < 1).any():
        return REACH + 1
    width = min(BLOCK, points.size) - 1
    return int((points[width:] - points[: points.size - width]).max()) - width


def loop_of(procedure: Procedure) -> ast.For:
    """Return the loop that a procedure is, as a tree of its own: it may be changed."""
    (function,) = parse(procedure.text).body
    (loop,) = function.body
    assert isinstance(loop, ast.For)
    return loop


@dataclass(frozen=True, eq=False)
class Grid:
    """A loop to run with one thread a point, on some arrays.

    Attributes
    ----------
    procedure : Procedure
        The loop.
    arrays, numbers : tuple
        What it is called with: names of arrays, whole numbers.
    private : dict
        The scratch arrays that each point has for itself, by their names in the loop, and their sizes.
    points : int
        How many.
    wide : bool
        True if some whole number on the way needs more than 32 bits.
    reads : frozenset of str
        The arrays that it only reads.
    writes : dict
        The elements that it touches of each array that it writes, as a mask.
    stretches : tuple of Stretch
        What it puts into memory that a block shares, to be written out afterwards.
    direct : Procedure, optional
        The loop that does not, where it does.
    layer : Layer, optional
        What its blocks compute first.
    """

    procedure: Procedure
    arrays: tuple[str, ...]
    numbers: tuple[int, ...]
    private: dict[str, int]
    points: int
    wide: bool
    reads: frozenset[str]
    writes: dict[str, np.ndarray]
    stretches: tuple[Stretch, ...] = ()
    direct: Procedure | None = None
    layer: Layer | None = None

    @property
    def given(self) -> dict[str, str]:
        """The arrays by their names in the loop, but for private ones."""
        pairs = zip(self.procedure.arrays, self.arrays, strict=True)
        return {parameter: array for parameter, array in pairs if parameter not in self.private}

    @property
    def counts(self) -> dict[str, int]:
        """The whole numbers by their names in the loop."""
        return dict(zip(self.procedure.numbers, self.numbers, strict=True))

    @property
    def loop(self) -> ast.For:
        """The loop, as it is without memory that a block shares; a tree of its own."""
        return loop_of(self.direct or self.procedure)

    def waits_for(self, other: Grid) -> bool:
        """Tell whether it must not run before an earlier one is complete."""
        if any(a in other.writes for a in self.reads) or any(a in self.writes for a in other.reads):
            return True
        return any(meet(mask, other.writes[a]) for a, mask in self.writes.items() if a in other.writes)


def meet(first: np.ndarray, second: np.ndarray) -> bool:
    """Tell whether two masks have elements in common."""
    size = min(first.size, second.size)
    return bool((first[:size] & second[:size]).any())


@dataclass(frozen=True, eq=False)
class Layer:
    """What a block computes first, into memory that its threads share, for its points to read.

    Attributes
    ----------
    grid : Grid
        The loop; its points store `size` numbers to ``tile``, one after the other, by ``thread``.
    first : str
        The point that the first thread takes, by the first of the block, ``begin``: code.
    reach : int
        How many more they are than the points of the block.
    """

    grid: Grid
    first: str
    reach: int
    size: int
