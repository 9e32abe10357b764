"""Functions that do the same in many cells: prepared for one of them, evaluated for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sparsead.derivatives.modes import choose
from sparsead.derivatives.of_cell import Lowered, Lowering, OfCell, of_whole
from sparsead.derivatives.preparation import BYTES_PER_ENTRY, Options, finished
from sparsead.derivatives.record import Filled
from sparsead.derivatives.structure import FixedStructure
from sparsead.explain.refusal import naming_lines
from sparsead.kernels.pattern import detect
from sparsead.kernels.rolling import loop_in
from sparsead.memory import require
from sparsead.program.cells import Cells, cells_of
from sparsead.program.nodes import Program
from sparsead.program.totals import cells_of_total
from sparsead.stages import Timings
from sparsead.sweeps.assembly import assembly_of
from sparsead.sweeps.cells import BlockDiagonal, assembly_of_cells

MODES = {"auto", "direct"}


def cells_in(program: Program, options: Options, total: bool = False) -> Cells | None:
    """Return the cells of a program, where one of them is going to be prepared; of a `total`, those that add up to it.

    Whoever names a mode, a pattern or a coloring gets what that is of the function as it is written; but coefficients
    are added to their entries in each cell as well. Equal turns that become a loop save more, and call Python in
    between.
    """
    if options.loops is False or options.mode not in MODES or not options.pattern is options.coloring is None:
        return None
    if options.mode == "auto" and loop_in(program) is not None:
        return None
    return cells_of_total(program) if total else cells_of(program)


def stages(
    program: Program, cells: Cells | None, options: Options, lower: Lowering, timings: Timings
) -> tuple[Callable[[], Lowered], OfCell | None, Filled]:
    """Run the stages after the trace: for one cell where there are many, else for the whole."""
    with naming_lines(program, symmetric=options.symmetric):
        if cells is not None:
            of_cell = OfCell.of(cells, program, options, lower, timings)
            if (found := _filled(of_cell, options, timings)) is not None:
                return of_cell.whole, *found
    lowered = of_whole(program, options, lower, timings)
    with naming_lines(program, symmetric=options.symmetric):
        return lowered, None, finished(lowered().matrix, options, timings)


def _filled(of_cell: OfCell, options: Options, timings: Timings) -> tuple[OfCell, Filled] | None:
    """Run the stages after linearize for one cell, and lay out the matrix of all; None if that would gain nothing."""
    cells, linear = of_cell.cells, of_cell.lowered.matrix
    with timings.stage("detect"):
        patterns = detect(linear)
        pattern = patterns[linear.target]
        nnz = cells.count * pattern.nnz
        require(BYTES_PER_ENTRY * nnz, f"preparing a matrix of {nnz} entries", "use products (jvp, vjp, hvp)")
    if not nnz:
        return None
    with timings.stage("color"):
        mode, colored, reasons = choose(linear, patterns, options.mode, None, options.order)
        matrix = BlockDiagonal(cells, pattern)
        structure = FixedStructure(matrix.pattern, options.format, options.triangle, linear.symmetric)
        stored = FixedStructure(pattern, "csr", options.triangle, linear.symmetric).layout.storage
        values = matrix.values if stored is None else matrix.values.chosen(stored.entries)
    with timings.stage("compile"):
        one = assembly_of(linear, patterns, colored, options.engine, stored)
        assembly = assembly_of_cells(cells, one, values, structure.layout.storage)
        if assembly is None:
            return None
        assembly.compile()
    coloring = None if colored is None else matrix.coloring(colored)
    filled = Filled(matrix.pattern, mode, coloring, reasons, structure, None, assembly)
    return replace(of_cell, pattern=pattern), filled
