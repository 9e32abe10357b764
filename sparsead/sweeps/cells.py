"""Sweeps of a program that does the same for each of many cells: those of one cell, for many points at once.

Points are the cells, wherever their elements are among those of the whole, so the matrix is the one of the whole
program: its rows and columns are in the order of the function, and every value is written where it belongs.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from coloring import SparsityPattern
from sparsead.emit.lanes import in_lanes, is_light
from sparsead.emit.layout import Layout
from sparsead.emit.sweep import Engine, Sweep
from sparsead.kernels.kernel import Buffer, Kernels
from sparsead.kernels.linear import LinearProgram
from sparsead.program.cells import Cells
from sparsead.program.index import index_dtype
from sparsead.sweeps.assembly import Assembly, Part
from sparsead.sweeps.direct.sweep import direct_sweep
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


class AssemblyOfCells(Assembly):
    """The assembly of the matrix of all cells: what computes it for many points runs cell by cell."""

    def sweeps_of_points(self) -> list[Sweep] | None:
        """Return None: the points of these sweeps are the cells."""
        return None


def assembly_of_cells(
    cells: Cells,
    linear: LinearProgram,
    patterns: dict[Buffer, SparsityPattern],
    values: Moves,
    engine: Engine,
    storage: Storage | None,
) -> AssemblyOfCells | None:
    """Return the assembly that accumulates the coefficients of every cell directly.

    Parameters
    ----------
    cells : Cells
        The cells.
    linear, patterns
        The linear program of one, and its patterns.
    values : Moves
        Where its entries are among those of the whole, by rows.
    engine, storage
        As for `direct_assembly`; `storage` is that of the whole.

    Returns
    -------
    AssemblyOfCells or None
        None where the places of the entries are not those of the first cell and a step, and where there is so little to
        compute that looking up places would cost more.
    """
    places = values if storage is None else values.through(storage.place, cells.count)
    if places is None:
        return None
    outputs = {"data": places, "y": _value(cells)}

    def of_one(program: LinearProgram, varying: bool, engine: Engine) -> Sweep:
        return direct_sweep(program, patterns, "jacobian", replace(engine, of_points=True), varying)

    def of_all(sweep: Sweep, engine: Engine) -> Sweep:
        made = over_cells(cells, sweep, outputs, engine)
        if storage is not None:
            write_padding(made.source, storage, itertools.count())
        return made

    first = of_one(linear, False, engine)
    layout = _layout(cells, first, outputs)
    if layout.moves and is_light([(first.source, first.sizes)], layout):
        return None
    part = Part(linear, lambda *given: of_all(of_one(*given), given[-1]))
    made = AssemblyOfCells([part], {"jvp": 0, "vjp": 0}, engine=engine)
    made._sweeps[0, False] = [of_all(first, engine)]
    return made


def value_of_cells(cells: Cells, kernels: Kernels, engine: Engine) -> Sweep:
    """Return the sweep of the value of all cells, given the kernels of one."""
    return over_cells(cells, value_sweep(kernels, replace(engine, of_points=True)), {"y": _value(cells)}, engine)


def _value(cells: Cells) -> Moves:
    return Moves.of(cells.program.output.index.size, cells.value, cells.count)


def over_cells(cells: Cells, sweep: Sweep, outputs: dict[str, Moves], engine: Engine) -> Sweep:
    """Return the sweep of one cell for all of them."""
    layout = _layout(cells, sweep, outputs)
    source, width = in_lanes(f"{sweep.source.name}_of_cells", [(sweep.source, sweep.sizes)], layout)
    if cells.count < 2 * width * engine.threads:  # the last two blocks may share points: they are for one thread
        engine = replace(engine, threads=1)
    return Sweep(source, {}, engine, sweep.note)


def _layout(cells: Cells, sweep: Sweep, outputs: dict[str, Moves]) -> Layout:
    """Return how the arrays of a sweep lie in memory."""
    count, inner = cells.count, cells.inner
    inputs = {n.name: Moves.of(n.size, inner[n.name], count) for n in cells.program.inputs if n.name in inner}
    moves = {name: found for name, found in (inputs | outputs).items() if name in sweep.source.arrays}
    last = max(moves.values(), key=lambda found: found.first.size).are(True, count)
    elsewhere = {name: (found.first, found.step) for name, found in moves.items() if not found.are(last, count)}
    fixed = {name: value for name, value in cells.constants.items() if name in moves}
    return Layout({name: found.first.size for name, found in moves.items()}, last, elsewhere, fixed, count)
