"""What a preparation for one of many cells made."""

from __future__ import annotations

from dataclasses import dataclass

from coloring import SparsityPattern
from coloring.cached import cached_property
from sparsead.emit.sweep import Engine, Sweep
from sparsead.kernels.kernel import Kernels, combined
from sparsead.kernels.linear import LinearProgram
from sparsead.kernels.linearize import linearize
from sparsead.kernels.lower import lower
from sparsead.program.cells import Cells
from sparsead.program.nodes import Program
from sparsead.sweeps.cells import value_of_cells


@dataclass(frozen=True, eq=False, repr=False)
class OfCell:
    """What was prepared for one of many cells.

    Attributes
    ----------
    cells : Cells
        How many there are, and the program of one.
    kernels, linear, pattern
        What it was lowered to, its derivative, and the pattern of that.
    program : Program
        That of all cells.
    """

    cells: Cells
    kernels: Kernels
    linear: LinearProgram
    pattern: SparsityPattern
    program: Program

    def value(self, engine: Engine) -> Sweep:
        """Return the sweep of the value of all cells."""
        return value_of_cells(self.cells, self.kernels, engine)

    @cached_property
    def both(self) -> Kernels:
        """The kernels of the value and of what the matrix reads."""
        return combined(self.kernels, self.linear.primal)

    @cached_property
    def whole(self) -> Kernels:
        """The kernels of all cells: for products, and whatever else is made of the whole function."""
        return lower(self.program)

    def derivative(self) -> LinearProgram:
        """Return the linear program of all cells."""
        return linearize(self.whole)

    def __repr__(self) -> str:
        m, n = self.pattern.shape
        constants = len(self.cells.constants)
        own = f", {constants} constants with values of each" if constants else ""
        return f"{self.cells.count}, prepared as one: {m} x {n}, {self.pattern.nnz} nonzeros{own}"
