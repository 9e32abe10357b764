"""The loops of direct accumulation, cut where index maps change form.

In the matrix of a discretised equation the rows at a boundary are shorter, so the entries of inner points lie in a
regular grid of their own. Inside of it every index is affine, addresses are constants to the compiler, and no table is
read; the few points around it are walked one by one through tables.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from sparsead.kernels.indexmap import Box, IndexMap, inside, recognise
from sparsead.kernels.kernel import Kernel, Load, Meeting, Store, moved, reachable
from sparsead.kernels.linear import Term
from sparsead.program.index import IndexArray, Shape
from sparsead.program.scalar import Expr, Pool
from sparsead.sweeps.boxes import points_outside
from sparsead.sweeps.direct.placement import Placed
from sparsead.sweeps.folding import folding_of

MANY_POINTS = 256  # a smaller domain is not cut
LONG_AXIS = 32  # points of the innermost loop from which on memory is asked for ahead of it
NEAR = 64  # elements between places of one stream
CLOSE = 4  # elements between neighbours up to which stores are combined
MOST_POINTS = 0.5  # share of the points that must be inside
LONG_CODE = 400  # operations per point beyond which writing them twice costs more than it gains

Move = Callable[[IndexMap], IndexMap]
Selection = tuple[slice, ...] | tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class Loop:
    """Coefficients to store and add over a common domain, in this order, then multiples of sparse rows.

    `values`, if any, is a kernel of the function that shares expressions with the coefficients.
    """

    domain: Shape
    entries: list[Placed]
    rows: list[Term] = field(default_factory=list)
    ordered: bool = False
    values: Kernel | None = None

    @property
    def points(self) -> int:
        """Number of points of the domain."""
        return int(np.prod(self.domain, dtype=np.int64))

    @property
    def keeps_order(self) -> bool:
        """Whether its points run one after the other, as each reads the ones before, or adds to what they added to."""
        return self.ordered or (self.values is not None and self.values.adds)

    def ahead_first(self, symmetric: bool) -> Loop:
        """Return the loop with entries further ahead stored first.

        Neighbouring stores then meet in one line of the cache; where neighbouring points add to the same entry, the
        loop can still be vectorised. Where two slots may coincide at a point, a term of a (symmetric) Hessian and its
        mirror image, which share a coefficient, stay together: an entry and its mirror image then receive their terms
        in the same order.
        """
        apart = all(not e.slot.tables and e.slot.strides == self.entries[0].slot.strides for e in self.entries)
        groups = [e.coefficient.serial if symmetric and not apart else k for k, e in enumerate(self.entries)]
        reach: dict[int, int] = defaultdict(int)
        for group, e in zip(groups, self.entries, strict=True):
            reach[group] = max(reach[group], e.slot.offset)
        order = sorted(range(len(groups)), key=lambda k: -reach[groups[k]])
        return replace(self, entries=[self.entries[k] for k in order])

    @property
    def stores(self) -> tuple[Store, ...]:
        """What the kernel of the function stores."""
        return self.values.stores if self.values else ()

    @property
    def expressions(self) -> list[Expr]:
        """Coefficients, then values of the function."""
        return [*(e.coefficient for e in self.entries), *(s.value for s in self.stores)]

    def over(
        self, domain: Shape, move: Move, expressions: list[Expr], base: Callable[[np.ndarray], np.ndarray]
    ) -> Loop:
        """Return the loop over another domain, given what becomes of index maps, expressions and constants."""
        coefficients, values = expressions[: len(self.entries)], expressions[len(self.entries) :]
        entries = [
            replace(e, coefficient=c, slot=move(e.slot), base=None if e.base is None else base(e.base))
            for e, c in zip(self.entries, coefficients, strict=True)
        ]
        kept = tuple(replace(s, place=move(s.place), value=v) for s, v in zip(self.stores, values, strict=True))
        return Loop(domain, entries, values=Kernel(domain, kept) if kept else None)

    def folded(self, name: str) -> Loop:
        """Return the loop over periods, if its tables repeat; constants of one period get a `name` and a number."""
        places = [*(e.slot for e in self.entries), *(s.place for s in self.stores)]
        whole = self.rows or self.keeps_order
        folding = None if whole else folding_of(self.domain, places, self.expressions, name)
        if folding is None:
            return self
        onto, values = folding.onto, folding.values(self.expressions, Pool())
        return self.over(onto, folding.index, values, lambda base: base.reshape(onto))

    def streams(self, targets: set[str]) -> list[tuple[str, IndexMap]]:
        """Return where the innermost loop writes to some of the values, one slot for neighbouring places.

        Left out are stores close enough for the compiler to combine them in registers.
        """
        if self.ordered or not self.domain or self.domain[-1] < LONG_AXIS:
            return []
        centre = [np.array([n // 2, n // 2]) for n in self.domain]
        centre[-1][0] -= 1
        found: list[tuple[int, Placed]] = []
        for e in self.entries:
            before, place = (int(k) for k in e.slot.at(tuple(centre)))
            if e.target in targets and CLOSE < place - before <= NEAR:
                found.append((place, e))
        found.sort(key=lambda pair: pair[0])
        first = [k for k, (place, _) in enumerate(found) if k == 0 or place - found[k - 1][0] > NEAR]
        return [(found[k][1].target, found[k][1].slot) for k in first]


def stored(loop: Loop) -> Iterator[Loop]:
    """Move entries that are stored at some points only into loops over these points."""
    masked = [e for e in loop.entries if e.slot.masked]
    if not masked:
        yield loop
        return
    if loop.ordered:
        raise AssertionError("the entries of a loop in order are stored at all points")
    yield replace(loop, entries=[e for e in loop.entries if not e.slot.masked])
    by_mask: dict[bytes, list[Placed]] = defaultdict(list)
    for e in masked:
        by_mask[(e.slot.array() >= 0).tobytes()].append(e)
    for entries in by_mask.values():
        points = np.nonzero(entries[0].slot.array() >= 0)
        yield _part(Loop(loop.domain, entries), points, functools.partial(_at, points))


def _at(points: tuple[np.ndarray, ...], index: IndexMap) -> IndexMap:
    return recognise(index.at(points))


def cut(loop: Loop) -> Iterator[Loop]:
    """Cut a loop in two: the box inside of which more index maps are affine (constants constant), and the rest."""
    box = None if loop.rows or loop.keeps_order or loop.points < MANY_POINTS else _inside(loop)
    if box is None:
        yield loop
        return
    yield within_box(loop, box)
    points = points_outside(loop.domain, box)
    yield _part(loop, points, functools.partial(_at, points))


def within_box(loop: Loop, box: Box, pool: Pool | None = None) -> Loop:
    """Return the part of a loop inside of a box, with its expressions in a new pool or the one given."""
    return _part(loop, inside(box), lambda index: index.within(box), pool)


def _part(loop: Loop, selection: Selection, move: Move, pool: Pool | None = None) -> Loop:
    domain = np.broadcast_to(np.False_, loop.domain)[selection].shape
    return loop.over(domain, move, moved(loop.expressions, move, pool), lambda base: base[selection])


def _inside(loop: Loop) -> Box | None:
    """Find the box to cut out: where tables over several axes are affine, constants constant, and no slots meet."""
    used = reachable(e.coefficient for e in loop.entries)
    indices = [e.slot for e in loop.entries] + [e.value.index for e in used if isinstance(e.value, Load)]
    tables = [index.array() for index in dict.fromkeys(indices) if index.form == "table"]
    bases = [e.base for e in loop.entries if e.base is not None]
    bases += [e.value.array() for e in used if isinstance(e.value, Meeting)]
    if len(used) > LONG_CODE or not tables + bases:
        return None
    whole: Box = tuple((0, n) for n in loop.domain)
    box = whole
    for index in tables:
        box = _common(box, _affine_box(index), loop.domain)
    for base in bases:
        box = _common(box, _box(base, lambda line: line[1:] == line[:-1]), loop.domain)
    if box == whole:
        return None
    for map_ in dict.fromkeys(indices):
        if map_.form == "separable":
            box = _common(box, _affine_box(map_.array()), loop.domain)
    return box


def _common(box: Box, other: Box | None, domain: Shape) -> Box:
    """Return the intersection of two boxes; the first where too little of the domain would be left."""
    if other is None:
        return box
    both = tuple((max(a, c), min(b, d)) for (a, b), (c, d) in zip(box, other, strict=True))
    left = np.prod([max(b - a, 0) for a, b in both], dtype=np.int64)
    return both if left > MOST_POINTS * np.prod(domain, dtype=np.int64) else box


def _affine_box(index: IndexArray) -> Box | None:
    """Return the box around the centre in which an index array is affine, if there is one."""
    box = _box(index, _even)
    return box if recognise(index[inside(box)]).form == "affine" else None


def _even(line: np.ndarray) -> np.ndarray:
    steps = np.diff(line)
    return steps == steps[min(len(line) // 2, len(line) - 2)]


def _box(values: np.ndarray, regular: Callable[[np.ndarray], np.ndarray]) -> Box:
    """Return the range along each axis, through the centre, in which the steps between neighbours are regular."""
    centre = [n // 2 for n in values.shape]
    box = []
    for axis, middle in enumerate(centre):
        line = values[tuple(slice(None) if a == axis else c for a, c in enumerate(centre))]
        breaks = np.flatnonzero(~regular(line)) + 1 if len(line) > 1 else np.empty(0, np.int64)
        ends = [0, *breaks, len(line)]
        k = int(np.searchsorted(breaks, middle, side="right"))
        box.append((int(ends[k]), int(ends[k + 1])))
    return tuple(box)
