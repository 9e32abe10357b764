"""Sums over cells: a number that adds up what each of many cells gives, cut to what one of them gives.

From the value down, a total is a sum of terms of all cells, and whatever is linear in totals: sums and differences,
multiples by what is the same for all cells. Each cell has its share of a total, so the shares of the value add up to
the value, derivatives of any order belong to one cell each, and the Hessian is block diagonal. What is added to a
total and is no total itself is divided among the cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sparsead.program.cells import Axes, Cells, Search, counts, require
from sparsead.program.index import narrowed
from sparsead.program.nodes import Map, Node, Program, Ref, Sum, constant, new_serial, sources, whole
from sparsead.program.scalar import OPS

TOTAL = -1  # in place of the elements of a cell that follow one another
ADDED = {"add", "subtract"}
LINEAR = ADDED | {"negative", "multiply", "divide"}


def cells_of_total(program: Program) -> Cells | None:
    """Return the cells whose shares add up to a program's value, a number; None if it has none that are certain."""
    for count, last in _candidates(program):
        search = _Totals(program, count, 1, last=last)
        if search.succeeds():
            cells = search.cut()
            return None if cells is None else replace(cells, total=True)
    return None


def _candidates(program: Program) -> Iterator[tuple[int, bool]]:
    """Yield numbers of cells, and whether they are last where arrays are added up flat."""
    for count in counts(program, 0):
        yield from ((count, False), (count, True))


@dataclass(eq=False)
class _Totals(Search):
    """The attempt to find cells that add up to the value."""

    last: bool = False
    dependent: set[int] = field(default_factory=set)  # what depends on x, by serial number

    def begin(self) -> None:
        """Note that the value is a total."""
        self.dependent = {self.program.wrt.serial}
        for node in self.program.nodes:
            if any(read.serial in self.dependent for read in sources(node)):
                self.dependent.add(node.serial)
        require(self.program.output.node.serial in self.dependent)
        self.meet(self.program.output.node, TOTAL)

    def visit(self, node: Node, inner: int) -> None:
        """Note what a node reads."""
        if inner != TOTAL:
            super().visit(node, inner)
        elif isinstance(node, Sum) and self.has_cells(node):
            axes = self.terms(node)
            _, step = self.steps(node.place.reshape(axes.shape), axes)
            require(step == 0)
            self.read(node.terms, axes)
        else:
            require(isinstance(node, Sum) or (isinstance(node, Map) and self.is_linear(node)))
            for read in sources(node):
                self.meet(read, TOTAL if read.serial in self.dependent else 0)

    def is_linear(self, node: Map) -> bool:
        """Tell whether an operation is linear in the totals that it reads."""
        totals = [ref.node.serial in self.dependent for ref in node.args]
        match node.op.name:
            case "multiply":
                return not all(totals)
            case "divide":
                return not totals[1]
        return node.op.name in LINEAR

    def has_cells(self, node: Sum) -> bool:
        """Tell whether a sum is taken over cells; else it is one of totals."""
        return not node.place.size % self.count

    def terms(self, node: Sum) -> Axes:
        """Return where the terms of a sum have their cells."""
        if self.inner[node.serial] != TOTAL:
            return super().terms(node)
        shape, size = node.place.shape, node.place.size
        for axis in (k for k, length in enumerate(shape) if length == self.count):
            axes = Axes(shape, axis)
            if self.quick_step(node.place, axes) == 0 and self.quick_step(node.terms.index, axes) > 0:
                return axes
        return self.axes((size,), 1 if self.last else size // self.count)

    def taken(self) -> Ref:
        """Return the share of one cell of the value."""
        return self.share(self.program.output)

    def made(self, node: Node, inner: int) -> Node:
        """Return a node for one cell."""
        if inner != TOTAL:
            return super().made(node, inner)
        if isinstance(node, Sum) and not self.has_cells(node):
            return replace(node, terms=self.share(node.terms), memo={}, serial=new_serial())
        if isinstance(node, Sum):
            axes = self.terms(node)
            place = narrowed(axes.first(node.place.reshape(axes.shape)))
            read = self.of_first(node.terms, axes)
            return replace(node, terms=read, place=place, memo={}, serial=new_serial())
        assert isinstance(node, Map)
        args = tuple(self.share(ref, node.op.name in ADDED) for ref in node.args)
        return replace(node, args=args, serial=new_serial())

    def share(self, ref: Ref, added: bool = True) -> Ref:
        """Return what a cell reads of a total, or its share of what is `added` to one."""
        if ref.node.serial in self.dependent:
            return Ref(self.of_cell(ref.node, TOTAL), ref.index)
        ref = Ref(self.of_cell(ref.node, 0), ref.index)
        if not added:
            return ref
        part = whole(constant(1.0 / self.count)).broadcast(ref.shape)
        return whole(Map(shape=ref.shape, op=OPS["multiply"], args=(ref, part)))
