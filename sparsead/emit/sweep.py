"""A sweep: a generated function, compiled, with the arrays that never change bound to it."""

from __future__ import annotations

import functools
import itertools
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coloring.cached import cached_property
from sparsead.emit.address import address
from sparsead.emit.frame import Frame
from sparsead.emit.pool import run_all
from sparsead.emit.python import Bind, Call, interpreted, numba_compiled
from sparsead.emit.source import PART, Function, Source
from sparsead.forks import ProcessLock
from sparsead.kernels.kernel import CallKernel
from sparsead.memory import require


def _llvm(functions: Sequence[Function]) -> list[Bind]:
    from sparsead.emit.entry import machine_code
    from sparsead.emit.llvm import llvm_compiled  # llvmlite takes a moment to import

    machine_code()  # of calls from Python, for all functions: not at the first call
    return llvm_compiled(functions)


BACKENDS: dict[str, Callable[[Sequence[Function]], list[Bind]]] = {
    "llvm": _llvm,
    "numba": lambda functions: [numba_compiled(function) for function in functions],
    "python": lambda functions: [interpreted(function) for function in functions],
}
_Step = tuple[list[Call], CallKernel | None]  # the shares of a function, and what follows it
_Bound = tuple[list[_Step], dict[str, np.ndarray]]  # to fixed arrays and work arrays
LINE = 8  # numbers of a line of the cache
GRIDS = {"cuda"}  # what runs each loop as a grid of threads; `sparsead.emit.grid`
DEFAULT_BACKEND = os.environ.get("SPARSEAD_BACKEND", "llvm")


@dataclass(frozen=True)
class Engine:
    """What runs generated code: a back end (``"llvm"``, ``"numba"`` or ``"python"``), and how many threads.

    `of_points` asks for code that is going to be run for many points, see `sparsead.emit.lanes`.
    """

    backend: str = DEFAULT_BACKEND
    threads: int = 1
    of_points: bool = False

    def source(self, name: str) -> Source:
        """Return an empty function for this engine."""
        return Source(name, self.of_points, grid=self.backend in GRIDS)


DEFAULT_ENGINE = Engine()


def work_arrays(sizes: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Return arrays of some sizes, each of which begins with a line of the cache: vectors then lie in one line."""
    ends = list(itertools.accumulate((-(-size // LINE) * LINE for size in sizes.values()), initial=0))
    room = np.empty(ends[-1] + LINE)
    room = room[-address(room) // room.itemsize % LINE :]
    return {name: room[first : first + size] for first, (name, size) in zip(ends, sizes.items(), strict=False)}


class Sweep:
    """A compiled sweep. Compiling happens at the first call, or in `compile`.

    Parameters
    ----------
    source : Source
        What to run.
    sizes : dict
        Work arrays by name and size; they are allocated once per calling thread and reused.
    engine : Engine
        Back end and threads. The values do not depend on the number of threads.
    note : str
        What its writer has to say about it.
    """

    def __init__(self, source: Source, sizes: dict[str, int], engine: Engine, note: str = "") -> None:
        self.source = source
        self.note = note
        self.sizes = {name: size for name, size in sizes.items() if name in source.arrays}
        self.engine = engine
        ours = {PART, *source.fixed, *self.sizes, *source.sizes}
        self.given = [name for name in source.arrays if name not in ours]
        self._compiled: list[Bind] | None = None
        self._lock = ProcessLock()
        self._local = threading.local()

    @cached_property
    def functions(self) -> list[Function]:
        """The generated functions."""
        return self.source.functions

    def compile(self) -> list[Bind]:
        """Compile now, if that has not been done; return what binds the compiled functions to arrays."""
        with self._lock.held():
            if self._compiled is None:
                self._compiled = BACKENDS[self.engine.backend](self.functions)
                self._compile_operations()
            return self._compiled

    def _compile_operations(self) -> None:
        for function in self.functions:
            if function.then is not None:
                function.then.compile()

    def frames(self) -> list[Frame] | None:
        """Return the functions with work arrays of their own, for machine code to call in this order.

        None where Python takes part: another back end, several threads, operations that are called back.
        """
        steps, _ = self._bound()
        alone = [calls[0] for calls, then in steps if len(calls) == 1 and then is None and hasattr(calls[0], "frame")]
        return [call.frame for call in alone] if len(alone) == len(steps) else None

    @property
    def elements(self) -> int:
        """How many numbers the sweep keeps beside those that it is given."""
        return sum(a.size for a in self.source.fixed.values()) + sum(self.sizes.values())

    def _bound(self) -> _Bound:
        """Bind the functions to fixed arrays and new work arrays: some for all shares, some for each."""
        count = self.engine.threads if PART in self.source.arrays else 1
        size = 8 * (sum(self.sizes.values()) + count * sum(self.source.sizes.values()))
        require(size, f"the work arrays of {self.source.name}", "use fewer threads, or mode='direct'")
        arrays = self.source.fixed | work_arrays(self.sizes)
        shares = [work_arrays(self.source.sizes) | {PART: np.array([k, count])} for k in range(count)]
        steps = []
        for function, bind in zip(self.functions, self.compile(), strict=True):
            calls = [bind(arrays | own) for own in (shares if function.divided else shares[:1])]
            steps.append((calls, function.then))
        return steps, arrays

    def __call__(self, **arrays: np.ndarray) -> None:
        """Run on flat C-contiguous float64 arrays, given by parameter name; others are ignored."""
        try:
            bound = self._local.bound
        except AttributeError:
            bound = self._local.bound = self._bound()
        self._run(bound, arrays)

    def once(self, **arrays: np.ndarray) -> None:
        """Run as a call does, with work arrays that are let go afterwards."""
        self._run(self._bound(), arrays)

    def _run(self, found: _Bound, arrays: dict[str, np.ndarray]) -> None:
        steps, bound = found
        for name, (whole, part) in self.source.parts.items():
            if name not in arrays:
                arrays[name] = arrays[whole][part.start : part.stop]
        given = [arrays[name] for name in self.given]
        for calls, then in steps:
            if len(calls) == 1:
                calls[0](given)
            else:
                run_all([functools.partial(call, given) for call in calls])
            if then is not None:
                then.run(bound | arrays)


def compile_together(sweeps: Sequence[Sweep]) -> None:
    """Compile sweeps of one engine at once: code that they share is compiled once."""
    missing = [sweep for sweep in sweeps if sweep._compiled is None]
    if not missing:
        return
    for sweep in missing:
        sweep.source.compiled_with(other.source for other in missing if other is not sweep)
    functions = [function for sweep in missing for function in sweep.functions]
    compiled = iter(BACKENDS[missing[0].engine.backend](functions))
    for sweep in missing:
        sweep._compiled = [next(compiled) for _ in sweep.functions]
        sweep._compile_operations()
