"""Two layers in one kernel: what a loop keeps in work arrays for neighbouring points of the next stays in the block.

A block computes the first layer at its points, and at those that reach into them, into memory that its threads share;
then its points read from there. So the work arrays are neither written nor read, but where points out of the ordinary
need them: the first layer runs for these alone.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from sparsead.emit.indices import formula, places
from sparsead.emit.neighbours import listed_loop
from sparsead.emit.parsing import parse
from sparsead.emit.sharing import Procedure
from sparsead.emit.threads import NARROW, REACH, Grid, Layer, loop_of, most_left_out

FEWEST = 256  # points of the second layer
FEW = 64  # points of another grid that reads the first layer, and points of this that it reads: for one block
MOST = 16  # numbers of a point of the first layer
LEFT_OUT = 16  # one in so many points of the first layer may be computed again for others

Known = Callable[[Mapping[str, str]], dict[str, np.ndarray]]
Listed = Callable[[np.ndarray, str, str], tuple[str, dict[str, str]]]
Places = list[tuple[ast.Subscript, np.ndarray]]


def tiled(order: Sequence[Grid], inner: Collection[str], known: Known, listed: Listed) -> list[Grid]:
    """Return grids, given in order, with tiles where they are worth it.

    Parameters
    ----------
    order : sequence of Grid
    inner : collection of str
        The arrays that nobody else reads.
    known : callable
        Returns the tables of a loop, given its arrays.
    listed : callable
        Returns the code of a list of whole numbers, with the tables that it needs, given a name and a counter.
    """
    grids = [grid for grid in order if grid.points]
    left = list(inner)
    while left:
        arrays = {array for g in grids if left[0] in g.writes for array in g.writes}  # what one loop writes, together
        try:
            _require(arrays and arrays <= set(inner))
            grids = _Tile(grids, sorted(arrays), known, listed).grids
        except _NoTileError:
            pass
        left = [array for array in left[1:] if array not in arrays]
    return grids


class _NoTileError(Exception):
    pass


def _require(condition: object) -> None:
    if not condition:
        raise _NoTileError


class _Tile:
    """Grids in which work arrays become a tile; raise _NoTileError if they do not, or should not."""

    def __init__(self, grids: list[Grid], arrays: Sequence[str], known: Known, listed: Listed) -> None:
        self.arrays, self._known, self._listed = set(arrays), known, listed
        writers = [g for g in grids if self.arrays & g.writes.keys()]
        readers = [g for g in grids if self.arrays & g.reads]
        _require(writers and readers)
        first, second = (max(some, key=lambda g: g.points) for some in (writers, readers))
        _require(second.points >= FEWEST and not any(g.private or g.layer for g in (*writers, *readers)))
        _require(all(g.writes.keys() <= self.arrays for g in writers))
        later = grids[grids.index(first) + 1 :]
        _require(second in later and not any(g.writes.keys() & first.reads for g in later))
        sizes = [max(g.writes[array].size for g in writers if array in g.writes) for array in arrays]
        size = sum(sizes)  # elements of all arrays, one array after the other
        self._ranges = {array: (end - n, end) for array, n, end in zip(arrays, sizes, np.cumsum(sizes), strict=True)}
        writer = np.zeros(size, np.int8)
        for g in writers:
            for array, mask in g.writes.items():
                writer[self._ranges[array][0] :][: mask.size] += mask
        _require((writer <= 1).all())
        self._number, self._point = self._first(first, size)
        changed: dict[int, Grid | None] = {id(second): self._fused(first, second)}
        needed = np.zeros(size, np.bool_)
        for g in readers:
            if g is not second:
                gathered = self._gathered(first, g)
                if gathered is not None:
                    changed[id(g)] = gathered
                    continue
                for _, slot in self._places(g):
                    needed[slot[slot < size]] = True
        kept = {id(g): self._restricted(g, needed) for g in writers}
        again = sum(g.points for g in kept.values() if g is not None)
        _require(LEFT_OUT * again <= first.points)
        changed |= kept
        self.grids = [new for g in grids if (new := changed.get(id(g), g)) is not None]

    def _places(self, grid: Grid) -> Places:
        """Return where a grid comes to the arrays; beyond their end for what nobody writes."""
        names = self._names(grid)
        found = places(grid.loop, self._known(grid.given), grid.counts, names)
        if found is None:
            raise _NoTileError
        last = max(end for _, end in self._ranges.values())
        ranges = [(node, slot, self._ranges[names[name]]) for node, name, slot in found]
        return [(node, np.where(slot < end - begin, begin + slot, last)) for node, slot, (begin, end) in ranges]

    def _names(self, grid: Grid) -> dict[str, str]:
        return {p: a for p, a in grid.given.items() if a in self.arrays}

    def _first(self, first: Grid, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return which store of the first grid, at which of its points, writes each element; -1 for others."""
        stores = self._places(first)
        _require(len(stores) <= MOST and all(isinstance(node.ctx, ast.Store) for node, _ in stores))
        number, point = (
            np.full(size + 1, -1, np.int8),
            np.zeros(size + 1, np.int32 if first.points < NARROW else np.int64),
        )
        for k, (_, slot) in enumerate(stores):
            number[slot], point[slot] = k, np.arange(first.points)
        return number, point

    def _fused(self, first: Grid, second: Grid) -> Grid:
        """Return the second grid with the first one as its layer."""
        reads = self._places(second)
        _require(reads)
        base = self._point[reads[0][1]]  # what the others are far from
        found: dict[str, tuple[int, int]] = {}
        for node, slot in reads:
            number, far = self._number[slot], self._point[slot] - base
            one = int(number[0]), int(far[0])
            _require((number == one[0]).all() and one[0] >= 0 and (far == one[1]).all())
            _require(found.setdefault(ast.unparse(node), one) == one)
        nearest = min(far for _, far in found.values())
        reach = max(far for _, far in found.values()) - nearest + most_left_out(base)
        _require(reach <= REACH)
        used = sorted({k for k, _ in found.values()})
        loop = second.loop
        assert isinstance(loop.target, ast.Name)
        counter, first_of = loop.target.id, base + nearest
        codes = [formula(first_of, name) for name in ("begin", counter, f"({counter} - thread)")]
        thread = "thread" if most_left_out(base) == 0 else f"({codes[1]}) - ({codes[2]})"
        _require(codes[0] is not None)
        layer = Layer(self._to_tile(first, used), str(codes[0]), reach, len(used))
        read = {
            code: f"{len(used)} * ({thread} + {far - nearest}) + {used.index(k)}" for code, (k, far) in found.items()
        }
        loop = _FromTile(read).visit(loop_of(second.procedure))
        reads_of_both = (first.reads | second.reads) - self.arrays
        return replace(self._without(second, loop), direct=None, layer=layer, reads=frozenset(reads_of_both))

    def _gathered(self, first: Grid, grid: Grid) -> Grid | None:
        """Return a grid of few points whose block first computes all that these read of the first grid, wherever it is.

        None if one block has not enough threads for it.
        """
        reads = self._places(grid)
        numbers = [self._number[slot] for _, slot in reads]
        points = {self._point[slot].tobytes(): self._point[slot] for _, slot in reads}
        alike = all(number[0] >= 0 and (number == number[0]).all() for number in numbers)
        if not alike or len(points) * grid.points > FEW:
            return None
        order, used, read = list(points), sorted({int(number[0]) for number in numbers}), dict[str, str]()
        for (node, slot), number in zip(reads, numbers, strict=True):
            before = grid.points * order.index(self._point[slot].tobytes())
            code = f"{len(used)} * (thread + {before}) + {used.index(int(number[0]))}"
            _require(read.setdefault(ast.unparse(node), code) == code)
        layer = Layer(self._to_tile(self._at(first, np.concatenate([*points.values()])), used), "begin", 0, len(used))
        made = self._without(grid, _FromTile(read).visit(grid.loop))
        return replace(
            made, direct=None, stretches=(), layer=layer, reads=(layer.grid.reads | grid.reads) - self.arrays
        )

    def _to_tile(self, first: Grid, used: Sequence[int]) -> Grid:
        """Return the first grid, storing some of its numbers to the tile."""
        loop, names = first.loop, self._names(first)
        body: list[ast.stmt] = []
        number = -1
        for statement in loop.body:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else None
            if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and target.value.id in names:
                number += 1
                if number not in used:
                    continue
                code = f"tile[{len(used)} * thread + {used.index(number)}] = {ast.unparse(statement.value)}"  # type: ignore[attr-defined]
                body += parse(code).body
            else:
                _require(isinstance(statement, ast.Assign) and isinstance(target, ast.Name))
                body.append(statement)
        loop.body = body
        return replace(self._without(first, loop), stretches=(), direct=None, writes={})

    def _without(self, grid: Grid, loop: ast.For) -> Grid:
        """Return a grid with another loop, which does without the arrays."""
        pairs = zip(grid.procedure.arrays.items(), grid.arrays, strict=True)
        kept = {p: (kind, a) for (p, kind), a in pairs if a not in self.arrays}
        lines = [f"    {line}" for line in ast.unparse(loop).splitlines()]
        procedure = replace(grid.procedure, arrays={p: kind for p, (kind, _) in kept.items()}, lines=lines)
        return replace(grid, procedure=procedure, arrays=tuple(a for _, a in kept.values()))

    def _restricted(self, grid: Grid, needed: np.ndarray) -> Grid | None:
        """Return a grid at the points alone that store what is needed; None if there are none."""
        found = self._places(grid)
        _require(all(isinstance(node.ctx, ast.Store) for node, _ in found))
        points = np.flatnonzero(np.logical_or.reduce([needed[slot] for _, slot in found]))
        if not points.size:
            return None
        if points.size == grid.points:
            return grid
        written = np.zeros(max(end for _, end in self._ranges.values()), np.bool_)
        for _, slot in found:
            written[slot[points]] = True
        masks = {a: written[begin:end] for a, (begin, end) in self._ranges.items() if written[begin:end].any()}
        return replace(self._at(grid, points), writes=masks)

    def _at(self, grid: Grid, points: np.ndarray) -> Grid:
        """Return a grid at some of its points, in any order."""
        code, tables = self._listed(points, "some", "one")
        loop = grid.loop
        assert isinstance(loop.target, ast.Name)
        loop = listed_loop("one", points.size, [f"{loop.target.id} = {code}", *map(ast.unparse, loop.body)])
        arrays = {**grid.procedure.arrays, **{name: self._known(tables)[name].dtype.str[1:] for name in tables}}
        lines = [f"    {line}" for line in ast.unparse(loop).splitlines()]
        return replace(
            grid,
            procedure=Procedure(grid.procedure.name, arrays, grid.procedure.numbers, lines),
            arrays=(*grid.arrays, *tables.values()),
            points=points.size,
            reads=grid.reads | set(tables.values()),
            stretches=(),
            direct=None,
        )


class _FromTile(ast.NodeTransformer):
    """Reads from the tile in place of the arrays."""

    def __init__(self, read: Mapping[str, str]) -> None:
        self._read = read

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        code = self._read.get(ast.unparse(node))
        return self.generic_visit(node) if code is None else parse(f"tile[{code}]", "eval").body
