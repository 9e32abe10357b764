"""What a preparation lowered a program to, and what it made for one of many cells."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from coloring import SparsityPattern
from coloring.cached import cached_property
from coloring.words import dimensions, several
from sparsead.derivatives.products import Product
from sparsead.emit.sweep import Engine, Sweep
from sparsead.kernels.kernel import Kernels, combined
from sparsead.kernels.linear import LinearProgram
from sparsead.program.cells import Cells
from sparsead.program.nodes import Program
from sparsead.stages import Timings
from sparsead.sweeps.cells import SHARE, VALUE, OverCells
from sparsead.sweeps.vector import product_sweep, value_sweep


@dataclass(frozen=True, eq=False)
class Lowered:
    """What a program was lowered to.

    Attributes
    ----------
    functions : dict
        The kernels of the value, and of the gradient, by name.
    linear : LinearProgram or None
        The derivative that a matrix holds.
    loops : bool
        Whether equal turns became loops.
    """

    functions: dict[str, Kernels]
    linear: LinearProgram | None = None
    loops: bool = False

    @cached_property
    def both(self) -> Kernels:
        """The kernels of all functions, and of what the matrix reads."""
        kernels = [*self.functions.values(), *([] if self.linear is None else [self.linear.primal])]
        return functools.reduce(combined, kernels)

    @property
    def matrix(self) -> LinearProgram:
        """The derivative that a matrix holds, where there is one."""
        assert self.linear is not None
        return self.linear


Lowering = Callable[[Program, Any, Timings, str], Lowered]  # of options, and of a name for the value


def of_whole(program: Program, options: Any, lower: Lowering, timings: Timings) -> Callable[[], Lowered]:
    """Lower a whole program now; return what gives the result."""
    lowered = lower(program, options, timings, VALUE)
    return lambda: lowered


@dataclass(frozen=True, eq=False, repr=False)
class OfCell:
    """What was prepared for one of many cells.

    Attributes
    ----------
    cells : Cells
        How many there are, and the program of one.
    lowered : Lowered
        What that was lowered to.
    pattern : SparsityPattern or None
        That of the matrix of one.
    whole : callable
        Lowers the program of all cells: for whatever is made of the whole function.
    """

    cells: Cells
    lowered: Lowered
    pattern: SparsityPattern | None
    whole: Callable[[], Lowered]

    @classmethod
    def of(cls, cells: Cells, program: Program, options: Any, lower: Lowering, timings: Timings) -> OfCell:
        """Lower the program of one of the cells of a program."""
        options = replace(options, loops=False)
        lowered = lower(cells.program, options, timings, SHARE if cells.total else VALUE)
        return cls(cells, lowered, None, functools.cache(lambda: lower(program, options, Timings(), VALUE)))

    def sweep(self, name: str, engine: Engine, products: tuple[Product, ...] = ()) -> Sweep | None:
        """Return the sweep of a function or product of all cells; None where a cell alone gains nothing."""
        over, one = OverCells(self.cells), replace(engine, of_points=True)
        product = next((p for p in products if p.name == name), None)
        if product is None:
            functions = self.lowered.functions
            made = value_sweep(functions.get(name) or functools.reduce(combined, functions.values()), one)
        else:
            linear = self.lowered.matrix
            made = product_sweep(linear.transposed() if product.transposed else linear, name, one)
        return over.sweep([made], engine) if over.gains([made]) else None

    def __repr__(self) -> str:
        constants = len(self.cells.constants)
        own = f", {several(constants, 'constant')} with values of each" if constants else ""
        if self.pattern is None:
            what = several(self.cells.program.wrt.size, "element")
        else:
            what = f"{dimensions(self.pattern.shape)}, {several(self.pattern.nnz, 'nonzero')}"
        return f"{self.cells.count:,}, prepared as one: {what}{own}"
