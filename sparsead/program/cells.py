"""Programs that do the same for each of many cells: found in the index maps, and cut to one cell.

An array has its cells along one axis, or along a part of one: of its flat elements, `inner` that follow one another
belong to a cell, then come those of the next, and after the last cell this may begin again. A program falls apart into
cells if, from its value back to x, every reading is the same for all cells, but for a step from cell to cell that is
that of the array it reads. Every index array is compared for all cells, every constant bit by bit. What is read
without a step is the same for all cells; a constant that differs becomes an input of which every cell has its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from sparsead.program.index import (
    IndexArray,
    Shape,
    identity,
    narrowed,
    numbers,
    stored_part,
    walked,
)
from sparsead.program.nodes import Constant, Input, Join, Map, Node, Program, Ref, Sum, new_serial

LEAST = 64  # cells: whole blocks of points
TRIED = 8  # numbers of cells
AT_ONCE = 1 << 16  # elements that are compared at a time


@dataclass(frozen=True, eq=False)
class Cells:
    """A program that does the same for each of `count` cells.

    Attributes
    ----------
    count : int
        How many there are.
    program : Program
        What it does for one: of the same inputs, and of constants that differ from cell to cell.
    inner : dict
        Inputs of which every cell has its own: how many elements of a cell follow one another.
    value : int
        The same for the value.
    constants : dict
        The inputs that are constants, flat, of all cells.
    total : bool
        True where the value is the sum of those of the cells.
    """

    count: int
    program: Program
    inner: dict[str, int]
    value: int
    constants: dict[str, np.ndarray]
    total: bool = False


def cells_of(program: Program) -> Cells | None:
    """Return the cells of a program, the most that there can be; None if it has none that are certain."""
    for count, inner in _candidates(program):
        search = Search(program, count, inner)
        if search.succeeds():
            return search.cut()
    return None


def _candidates(program: Program) -> Iterator[tuple[int, int]]:
    """Yield numbers of cells, and how many elements of the value follow one another in each."""
    shape, size = program.output.shape, program.output.index.size
    for count in counts(program, size) if size else []:
        along = [math.prod(shape[k + 1 :]) for k, n in enumerate(shape) if n == count]
        yield from ((count, inner) for inner in dict.fromkeys(along or (size // count, 1)))


def counts(program: Program, size: int) -> list[int]:
    """Return numbers of cells that are worth a try, the largest first: lengths of axes that divide x, and a size."""
    lengths = {n for node in program.nodes for n in node.shape} | set(program.output.shape)
    fits = [n for n in lengths if LEAST <= n < program.wrt.size and not program.wrt.size % n and not size % n]
    return sorted(fits, reverse=True)[:TRIED]


class NoCellsError(Exception):
    """Cells differ."""


def require(fact: object) -> None:
    """Give up unless this holds of the cells."""
    if not fact:
        raise NoCellsError


@dataclass(frozen=True, eq=False)
class Axes:
    """The points of an array as an array of `shape`, with the cells along one of its axes."""

    shape: Shape
    axis: int

    @classmethod
    def of(cls, shape: Shape, count: int, inner: int) -> Axes:
        """Return where an array of this shape has its cells."""
        for axis, length in enumerate(shape):
            if length == count and math.prod(shape[axis + 1 :]) == inner:
                return cls(shape, axis)
        return cls((math.prod(shape) // (count * inner), count, inner), 1)

    @property
    def of_cell(self) -> Shape:
        """The shape of what a cell has."""
        return (*self.shape[: self.axis], *self.shape[self.axis + 1 :])

    def first(self, array: np.ndarray) -> np.ndarray:
        """Return what an array has for the first cell."""
        return array[(slice(None),) * self.axis + (0,)]


@dataclass(eq=False)
class Search:
    """The attempt to find a number of cells."""

    program: Program
    count: int
    value: int
    inner: dict[int, int] = field(default_factory=dict)  # by serial number; 0: all cells read the same; -1: a total
    _late: list[Callable[[], bool]] = field(default_factory=list)
    _new: dict[tuple[int, int], Node] = field(default_factory=dict)
    _constants: dict[str, np.ndarray] = field(default_factory=dict)
    _own: dict[str, int] = field(default_factory=dict)

    def succeeds(self) -> bool:
        """Tell whether there are so many cells."""
        try:
            self.begin()
            for node in reversed(self.program.nodes):
                if node.serial in self.inner:
                    self.visit(node, self.inner[node.serial])
            require(self.inner.get(self.program.wrt.serial))
            require(self._mostly_own())
            return all(holds() for holds in self._late)  # what takes time, where nothing else speaks against it
        except NoCellsError:
            return False

    def begin(self) -> None:
        """Note what the value reads."""
        self.read(self.program.output, self.axes(self.program.output.shape, self.value))

    def axes(self, shape: Shape, inner: int) -> Axes:
        """Return where an array has its cells."""
        return Axes.of(shape, self.count, inner)

    def _mostly_own(self) -> bool:
        """Tell whether what is the same for all cells, and would be computed for every few, is little."""
        sizes = {0: 0, 1: 0}
        for node in self.program.nodes:
            if node.serial in self.inner and not isinstance(node, Input):
                inner = self.inner[node.serial]
                sizes[inner != 0] += node.size // self.count if inner > 0 else node.size
        return sizes[0] <= sizes[1]

    # -- what nodes read ----------------------------------------------------------------------------------------
    def visit(self, node: Node, inner: int) -> None:
        """Note what a node reads, and where that has its cells."""
        if inner == 0:
            require(isinstance(node, (Map, Sum, Join)) or (isinstance(node, Input) and node is not self.program.wrt))
            for ref in node.operands:
                self.meet(ref.node, 0)
            return
        axes = self.axes(node.shape, inner)
        match node:
            case Map():
                for ref in node.args:
                    self.read(ref, axes)
            case Sum():
                terms = self.terms(node)
                self._moving(node.place, terms, node, inner)
                self.read(node.terms, terms)
            case Join():
                self._join(node, axes)
            case _:
                require(isinstance(node, Input))

    def meet(self, node: Node, inner: int) -> None:
        """Note where a node that is read has its cells."""
        if isinstance(node, Constant):  # it may be read in several ways
            return
        require(self.inner.setdefault(node.serial, inner) == inner)
        require(inner <= 0 or node.size % (self.count * inner) == 0)

    def read(self, ref: Ref, axes: Axes) -> None:
        """Note a reading, whose points have their cells there."""
        _, step = self.steps(ref.index.reshape(axes.shape), axes)
        if step:
            self._moving(ref.index, axes, ref.node, step)
        self.meet(ref.node, step)

    def _moving(self, index: IndexArray, axes: Axes, read: Node, inner: int) -> None:
        """Require that an index array takes a step of `inner` from cell to cell, and begins in the first one."""
        first, step = self.steps(index.reshape(axes.shape), axes)
        require(step == inner and read.size % (self.count * inner) == 0)
        require(not (stored_part(first) // inner % self.count).any())

    def steps(self, index: IndexArray, axes: Axes) -> tuple[IndexArray, int]:
        """Return what an index array has for the first cell, and its step from cell to cell."""
        require(index.size)
        first, axis = axes.first(index), axes.axis
        if index.strides[axis] == 0:
            return first, 0
        if (known := walked(index)) is not None:
            step = known[1][axis]
        else:
            stored = stored_part(index)
            step = self.quick_step(stored, axes)
            ends = stored[(slice(None),) * axis + (slice(None, None, self.count - 1),)]
            require(_follow(ends, axis, np.int64(step * (self.count - 1))))
            self._late.append(lambda: _follow(stored, axis, np.int64(step)))
        require(step >= 0)
        return first, step

    def _join(self, node: Join, axes: Axes) -> None:
        owner, offset = node.owner.reshape(axes.shape), node.offset.reshape(axes.shape)
        first, from_first = axes.first(owner), axes.first(offset)
        owners, offsets = (np.moveaxis(a, axes.axis, 0) for a in (owner, offset))
        require(np.array_equal(owners[-1], first))
        steps = np.zeros(len(node.pieces), np.int64)
        for k in np.unique(first):
            here, piece = first == k, node.pieces[int(k)]
            found = offsets[1][here].astype(np.int64) - from_first[here]
            steps[k] = step = int(found[0])
            require(step >= 0 and (found == step).all())
            if step:
                require(piece.size % (self.count * step) == 0)
                require(not (from_first[here] // step % self.count).any())
            self.meet(piece, step)
        along = steps[first]
        self._late.append(lambda: _follow(owner, axes.axis, np.int64(0)) and _follow(offset, axes.axis, along))

    def terms(self, node: Sum) -> Axes:
        """Return where the terms of a sum have their cells."""
        inner, shape = self.inner[node.serial], node.place.shape
        for axis in (k for k, length in enumerate(shape) if length == self.count):
            axes = Axes(shape, axis)
            if self.quick_step(node.place, axes) == inner:
                return axes
        cells = np.reshape(node.place // inner % self.count, -1)
        found = int(np.argmax(cells != 0))  # of the first that is not of the first cell
        require(found and cells.size % (found * self.count) == 0)
        return self.axes((cells.size,), found)

    def quick_step(self, index: IndexArray, axes: Axes) -> int:
        """Return the step of an index array from the first cell to the second, by its first element."""
        rows = np.moveaxis(index, axes.axis, 0)
        return int(rows[1].flat[0]) - int(rows[0].flat[0])

    # -- one cell -----------------------------------------------------------------------------------------------
    def cut(self) -> Cells | None:
        """Return the program of one cell."""
        try:
            for node in self.program.nodes:
                if node.serial in self.inner:
                    self._new[node.serial, self.inner[node.serial]] = self.made(node, self.inner[node.serial])
            value = self.taken()
        except NoCellsError:
            return None
        given = [self._new.get((n.serial, self.inner.get(n.serial, 0)), n) for n in self.program.inputs]
        own = {n.name: self.inner[n.serial] for n in self.program.inputs if self.inner.get(n.serial)}
        constants = [n for n in self._new.values() if isinstance(n, Input) and n.name in self._constants]
        wrt = given[self.program.inputs.index(self.program.wrt)]
        program = Program((*given, *constants), wrt, value, self.program.name)  # type: ignore[arg-type]
        return Cells(self.count, program, own | self._own, self.value, self._constants)

    def taken(self) -> Ref:
        """Return the value of one cell."""
        return self.of_first(self.program.output, self.axes(self.program.output.shape, self.value))

    def made(self, node: Node, inner: int) -> Node:
        """Return a node for one cell; what is the same for all is as it was."""
        if inner == 0:
            return node
        axes = self.axes(node.shape, inner)
        shape = axes.of_cell
        match node:
            case Map():
                args = tuple(self.of_first(ref, axes) for ref in node.args)
                return replace(node, shape=shape, args=args, serial=new_serial())
            case Sum():
                terms = self.terms(node)
                place = self._numbered(terms.first(node.place.reshape(terms.shape)), node.size, inner)
                read = self.of_first(node.terms, terms)
                return replace(node, shape=shape, terms=read, place=place, memo={}, serial=new_serial())
            case Join():
                return self._joined(node, axes)
        return replace(node, shape=shape, serial=new_serial())

    def of_first(self, ref: Ref, axes: Axes) -> Ref:
        """Return what the first cell reads, among what it has."""
        first, step = self.steps(ref.index.reshape(axes.shape), axes)
        return Ref(self.of_cell(ref.node, step), self._numbered(first, ref.node.size, step))

    def _numbered(self, index: IndexArray, size: int, inner: int) -> IndexArray:
        """Return elements of the first cell, numbered as its own."""
        if not inner:
            return index
        part, size = stored_part(index).astype(np.int64), size // self.count
        new = part // (self.count * inner) * inner + part % inner
        if new.size == size == index.size and np.array_equal(new.reshape(-1), numbers(size)):
            return identity(index.shape)
        return np.broadcast_to(narrowed(new), index.shape)

    def _joined(self, node: Join, axes: Axes) -> Join:
        owner = axes.first(node.owner.reshape(axes.shape))
        offset = axes.first(node.offset.reshape(axes.shape))
        ahead = np.moveaxis(node.offset.reshape(axes.shape), axes.axis, 0)[1]
        new, pieces = np.zeros(owner.shape, np.int64), []
        present = np.unique(owner)
        for k in present:
            here, piece = owner == k, node.pieces[int(k)]
            step = int(ahead[here][0]) - int(offset[here][0])
            new[here] = self._numbered(offset[here], piece.size, step)
            pieces.append(self.of_cell(piece, step))
        owner = np.searchsorted(present, owner).astype(node.owner.dtype)
        return replace(
            node, shape=axes.of_cell, pieces=tuple(pieces), owner=owner.reshape(-1),
            offset=narrowed(new).reshape(-1), serial=new_serial(),
        )  # fmt: skip

    def of_cell(self, node: Node, inner: int) -> Node:
        """Return what stands for a node that is read: a constant may be equal in all cells, or an input now."""
        if (node.serial, inner) in self._new:
            return self._new[node.serial, inner]
        if not inner or not isinstance(node, Constant):
            return node
        cells = np.ascontiguousarray(node.value).reshape(-1, self.count, inner)
        kind = np.uint8 if node.boolean else np.int64  # zeros have a sign, and nothing equals a NaN
        made: Node
        if (cells.view(kind) == cells[:, :1].view(kind)).all():
            made = replace(node, shape=cells[:, 0].shape, value=cells[:, 0], serial=new_serial())
        else:
            require(not node.boolean)
            name = f"of_cells{len(self._constants)}"
            made = Input(shape=cells[:, 0].shape, integer=node.integer, origin=node.origin, name=name)
            self._constants[name], self._own[name] = cells.reshape(-1), inner
        self._new[node.serial, inner] = made
        return made


def _follow(index: IndexArray, axis: int, step: np.ndarray | np.int64) -> bool:
    """Tell whether an index array takes a step from each cell to the next, some of its elements at a time.

    Elements are compared in the order in which they lie in memory, wherever the cells are.
    """
    first = np.broadcast_to(index[(slice(None),) * axis + (slice(0, 1),)], index.shape)
    cells = np.arange(index.shape[axis]).reshape(-1, *(1,) * (index.ndim - 1 - axis))
    moved = np.broadcast_to(cells * (np.expand_dims(step, axis) if np.ndim(step) else step), index.shape)
    lead = next((k for k, n in enumerate(index.shape) if n > 1), 0)
    length = index.shape[lead]
    many = max(AT_ONCE * length // index.size, 1)
    parts = ((slice(None),) * lead + (slice(k, k + many),) for k in range(0, length, many))
    return all(np.array_equal(index[part], first[part] + moved[part]) for part in parts)
