"""The record of a preparation: what its stages made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from coloring import ColoringResult, SparsityPattern
from sparsead.derivatives.of_cell import Lowered, OfCell
from sparsead.derivatives.structure import FixedStructure
from sparsead.emit.sweep import Engine
from sparsead.keeping.pickling import Recipe
from sparsead.kernels.kernel import Kernels
from sparsead.program.index import Shape
from sparsead.program.nodes import Program
from sparsead.stages import Timings
from sparsead.sweeps.assembly import Assembly
from sparsead.sweeps.storage import Storage
from sparsead.tracing.arguments import Signature


@dataclass(frozen=True, eq=False)
class Preparation:
    """What the first stages of a preparation made: how it can be made again, the trace, and what it was lowered to.

    The program of many cells is lowered when that is asked for: a call does not need it.
    """

    recipe: Recipe
    program: Program
    signature: Signature
    lowered: Callable[[], Lowered]
    engine: Engine
    timings: Timings
    of_cell: OfCell | None = None


@dataclass(frozen=True, eq=False)
class Function:
    """What is evaluated beside a matrix: its kernels, the array that they write, and the shape of one point.

    `built` makes what users get of the flat array, where that is a container; None where it is an array of this shape.
    """

    make: Callable[[], Kernels]
    array: str
    shape: Shape
    meaning: str
    built: Callable[[np.ndarray], Any] | None = None

    @property
    def kernels(self) -> Kernels:
        """What computes it."""
        return self.make()

    @property
    def size(self) -> int:
        """How many numbers it is."""
        return int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Filled:
    """What the last stages of a preparation made: the pattern of a matrix, and how its values are computed."""

    pattern: SparsityPattern
    mode: str
    coloring: ColoringResult | None
    reasons: tuple[str, ...]
    structure: FixedStructure
    assemble: Callable[[Storage | None], Assembly] | None  # of cells there is none: what needs it is written out
    assembly: Assembly
