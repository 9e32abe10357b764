"""The loops of a generated function as grids: one thread a point, and one launch for all that may run at once.

A loop may run in any order, or all points at a time, if no point reads or overwrites what another one writes. This is
looked up in what the loop touches (see `sparsead.emit.accesses`), not trusted. Where several points add to one element,
one of them computes all its terms (see `sparsead.emit.owners`); or what they add is kept, and another grid, with a
thread for each such element, adds it up in the order of the loops (see `sparsead.emit.terms`). So there is no atomic
operation, and every bit is the same at every run, and as on the CPU.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from sparsead.emit.accesses import Access, Accesses, written
from sparsead.emit.calls import calls, points_of
from sparsead.emit.conflicts import contested, require_private, touched_by
from sparsead.emit.fills import Fill
from sparsead.emit.indices import formula, simplified
from sparsead.emit.loop_fission import TIMES, parts
from sparsead.emit.neighbours import Shared
from sparsead.emit.owners import Owners
from sparsead.emit.parsing import walk
from sparsead.emit.sharing import Procedure
from sparsead.emit.source import Function
from sparsead.emit.staging import MOST, Stretch, stage
from sparsead.emit.terms import Keeping, Waiting
from sparsead.emit.threads import NARROW, Grid, meet
from sparsead.emit.tiles import tiled
from sparsead.errors import InputError
from sparsead.program.index import narrowed

FEW = 4096  # points of a loop whose terms cost less than another launch

Known = Mapping[str, str]  # arrays by their names in a loop


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
    _short: int = 0
    _layered: bool = False
    _inner: list[str] = field(default_factory=list)
    _order: list[Grid] = field(default_factory=list)
    _waiting: dict[str, Waiting] = field(default_factory=dict)
    _fills: dict[str, tuple[Fill, str, Known, Mapping[str, int]]] = field(default_factory=dict)

    @classmethod
    def of(cls, function: Function, fixed: Mapping[str, np.ndarray], inner: Collection[str] = ()) -> Grids:
        """Return the grids of a function; raise InputError if it has none.

        Parameters
        ----------
        function : Function
        fixed : mapping
            The values of its fixed arrays.
        inner : collection of str
            Arrays that nobody else reads: they need not be written if none of its grids reads them.
        """
        if function.then is not None:
            raise InputError(
                f"{function.then.operation.name} is called on the host while {function.name} is computed, which a "
                "device cannot do; write it in NumPy operations that are traced, or evaluate on the CPU"
            )
        tables = {name: value for name, value in fixed.items() if value.dtype.kind == "i"}
        grids = cls(function, tables, arrays=dict(function.arrays))
        loops = list(calls(function))
        grids._layered = bool(inner)
        grids._short = max((points_of(loop, numbers) for _, loop, _, numbers in loops), default=0) // TIMES
        for name, loop, actual, numbers in loops:
            grids._add(name, loop, actual, numbers)
        for array in list(grids._waiting):
            grids._add_up(array)
        for array in list(grids._fills):
            grids._fill(array)
        for grid in tiled(grids._order, [*inner, *grids._inner], grids._known, grids._listed):
            grids._place(grid)
        grids._forget()
        return grids

    def _forget(self) -> None:
        """Leave out tables and work arrays that no grid needs in the end."""
        levels = [grid for level in self.levels for grid in level]
        used = {a for grid in levels for one in (grid, grid.layer and grid.layer.grid) if one for a in one.arrays}
        self.fixed = {name: table for name, table in self.fixed.items() if name in used}
        self.sizes = {name: size for name, size in self.sizes.items() if name in used}

    # -- levels ---------------------------------------------------------------------------------------------
    def _place(self, grid: Grid) -> None:
        """Put a grid on the first level after all that it waits for."""
        level = len(self.levels)
        while level and not any(grid.waits_for(other) for other in self.levels[level - 1]):
            level -= 1
        if level == len(self.levels):
            self.levels.append([])
        self.levels[level].append(grid)

    # -- one loop -------------------------------------------------------------------------------------------
    def _add(self, name: str, loop: ast.For, actual: Known, numbers: Mapping[str, int], split: bool = True) -> None:
        """Add a loop, which is given these arrays and numbers by its names for them; `split` it if that is worth it."""
        loop = simplified(loop, self._known(actual), numbers, every=not split)
        accesses = Accesses(loop, self._known(actual), numbers)
        fill = Fill.of(loop, accesses)
        if fill is not None and actual[fill.array] not in self._waiting:
            self._fill(actual[fill.array])
            self._fills[actual[fill.array]] = fill, name, actual, numbers
            return
        shared = self._shared(accesses, actual)
        few = self._joining(accesses, actual, self._waiting)
        owners = self._owners(loop, accesses, actual, shared) if split and not few else None
        if owners is not None:
            self._add_owned(name, owners[1], actual, numbers, owners[0], bool(shared))
            return
        summed = shared | few | self._joining(accesses, actual, self._fills)
        if accesses.points < self._short and not summed and not self._private(actual).keys() & accesses.written:
            for part in parts(loop, accesses):
                self._finish(name, part, Accesses(part, self._known(actual), numbers), actual, numbers, {})
        else:
            self._finish(name, loop, accesses, actual, numbers, summed)

    def _shared(self, accesses: Accesses, actual: Known) -> dict[str, list[Access]]:
        """Return, by array, what stores to elements that several points write, or that terms of earlier loops wait for.

        Terms that are read are added up first. A loop whose points read what others write is refused.
        """
        shared: dict[str, list[Access]] = {}
        for parameter, array in actual.items():
            found = accesses.of(parameter)
            if parameter in self._private(actual):
                require_private(accesses, found, self.function.name)
                continue
            if array in self._waiting and (parameter not in accesses.written or any(a.kind == "read" for a in found)):
                self._add_up(array)
            if parameter in accesses.written:
                waiting = self._waiting.get(array)
                kept = contested(found, None if waiting is None else waiting.mask)
                if kept is None:
                    raise InputError(
                        f"{self.function.name} has a loop over {accesses.points} points, each of which needs what "
                        f"others store in {array}: a recurrence, which has to run in order and so not on a device; "
                        "evaluate on the CPU"
                    )
                if kept:
                    shared[parameter] = kept
        return shared

    def _joining(self, accesses: Accesses, actual: Known, arrays: Collection[str]) -> dict[str, list[Access]]:
        """Return the additions of a loop of few points that go with the terms of others, in place of a launch for each.

        They are added to one of `arrays`: those for which terms wait, or which are to be filled.
        """
        chosen = {}
        for parameter, array in actual.items():
            found = accesses.of(parameter)
            adds = any(a.kind == "add" for a in found) and all(a.kind != "read" and len(a.inner) < 2 for a in found)
            if adds and accesses.points < FEW and array in arrays:
                chosen[parameter] = found
        return chosen

    def _owners(
        self, loop: ast.For, accesses: Accesses, actual: Known, shared: Collection[str]
    ) -> tuple[str, Owners] | None:
        """Return the owners among the points of a loop, and the array whose elements they own; None without any."""
        for parameter, array in actual.items():
            if parameter in accesses.written and array not in self.function.scratch and set(shared) <= {parameter}:
                waiting = self._waiting.get(array)
                stores = [a for a in accesses.of(parameter) if a.kind != "read"]
                if not (shared or self._layered or any(a.kind == "add" for a in stores)):
                    continue  # what is stored once, and no tile needs, is best stored by neighbours, without gaps
                owners = Owners.of(loop, accesses, stores, None if waiting is None else waiting.mask, bool(shared))
                if owners is not None:
                    return parameter, owners
        return None

    def _add_owned(
        self,
        name: str,
        owners: Owners,
        actual: Known,
        numbers: Mapping[str, int],
        parameter: str,
        shared: bool,
    ) -> None:
        """Add the loops that a loop with owners comes to: of these, of terms without owner, of all else."""
        array, begin = actual[parameter], None
        if array in self._fills:
            fill = self._fills[array][0]
            if not owners.added.any() or fill.covers(owners.added):
                fill.leave_out(owners.slots)
                begin = fill.value
        code, tables = self._listed(owners.points, "owned")
        given = {**actual, **tables}
        if owners.layer is not None:
            given["kept"] = self._layer(name, owners.layer, actual, numbers)
        self._add(name, owners.owner_loop(code, "turn", begin), given, numbers, split=False)
        if owners.rest.size:
            code, tables = self._listed(owners.rest, "rest")
            loop, given = owners.rest_loop(code, "turn"), {**actual, **tables}
            accesses = Accesses(loop, self._known(given), numbers)
            kept = {parameter: accesses.of(parameter)} if shared else {}
            self._finish(name, loop, accesses, given, numbers, kept, owners.slots)
        others = owners.other_loop()
        if others is not None:
            self._add(name, others, actual, numbers)

    def _layer(self, name: str, layer: Shared, actual: Known, numbers: Mapping[str, int]) -> str:
        """Add the loop of what neighbouring owners share; return the array that keeps it, until it is in a tile."""
        kept = f"shared{len(self.sizes)}"
        loop = layer.layer_loop("kept", "q")
        self.sizes[kept], self.arrays[kept] = layer.size * len(layer.codes), "f8"
        self._inner.append(kept)
        used = {n.id for n in walk(loop) if isinstance(n, ast.Name)}
        read = {parameter: array for parameter, array in actual.items() if parameter in used}
        self._add(name, loop, {**read, "kept": kept}, numbers, split=False)
        return kept

    def _stores(
        self,
        accesses: Accesses,
        keeping: Keeping,
        actual: Known,
        shared: Mapping[str, list[Access]],
        owned: np.ndarray | None,
    ) -> tuple[dict[str, np.ndarray], list[list[Access]]]:
        """Return which elements of each array a loop writes itself, and what it does to arrays whose elements it owns.

        What goes to shared elements is kept as terms.
        """
        private = self._private(actual)
        writes: dict[str, np.ndarray] = {}
        unshared: list[list[Access]] = []
        for parameter, array in actual.items():
            if parameter not in accesses.written or parameter in private:
                continue
            found, kept = accesses.of(parameter), shared.get(parameter, [])
            if kept:
                self._keep(accesses, keeping, kept, array, owned)
            elif found:
                unshared.append(found)
            # terms, each of which has a place of its own, and what no point comes to, are nobody else's
            writes[array] = touched_by([a for a in found if a not in kept])
        return writes, unshared

    def _finish(
        self,
        name: str,
        loop: ast.For,
        accesses: Accesses,
        actual: Known,
        numbers: Mapping[str, int],
        shared: Mapping[str, list[Access]],
        owned: np.ndarray | None = None,
    ) -> None:
        """Add the grid of a loop whose stores to `shared` elements are kept as terms, but for those of owners."""
        private = self._private(actual)
        keeping = Keeping(loop, accesses.points)
        writes, unshared = self._stores(accesses, keeping, actual, shared, owned)
        keeping.change()
        first = {p: self._table(values) for p, values in keeping.firsts.items()}
        used = {n.id for n in walk(loop) if isinstance(n, ast.Name)}
        given = {p: a for p, a in {**actual, **keeping.arrays, **first}.items() if p in used}
        self._fill_before(accesses, given, writes)
        stored = set(written(loop.body)) - set(private)
        touched = {a: writes.get(a, np.zeros(0, np.bool_)) for p, a in given.items() if p in stored}
        reads = frozenset(a for p, a in given.items() if p not in private) - touched.keys()
        sizes = (waiting.size for waiting in self._waiting.values())
        wide = max(accesses.largest, accesses.points, *sizes, 0) >= NARROW
        direct = self._procedure(name, loop, given, numbers)
        stretches: list[Stretch] = []
        for found in unshared:
            room = MOST - sum(s.size for s in stretches)
            stretches += stage(loop, found, accesses.points, room, len(stretches))
        arrays, counts = tuple(given.values()), tuple(numbers.values())
        grid = Grid(direct, arrays, counts, private, accesses.points, wide, reads, touched)
        if stretches:
            staged = self._procedure(name, loop, given, numbers)
            grid = replace(grid, procedure=staged, stretches=tuple(stretches), direct=direct)
        self._order.append(grid)

    def _procedure(self, name: str, loop: ast.For, given: Known, numbers: Mapping[str, int]) -> Procedure:
        lines = [f"    {line}" for line in ast.unparse(loop).splitlines()]
        return Procedure(name, {p: self.arrays[a] for p, a in given.items()}, tuple(numbers), lines)

    def _private(self, actual: Known) -> dict[str, int]:
        return {p: self.function.scratch[a] for p, a in actual.items() if a in self.function.scratch}

    def _known(self, actual: Known) -> dict[str, np.ndarray]:
        """Return the tables by their names in a loop."""
        known = {**self.tables, **self.fixed}
        return {p: known[a] for p, a in actual.items() if a in known}

    def _fill_before(self, accesses: Accesses, given: Known, writes: Mapping[str, np.ndarray]) -> None:
        """Add the loops that fill what a loop needs of its arrays, which `writes` do not set anyway."""
        for parameter, array in given.items():
            if array in self._fills:
                fill = self._fills[array][0]
                if all(a.kind == "store" for a in accesses.of(parameter)) and array in writes:
                    fill.leave_out(writes[array])
                if array not in writes or meet(writes[array], fill.left):
                    self._fill(array)

    def _fill(self, array: str) -> None:
        """Add the loop that fills what is left of an array."""
        if array not in self._fills:
            return
        fill, name, actual, numbers = self._fills.pop(array)
        loop = fill.loop
        if not fill.whole:
            code, tables = self._listed(np.flatnonzero(fill.left), "left")
            loop, actual = fill.remaining(code), {**actual, **tables}
        self._finish(name, loop, Accesses(loop, self._known(actual), numbers), actual, numbers, {})

    def _listed(self, values: np.ndarray, name: str, counter: str = "turn") -> tuple[str, dict[str, str]]:
        """Return the code of some whole numbers by a counter, and the tables that it needs."""
        code = formula(values, counter)
        return (code, {}) if code is not None else (f"{name}[{counter}]", {name: self._table(values)})

    # -- terms ----------------------------------------------------------------------------------------------
    def _keep(
        self, accesses: Accesses, keeping: Keeping, kept: list[Access], array: str, owned: np.ndarray | None
    ) -> None:
        """Let statements keep what they add to shared elements of an array; those of owners need not be kept."""
        if array not in self._waiting:
            self._waiting[array] = Waiting(f"terms{len(self.sizes)}")
            self.arrays[self._waiting[array].name] = "f8"
        waiting = self._waiting[array]
        slot = np.concatenate([a.slot for a in kept])
        stored = np.concatenate([np.full(a.slot.size, a.kind == "store") for a in kept])
        order = np.lexsort((accesses.times(kept), slot))
        if owned is not None:
            order = order[~owned[slot[order]]]
        term = np.concatenate([keeping.keep(a, waiting) for a in kept])
        waiting.parts.append((slot[order], term[order], stored[order]))
        self.sizes[waiting.name] = waiting.size

    def _table(self, values: np.ndarray) -> str:
        name, values = f"fixed{len(self.fixed)}", np.ascontiguousarray(narrowed(values))
        self.fixed[name], self.arrays[name] = values, values.dtype.str[1:]
        return name

    def _add_up(self, array: str) -> None:
        """Add the grids in which each shared element of an array adds up its terms."""
        waiting = self._waiting.pop(array)
        owned, before = list(waiting.owned()), None
        if array in self._fills:
            fill, added = self._fills[array][0], np.zeros(waiting.mask.size, np.bool_)
            for one in owned:
                added[one.slot] = not one.fresh
            if not added.any() or fill.covers(added):
                fill.leave_out(waiting.mask)
                before = fill.value
            self._fill(array)
        for one in owned:
            tables = {"slot": one.slot, "term": one.term} | ({} if one.start is None else {"start": one.start})
            given = {"target": array, "terms": waiting.name} | {p: self._table(t) for p, t in tables.items()}
            private = {} if one.start is None else {"total": 1}
            types = {p: self.arrays[a] for p, a in given.items()} | dict.fromkeys(private, "f8")
            wide = max(one.mask.size, one.term.size, waiting.size) >= NARROW
            procedure = Procedure(waiting.name, types, (), one.text(before).splitlines())
            arrays, reads = (*given.values(), *private), frozenset(given.values()) - {array}
            self._order.append(Grid(procedure, arrays, (), private, one.slot.size, wide, reads, {array: one.mask}))
