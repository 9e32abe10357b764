"""A sweep: a generated function, compiled, with the arrays that never change bound to it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import numpy as np

from sparsead.emit.python import Runner, interpreted, numba_compiled
from sparsead.emit.source import Function, Source


def _llvm(source: Function) -> Runner:
    from sparsead.emit.llvm import llvm_compiled  # llvmlite takes a moment to import

    return llvm_compiled(source)


BACKENDS: dict[str, Callable[[Function], Runner]] = {
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
        self._runners: list[Runner] | None = None
        self._lock = threading.Lock()
        self._local = threading.local()

    def compile(self) -> list[Runner]:
        """Compile now, if that has not been done; return the compiled functions."""
        with self._lock:
            if self._runners is None:
                self._runners = [BACKENDS[self.backend](function) for function in self.source.functions]
            return self._runners

    def _work(self) -> dict[str, np.ndarray]:
        work = getattr(self._local, "arrays", None)
        if work is None:
            work = self._local.arrays = {name: np.empty(size) for name, size in self.sizes.items()}
        return work

    def __call__(self, **arrays: np.ndarray) -> None:
        """Run on flat C-contiguous float64 arrays, given by parameter name; others are ignored."""
        first, *others = self._runners or self.compile()
        known = {**self.source.fixed, **self._work(), **arrays}
        values = [known[name] for name in self.source.arrays]
        first(*values)
        for callback, runner in zip(self.source.callbacks, others, strict=True):
            callback(known)
            runner(*values)
