"""The loops of a generated function as grids: one thread a point, and one launch for all that may run at once.

A loop may run in any order, or all points at a time, if no point reads or overwrites what another one writes. This is
looked up in what the loop touches (see `sparsead.emit.accesses`), not trusted. Where several points add to one element,
what they add is kept, and another grid, with a thread for each such element, adds it up in the order of the loops (see
`sparsead.emit.terms`): so there is no atomic operation, and every bit is the same at every run, and as on the CPU.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sparsead.emit.accesses import Access, Accesses, written
from sparsead.emit.parsing import parse
from sparsead.emit.sharing import Procedure
from sparsead.emit.source import Function
from sparsead.emit.staging import MOST, Stretch, stage
from sparsead.emit.terms import Keeping, Waiting
from sparsead.errors import InputError
from sparsead.program.index import narrowed

NARROW = (1 << 31) - (1 << 10)  # whole numbers below are int on the device; a last block may count on a little


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
    stretches : tuple of Stretch
        What it puts into memory that a block shares, to be written out afterwards.
    """

    procedure: Procedure
    arrays: tuple[str, ...]
    numbers: tuple[int, ...]
    private: dict[str, int]
    points: int
    wide: bool
    reads: frozenset[str]
    writes: dict[str, np.ndarray]
    stretches: tuple[Stretch, ...] = ()

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
    _waiting: dict[str, Waiting] = field(default_factory=dict)

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
        for array in list(grids._waiting):
            grids._add_up(array)
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
        """Add a loop, which is given these arrays and numbers."""
        loop = _loop(procedure)
        actual = dict(zip(procedure.arrays, arguments, strict=True))
        tables = {name: self.tables[array] for name, array in actual.items() if array in self.tables}
        accesses = Accesses(loop, tables, dict(zip(procedure.numbers, numbers, strict=True)))
        private = {p: self.function.scratch[a] for p, a in actual.items() if a in self.function.scratch}
        keeping = Keeping(loop, accesses.points)
        writes: dict[str, np.ndarray] = {}
        stretches: list[Stretch] = []
        for name, array in actual.items():
            found = accesses.of(name)
            if name in private:
                _require_private(accesses, found, self.function.name)
                continue
            if array in self._waiting and (name not in accesses.written or any(a.kind == "read" for a in found)):
                self._add_up(array)
            if name in accesses.written:
                kept = self._shared(found, array, accesses.points)
                if kept:
                    self._keep(accesses, keeping, kept, array)
                writes[name] = _mask([a for a in found if a not in kept])
                if found and not kept:
                    room = MOST - sum(s.size for s in stretches)
                    stretches += stage(loop, found, accesses.points, room, len(stretches))
        if keeping.arrays or stretches:
            keeping.change()
            procedure, arguments = self._changed(procedure, arguments, keeping, {s.array for s in stretches})
        stored = (set(written(loop.body)) | {s.array for s in stretches}) - set(private)
        actual = dict(zip(procedure.arrays, arguments, strict=True))
        # terms, each of which has a place of its own, and what no point comes to, are nobody else's
        touched = {a: writes.get(p, np.zeros(0, np.bool_)) for p, a in actual.items() if p in stored}
        reads = frozenset(a for p, a in actual.items() if p not in private) - touched.keys()
        sizes = (waiting.size for waiting in self._waiting.values())
        wide = max(accesses.largest, accesses.points, *sizes, 0) >= NARROW
        grid = Grid(procedure, arguments, numbers, private, accesses.points, wide, reads, touched, tuple(stretches))
        self._place(grid)

    def _shared(self, found: Sequence[Access], array: str, points: int) -> list[Access]:
        """Return what stores to elements that several points write, or that terms wait for; and what shares with these.

        A loop whose points read what others write is refused.
        """
        stores = [a for a in found if a.kind != "read"]
        if array not in self._waiting and len(stores) == len(found) and _alone(stores):
            return []
        size = max((int(a.slot.max()) + 1 for a in found), default=0)
        writer, contested = np.full(size, -1), np.zeros(size, np.bool_)
        if array in self._waiting:
            mask = self._waiting[array].mask[:size]
            contested[: mask.size] = mask
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

    # -- terms ----------------------------------------------------------------------------------------------
    def _keep(self, accesses: Accesses, keeping: Keeping, kept: list[Access], array: str) -> None:
        """Let statements keep what they add to shared elements of an array."""
        if array not in self._waiting:
            self._waiting[array] = Waiting(f"terms{len(self.sizes)}")
            self.arrays[self._waiting[array].name] = "f8"
        waiting = self._waiting[array]
        slot = np.concatenate([a.slot for a in kept])
        stored = np.concatenate([np.full(a.slot.size, a.kind == "store") for a in kept])
        order = np.lexsort((accesses.times(kept), slot))
        term = np.concatenate([keeping.keep(a, waiting) for a in kept])
        waiting.parts.append((slot[order], term[order], stored[order]))
        self.sizes[waiting.name] = waiting.size

    def _changed(
        self, procedure: Procedure, arguments: tuple[str, ...], keeping: Keeping, written_later: set[str]
    ) -> tuple[Procedure, tuple[str, ...]]:
        """Return the procedure with its new statements, and the arrays that it takes now."""
        lines = [f"    {line}" for line in ast.unparse(keeping.loop).splitlines()]
        used = {n.id for n in ast.walk(keeping.loop) if isinstance(n, ast.Name)} | written_later
        pairs = zip(procedure.arrays, arguments, strict=True)
        actual = {p: a for p, a in pairs if p in used} | keeping.arrays
        name = f"{procedure.name}_{len(self.fixed)}"
        actual |= {p: self._table(f"{name}_{p}", first) for p, first in keeping.firsts.items()}
        types = {p: self.arrays[a] for p, a in actual.items()}
        return Procedure(name, types, procedure.numbers, lines), tuple(actual.values())

    def _table(self, name: str, values: np.ndarray) -> str:
        values = np.ascontiguousarray(narrowed(values))
        self.fixed[name], self.arrays[name] = values, values.dtype.str[1:]
        return name

    def _add_up(self, array: str) -> None:
        """Add the grids in which each shared element of an array adds up its terms."""
        waiting = self._waiting.pop(array)
        for owned in waiting.owned():
            tables = {"slot": owned.slot, "start": owned.start, "term": owned.term}
            base = f"{waiting.name}_{'set' if owned.fresh else 'added'}"
            names = [self._table(f"{base}_{name}", values) for name, values in tables.items()]
            arrays = (array, waiting.name, *names)
            types = dict(zip(("target", "terms", *tables), (self.arrays[a] for a in arrays), strict=True))
            mask = np.zeros(int(owned.slot.max()) + 1, np.bool_)
            mask[owned.slot] = True
            wide = max(mask.size, owned.term.size, waiting.size) >= NARROW
            procedure = Procedure(base, types, (), owned.text.splitlines())
            reads = frozenset(arrays[1:])
            self._place(Grid(procedure, arrays, (), {}, owned.slot.size, wide, reads, {array: mask}))


def _loop(procedure: Procedure) -> ast.For:
    (function,) = parse(procedure.text).body  # a tree of its own: it may be changed
    (loop,) = function.body
    assert isinstance(loop, ast.For)
    return loop


def _alone(stores: Sequence[Access]) -> bool:
    """Tell whether no element is stored to twice; False where that takes a closer look."""
    taken = np.zeros(max((int(a.slot.max()) + 1 for a in stores), default=0), np.bool_)
    for a in stores:
        if taken[a.slot].any() or (a.slot[1:] <= a.slot[:-1]).any():
            return False
        taken[a.slot] = True
    return True


def _mask(found: Sequence[Access]) -> np.ndarray:
    mask = np.zeros(max((int(a.slot.max()) + 1 for a in found), default=0), np.bool_)
    for a in found:
        mask[a.slot] = True
    return mask


def _require_private(accesses: Accesses, found: Sequence[Access], name: str) -> None:
    """Make sure that each point reads of a scratch array what it has stored there itself."""
    if not any(a.kind == "read" for a in found):
        return
    point, slot = (np.concatenate([getattr(a, what) for a in found]) for what in ("point", "slot"))
    order = np.lexsort((accesses.times(found), slot, point))
    store, read = (
        np.concatenate([np.full(a.slot.size, a.kind == kind) for a in found])[order] for kind in ("store", "read")
    )
    place = np.arange(order.size)
    first = np.append(True, (np.diff(point[order]) != 0) | (np.diff(slot[order]) != 0))
    begin, last_store = (np.maximum.accumulate(np.where(marked, place, -1)) for marked in (first, store))
    if (last_store < begin)[read].any():
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
