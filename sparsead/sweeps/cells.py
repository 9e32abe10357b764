"""Sweeps of a program that does the same for each of many cells: those of one cell, for many points at once.

Points are the cells, wherever their elements are among those of the whole, so the matrix is the one of the whole
program: its rows and columns are in the order of the function, and every value is written where it belongs.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from coloring import ColoringResult, SparsityPattern, from_colors
from sparsead.emit.lanes import in_lanes, is_light
from sparsead.emit.layout import Layout
from sparsead.emit.operation_count import calls_functions
from sparsead.emit.sweep import Engine, Sweep
from sparsead.kernels.kernel import Kernels
from sparsead.kernels.linear import LinearProgram
from sparsead.program.cells import Cells
from sparsead.program.index import index_dtype
from sparsead.sweeps.assembly import Assembly, Part
from sparsead.sweeps.storage import Storage
from sparsead.sweeps.vector import value_sweep, write_padding

AT_ONCE = 1 << 16  # entries that are compared at a time


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
        count, inner = cells.count, cells.value
        (m, n), along = of_cell.shape, cells.inner[cells.program.wrt.name]
        ends = of_cell.indptr[::inner].astype(np.int64)  # rows of a cell that follow one another
        lengths = np.diff(of_cell.indptr).reshape(-1, 1, inner)
        indptr = np.append(0, np.cumsum(np.broadcast_to(lengths, (m // inner, count, inner))))
        columns = Moves.of(n, along, count).first[of_cell.indices]
        indices = np.empty(count * of_cell.nnz, index_dtype(max(count * max(m, n), count * of_cell.nnz)))
        cell = along * np.arange(count)[:, None]
        for low, high in itertools.pairwise(ends.tolist()):
            indices[count * low : count * high].reshape(count, -1)[...] = cell + columns[low:high]
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
        What computes the matrix of one, by rows.
    values : Moves
        Where its entries are among those of the whole, by rows.
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
    if places is None or sweeps is None or any(f.then is not None for s in sweeps for f in s.source.functions):
        return None
    outputs = {"data": places, "y": _value(cells)}
    layout = _layout(cells, sweeps, outputs)
    if not _gains(sweeps, layout):
        return None

    def of_all(sweeps: list[Sweep], engine: Engine) -> Sweep:
        made = over_cells(cells, sweeps, outputs, engine)
        if storage is not None:
            write_padding(made.source, storage, itertools.count())
        return made

    linear = of_cell.parts[0].linear

    def build(program: LinearProgram, varying: bool, engine: Engine) -> Sweep:
        found = of_cell.sweeps_of_points(None if program is linear else program.primal)
        assert found is not None
        return of_all(found, engine)

    made = AssemblyOfCells([Part(linear, build)], of_cell.passes, engine=of_cell.engine)
    made._sweeps[0, False] = [of_all(sweeps, of_cell.engine)]
    return made


def _gains(sweeps: Sequence[Sweep], layout: Layout) -> bool:
    """Tell whether cells gain: where there is enough to compute, or the whole would look up what a cell has in order.

    Else a cell is a point of one loop, which costs more than it gains where places are looked up, and where functions
    are called that longer loops without tables take a vector at a time.
    """
    sources = [sweep.source for sweep in sweeps]
    in_order = not layout.moves and (any(source.fixed for source in sources) or not any(map(calls_functions, sources)))
    return in_order or not is_light([(sweep.source, sweep.sizes) for sweep in sweeps], layout)


def value_of_cells(cells: Cells, kernels: Kernels, engine: Engine) -> Sweep:
    """Return the sweep of the value of all cells, given the kernels of one."""
    return over_cells(cells, [value_sweep(kernels, replace(engine, of_points=True))], {"y": _value(cells)}, engine)


def _value(cells: Cells) -> Moves:
    return Moves.of(cells.program.output.index.size, cells.value, cells.count)


def over_cells(cells: Cells, sweeps: Sequence[Sweep], outputs: dict[str, Moves], engine: Engine) -> Sweep:
    """Return the sweeps of one cell, one after the other, for all of them."""
    name, sources = f"{sweeps[0].source.name}_of_cells", [(sweep.source, sweep.sizes) for sweep in sweeps]
    source, width = in_lanes(name, sources, _layout(cells, sweeps, outputs))
    if cells.count < 2 * width * engine.threads:  # the last two blocks may share points: they are for one thread
        engine = replace(engine, threads=1)
    return Sweep(source, {}, engine, " ".join(filter(None, (sweep.note for sweep in sweeps))))


def _layout(cells: Cells, sweeps: Sequence[Sweep], outputs: dict[str, Moves]) -> Layout:
    """Return how the arrays of sweeps lie in memory."""
    count, inner = cells.count, cells.inner
    inputs = {n.name: Moves.of(n.size, inner[n.name], count) for n in cells.program.inputs if n.name in inner}
    known = {array for sweep in sweeps for array in sweep.source.arrays}
    moves = {name: found for name, found in (inputs | outputs).items() if name in known}
    last = max(moves.values(), key=lambda found: found.first.size).are(True, count)
    elsewhere = {name: (found.first, found.step) for name, found in moves.items() if not found.are(last, count)}
    fixed = {name: value for name, value in cells.constants.items() if name in moves}
    return Layout({name: found.first.size for name, found in moves.items()}, last, elsewhere, fixed, count)
