"""From inputs to the values of a matrix: the sweeps of one mode, run one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from coloring import ColoringResult, SparsityPattern
from sparsead.emit.sweep import DEFAULT_ENGINE, Engine, Sweep
from sparsead.kernels.kernel import Buffer, Kernels
from sparsead.kernels.linear import LinearProgram
from sparsead.kernels.meetings import meets_others
from sparsead.sweeps.compressed import Recovery, compressed_sweep
from sparsead.sweeps.direct.sweep import direct_sweep
from sparsead.sweeps.finishing import Finishing, mirroring
from sparsead.sweeps.storage import Storage
from sparsead.sweeps.vector import value_sweep

Finish = Callable[[np.ndarray], None]


@dataclass(eq=False)
class Part:
    """One sweep of an assembly: how to build it for given primal kernels, for all entries or those that vary with x."""

    linear: LinearProgram
    build: Callable[[LinearProgram, bool, Engine], Sweep]


@dataclass(eq=False)
class Assembly:
    """Computes all values of a matrix.

    Parameters
    ----------
    parts : list of Part
        Sweeps that write disjoint shares of the values.
    passes : tuple of int
        How many products with the matrix they amount to, and how many with its transpose.
    finish : callable, optional
        What remains to be done on the values: substitution, mirroring.
    """

    parts: list[Part]
    passes: tuple[int, int] = (0, 0)
    finish: Finish | None = None
    engine: Engine = DEFAULT_ENGINE
    _sweeps: dict[tuple[int, bool], list[Sweep]] = field(default_factory=dict)

    def sweeps(self, values: Kernels | None = None, varying: bool = False) -> list[Sweep]:
        """Return the sweeps; with `values`, the first also runs these kernels (a superset of its primal ones).

        With `varying` they may leave out entries that do not depend on x.
        """
        key = (0 if values is None else id(values)), varying
        if key not in self._sweeps:
            programs = [p.linear for p in self.parts]
            if values is not None and programs:
                programs[0] = replace(programs[0], primal=values)
            pairs = zip(self.parts, programs, strict=True)
            self._sweeps[key] = [part.build(program, varying, self.engine) for part, program in pairs]
            if values is not None and not programs:
                self._sweeps[key] = [value_sweep(values, self.engine)]
        return self._sweeps[key]

    def on(self, engine: Engine) -> Assembly:
        """Return the assembly for another engine."""
        finish = self.finish.on(engine) if isinstance(self.finish, Finishing) else self.finish
        return replace(self, engine=engine, finish=finish, _sweeps={})

    def compile(self) -> None:
        """Compile the sweeps of the matrix alone."""
        for sweep in self.all_sweeps() or []:
            sweep.compile()

    def sweeps_of_points(self, values: Kernels | None = None) -> list[Sweep] | None:
        """Return the sweeps as they are to be run for many points; None if Python takes part in them."""
        return replace(self, engine=replace(self.engine, of_points=True), _sweeps={}).all_sweeps(values)

    def all_sweeps(self, values: Kernels | None = None) -> list[Sweep] | None:
        """Return all generated code that computes the values, in order; None if Python takes part in it."""
        match self.finish:
            case None:
                return self.sweeps(values)
            case Finishing(sweeps=last):
                return [*self.sweeps(values), *last]
        return None

    def fill(
        self,
        data: np.ndarray,
        inputs: dict[str, np.ndarray],
        values: Kernels | None = None,
        varying: bool = False,
    ) -> None:
        """Write every value to `data`; with `values`, also the outputs that are among the inputs by name.

        With `varying`, `data` holds the entries that do not depend on x already.
        """
        for sweep in self.sweeps(values, varying):
            sweep(**inputs, data=data)
        if self.finish is not None:
            self.finish(data)


def assembly_of(
    linear: LinearProgram,
    patterns: dict[Buffer, SparsityPattern],
    colored: ColoringResult | None,
    engine: Engine = DEFAULT_ENGINE,
    storage: Storage | None = None,
) -> Assembly:
    """Return the assembly of a Jacobian or a Hessian: by a coloring of its pattern, or directly without one."""
    name = "hessian" if linear.symmetric else "jacobian"
    if colored is not None:
        return compressed_assembly(linear, colored, name, engine, storage)
    assembly = direct_assembly(linear, patterns, name, engine, storage)
    if linear.symmetric and (linear.work or any(meets_others(t) for k in linear.kernels for t in k.terms)):
        # sums over several layers run in different orders above and below the diagonal
        assembly.finish = mirroring(patterns[linear.target], engine, storage)
    return assembly


def compressed_assembly(
    linear: LinearProgram,
    colored: ColoringResult,
    name: str,
    engine: Engine = DEFAULT_ENGINE,
    storage: Storage | None = None,
) -> Assembly:
    """Return the assembly that sweeps the columns, the rows, or both, and recovers by the plan of the coloring.

    Parameters
    ----------
    linear : LinearProgram
        From tangents of the columns to tangents of the rows.
    colored : ColoringResult
        Any coloring of the pattern.
    name : str
        Name of the generated function.
    engine : Engine
        See `Sweep`.
    storage : Storage, optional
        Where the entries are stored, by default by rows.
    """
    plan, (m, n) = colored.plan, colored.pattern.shape
    line, color = plan.line, plan.color
    if linear.symmetric and colored.structure == "nonsymmetric":  # read both triangles in the lower one
        i, j = colored.pattern.rows, colored.pattern.indices
        line, color = np.maximum(i, j), colored.colors[np.minimum(i, j)]
        color = ~color if colored.partition == "row" else color
    parts: list[Part] = []
    if colored.num_column_colors and colored.column_colors is not None:
        columns = Recovery.of(line, color, m, colored.column_colors, colored.num_column_colors, storage)
        parts.append(_part(linear, columns, name))
    if colored.num_row_colors and colored.row_colors is not None:
        rows = Recovery.of(line, ~color, n, colored.row_colors, colored.num_row_colors, storage)
        parts.append(_part(linear.transposed(), rows, f"{name}_transposed"))
    finish = Finishing(plan.taken, plan.feeds, plan.source, plan.target, engine, storage)
    return Assembly(parts, (colored.num_column_colors, colored.num_row_colors), finish, engine)


def _part(linear: LinearProgram, recovery: Recovery, name: str) -> Part:
    return Part(linear, lambda program, _, engine: compressed_sweep(program, recovery, name, engine))


def direct_assembly(
    linear: LinearProgram,
    patterns: dict[Buffer, SparsityPattern],
    name: str,
    engine: Engine = DEFAULT_ENGINE,
    storage: Storage | None = None,
) -> Assembly:
    """Return the assembly that accumulates coefficients without seeds: no passes."""

    def build(program: LinearProgram, varying: bool, engine: Engine) -> Sweep:
        return direct_sweep(program, patterns, name, engine, varying, storage)

    size = patterns[linear.target].nnz if storage is None else storage.size
    return Assembly([Part(linear, build)] if size else [], engine=engine)
