"""Which elements of its arrays a loop of the generated language touches: when, at which point, found by running it.

Indices come from the counter of the loop and from tables, never from computed numbers. So everything about them can be
worked out beforehand, for all points at once, with NumPy: what is found is what the loop does, not what its writer
meant it to do.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sparsead.emit.parsing import walk

OPERATIONS = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.FloorDiv: np.floor_divide}
COMPARE = {
    ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater, ast.GtE: np.greater_equal, ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}  # fmt: skip
LIMIT = 1 << 62

Path = tuple[Any, ...]  # numbers, or arrays of them: one for each instance
Known = Mapping[str, Any]  # whole numbers by name: one, or one for each instance


@dataclass(frozen=True, eq=False)
class Inner:
    """The loop inside a point that a statement is in: its counter, where that starts, the turn of each instance."""

    counter: str
    start: ast.expr
    turn: np.ndarray
    turns: np.ndarray  # by point


@dataclass(frozen=True, eq=False)
class Access:
    """What a statement does with an array, at all points: the instances, in no particular order.

    `point` and `slot` say where each instance is and what it touches; `path` how it gets there: the number of the
    statement among those of a point, the turn of a loop, the number of the statement in it, and so on.
    """

    statement: ast.stmt
    kind: Literal["read", "store", "add"]
    array: str
    point: np.ndarray
    path: Path
    slot: np.ndarray
    inner: tuple[Inner, ...]


class Accesses:
    """All accesses of a loop to the arrays that it writes.

    Parameters
    ----------
    loop : ast.For
        A loop over points, of the generated language.
    tables : mapping
        The arrays of indices by their names in the loop.
    numbers : mapping
        The whole numbers that it is given.

    Attributes
    ----------
    points : int
        How many it has.
    largest : int
        The largest size of any whole number on the way.
    """

    def __init__(self, loop: ast.For, tables: Known, numbers: Known) -> None:
        self.tables = tables
        self.largest = 0
        self.found: list[Access] = []
        self.written = set(written(loop.body))
        first, last = bounds(loop)
        begin, end = (int(self.value(bound, numbers)) for bound in (first, last))
        self.points = max(end - begin, 0)
        point = np.arange(self.points, dtype=np.int64)
        assert isinstance(loop.target, ast.Name)
        self._block(loop.body, {**numbers, loop.target.id: begin + point}, point, (), ())

    def of(self, array: str) -> list[Access]:
        """Return the accesses to one array."""
        return [access for access in self.found if access.array == array]

    def times(self, found: Sequence[Access]) -> np.ndarray:
        """Return a number for each instance of accesses, one after the other, that grows as the loop goes on."""
        depth = max(len(a.path) for a in found)
        time = np.concatenate([a.point for a in found])
        largest = self.points
        for level in range(depth):
            steps = [a.path[level] if level < len(a.path) else 0 for a in found]
            count = 1 + max(int(np.max(step, initial=0)) for step in steps)
            largest *= count
            step = [np.broadcast_to(s, a.point.shape) for s, a in zip(steps, found, strict=True)]
            time = time * count + np.concatenate(step)
        if largest > LIMIT:
            raise OverflowError("a loop of too many steps")
        return time

    # -- statements -----------------------------------------------------------------------------------------
    def _block(
        self, body: Sequence[ast.stmt], known: Known, point: np.ndarray, path: Path, inner: tuple[Inner, ...]
    ) -> None:
        if not point.size:
            return
        known = dict(known)
        for number, node in enumerate(body):
            at, after = (*path, 2 * number), (*path, 2 * number + 1)
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._reads(node, value, known, point, at, inner)
                    known[name] = self.value(value, known)
                case ast.Assign(targets=[ast.Subscript() as target], value=value):
                    self._reads(node, value, known, point, at, inner)
                    self._access(node, "store", target, known, point, after, inner)
                case ast.AugAssign(target=ast.Subscript() as target, value=value):
                    self._reads(node, value, known, point, at, inner)
                    self._access(node, "add", target, known, point, after, inner)
                case ast.For():
                    self._turns(node, known, point, at, inner)
                case ast.If(test=test, body=guarded):
                    self._guarded(test, guarded, known, point, at, inner)
                case ast.Pass():
                    pass
                case _:
                    raise AssertionError(f"not in a loop of a grid: {ast.unparse(node)}")

    def _turns(self, loop: ast.For, known: Known, point: np.ndarray, path: Path, inner: tuple[Inner, ...]) -> None:
        """Go through a loop inside a point: an instance for each turn."""
        first, last = bounds(loop)
        start, stop = self.value(first, known), self.value(last, known)
        assert start is not None and stop is not None and isinstance(loop.target, ast.Name)
        turns = np.broadcast_to(np.maximum(np.subtract(stop, start), 0), point.shape)
        of = np.repeat(np.arange(point.size), turns)
        turn = np.arange(of.size) - np.repeat(np.cumsum(turns) - turns, turns)
        inside = _picked(known, of, loop.body)
        inside[loop.target.id] = np.broadcast_to(start, point.shape)[of] + turn
        this = Inner(loop.target.id, first, turn, np.asarray(turns))
        self._block(loop.body, inside, point[of], (*_picked_path(path, of), turn), (*inner, this))

    def _guarded(
        self,
        test: ast.expr,
        body: Sequence[ast.stmt],
        known: Known,
        point: np.ndarray,
        path: Path,
        inner: tuple[Inner, ...],
    ) -> None:
        held = self.value(test, known)
        assert held is not None, "what a statement does depends on numbers that are computed"
        of = np.flatnonzero(np.broadcast_to(held, point.shape))
        within = tuple(Inner(i.counter, i.start, i.turn[of], i.turns) for i in inner[-1:])
        self._block(body, _picked(known, of, body), point[of], _picked_path(path, of), (*inner[:-1], *within))

    def _reads(
        self,
        statement: ast.stmt,
        value: ast.expr,
        known: Known,
        point: np.ndarray,
        path: Path,
        inner: tuple[Inner, ...],
    ) -> None:
        for node in walk(value):
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in self.written:
                self._access(statement, "read", node, known, point, path, inner)

    def _access(
        self, statement: ast.stmt, kind: Any, place: ast.Subscript, known: Known, point: Any, path: Path, inner: Any
    ) -> None:
        slot = self.value(place.slice, known)
        if slot is None or not isinstance(place.value, ast.Name):
            raise AssertionError("a place that depends on computed numbers")
        slot = np.broadcast_to(slot, point.shape)
        if slot.min() < 0:
            raise AssertionError("a place before the first")
        self.found.append(Access(statement, kind, place.value.id, point, path, slot, inner))

    # -- whole numbers --------------------------------------------------------------------------------------
    def value(self, node: ast.expr, known: Known) -> Any:
        """Return a whole number or truth value, for each instance; None for other numbers."""
        match node:
            case ast.Name(id=name):
                return known.get(name)
            case ast.Constant(value=value):
                return np.int64(value) if isinstance(value, int) else None
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value = self.value(operand, known)
                return None if value is None else -value
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATIONS:
                return self._applied(OPERATIONS[type(op)], [left, right], known)
            case ast.Compare(left=left, ops=ops, comparators=others):
                operands = [self.value(e, known) for e in (left, *others)]
                if any(o is None for o in operands):
                    return None
                pairs = zip(ops, operands[:-1], operands[1:], strict=True)
                return np.logical_and.reduce(np.broadcast_arrays(*(COMPARE[type(op)](a, b) for op, a, b in pairs)))
            case ast.Call(func=ast.Name(id="min" | "max" as name), args=[_, _] as args):
                return self._applied(np.minimum if name == "min" else np.maximum, args, known)
            case ast.Subscript(value=ast.Name(id=name), slice=index) if name in self.tables:
                place = self.value(index, known)
                return None if place is None else self._seen(self.tables[name][place].astype(np.int64))
        return None

    def _applied(self, operation: Any, operands: Sequence[ast.expr], known: Known) -> Any:
        values = [self.value(e, known) for e in operands]
        return None if any(v is None for v in values) else self._seen(operation(*values))

    def _seen(self, value: Any) -> Any:
        if np.size(value):
            self.largest = max(self.largest, int(np.max(value)), -int(np.min(value)))
        return value


def written(body: Sequence[ast.stmt]) -> Iterator[str]:
    """Yield the names of the arrays that statements store to."""
    for statement in body:
        for node in walk(statement):
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
                yield node.value.id


def bounds(loop: ast.For) -> tuple[ast.expr, ast.expr]:
    """Return where a loop begins and ends."""
    match loop.iter:
        case ast.Call(func=ast.Name(id="range"), args=[stop]):
            return ast.Constant(0), stop
        case ast.Call(func=ast.Name(id="range"), args=[start, stop]):
            return start, stop
    raise AssertionError(f"not a loop of the generated language: {ast.unparse(loop.iter)}")


def _picked(known: Known, of: np.ndarray, body: Sequence[ast.stmt]) -> dict[str, Any]:
    """Return what is known of the names that statements use, for some of the instances."""
    used = {node.id for statement in body for node in walk(statement) if isinstance(node, ast.Name)}
    return {name: value[of] if np.ndim(value) else value for name, value in known.items() if name in used}


def _picked_path(path: Path, of: np.ndarray) -> Path:
    return tuple(step[of] if np.ndim(step) else step for step in path)
