"""A sweep: a generated function, compiled, with the arrays that never change bound to it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import numpy as np

from sparsead.emit.python import Runner, interpreted, numba_compiled
from sparsead.emit.source import Source


def _llvm(source: Source) -> Runner:
    from sparsead.emit.llvm import llvm_compiled  # llvmlite takes a moment to import

    return llvm_compiled(source)


BACKENDS: dict[str, Callable[[Source], Runner]] = {
    "llvm": _llvm,
    "numba": numba_compiled,
    "python": interpreted,
}
DEFAULT_BACKEND = os.environ.get("SPARSEAD_BACKEND", "llvm")


class Sweep:
    """A compiled sweep. Compiling happens at the first call, or in `compile`.

    Parameters
    ----------
    source : Source
        What to run.
    sizes : dict
        Work arrays by name and size; they are allocated once per thread and reused.
    backend : str
        ``"llvm"``, ``"numba"`` or ``"python"``.
    """

    def __init__(self, source: Source, sizes: dict[str, int], backend: str = DEFAULT_BACKEND) -> None:
        if backend not in BACKENDS:
            raise ValueError(f"unknown back end {backend!r}; expected one of {', '.join(BACKENDS)}")
        self.source = source
        self.sizes = {name: size for name, size in (sizes | source.sizes).items() if name in source.arrays}
        self.backend = backend
        self._runner: Runner | None = None
        self._lock = threading.Lock()
        self._local = threading.local()

    def compile(self) -> Runner:
        """Compile now, if that has not been done; return the compiled function."""
        with self._lock:
            if self._runner is None:
                self._runner = BACKENDS[self.backend](self.source)
            return self._runner

    def _work(self) -> dict[str, np.ndarray]:
        work = getattr(self._local, "arrays", None)
        if work is None:
            work = self._local.arrays = {name: np.empty(size) for name, size in self.sizes.items()}
        return work

    def __call__(self, **arrays: np.ndarray) -> None:
        """Run on flat C-contiguous float64 arrays, given by parameter name; others are ignored."""
        runner = self._runner or self.compile()
        known = {**self.source.fixed, **self._work(), **arrays}
        runner(*(known[name] for name in self.source.arrays))
