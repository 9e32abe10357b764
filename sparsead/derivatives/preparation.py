"""What the preparations share: the user's choices, and the last stages."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from sparsead.derivatives.modes import choose, given_pattern
from sparsead.derivatives.record import Filled
from sparsead.derivatives.structure import FixedStructure
from sparsead.emit.sweep import DEFAULT_ENGINE, Engine
from sparsead.errors import InputError
from sparsead.kernels.linear import LinearProgram
from sparsead.kernels.pattern import detect
from sparsead.memory import require
from sparsead.stages import Timings
from sparsead.sweeps.assembly import assembly_of
from sparsead.sweeps.direct.symmetry import is_symmetric
from sparsead.tracing.arguments import Argnum

if DEFAULT_ENGINE.backend == "llvm":  # what compiles is loaded with all else, so that no stage counts its import
    import sparsead.emit.llvm  # noqa: F401

BYTES_PER_ENTRY = 28  # beyond its pattern: where each value goes, and the first matrix


@dataclass(frozen=True)
class Options:
    """What the user chose for a preparation; see `jacobian` for each.

    `loops` and `symmetric` are our own: whether equal turns become loops, None where that is to be found out; and
    whether the matrix is a Hessian.
    """

    argnum: Argnum = 0
    mode: str = "auto"
    pattern: Any = None
    coloring: Any = None
    order: Any = "auto"
    engine: Engine = DEFAULT_ENGINE
    check: bool = True
    format: str = "csr"
    triangle: str = "full"
    loops: bool | None = None
    symmetric: bool = False


def finished(linear: LinearProgram, options: Options, timings: Timings) -> Filled:
    """Run the stages after linearize: detect, color, compile."""
    with timings.stage("detect"):
        patterns = detect(linear)
        if options.pattern is not None:
            patterns[linear.target] = given_pattern(options.pattern, patterns[linear.target])
    (m, n), nnz = patterns[linear.target].shape, patterns[linear.target].nnz
    require(BYTES_PER_ENTRY * nnz, f"preparing a {m} x {n} matrix of {nnz} entries", "use products (jvp, vjp, hvp)")
    with timings.stage("color"):
        mode, colored, reasons = choose(linear, patterns, options.mode, options.coloring, options.order)
        found = patterns[linear.target]
        if options.triangle != "full" and not found.is_symmetric:
            raise InputError(
                "a triangle stands for a whole Hessian only where the pattern is symmetric; give such a one"
            )
        symmetric = linear.symmetric or (options.format == "csc" and colored is None and is_symmetric(linear, found))
        structure = FixedStructure(found, options.format, options.triangle, symmetric)
        stored = functools.partial(assembly_of, linear, patterns, colored, options.engine)
        assembly = stored(structure.layout.storage)
    with timings.stage("compile"):
        assembly.compile()
    return Filled(found, mode, colored, reasons, structure, stored, assembly)
