"""What the preparations share: the user's choices, and the last stages."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sparsead.derivatives.roots  # noqa: F401  (root finders inside of functions)
from sparsead.derivatives.beside import WithAux
from sparsead.derivatives.guard import Guarded
from sparsead.derivatives.modes import choose, given_pattern
from sparsead.derivatives.nested import Nested, is_asked
from sparsead.derivatives.record import Filled
from sparsead.derivatives.structure import FixedStructure
from sparsead.emit.sweep import Engine
from sparsead.errors import InputError
from sparsead.kernels.linear import LinearProgram
from sparsead.kernels.pattern import detect
from sparsead.memory import require
from sparsead.stages import Timings, Watcher, reported
from sparsead.sweeps.assembly import assembly_of
from sparsead.tracing.arguments import Argnum
from sparsead.tracing.around import First

BYTES_PER_ENTRY = 28  # beyond its pattern: where each value goes, and the first matrix


@dataclass(frozen=True)
class Options:
    """What the user chose for a preparation; see `jacobian` for each.

    `loops` is our own: whether equal turns become loops; None where that is to be found out.
    """

    argnum: Argnum
    mode: str
    pattern: Any
    coloring: Any
    order: Any
    engine: Engine
    check: bool = True
    format: str = "csr"
    triangle: str = "full"
    loops: bool | None = None


def asked_for(
    prepare: Callable[..., Any],
    nested: type[Nested],
    f: Callable[..., Any],
    args: tuple[Any, ...],
    options: Any,
    *,
    has_aux: bool = False,
    guard: str = "error",
    progress: bool | Watcher = False,
    on_device: Callable[[Any], Any] | None = None,
) -> Any:
    """Prepare the derivative that a user asks for, in the form that the arguments and some options call for.

    Parameters
    ----------
    prepare : callable
        Runs all stages: ``prepare(f, args, options)``.
    nested : type of Nested
        What stands for the derivative where the arguments are values of a function that is being traced.
    f, args, options
        The function, example arguments, and what the user chose.
    has_aux, guard, progress
        As in `jacobian`.
    on_device : callable, optional
        Makes, of what was prepared, what computes on a device.
    """
    f = First(f) if has_aux else f
    with reported(progress):
        made: Any
        if is_asked(args):
            made = nested.of(f, args, options.argnum)
        elif guard == "record":
            made = Guarded(prepare, f, args, options)
        else:
            made = prepare(f, args, options)
            made = made if on_device is None else on_device(made)
    return WithAux(made, f) if isinstance(f, First) else made


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
        structure = FixedStructure(found, options.format, options.triangle, linear.symmetric)
        stored = functools.partial(assembly_of, linear, patterns, colored, options.engine)
        assembly = stored(structure.layout.storage)
    with timings.stage("compile"):
        assembly.compile()
    return Filled(lambda: linear, found, mode, colored, reasons, structure, stored, assembly)
