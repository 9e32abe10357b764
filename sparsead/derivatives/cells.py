"""Functions that do the same in many cells: prepared for one of them, evaluated for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sparsead.derivatives.modes import choose
from sparsead.derivatives.of_cell import OfCell
from sparsead.derivatives.preparation import BYTES_PER_ENTRY, Options, finished
from sparsead.derivatives.record import Filled
from sparsead.derivatives.rolled import linearized
from sparsead.derivatives.structure import FixedStructure
from sparsead.explain.refusal import naming_lines
from sparsead.kernels.kernel import Kernels
from sparsead.kernels.pattern import detect
from sparsead.kernels.rolling import loop_in
from sparsead.memory import require
from sparsead.program.cells import Cells, cells_of
from sparsead.program.nodes import Program
from sparsead.stages import Timings
from sparsead.sweeps.assembly import assembly_of
from sparsead.sweeps.cells import BlockDiagonal, assembly_of_cells

MODES = {"auto", "direct"}


def cells_in(program: Program, options: Options) -> Cells | None:
    """Return the cells of a program, where one of them is going to be prepared.

    Whoever names a mode, a pattern or a coloring gets what that is of the function as it is written; but coefficients
    are added to their entries in each cell as well. Equal turns that become a loop save more, and call Python in
    between.
    """
    if options.loops is False or options.mode not in MODES or not options.pattern is options.coloring is None:
        return None
    return None if options.mode == "auto" and loop_in(program) is not None else cells_of(program)


def stages(
    program: Program, cells: Cells | None, options: Options, timings: Timings
) -> tuple[Options, OfCell | None, Callable[[], Kernels], Filled]:
    """Run the stages after the trace: for one cell where there are many, else for the whole.

    The options say what was done.
    """
    with naming_lines(program):
        if cells is not None and (found := _of_one(program, cells, options, timings)) is not None:
            of_cell, filled = found
            return options, of_cell, lambda: of_cell.whole, filled
    options, linear, kernels = linearized(program, options, timings)
    with naming_lines(program):
        return options, None, lambda: kernels, finished(linear, options, timings)


def _of_one(program: Program, cells: Cells, options: Options, timings: Timings) -> tuple[OfCell, Filled] | None:
    """Run the stages for one cell, and lay out the matrix of all; None where that would gain nothing."""
    _, linear, kernels = linearized(cells.program, replace(options, loops=False), timings)
    with timings.stage("detect"):
        patterns = detect(linear)
        of_cell = OfCell(cells, kernels, linear, patterns[linear.target], program)
        nnz = cells.count * of_cell.pattern.nnz
        require(BYTES_PER_ENTRY * nnz, f"preparing a matrix of {nnz} entries", "use products (jvp, vjp)")
    if not nnz:
        return None
    with timings.stage("color"):
        mode, colored, reasons = choose(linear, patterns, options.mode, None, options.order)
        matrix = BlockDiagonal(cells, of_cell.pattern)
        structure = FixedStructure(matrix.pattern, options.format)
    with timings.stage("compile"):
        one = assembly_of(linear, patterns, colored, options.engine)
        assembly = assembly_of_cells(cells, one, matrix.values, structure.layout.storage)
        if assembly is None:
            return None
        assembly.compile()
    coloring = None if colored is None else matrix.coloring(colored)
    return of_cell, Filled(of_cell.derivative, matrix.pattern, mode, coloring, reasons, structure, None, assembly)
