"""The indices of a loop as plain arithmetic: no table where a formula does, no loop where the turns are always as many.

What a table of neighbours holds, on a regular domain, grows by one from point to point, with a jump where the domain
ends. This is looked up in the numbers themselves. It saves what is read from memory, shows which stores are neighbours,
and lets a compiler see that two indices are equal.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sparsead.emit.accesses import Accesses
from sparsead.emit.parsing import parse, walk

FEWEST = 64  # points of a loop from which on its tables are looked at
MOST_JUMPS = 3
MOST_STATEMENTS = 64  # an inner loop is written out where that makes no more statements
FEW = 4096  # points that tell whether it is worth looking at all
SAMPLE = 999  # points that tell what is usual


def formula(values: np.ndarray, counter: str) -> str | None:
    """Return whole numbers by their place as arithmetic; None if there is no short one.

    Those that grow evenly, but for a few jumps, or for the same jump at the end of each line.
    """
    if not values.size:
        return None
    steps = np.diff(values)
    step = int(np.median(steps[:: max(steps.size // SAMPLE, 1)])) if steps.size else 0
    jumps = np.flatnonzero(steps != step)
    even = _sum(int(values[0]), _times(step, counter))
    if jumps.size <= MOST_JUMPS:
        after = [_times(int(steps[j]) - step, f"min(max({counter} - {int(j)}, 0), 1)") for j in jumps]
        return _sum(even, *after)
    sizes, widths = steps[jumps] - step, np.diff(jumps)
    width = widths[0]
    if (widths != width).any() or (sizes != sizes[0]).any() or jumps[0] >= width or steps.size - jumps[-1] > width:
        return None
    return _sum(even, _times(int(sizes[0]), f"(({counter} + {int(width - 1 - jumps[0])}) // {int(width)})"))


def _times(factor: int, code: str) -> str:
    return "" if not factor else code if factor == 1 else f"{factor} * {code}"


def _sum(*parts: int | str) -> str:
    return " + ".join(str(part) for part in parts if part) or "0"


def simplified(
    loop: ast.For, tables: Mapping[str, np.ndarray], numbers: Mapping[str, int], every: bool = False
) -> ast.For:
    """Return a loop that does the same with fewer tables and loops in it.

    Parameters
    ----------
    loop : ast.For
        It is not changed.
    tables, numbers : mapping
        The arrays of indices, and the whole numbers, by their names in the loop.
    every : bool
        Look at all whole numbers, and write those that keep their distance from an earlier one as that distance.
    """
    if not every and not _is_involved(loop, set(tables)):
        return loop
    indices = _Indices(loop, tables, numbers, every)
    if indices.points < FEWEST:
        return loop
    body = indices.rewritten(loop.body)
    return ast.copy_location(ast.For(loop.target, loop.iter, body, []), loop)


def places(
    loop: ast.For, tables: Mapping[str, np.ndarray], numbers: Mapping[str, int], arrays: Collection[str]
) -> list[tuple[ast.Subscript, str, np.ndarray]] | None:
    """Return where a loop comes to which of some arrays, at all points; None if it has loops or cases in it."""
    indices, found = _Indices(loop, tables, numbers, False), []
    for statement in loop.body:
        if not isinstance(statement, ast.Assign | ast.AugAssign):
            return None
        subscripts = [n for n in walk(statement) if isinstance(n, ast.Subscript)]
        own = [(n, n.value.id) for n in subscripts if isinstance(n.value, ast.Name) and n.value.id in arrays]
        found += [(n, name, np.broadcast_to(indices.value(n.slice), indices.points)) for n, name in own]
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            indices.known[statement.targets[0].id] = indices.value(statement.value)
    return found


class _Indices:
    """The whole numbers of a loop, as its statements set them."""

    def __init__(
        self, loop: ast.For, tables: Mapping[str, np.ndarray], numbers: Mapping[str, int], every: bool
    ) -> None:
        assert isinstance(loop.target, ast.Name)
        self.counter = loop.target.id
        nothing = ast.copy_location(ast.For(loop.target, parse("range(0)", "eval").body, [], []), loop)
        self._values = Accesses(nothing, tables, numbers)
        *start, stop = (int(self._values.value(b, numbers)) for b in loop.iter.args)  # type: ignore[attr-defined]
        self._first = start[0] if start else 0
        self.points = stop - self._first
        self.known: dict[str, Any] = {**numbers, self.counter: np.arange(self._first, stop, dtype=np.int64)}
        self._tables, self._body = set(tables), loop.body
        self._alike: dict[bytes, list[str]] | None = {} if every else None

    def value(self, node: ast.expr) -> Any:
        """Return a whole number, at all points; None for others."""
        return self._values.value(node, self.known)

    def rewritten(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Return statements with plain indices."""
        return [new for statement in body for new in self._statement(statement)]

    def _statement(self, node: ast.stmt) -> Iterator[ast.stmt]:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                new = self._plain(value)
                self.known[name] = self.value(new)
                yield ast.copy_location(ast.Assign([node.targets[0]], self._distance(name) or new), node)
            case ast.Assign(targets=[ast.Subscript() as target], value=value):
                yield ast.copy_location(ast.Assign([self._place(target)], self._plain(value)), node)
            case ast.AugAssign(target=ast.Subscript() as target, op=op, value=value):
                yield ast.copy_location(ast.AugAssign(self._place(target), op, self._plain(value)), node)
            case ast.For() if (turns := self._turns(node)) is not None:
                for number in turns:
                    yield from self.rewritten(_turn(node, number))
            case _:
                self.known |= dict.fromkeys(_set(walk(node)))  # they change from turn to turn
                yield node

    def _distance(self, name: str) -> ast.expr | None:
        """Return a whole number as its distance from an earlier one."""
        value = self.known[name]
        if self._alike is None or np.ndim(value) == 0:
            return None
        sample = value[:: max(self.points // SAMPLE, 1)]
        others = self._alike.setdefault((sample - sample[0]).tobytes(), [])
        for other in others:
            far = int(value[0] - self.known[other][0])
            if np.array_equal(self.known[other] + far, value):
                return parse(f"{other} + {far}", "eval").body
        others.append(name)
        return None

    def _turns(self, loop: ast.For) -> range | None:
        """Return the turns of a loop inside a point, if they are few and the same at every point."""
        bounds = [self.value(b) for b in loop.iter.args]  # type: ignore[attr-defined]
        ends = [_constant(bound) for bound in bounds]
        if any(end is None for end in ends) or not _is_involved(loop, self._tables) or not self._stands_alone(loop):
            return None
        turns = range(*ends)  # type: ignore[arg-type]
        return turns if len(turns) * len(loop.body) <= MOST_STATEMENTS else None

    def _stands_alone(self, loop: ast.For) -> bool:
        """Tell whether a loop has no others in it, and sets no names that are used outside."""
        nodes = [n for statement in loop.body for n in walk(statement)]
        own, outside = _set(nodes), [n for s in self._body if s is not loop for n in walk(s)]
        used = {n.id for n in outside if isinstance(n, ast.Name)}
        return not own & used and not any(isinstance(n, ast.For | ast.If) for n in nodes)

    def _plain(self, node: ast.expr) -> ast.expr:
        """Return an expression with formulas in place of tables, where there are any."""
        new = _Plain(self._formula).visit(parse(ast.unparse(node), "eval").body)
        assert isinstance(new, ast.expr)
        return new

    def _place(self, target: ast.Subscript) -> ast.Subscript:
        """Return where a statement stores, with a plain index."""
        return ast.Subscript(target.value, self._plain(target.slice), ast.Store())

    def _formula(self, node: ast.expr) -> ast.expr | None:
        if not _is_involved(node, self._tables) or self._is_hopeless(node):
            return None
        value = self.value(node)
        if value is None:
            return None
        if np.ndim(value) == 0:
            return ast.Constant(int(value))
        code = formula(value, self.counter if not self._first else f"({self.counter} - {self._first})")
        return None if code is None else parse(code, "eval").body

    def _is_hopeless(self, node: ast.expr) -> bool:
        """Tell whether some points in the middle are enough to see that there is no formula."""
        names = {n.id for n in walk(node) if isinstance(n, ast.Name)} & self.known.keys()
        middle = slice(max(0, (self.points - FEW) // 2), (self.points + FEW) // 2)
        some = {name: self.known[name][middle] if np.ndim(self.known[name]) else self.known[name] for name in names}
        value = self._values.value(node, some)
        return value is None or (np.ndim(value) > 0 and formula(value, self.counter) is None)


def _is_involved(node: ast.AST, tables: set[str]) -> bool:
    """Tell whether there are tables, or cases, in a statement or expression."""
    return any(isinstance(n, ast.Name) and (n.id in tables or n.id in ("min", "max")) for n in walk(node))


class _Plain(ast.NodeTransformer):
    """Formulas in place of expressions that have one: of the largest such expressions."""

    def __init__(self, formula_of: Callable[[ast.expr], ast.expr | None]) -> None:
        self._formula = formula_of

    def visit(self, node: ast.AST) -> ast.AST:
        new = self._formula(node) if isinstance(node, ast.expr) else None
        return self.generic_visit(node) if new is None else new


def _constant(value: np.ndarray | None) -> int | None:
    if value is None or not np.size(value) or (value != np.ravel(value)[0]).any():
        return None
    return int(np.ravel(value)[0])


def _set(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that are set there."""
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _turn(loop: ast.For, number: int) -> list[ast.stmt]:
    """Return the statements of a turn, with names of their own."""
    assert isinstance(loop.target, ast.Name)
    own = _set(n for statement in loop.body for n in walk(statement))
    found = parse("\n".join(map(ast.unparse, loop.body))).body
    for node in (n for statement in found for n in walk(statement)):
        for place, child in ast.iter_fields(node):
            if isinstance(child, ast.Name) and child.id == loop.target.id:
                setattr(node, place, ast.Constant(number))
        if isinstance(node, ast.Name) and node.id in own:
            node.id = f"{node.id}_{loop.target.lineno}_{number}"
    return found
