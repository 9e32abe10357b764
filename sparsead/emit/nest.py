"""Loop nests: index arithmetic and scalar code, each line in the outermost loop that knows its operands.

An axis along which index tables are affine but for a few breaks (the wrap of ``roll``, the edges of ``pad``) is walked
in stretches between the breaks. Inside a stretch every index is affine, so the innermost loop vectorises. Where much is
computed at a point, the values are computed for a chunk of points first and scattered afterwards: stores to places
that the compiler cannot tell apart then do not keep the arithmetic from being vectorised.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from sparsead.emit.source import STAGE, Source, literal, share
from sparsead.kernels.indexmap import IndexMap, Table
from sparsead.kernels.kernel import Load, Meeting, reachable
from sparsead.program.index import Shape
from sparsead.program.scalar import CALL, Expr

MAX_BREAKS = 12
SHORT = 8  # an axis is cut only if its stretches have at least so many points on average
CHUNK = 32  # points whose memory is asked for, or whose values are computed, before they are scattered
EVEN = 8  # points of which a chunk computes a multiple, for vector code: the last chunk computes some before it again
HEAVY = 40  # scalar operations per point from which on values are computed in chunks
STAGED = 4  # scalar operations to each value that a chunk keeps, at least; fewer pay where some are calls
FEWEST = 32  # points of an axis from which on it is done in chunks
AHEAD = 384  # elements by which prefetching runs ahead of a store
LARGE = 1_000_000  # generated lines to run from which on a loop is divided between threads: about 0.2 ms
LONG_AXIS = 64  # points of the outermost axis that is divided, if there is such a one


class Nest:
    """A loop nest over a domain: each value is computed in the outermost loop that knows it.

    Ask for values and indices first, then write `statements` for the innermost body, then `close`. In an `ordered` nest
    every value is computed at its point, after the statements of all points before it.
    """

    def __init__(self, source: Source, domain: Shape, counter: Iterator[int], ordered: bool = False) -> None:
        self.ordered = ordered
        self.source = source
        self.domain = domain
        self.levels: list[list[str]] = [[] for _ in range(len(domain) + 1)]
        self.places: list[str] = []  # indices in the innermost loop
        self._asked: dict[str, None] = {}
        self._fetches: list[tuple[str, str]] = []
        self._scattered: list[tuple[str, str]] = []
        self._calls = False
        self._breaks: dict[int, set[int]] = defaultdict(set)
        self._stretched: dict[int, list[_Stretched]] = defaultdict(list)
        self._counter = counter
        self.most_breaks = MAX_BREAKS
        self.in_line = False  # what is written to along the last axis lies side by side
        self._share: tuple[int, str, str] | None = None  # axis, begin, end
        self._indices: dict[Any, tuple[str, int]] = {}
        self._values: dict[int, tuple[str, int]] = {}

    def _name(self, letter: str) -> str:
        return f"{letter}{next(self._counter)}"

    def index(self, index: IndexMap) -> str:
        """Return the name (or literal) of an index."""
        return self._index(index)[0]

    def _index(self, index: IndexMap) -> tuple[str, int]:
        if index.key not in self._indices:
            self._indices[index.key] = self._build_index(index)
        return self._indices[index.key]

    def _build_index(self, index: IndexMap) -> tuple[str, int]:
        """Sum up an index map level by level, from the outermost loop inwards."""
        running, level = (str(index.offset) if index.offset else ""), 0
        for axis, stride in enumerate(index.strides):
            parts = self._along(axis, stride, [t for t in index.tables if t.axes[-1] == axis])
            if parts:
                name = self._name("j")
                total = " + ".join([running, *parts] if running else parts)
                lines = self.places if axis + 1 == len(self.domain) else self.levels[axis + 1]
                lines.append(f"{name} = {total}")
                running, level = name, axis + 1
        return running or "0", level

    def fetch_ahead(self, array: str, place: IndexMap) -> None:
        """Ask for the memory that is going to be written at `place`, some points ahead of the loop."""
        self._fetches.append((array, self.index(place)))

    def fetch(self, array: str, place: IndexMap) -> None:
        """Ask for the memory that is going to be written at `place`, for a chunk of points before they are computed."""
        self._scattered.append((array, self.index(place)))

    def _write_fetches(self) -> None:
        for array, place in self._fetches:
            self.source.write(f"prefetch({array}, {place} + {AHEAD})")

    def _along(self, axis: int, stride: int, tables: list[Table]) -> list[str]:
        """Return the summands of an index that become known in the loop of an axis."""
        lines = [t for t in tables if t.axes == (axis,)]
        parts = [self._lookup(t) for t in tables if t.axes != (axis,)]
        if lines:
            line = np.stack([t.entries for t in lines]).sum(axis=0, dtype=np.int64)
            step, breaks = stretches(line)
            few = breaks.size <= self.most_breaks and not self.source.grid
            union = self._breaks[axis].union(breaks.tolist() if few else ())
            if few and len(union) <= self.most_breaks and self.domain[axis] >= SHORT * (len(union) + 1):
                self._breaks[axis] = union
                self._stretched[axis].append(_Stretched(self._name("o"), line, step))
                parts.append(self._stretched[axis][-1].name)
                stride += step
            else:
                parts += [self._lookup(t) for t in lines]
        if stride:
            parts.append(f"i{axis}" if stride == 1 else f"{stride} * i{axis}")
        return parts

    def _lookup(self, table: Table) -> str:
        name = self.source.table(table.entries)
        place, step = [], 1
        for axis in reversed(table.axes):
            place.append(f"i{axis}" if step == 1 else f"{step} * i{axis}")
            step *= self.domain[axis]
        return f"{name}[{' + '.join(reversed(place)) or '0'}]"

    def value(self, root: Expr) -> str:
        """Return the name (or literal) of the value of an expression."""
        for expr in reachable([root], known=self._values):
            self._values[expr.serial] = self._build_value(expr)
        name, level = self._values[root.serial]
        if level == len(self.domain):
            self._asked[name] = None
        return name

    def _build_value(self, expr: Expr) -> tuple[str, int]:
        if expr.op is None and isinstance(expr.value, Load):
            array, index = self.source.element(expr.value)
            place, level = self._index(index)
            level = len(self.domain) if self.ordered else level
            name, code = self._name("s"), f"{array}[{place}]"
        elif isinstance(expr.value, Meeting):
            (first, level), (second, other) = self._index(expr.value.first), self._index(expr.value.second)
            level = len(self.domain) if self.ordered else max(level, other)
            name, code = self._name("s"), f"{first} == {second}"
        elif expr.op is None:
            return literal(expr.value), 0
        else:
            args = [self._values[a.serial] for a in expr.args]
            level = max((a[1] for a in args), default=0)
            name, code = self._name("s"), expr.op.code.format(*(a[0] for a in args))
            self._calls |= expr.op.cost >= CALL
        self.levels[level].append(f"{name} = {code}")
        return name, level

    @property
    def large(self) -> bool:
        """Tell whether threads could share the loop, and enough is asked for to be worth it."""
        lines = 1 + len(self.places) + len(self.levels[-1])
        if self.source.of_points or self.source.grid:
            return False
        return not self.ordered and self.source.divisible and math.prod(self.domain) * lines >= LARGE

    @contextmanager
    def body(self, disjoint: bool = False) -> Iterator[None]:
        """Write the loops and all values that were asked for; the with block writes the innermost body.

        `disjoint` says that no two points write to one place: threads may then share a large loop.
        """
        if self.source.grid:
            with self.source.loop(), self._point_by_point():
                yield
            return
        if not (disjoint and self.large):
            with self.source.loop(), self._loops(0):
                yield
            return
        long = [axis for axis, size in enumerate(self.domain) if size >= LONG_AXIS]
        axis = long[0] if long else max(range(len(self.domain)), key=lambda a: self.domain[a])
        with self.source.divided(), self.source.loop():
            bounds = self._name("low"), self._name("high")
            for name, code in zip(bounds, share(self.domain[axis]), strict=True):
                self.source.write(f"{name} = {code}")
            self._share = (axis, *bounds)
            with self._loops(0):
                yield

    @contextmanager
    def _point_by_point(self) -> Iterator[None]:
        """Write one loop over all points, in their order: what a thread of a grid does is its body."""
        last = len(self.domain) - 1
        count = "i" if last else "i0"
        with self.source.block(f"for {count} in range({math.prod(self.domain)}):"):
            for axis in range(last, 0, -1):
                rest = f"q{axis}" if axis > 1 else "i0"
                self.source.write(f"{rest} = {count} // {self.domain[axis]}")
                self.source.write(f"i{axis} = {count} - {self.domain[axis]} * {rest}")
                count = rest
            for line in [*itertools.chain(*self.levels[:-1]), *self.places, *self.levels[-1]]:
                self.source.write(line)
            yield

    @contextmanager
    def _loops(self, axis: int) -> Iterator[None]:
        source = self.source
        if axis == len(self.domain):
            for line in [*self.places, *self.levels[axis]]:
                source.write(line)
            self._write_fetches()
            yield
            return
        for line in self.levels[axis]:
            source.write(line)
        if not self._stretched[axis]:
            with self._axis(axis, "0", str(self.domain[axis])):
                yield
            return
        starts = np.array([0, *sorted(self._breaks[axis]), self.domain[axis]], dtype=np.int64)
        bounds = source.table(starts)
        with source.block(f"for p{axis} in range({len(starts) - 1}):"):
            for stretched in self._stretched[axis]:
                source.write(f"{stretched.name} = {source.table(stretched.offsets(starts))}[p{axis}]")
            with self._axis(axis, f"{bounds}[p{axis}]", f"{bounds}[p{axis} + 1]"):
                yield

    @contextmanager
    def _axis(self, axis: int, begin: str, end: str) -> Iterator[None]:
        """Write the loop over one axis, or a stretch of it; of a divided axis, what is in this thread's share."""
        if self._share is not None and self._share[0] == axis:
            _, low, high = self._share
            whole = end == str(self.domain[axis])
            begin, end = (low, high) if whole else (f"max({begin}, {low})", f"min({end}, {high})")
        innermost = axis + 1 == len(self.domain)
        if innermost and not self.ordered and (self._heavy or self._scattered) and self.domain[axis] >= FEWEST:
            with self._chunks(axis, begin, end):
                yield
            return
        bounds = end if begin == "0" else f"{begin}, {end}"
        with self.source.block(f"for i{axis} in range({bounds}):"), self._loops(axis + 1):
            yield

    @property
    def _heavy(self) -> bool:
        """Tell whether the values are worth vector code that the statements beside them would prevent.

        Those that lie in line prevent nothing.
        """
        if self.source.of_points or self.in_line:
            return False
        computed = len(self.levels[-1])
        long = computed >= HEAVY and (self._calls or computed >= STAGED * len(self._asked))
        return long or (self._calls and bool(self._fetches))

    @contextmanager
    def _chunks(self, axis: int, begin: str, end: str) -> Iterator[None]:
        """Write the innermost loop chunk by chunk: what is asked for, then values and body."""
        source, n = self.source, next(self._counter)
        source.write(f"first{n} = {begin}")
        source.write(f"last{n} = {end}")
        with source.block(f"for chunk in range((last{n} - first{n} + {CHUNK - 1}) // {CHUNK}):"):
            source.write(f"begin{n} = first{n} + {CHUNK} * chunk")
            source.write(f"end{n} = min(begin{n} + {CHUNK}, last{n})")
            loop = f"for i{axis} in range(begin{n}, end{n}):"
            if self._scattered:
                with source.block(loop):
                    for line in [*self.places, *(f"prefetch({array}, {place})" for array, place in self._scattered)]:
                        source.write(line)
            if not self._heavy:
                with source.block(loop), self._loops(axis + 1):
                    yield
                return
            source.write(f"base{n} = max(end{n} - {EVEN} * ((end{n} - begin{n} + {EVEN - 1}) // {EVEN}), first{n})")
            values = f"for i{axis} in range(base{n}, end{n}):"
            with self._staged(values, loop, f"i{axis} - base{n}"):
                yield

    @contextmanager
    def _staged(self, values: str, loop: str, number: str) -> Iterator[None]:
        """Write a loop in two parts: all values to a scratch array, then the body."""
        source, stage = self.source, self.source.scratch(STAGE, CHUNK * len(self._asked))
        with source.block(values):
            for line in [*self.places, *self.levels[-1]]:
                source.write(line)
            for k, name in enumerate(self._asked):
                source.write(f"{stage}[{CHUNK * k} + {number}] = {name}")
        with source.block(loop):
            for line in self.places:
                source.write(line)
            for k, name in enumerate(self._asked):
                source.write(f"{name} = {stage}[{CHUNK * k} + {number}]")
            self._write_fetches()
            yield


class _Stretched:
    """A table along one axis, as an offset per stretch and a step."""

    def __init__(self, name: str, line: np.ndarray, step: int) -> None:
        self.name, self.line, self.step = name, line, step

    def offsets(self, starts: np.ndarray) -> np.ndarray:
        """Return ``line[i] - step * i`` in each stretch."""
        first = starts[:-1]
        return self.line[first] - self.step * first


def stretches(line: np.ndarray) -> tuple[int, np.ndarray]:
    """Return the commonest step of a table, and the places where another step is taken."""
    steps = np.diff(line)
    step = int(np.median(steps))
    return step, np.flatnonzero(steps != step) + 1
