"""A sweep for many points at once: the generated source with another loop, over points, innermost or outermost.

Innermost: what a point has of its own (x, arguments with the axis of points, values, work arrays) gets that axis; index
arithmetic, loops and tables stay as they are, and serve all points of a block. So arithmetic is vectorised over points
whatever the indices look like, and nothing is gathered. Statements that follow each other share one loop over the
points; a number that is read in another such loop goes through a scratch array. Blocks are small enough for the work
arrays to stay in cache, and all of one size: a loop of known length is vector code without a remainder. What is the
same for all points of a block has no axis of points. Outermost, where points lie one after the other in memory and
there is little to compute: then turning their arrays round would cost more than it gains.

Either way a point's operations keep the order in which they are written, so its values are those of a single call to
the bit, except where LLVM adds up a loop of a single call in several partial sums. Threads share the blocks.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

import numpy as np

from sparsead.emit.layout import Layout
from sparsead.emit.operation_count import work_of
from sparsead.emit.parsing import Rewriter, statements, walk
from sparsead.emit.runs import Item, Loop, Run
from sparsead.emit.source import LANE, POINT, Source, share
from sparsead.emit.turning import turn, turn_results
from sparsead.emit.written_out import written_out

CACHE = 1 << 20  # bytes for what a block has of its own
WIDTHS = (16, 64)  # least and most points of a block: a few vectors
WORTH = 5  # operations for each number that has to be turned round from which on vectors over points gain
FAR = 256  # elements from which on an array that is added to has a block: with points last, each is a page of its own
AGAIN = 0.05  # share of the points that may be computed twice, because blocks are long
COUNT = "batch"  # array parameter: the number of points


def width_of(elements: int, count: int = 0) -> int:
    """Return how many points a block has, of which each has so many numbers of its own; `count` if that is known.

    What the last block computes again is then little, or the blocks are the shortest ones.
    """
    least, most = WIDTHS
    widest = min(max(CACHE // (8 * max(elements, 1)) // least * least, least), most)
    fits = (width for width in range(widest, least, -least) if -count % width <= AGAIN * count)
    return next(fits, least) if count else widest


def is_light(sources: Sequence[tuple[Source, dict[str, int]]], layout: Layout) -> bool:
    """Tell whether turning the arrays of a point round would cost more than vectors over points gain."""
    return bool(layout.turned) and sum(work_of(s) for s, _ in sources) < WORTH * sum(layout.sizes.values())


def in_lanes(name: str, sources: Sequence[tuple[Source, dict[str, int]]], layout: Layout) -> tuple[Source, int]:
    """Return one source that runs others for all points of a batch, and how many points a block of it has.

    It runs whole blocks, one at least: a loop of a known length costs no time of its own. The last one begins earlier
    if need be, and computes some points of the one before again.

    Parameters
    ----------
    name : str
        Its name.
    sources : sequence of (Source, sizes)
        What a point runs, one after the other, with the sizes of work arrays. Nothing of it may call back.
    layout : Layout
        The arrays with an axis of points; ``batch`` holds their number.
    """
    staged = layout.turned | {a: n for a, n in layout.sizes.items() if n >= FAR and a in _added(sources)}
    own = sum(sum((sizes | source.sizes).values()) for source, sizes in sources) + sum(staged.values())
    width = 1 if is_light(sources, layout) else width_of(own, layout.count)
    writer = _Writer(Source(name), layout, width, staged=staged if width > 1 else {})
    writer.write(sources)
    return writer.source, writer.width


def in_threads(
    name: str, sources: Sequence[tuple[Source, dict[str, int]]], layout: Layout, rows: dict[str, str]
) -> Source:
    """Return one source in which each point of a batch is a point of a grid: a thread runs all that it takes.

    Parameters
    ----------
    name, sources, layout
        As for `in_lanes`. The number of points is the whole number ``total``.
    rows : dict
        Arrays of the layout that are somewhere else meanwhile: the code of an element of a point, with ``{}`` for the
        index.
    """
    writer = _Writer(Source(name, grid=True), layout, 1, rows)
    with writer.source.loop(), writer.source.block(f"for {POINT} in range(total):"):
        for number, (source, sizes) in enumerate(sources):
            _Part(writer, number, source, sizes).write()
    return writer.source


class _Writer:
    """Writes one source for batches."""

    def __init__(
        self,
        source: Source,
        layout: Layout,
        width: int,
        rows: dict[str, str] | None = None,
        staged: Iterable[str] = (),
    ) -> None:
        self.source = source
        self.layout = layout
        self.width = width
        self.rows = rows or {}
        self.staged = list(staged)  # arrays of which a block has its own, in order: equal code is kept once

    def write(self, sources: Sequence[tuple[Source, dict[str, int]]]) -> None:
        """Write the loop over blocks."""
        parts = [_Part(self, number, source, sizes) for number, (source, sizes) in enumerate(sources)]
        out = self.source
        for array, value in self.layout.fixed.items():
            out.array(array, value=value)
        with out.divided():
            self.bounds()
            with out.block(f"for {POINT if self.width == 1 else 'block'} in range(low, high):"):
                if self.width > 1:
                    out.write(f"base = min({self.width} * block, total - {self.width})")
                written = set().union(*(part.stored for part in parts))
                for array in (a for a in self.staged if a not in written):
                    self.turn(array, stores=False)
                for part in parts:
                    part.write()
                for array in (a for a in self.staged if a in written):
                    self.turn(array, stores=True)

    def bounds(self) -> None:
        """Write how many points there are, and which blocks this thread runs."""
        out, count, width = self.source, self.layout.count, self.width
        out.write(f"total = {out.array(COUNT, 'i8', np.array([count]) if count else None)}[0]")
        out.write(f"blocks = total // {width}")
        for bound, code in zip(("low", "high"), share("blocks"), strict=True):
            out.write(f"{bound} = {code}")
        if width > 1:  # the thread with the last whole block runs the one with the rest, which shares points with it
            out.write(f"high = high + high // blocks * ((total + {width - 1}) // {width} - blocks)")

    def moved(self, array: str, index: str, point: str) -> str:
        """Return an element of an array whose points are somewhere else, of a point."""
        first, step = self.layout.moves[array]
        tables = self.source.array(f"first_{array}", "i8", first), self.source.array(f"step_{array}", "i8", step)
        return f"{self.source.array(array)}[{tables[0]}[{index}] + {tables[1]}[{index}] * {point}]"

    @property
    def points(self) -> str:
        """The loop over the points of a block."""
        return f"for {LANE} in range({self.width}):"

    def place(self, array: str, index: str) -> str:
        """Return an element of an array with an axis of points."""
        if array in self.rows:
            return self.rows[array].format(index)
        if array in self.layout.moves:
            return self.moved(array, f"({index})", POINT) if self.width == 1 else f"block_{array}[{self.own(index)}]"
        if self.width == 1 and self.layout.last:
            return f"{array}[total * ({index}) + {POINT}]"
        if self.width == 1:
            return f"{array}[{self.layout.sizes[array]} * {POINT} + ({index})]"
        if array not in self.staged:
            return f"{array}[total * ({index}) + (base + q)]"
        return f"block_{array}[{self.own(index)}]"

    def own(self, index: str) -> str:
        """Return where the points of a block have an element of an array of theirs."""
        return index if self.width == 1 else f"{self.width} * ({index}) + q"

    def turn(self, array: str, stores: bool) -> None:
        """Copy between an array as it is given and its block, with the points innermost."""
        out, size = self.source, self.layout.sizes[array]
        block = out.scratch(f"block_{array}", self.width * size)

        def copy(given: str, element: str) -> str:
            staged = f"{block}[{self.width} * ({element}) + p]"
            return f"{given} = {staged}" if stores else f"{staged} = {given}"

        if array not in self.layout.turned:
            with out.block(f"for e in range({size}):"), out.block(f"for p in range({self.width}):"):
                out.write(copy(f"{out.array(array)}[total * e + (base + p)]", "e"))
        elif array in self.layout.moves:
            turn(out, self.width, size, lambda e: copy(self.moved(array, e, "(base + p)"), e))
        else:
            rows = turn_results if stores else turn
            rows(out, self.width, size, lambda e: copy(f"{out.array(array)}[{size} * (base + p) + {e}]", e))


class _Part:
    """One of the sources that a point runs."""

    def __init__(self, writer: _Writer, number: int, source: Source, sizes: dict[str, int]) -> None:
        self.writer, self.out, self.source = writer, writer.source, source
        self.local = {n: f"w{number}_{n}" for n in source.arrays if n in sizes or n in source.sizes}
        self.renamed = {n: f"f{number}_{n}" for n in source.fixed if n in source.arrays}
        self.elements = sizes | source.sizes
        self.lane_names: set[str] = set()
        self.conditions: set[str] = set()
        self.spilled: dict[str, int] = {}
        self.stored = _stored(source)
        self.shared = self.known_alike()

    def write(self) -> None:
        """Write all functions of the source."""
        for name, new in self.renamed.items():
            self.out.array(new, self.source.arrays[name], self.source.fixed[name])
        for name, new in self.local.items():
            self.out.scratch(new, (1 if name in self.shared else self.writer.width) * self.elements[name])
        for name in self.source.arrays:
            if name not in self.renamed and name not in self.local:
                self.out.array(name)
        for tree in self.source.trees:
            tables = {name: self.source.fixed[name] for name in self.renamed}
            items = self.items(written_out(tree.body, tables) or tree.body)
            if self.writer.width > 1:  # else one run sees what another has set
                self.spill(list(_runs(items)))
            self.write_items(items)

    def known_alike(self) -> set[str]:
        """Return the work arrays that hold the same for all points: only what is the same for all is stored there."""
        self.shared = set(self.local)
        stores = [n for t in self.source.trees for n in statements(t) if isinstance(n, (ast.Assign, ast.AugAssign))]
        targets = [(n.targets[0] if isinstance(n, ast.Assign) else n.target, _names(n.value)) for n in stores]
        before: tuple[int, int] | None = None
        while before != (before := (len(self.shared), len(self.lane_names))):
            for target, names in targets:
                if not self.are_own(names):
                    continue
                if isinstance(target, ast.Name):
                    self.lane_names.add(target.id)
                elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
                    self.shared.discard(target.value.id)
        return self.shared

    # -- cutting into runs ----------------------------------------------------------------------------------
    def items(self, statements: Iterable[ast.stmt]) -> list[Item]:
        """Cut statements into runs, shared lines and shared loops."""
        found: list[Item] = []
        run = Run()

        def end() -> None:
            nonlocal run
            if run.statements:
                found.append(run)
                run = Run()

        for node in statements:
            match node:
                case ast.For() | ast.If():
                    end()
                    found.append(Loop(self.header(node), self.items(node.body)))
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if not self.is_own(value):
                    if name in run.read:
                        end()
                    where = len(found)
                    found.insert(where, self.code(node))
                case ast.Assign(targets=[target]) | ast.AugAssign(target=target):
                    if isinstance(target, ast.Subscript) and not self.has_lanes(ast.unparse(target.value)):
                        end()
                        found.append(self.code(node))
                        continue
                    self.note(node)
                    run.add(node)
                case _ if not isinstance(node, ast.Pass):
                    raise AssertionError(f"not in code for many points: {ast.unparse(node)}")
        end()
        return found

    def is_own(self, value: ast.expr) -> bool:
        """Tell whether an expression may differ from point to point."""
        return self.are_own(_names(value))

    def are_own(self, names: set[str]) -> bool:
        """Tell whether a name or array may differ from point to point."""
        return bool(names & self.lane_names) or any(self.has_lanes(name) for name in names)

    def has_lanes(self, array: str) -> bool:
        """Tell whether an array has an axis of points."""
        return (array in self.local and array not in self.shared) or array in self.writer.layout.sizes

    def note(self, node: ast.Assign | ast.AugAssign) -> None:
        """Remember a name that each point has of its own, and whether it is a condition."""
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            self.lane_names.add(name)
            if isinstance(node.value, (ast.Compare, ast.BoolOp)) or (
                isinstance(node.value, ast.UnaryOp) and isinstance(node.value.op, ast.Not)
            ):
                self.conditions.add(name)

    def header(self, node: ast.For | ast.If) -> str:
        if isinstance(node, ast.If):
            return f"if {self.code(node.test)}:"
        return f"for {self.code(node.target)} in {self.code(node.iter)}:"

    # -- writing ----------------------------------------------------------------------------------------------
    def spill(self, runs: list[Run]) -> None:
        """Find the names that are read in another run than the one that sets them."""
        for run in runs:
            for name in sorted(run.awaited & self.lane_names):
                self.spilled.setdefault(name, len(self.spilled))

    def write_items(self, items: Iterable[Item]) -> None:
        for item in items:
            match item:
                case str():
                    self.out.write(item)
                case Loop(header, body):
                    with self.out.block(header):
                        self.write_items(body)
                case Run():
                    self.write_run(item)

    def write_run(self, run: Run) -> None:
        """Write the loop over the points of a block."""
        if self.writer.width == 1:
            for statement in run.statements:
                self.out.write(self.code(statement))
            return
        defined = run.defined
        with self.out.block(self.writer.points):
            for name in sorted(run.awaited & self.spilled.keys()):
                known = " != 0.0" if name in self.conditions else ""
                self.out.write(f"{name} = {self.room(name)}{known}")
            for statement in run.statements:
                self.out.write(self.code(statement))
            for name in sorted(defined & self.spilled.keys()):
                self.out.write(f"{self.room(name)} = {name}")

    def room(self, name: str) -> str:
        """Return the place where a number is kept between runs."""
        array = self.out.scratch("kept", self.writer.width * (self.spilled[name] + 1))
        return f"{array}[{self.writer.width * self.spilled[name]} + q]"

    def code(self, node: ast.AST) -> str:
        """Return code with arrays renamed, and the axis of points added to those that have one."""
        return ast.unparse(_WithLanes(self).visit(node))


class _WithLanes(Rewriter):
    """Puts the code of its new place where an element is: no tree, but written out it reads as a name does."""

    def __init__(self, part: _Part) -> None:
        self.part = part

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        assert isinstance(node.value, ast.Name)
        name, index = node.value.id, ast.unparse(self.visit(node.slice))
        writer = self.part.writer
        if name in self.part.local:
            place = index if name in self.part.shared else writer.own(index)
            return ast.Name(f"{self.part.local[name]}[{place}]")
        if name in writer.layout.sizes:
            return ast.Name(writer.place(name, index))
        return ast.Name(f"{self.part.renamed.get(name, name)}[{index}]")


def _stored(source: Source) -> set[str]:
    """Return the arrays that a source writes to."""
    stores = (n for tree in source.trees for n in statements(tree) if isinstance(n, (ast.Assign, ast.AugAssign)))
    targets = (n.targets[0] if isinstance(n, ast.Assign) else n.target for n in stores)
    return {t.value.id for t in targets if isinstance(t, ast.Subscript) and isinstance(t.value, ast.Name)}


def _added(sources: Sequence[tuple[Source, dict[str, int]]]) -> set[str]:
    """Return the arrays that sources add to."""
    nodes = (node for source, _ in sources for tree in source.trees for node in statements(tree))
    found = [node.target for node in nodes if isinstance(node, ast.AugAssign)]
    return {t.value.id for t in found if isinstance(t, ast.Subscript) and isinstance(t.value, ast.Name)}


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in walk(node) if isinstance(n, ast.Name)}


def _runs(items: Iterable[Item]) -> Iterable[Run]:
    for item in items:
        if isinstance(item, Run):
            yield item
        elif isinstance(item, Loop):
            yield from _runs(item.body)
