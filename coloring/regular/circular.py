"""Colorings of lattices by an angle.

Give each column the angle ``w . x`` (in turns) of its coordinates x, where w winds a whole number of times around
each periodic coordinate.  If ``w . d`` is at least 1/c of a turn away from a whole number for every direction d
between columns of one row, then ``floor(c (w . x mod 1))`` is a coloring with c colors: a circular coloring (Vince
1988).  With w = a / c it is the periodic coloring ``(a . x) mod c``: on the 7-point stencil in three dimensions
``(x + 2 y + 3 z) mod 7`` is a perfect tiling with the fewest colors there can be (Goldfarb and Toint 1984).  Around a
ring whose length the perfect period does not divide, the nearest winding often does with one color more: the fewest
again, by counting.

For star and acyclic colorings the directions are those between neighbors, and a winding has to be right on a sample of
the graph besides: ``(x + y) mod 3`` is an acyclic coloring of the five-point grid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise, permutations, product

import numpy as np

from ..cached import cached_property
from ..pattern import SparsityPattern
from .lattice import Lattice, find_lattices

#: Coefficient vectors modulo a number that are looked at; beyond, only those of mixed radix.
MAX_CHOICES = 4_096
#: Of those that tell all directions apart, as many are wound around the periodic coordinates.
MAX_WOUND = 64
#: Lattices that are looked at, and colorings that are offered to be checked.
MAX_LATTICES, MAX_OFFERED = 3, 8
#: Angles of directions that are looked at in all: so many for each entry of a small matrix, this, one for each entry.
LOOKS_PER_ENTRY, SOME_LOOKS = 100, 400_000
#: What a batch of them costs besides, one direction of it, and what it costs to check the colors of a sample.
CALL, STEP, CHECK = 500, 200, 2_000
#: The angle is a whole number of parts, so many a turn: more than products of lengths that occur.
MAX_PARTS = 1 << 40


@dataclass(frozen=True, eq=False)
class Sample:
    """Some vertices of a graph, and whether colors of these are right; both made when they are needed."""

    make: Callable[[], tuple[np.ndarray, Callable[[np.ndarray], bool]]]

    @cached_property
    def _made(self) -> tuple[np.ndarray, Callable[[np.ndarray], bool]]:
        return self.make()

    @property
    def vertices(self) -> np.ndarray:
        """The vertices."""
        return self._made[0]

    def is_right(self, colors: np.ndarray) -> bool:
        """Whether these colors of theirs are right."""
        return self._made[1](colors)


@dataclass
class Looks:
    """How many angles may still be looked at."""

    left: int


def circular_colorings(A: SparsityPattern, numbers: range, sample: Sample | None = None) -> Iterator[np.ndarray]:
    """Circular colorings of the columns of `A`.

    Parameters
    ----------
    A : SparsityPattern
        The matrix; nothing is found unless it looks like that of a grid.
    numbers : range
        Numbers of colors to try, in order.
    sample : Sample, optional
        For colorings of the graph whose adjacency matrix `A` is: which are right.  By default, those that tell the
        columns of every row apart.

    Yields
    ------
    ndarray of int32, shape (n,)
        Candidates that are right for a sample of the rows; the caller checks them on all rows.
    """
    lattices = find_lattices(A, of_edges=sample is not None)[:MAX_LATTICES] if numbers else []
    offered = 0
    longest = int(np.diff(A.indptr).max(initial=0))
    most = max(A.nnz, min(LOOKS_PER_ENTRY * A.nnz, SOME_LOOKS))
    searches = [(lattice, Looks(most // (k + 1))) for k, lattice in enumerate(lattices)]
    for c in numbers:
        searches = [(lattice, looks) for lattice, looks in searches if looks.left > 0]
        for lattice, looks in searches:
            for windings, parts in _windings(lattice, c, longest, looks):
                valid = (windings if parts == c else _valid(windings, parts, lattice.directions, c, looks)).T
                right = valid if sample is None else _right(sample, lattice, valid, parts, c, looks)
                for w in islice(right, 2):
                    yield _cut(lattice.angles(w, parts, A.shape[1]), parts, c)
                    offered += 1
                if offered >= MAX_OFFERED:
                    return
                if looks.left <= 0:
                    break
        if not searches:
            return


def _right(
    sample: Sample, lattice: Lattice, valid: np.ndarray, parts: int, c: int, looks: Looks
) -> Iterator[np.ndarray]:
    """Those windings that color the sample right."""
    for w in valid:
        looks.left -= CHECK
        if looks.left <= 0:
            return
        if sample.is_right(_colors(lattice, w, parts, c, sample.vertices)):
            yield w


def _colors(lattice: Lattice, w: np.ndarray, parts: int, c: int, columns: np.ndarray) -> np.ndarray:
    """The colors of these columns."""
    angle = np.zeros(columns.size, np.int64)
    for step, x in zip(w.tolist(), lattice.coordinates(columns), strict=True):
        angle += step * x % parts
    return _cut(angle, parts, c)


def _cut(angle: np.ndarray, parts: int, c: int) -> np.ndarray:
    """Which of `c` equal parts of the turn each angle is in."""
    angle = angle % parts
    return (angle if c == parts else angle * c // parts).astype(np.int32)


def _valid(windings: np.ndarray, parts: int, directions: np.ndarray, c: int, looks: Looks) -> np.ndarray:
    """Those windings whose angles in all directions are at least 1/c of a turn."""
    looks.left -= CALL
    for direction in directions.T:
        if not windings.size:
            break
        looks.left -= STEP + windings.shape[1]
        angle = direction @ windings % parts
        windings = windings[:, (angle * c >= parts) & ((parts - angle) * c >= parts)]
    return windings


def _windings(lattice: Lattice, c: int, least: int, looks: Looks) -> Iterator[tuple[np.ndarray, int]]:
    """Windings worth a look for c colors, shape (num_strides, k), and the parts of a turn in which they are given.

    First what is periodic modulo c; then what is periodic modulo fewer, wound around the periodic coordinates in a
    whole number of turns near to that.
    """
    rings = [size for size, around in zip(lattice.lengths, lattice.periodic, strict=True) if around]
    yield _whole(lattice, _linear(lattice.directions, c, looks), c), c
    for p in range(c, least - 1, -1) if rings else ():
        parts = int(np.lcm.reduce([c, p, *rings], dtype=object))
        if parts > MAX_PARTS:
            continue
        found = _linear(lattice.directions, p, looks)[:, :MAX_WOUND]
        if found.size:
            yield _wound(lattice, found * (parts // p), parts, c), parts


def _wound(lattice: Lattice, windings: np.ndarray, parts: int, c: int) -> np.ndarray:
    """Windings near to these: whole turns around every ring, elsewhere the same or a multiple of 1/c of a turn."""
    choices = []
    for angle, size, around in zip(windings, lattice.lengths, lattice.periodic, strict=True):
        unit = parts // (size if around else c)
        nearest = (angle + unit // 2) // unit * unit
        near = [nearest, nearest - unit, nearest + unit]
        choices.append(near if around else [angle, *near])
    return np.concatenate([np.array(chosen) for chosen in product(*choices)], axis=1)


def _whole(lattice: Lattice, windings: np.ndarray, c: int) -> np.ndarray:
    """Those coefficient vectors modulo c that go around every ring in whole turns."""
    for step, size, around in zip(range(len(lattice.lengths)), lattice.lengths, lattice.periodic, strict=True):
        if around:
            windings = windings[:, windings[step] * size % c == 0]
    return windings


def _linear(directions: np.ndarray, p: int, looks: Looks) -> np.ndarray:
    """Coefficient vectors that tell all directions from 0 modulo `p`, shape (num_strides, k)."""
    dimensions = directions.shape[0]
    if p**dimensions <= MAX_CHOICES:
        choices = np.indices((p,) * dimensions).reshape(dimensions, -1)
    else:
        widths = np.abs(directions).max(axis=1, initial=0) + 1
        choices = np.array([_radix(widths, order) for order in permutations(range(dimensions))]).T
        choices = np.concatenate([choices, np.random.default_rng(p).integers(0, p, (dimensions, MAX_CHOICES))], axis=1)
    looks.left -= CALL
    for direction in directions.T:
        if not choices.size:
            break
        looks.left -= STEP + choices.shape[1]
        choices = choices[:, direction @ choices % p != 0]
    return choices


def _radix(widths: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    """Number the boxes of these widths, the coordinates in this order: the coefficients of the numbering."""
    coefficients = np.ones(widths.size, np.int64)
    for before, after in pairwise(order):
        coefficients[after] = coefficients[before] * widths[before]
    return coefficients
