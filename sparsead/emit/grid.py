"""The loops of a generated function as grids: one thread a point, and one launch for all that may run at once.

A loop may run in any order, or all points at a time, if no point reads or overwrites what another one writes. This is
looked up in what the loop touches (see `sparsead.emit.accesses`), not trusted. Where several points add to one element,
the numbers that they add are kept, and a second grid, with a thread for each such element, adds them up in the order in
which the loop of the CPU does: so there is no atomic operation, and every bit is the same at every run and as there.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sparsead.emit.accesses import Access, Accesses, Inner, written
from sparsead.emit.parsing import parse
from sparsead.emit.sharing import Procedure
from sparsead.emit.source import Function
from sparsead.errors import InputError
from sparsead.program.index import narrowed

NARROW = (1 << 31) - (1 << 10)  # whole numbers below are int on the device; a last block may count on a little

OWNED = {True: ("stored", 1), False: ("added", 0)}  # whether the first term is stored
OWNER = """def {name}(target, terms, slot, start, term):
    for i in range({count}):
        s = slot[i]
        begin = start[i]
        end = start[i + 1]
{first}        for e in range(begin + {skipped}, end):
            target[s] += terms[term[e]]
"""


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
    """

    procedure: Procedure
    arrays: tuple[str, ...]
    numbers: tuple[int, ...]
    private: dict[str, int]
    points: int
    wide: bool
    reads: frozenset[str]
    writes: dict[str, np.ndarray]

    @property
    def given(self) -> dict[str, str]:
        """The arrays by their names in the loop, but for private ones."""
        pairs = zip(self.procedure.arrays, self.arrays, strict=True)
        return {parameter: array for parameter, array in pairs if parameter not in self.private}

    def waits_for(self, other: Grid) -> bool:
        """Tell whether it must not run before an earlier one is complete."""
        if any(a in other.writes for a in self.reads) or any(a in self.writes for a in other.reads):
            return True
        return any(_meet(mask, other.writes[a]) for a, mask in self.writes.items() if a in other.writes)


def _meet(first: np.ndarray, second: np.ndarray) -> bool:
    size = min(first.size, second.size)
    return bool((first[:size] & second[:size]).any())


@dataclass(eq=False)
class Grids:
    """The grids of a function, and what they need beside its arrays.

    Attributes
    ----------
    levels : list of list of Grid
        Those of one level may run at once, after all levels before.
    arrays : dict
        Element types of all arrays: of the function, and of what follows.
    fixed, sizes : dict
        Tables, and sizes of work arrays, that the grids bring along.
    """

    function: Function
    tables: Mapping[str, np.ndarray]
    levels: list[list[Grid]] = field(default_factory=list)
    arrays: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, np.ndarray] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, function: Function, fixed: Mapping[str, np.ndarray]) -> Grids:
        """Return the grids of a function, given the values of its fixed arrays; raise InputError if it has none."""
        if function.then is not None:
            operation = getattr(getattr(function.then, "__self__", None), "operation", None)
            name = getattr(operation, "name", "a function of yours")
            raise InputError(
                f"{name} is called on the host while {function.name} is computed, which a device cannot do; write it "
                "in NumPy operations that are traced, or evaluate on the CPU"
            )
        tables = {name: value for name, value in fixed.items() if value.dtype.kind == "i"}
        grids = cls(function, tables, arrays=dict(function.arrays))
        for procedure, arguments, numbers in _calls(function):
            grids._add(procedure, arguments, numbers)
        return grids

    # -- levels ---------------------------------------------------------------------------------------------
    def _place(self, grid: Grid) -> None:
        """Put a grid on the first level after all that it waits for."""
        if not grid.points:
            return
        level = len(self.levels)
        while level and not any(grid.waits_for(other) for other in self.levels[level - 1]):
            level -= 1
        if level == len(self.levels):
            self.levels.append([])
        self.levels[level].append(grid)

    # -- one loop -------------------------------------------------------------------------------------------
    def _add(self, procedure: Procedure, arguments: tuple[str, ...], numbers: tuple[int, ...]) -> None:
        tree = ast.parse(procedure.text)
        (function,) = tree.body
        assert isinstance(function, ast.FunctionDef)
        (loop,) = function.body
        assert isinstance(loop, ast.For)
        actual = dict(zip(procedure.arrays, arguments, strict=True))
        tables = {name: self.tables[array] for name, array in actual.items() if array in self.tables}
        accesses = Accesses(loop, tables, dict(zip(procedure.numbers, numbers, strict=True)))
        private = {p: self.function.scratch[a] for p, a in actual.items() if a in self.function.scratch}
        kept: dict[str, list[Access]] = {}
        writes: dict[str, np.ndarray] = {}
        for name in sorted(accesses.written):
            found = accesses.of(name)
            if name in private:
                _require_private(accesses, found, self.function.name)
            if name in private or not found:
                continue
            kept[name] = self._shared(found, actual[name], accesses.points)
            left = [a for a in found if a not in kept[name]]
            if any(a.kind != "read" for a in left):
                writes[actual[name]] = _mask(left)
        moved = _Terms(accesses.points, loop, tree)
        owners = [self._owners(accesses, moved, found, actual[name]) for name, found in kept.items() if found]
        if owners:
            terms = f"terms{len(self.sizes)}"
            procedure, arguments = self._with_terms(procedure, arguments, moved, terms)
            writes[terms] = np.ones(1, np.bool_)
        for name in set(written(loop.body)) & set(actual) - set(private):  # in statements that no point comes to, too
            writes.setdefault(actual[name], np.zeros(0, np.bool_))
        reads = frozenset(a for p, a in zip(procedure.arrays, arguments, strict=True) if a not in writes)
        reads -= frozenset(self.function.scratch)
        wide = max(accesses.largest, accesses.points, moved.size) >= NARROW
        self._place(Grid(procedure, arguments, numbers, private, accesses.points, wide, reads, writes))
        for owner in owners:
            self._own(terms, *owner)

    def _shared(self, found: Sequence[Access], array: str, points: int) -> list[Access]:
        """Return the accesses that store to elements which several points write, or that others of these touch.

        A loop whose points read what others write is refused.
        """
        stores = [a for a in found if a.kind != "read"]
        size = max((int(a.slot.max()) + 1 for a in found if a.slot.size), default=0)
        writer, contested = np.full(size, -1), np.zeros(size, np.bool_)
        for a in stores:
            writer[a.slot] = a.point
        for a in stores:
            contested[a.slot[writer[a.slot] != a.point]] = True
        chosen: list[Access] = []
        while more := [a for a in stores if a not in chosen and contested[a.slot].any()]:
            chosen += more
            for a in more:
                contested[a.slot] = True
        for a in found:
            if a.kind == "read":
                other = contested[a.slot] | ((writer[a.slot] >= 0) & (writer[a.slot] != a.point))
                if other.any():
                    raise InputError(
                        f"{self.function.name} has a loop over {points} points, each of which needs what others store "
                        f"in {array}: a recurrence, which has to run in order and so not on a device; evaluate on the "
                        "CPU"
                    )
        return chosen

    def _owners(
        self, accesses: Accesses, moved: _Terms, found: list[Access], array: str
    ) -> tuple[str, np.ndarray, np.ndarray, np.ndarray]:
        """Return the array, and for each term that goes there: the slot, its place, and whether it is stored."""
        slot = np.concatenate([a.slot for a in found])
        stored = np.concatenate([np.full(a.slot.size, a.kind == "store") for a in found])
        term = np.concatenate([moved.place(a) for a in found])
        order = np.lexsort((accesses.times(found), slot))
        return array, slot[order], term[order], stored[order]

    def _with_terms(
        self, procedure: Procedure, arguments: tuple[str, ...], moved: _Terms, terms: str
    ) -> tuple[Procedure, tuple[str, ...]]:
        """Return the procedure that keeps the terms, and its arrays."""
        self.arrays[terms], self.sizes[terms] = "f8", moved.size
        firsts = {}
        for name, first in moved.firsts.items():
            firsts[name] = self._table(f"{terms}_{name}", first)
        text = moved.text()
        used = {n.id for n in ast.walk(moved.tree) if isinstance(n, ast.Name)}
        arrays = {p: t for p, t in procedure.arrays.items() if p in used}
        actual = tuple(a for p, a in zip(procedure.arrays, arguments, strict=True) if p in used)
        extra = {"terms": "f8", **{name: self.arrays[table] for name, table in firsts.items()}}
        name = f"terms_{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"
        made = Procedure(name, arrays | extra, procedure.numbers, text.splitlines())
        return made, (*actual, terms, *firsts.values())

    def _table(self, name: str, values: np.ndarray) -> str:
        values = np.ascontiguousarray(narrowed(values))
        self.fixed[name], self.arrays[name] = values, values.dtype.str[1:]
        return name

    def _own(self, terms: str, array: str, slot: np.ndarray, term: np.ndarray, stored: np.ndarray) -> None:
        """Add the grids in which each shared element adds up its terms: from the last one that is stored, if any."""
        first = np.flatnonzero(np.diff(slot, prepend=-1))
        number = np.cumsum(np.diff(slot, prepend=-1) != 0) - 1
        begin = first.copy()
        np.maximum.at(begin, number[stored], np.flatnonzero(stored))
        end = np.append(first[1:], slot.size)
        for fresh in (True, False):
            chosen = np.flatnonzero(stored[begin] == fresh)
            if not chosen.size:
                continue
            counts = (end - begin)[chosen]
            start = np.concatenate([[0], np.cumsum(counts)])
            entries = np.arange(start[-1]) - np.repeat(start[:-1] - begin[chosen], counts)
            kind, skipped = OWNED[fresh]
            base = f"{terms}_{array}_{kind}"
            values = {"slot": slot[first[chosen]], "start": start, "term": term[entries]}
            names = [self._table(f"{base}_{name}", value) for name, value in values.items()]
            mask = np.zeros(int(slot.max()) + 1, np.bool_)
            mask[values["slot"]] = True
            code = "        target[s] = terms[term[begin]]\n" if fresh else ""
            text = OWNER.format(name="owner", count=chosen.size, first=code, skipped=skipped)
            types = {"target": "f8", "terms": "f8", **dict(zip(values, (self.arrays[n] for n in names), strict=True))}
            procedure = Procedure(f"owner_{kind}_{chosen.size}", types, (), text.splitlines()[1:])
            wide = max(slot[-1], start[-1], self.sizes[terms]) >= NARROW
            reads = frozenset([terms, *names])
            self._place(Grid(procedure, (array, terms, *names), (), {}, chosen.size, bool(wide), reads, {array: mask}))


class _Terms:
    """The statements of a loop that keep their numbers for later, in place of adding them.

    Each has a part of the array of terms, with the terms of neighbouring points side by side where there is one a point
    (or the same number); else those of a point.
    """

    def __init__(self, points: int, loop: ast.For, tree: ast.Module) -> None:
        assert isinstance(loop.target, ast.Name)
        self.points, self.loop, self.tree, self.counter = points, loop, tree, loop.target.id
        self.size = 0
        self.firsts: dict[str, np.ndarray] = {}
        self.moved: dict[int, ast.stmt] = {}

    def place(self, access: Access) -> np.ndarray:
        """Find room for the terms of a statement; return the place of each instance."""
        base, statement = self.size, access.statement
        assert len(access.inner) < 2, "a loop in a loop in a point"
        if not access.inner:
            code, found, size = f"{base} + {self.counter}", base + access.point, self.points
        else:
            code, found, size = self._in_loop(access.inner[0], access.point, base)
        self.size += size
        target = ast.Subscript(ast.Name("terms"), parse(code, "eval").body, ast.Store())
        assert isinstance(statement, ast.Assign | ast.AugAssign)
        self.moved[id(statement)] = ast.Assign([target], statement.value, lineno=0)
        return found

    def _in_loop(self, inner: Inner, point: np.ndarray, base: int) -> tuple[str, np.ndarray, int]:
        turn = f"({inner.counter} - ({ast.unparse(inner.start)}))"
        turns = inner.turns
        if (turns == turns[0]).all():
            code = f"{base} + {self.points} * {turn} + {self.counter}"
            return code, base + self.points * inner.turn + point, self.points * int(turns[0])
        first, name = np.concatenate([[0], np.cumsum(turns)]), f"first{len(self.firsts)}"
        self.firsts[name] = base + first[:-1]
        return f"{name}[{self.counter}] + {turn}", base + first[point] + inner.turn, int(first[-1])

    def text(self) -> str:
        """Return the loop with these statements; the tree is changed."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.For | ast.If):
                node.body = [self.moved.get(id(statement), statement) for statement in node.body]
        return "\n".join(f"    {line}" for line in ast.unparse(ast.fix_missing_locations(self.loop)).splitlines())


def _mask(found: Sequence[Access]) -> np.ndarray:
    mask = np.zeros(max((int(a.slot.max()) + 1 for a in found), default=0), np.bool_)
    for a in found:
        mask[a.slot] = True
    return mask


def _require_private(accesses: Accesses, found: Sequence[Access], name: str) -> None:
    """Make sure that each point stores to an element of a scratch array before it adds to it and reads it."""
    if not any(a.kind == "read" for a in found):
        return
    point, slot = (np.concatenate([getattr(a, what) for a in found]) for what in ("point", "slot"))
    store, read = (np.concatenate([np.full(a.slot.size, a.kind == kind) for a in found]) for kind in ("store", "read"))
    order = np.lexsort((accesses.times(found), slot, point))
    first = np.ones(order.size, np.bool_)
    first[1:] = (np.diff(point[order]) != 0) | (np.diff(slot[order]) != 0)
    is_read = np.bincount(np.cumsum(first) - 1, weights=read[order]) > 0
    if not store[order][first][is_read].all():
        raise AssertionError(f"a point of {name} reads scratch memory that it has not set")


def _calls(function: Function) -> Iterator[tuple[Procedure, tuple[str, ...], tuple[int, ...]]]:
    """Yield the calls of a function in order, with their arrays and whole numbers; repeated ones again and again."""
    procedures = {p.name: p for p in function.procedures}
    (definition,) = parse(function.text).body
    yield from _walked(definition.body, procedures, {})


def _walked(
    body: Sequence[ast.stmt], procedures: Mapping[str, Procedure], known: dict[str, int]
) -> Iterator[tuple[Procedure, tuple[str, ...], tuple[int, ...]]]:
    for node in body:
        match node:
            case ast.Pass():
                pass
            case ast.Expr(value=ast.Call(func=ast.Name(id=name), args=args)):
                procedure, names = procedures[name], [ast.unparse(arg) for arg in args]
                count = len(procedure.arrays)
                yield procedure, tuple(names[:count]), tuple(known[n] for n in names[count:])
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                known[name] = _number(value, known)
            case ast.For(target=ast.Name(id=name), iter=ast.Call(args=[stop]), body=inside):
                for turn in range(_number(stop, known)):
                    known[name] = turn
                    yield from _walked(inside, procedures, known)
            case _:
                raise AssertionError(f"not between grids: {ast.unparse(node)}")


def _number(node: ast.expr, known: Mapping[str, int]) -> int:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.Name(id=name):
            return known[name]
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _number(left, known) * _number(right, known)
    raise AssertionError(f"not between grids: {ast.unparse(node)}")
