"""A sweep: a generated function, compiled, with the arrays that never change bound to it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import numpy as np

from sparsead.emit.python import Bind, Call, interpreted, numba_compiled
from sparsead.emit.source import Callback, Function, Source


def _llvm(source: Function) -> Bind:
    from sparsead.emit.llvm import llvm_compiled  # llvmlite takes a moment to import

    return llvm_compiled(source)


BACKENDS: dict[str, Callable[[Function], Bind]] = {
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
        self.given = [name for name in source.arrays if name not in source.fixed and name not in self.sizes]
        self._compiled: list[Bind] | None = None
        self._lock = threading.Lock()
        self._local = threading.local()

    def compile(self) -> list[Bind]:
        """Compile now, if that has not been done; return what binds the compiled functions to arrays."""
        with self._lock:
            if self._compiled is None:
                self._compiled = [BACKENDS[self.backend](function) for function in self.source.functions]
            return self._compiled

    def _bound(self) -> tuple[Call, list[tuple[Callback, Call]], dict[str, np.ndarray]]:
        """Bind the functions, the first and those after callbacks, to fixed arrays and work arrays of this thread."""
        arrays = self.source.fixed | {name: np.empty(size) for name, size in self.sizes.items()}
        first, *others = [bind(arrays) for bind in self.compile()]
        self._local.bound = first, list(zip(self.source.callbacks, others, strict=True)), arrays
        return self._local.bound

    def __call__(self, **arrays: np.ndarray) -> None:
        """Run on flat C-contiguous float64 arrays, given by parameter name; others are ignored."""
        try:
            first, others, bound = self._local.bound
        except AttributeError:
            first, others, bound = self._bound()
        given = [arrays[name] for name in self.given]
        first(given)
        for callback, call in others:
            callback(bound | arrays)
            call(given)
