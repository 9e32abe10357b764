"""Sweeps of a program that does the same for each of many cells: those of one cell, for many points at once.

Points are the cells, wherever their elements are among those of the whole, so the matrix is the one of the whole
program: its rows and columns are in the order of the function, and every value is written where it belongs.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coloring import ColoringResult, SparsityPattern, from_colors
from coloring.cached import cached_property
from sparsead.emit.lanes import in_lanes, is_light
from sparsead.emit.layout import Layout
from sparsead.emit.operation_count import calls_functions, work_of
from sparsead.emit.sweep import Engine, Sweep
from sparsead.kernels.indexmap import IndexMap
from sparsead.kernels.kernel import Buffer, Kernel, Kernels, Load, Store
from sparsead.kernels.linear import LinearProgram
from sparsead.program.cells import Cells
from sparsead.program.index import index_dtype
from sparsead.program.scalar import Pool
from sparsead.sweeps.assembly import Assembly, Part
from sparsead.sweeps.storage import Storage
from sparsead.sweeps.vector import write_padding, write_value

AT_ONCE = 1 << 16  # entries that are compared at a time
WORTH_OF_TOTAL = 16  # operations for each number that a cell reads or writes from which on sums over cells gain
VALUE, SHARE = "y", "share"  # arrays: the value, and what each cell has of one that is a total


@dataclass(frozen=True, eq=False)
class Moves:
    """Where the elements of the cells are: those of the first one, and how far each goes from a cell to the next."""

    first: np.ndarray
    step: np.ndarray

    @classmethod
    def of(cls, size: int, inner: int, count: int) -> Moves:
        """Return the places of cells of `size` elements, of which `inner` follow one another."""
        e = np.arange(size)
        return cls(e // inner * inner * count + e % inner, np.full(size, inner))

    def chosen(self, elements: np.ndarray) -> Moves:
        """Return the places of some of the elements."""
        return Moves(self.first[elements], self.step[elements])

    def are(self, last: bool, count: int) -> bool:
        """Tell whether the cells lie one after the other or, with `last`, element after element."""
        e = np.arange(self.step.size)
        first, step = (count * e, 1) if last else (e, e.size)
        return bool((self.first == first).all() and (self.step == step).all())

    def through(self, place: np.ndarray, count: int) -> Moves | None:
        """Return where these elements are, each at its place; None where steps differ from cell to cell."""
        first = place[self.first].astype(np.int64)
        step = place[self.first + self.step] - first
        many = max(AT_ONCE // max(first.size, 1), 1)
        for k in range(0, count, many):
            cell = np.arange(k, min(k + many, count))[:, None]
            if not np.array_equal(place[self.first + cell * self.step], first + cell * step):
                return None
        return Moves(first, step)


class BlockDiagonal:
    """The matrix of all cells, made of that of one: along the diagonal, but for the order of rows and columns.

    Attributes
    ----------
    pattern : SparsityPattern
        The entries, by rows of the whole.
    values : Moves
        Where the entries of a cell are among them.
    """

    def __init__(self, cells: Cells, of_cell: SparsityPattern) -> None:
        (m, n), count, along = of_cell.shape, cells.count, cells.inner[cells.program.wrt.name]
        inner = along if cells.total else cells.value
        ends = of_cell.indptr[::inner].astype(np.int64)  # rows of a cell that follow one another
        lengths = np.diff(of_cell.indptr).reshape(-1, 1, inner)
        indptr = np.append(0, np.cumsum(np.broadcast_to(lengths, (m // inner, count, inner))))
        columns = Moves.of(n, along, count).first[of_cell.indices]
        indices = np.empty(count * of_cell.nnz, index_dtype(max(count * max(m, n), count * of_cell.nnz)))
        cell, columns = along * np.arange(count, dtype=indices.dtype)[:, None], columns.astype(indices.dtype)
        for low, high in itertools.pairwise(ends.tolist()):
            np.add(cell, columns[low:high], out=indices[count * low : count * high].reshape(count, -1))
        self.pattern = SparsityPattern.from_csr(indptr, indices, (count * m, count * n))
        block = of_cell.rows // inner
        entries, low = np.arange(of_cell.nnz), ends[block]
        self.values = Moves(count * low + entries - low, ends[block + 1] - low)
        self._sides = (count, inner), (count, along)

    def coloring(self, of_cell: ColoringResult) -> ColoringResult:
        """Return the coloring of the whole in which every cell has that of one."""
        found = []
        for colors, (count, inner) in zip((of_cell.row_colors, of_cell.column_colors), self._sides, strict=True):
            if colors is not None:
                parts = colors.reshape(-1, 1, inner)
                found.append(np.broadcast_to(parts, (len(parts), count, inner)).reshape(-1))
        sides = found[0] if len(found) == 1 else tuple(found)
        return from_colors(self.pattern, sides, of_cell.structure, of_cell.partition, of_cell.decompression)


class AssemblyOfCells(Assembly):
    """The assembly of the matrix of all cells: what computes it for many points runs cell by cell."""

    def sweeps_of_points(self, values: Kernels | None = None) -> list[Sweep] | None:
        """Return None: the points of these sweeps are the cells."""
        return None


def assembly_of_cells(
    cells: Cells, of_cell: Assembly, values: Moves, storage: Storage | None
) -> AssemblyOfCells | None:
    """Return the assembly that computes the matrix of each cell as one computes its own.

    Parameters
    ----------
    cells : Cells
        The cells.
    of_cell : Assembly
        What computes the matrix of one.
    values : Moves
        Where the entries that it stores are among those of the whole, by rows.
    storage : Storage or None
        Where the entries of the whole are stored, if not by rows.

    Returns
    -------
    AssemblyOfCells or None
        None where Python takes part, where the places of the entries are not those of the first cell and a step, and
        where it would gain nothing.
    """
    places = values if storage is None else values.through(storage.place, cells.count)
    sweeps = of_cell.sweeps_of_points()
    if places is None or sweeps is None:
        return None
    over = OverCells(cells, places, storage)
    if not over.gains(sweeps):
        return None
    linear = of_cell.parts[0].linear

    def build(program: LinearProgram, varying: bool, engine: Engine) -> Sweep:
        found = of_cell.sweeps_of_points(None if program is linear else program.primal)
        assert found is not None
        return over.sweep(found, engine)

    made = AssemblyOfCells([Part(linear, build)], of_cell.passes, engine=of_cell.engine)
    made._sweeps[0, False] = [over.sweep(sweeps, of_cell.engine)]
    return made


@dataclass(frozen=True, eq=False)
class OverCells:
    """Writes sweeps of one cell, one after the other, for all of them.

    Parameters
    ----------
    cells : Cells
        The cells.
    values : Moves or None
        Where the values of a matrix are among those of the whole.
    storage : Storage or None
        Where the entries of the whole are stored, if not by rows.
    """

    cells: Cells
    values: Moves | None = None
    storage: Storage | None = None

    @cached_property
    def places(self) -> dict[str, Moves]:
        """Where the elements of each cell are, by the name of the array."""
        cells = self.cells
        inputs = {n.name: n.size for n in cells.program.inputs if n.name in cells.inner}
        found = {name: Moves.of(size, cells.inner[name], cells.count) for name, size in inputs.items()}
        value = Moves.of(cells.program.output.index.size, cells.value, cells.count)
        x = found[cells.program.wrt.name]
        found |= {VALUE: value, SHARE: value, "dy": value, "g": x, "dg": x, "dx": x}
        return found if self.values is None else {**found, "data": self.values}

    def gains(self, sweeps: Sequence[Sweep]) -> bool:
        """Tell whether cells gain: with enough to compute, or where the whole would look up what a cell has in order.

        Else a cell is a point of one loop, which costs more than it gains where places are looked up, and where
        functions are called that longer loops without tables take a vector at a time. A sum over cells is one such
        loop, into which derivatives are fused: a cell has to have more to compute.
        """
        sources, layout = [sweep.source for sweep in sweeps], self.layout(sweeps)
        if any(source.calls_back for source in sources):
            return False
        if self.cells.total:
            return sum(map(work_of, sources)) >= WORTH_OF_TOTAL * sum(layout.sizes.values())
        called = any(map(calls_functions, sources))
        in_order = not layout.moves and (any(source.fixed for source in sources) or not called)
        return in_order or not is_light([(sweep.source, sweep.sizes) for sweep in sweeps], layout)

    def sweep(self, sweeps: Sequence[Sweep], engine: Engine) -> Sweep:
        """Return the sweep of all cells."""
        count, name = self.cells.count, f"{sweeps[0].source.name}_of_cells"
        sources = [(sweep.source, sweep.sizes) for sweep in sweeps]
        source, _ = in_lanes(name, sources, self.layout(sweeps))
        sizes = {SHARE: count} if SHARE in source.arrays else {}
        if sizes:
            write_value(source, _sum_of_shares(count), itertools.count())
        if self.storage is not None:
            write_padding(source, self.storage, itertools.count())
        return Sweep(source, sizes, engine, " ".join(filter(None, (sweep.note for sweep in sweeps))))

    def layout(self, sweeps: Sequence[Sweep]) -> Layout:
        """Return how the arrays of sweeps lie in memory."""
        count, known = self.cells.count, {array for sweep in sweeps for array in sweep.given}
        moves = {name: found for name, found in self.places.items() if name in known}
        last = max(moves.values(), key=lambda found: found.first.size).are(True, count)
        elsewhere = {name: (found.first, found.step) for name, found in moves.items() if not found.are(last, count)}
        fixed = {name: value for name, value in self.cells.constants.items() if name in moves}
        return Layout({name: found.first.size for name, found in moves.items()}, last, elsewhere, fixed, count)


def _sum_of_shares(count: int) -> Kernels:
    """Return the kernels that add up what the cells have of a total."""
    shares, total = Buffer(SHARE, count, "work"), Buffer(VALUE, 1, "output")
    read = Pool().leaf(Load(shares, IndexMap((count,), 0, (1,))))
    step = Kernel((count,), (Store(total, IndexMap((count,), 0, (0,)), read, adds=True),))
    return Kernels(shares, total, (), (step,))
