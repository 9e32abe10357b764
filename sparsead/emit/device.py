"""Sweeps on a device: their kernels compiled there, their tables and work arrays kept there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sparsead.emit.cuda import OPTIONS, THREADS, Module
from sparsead.emit.grid import Grids
from sparsead.emit.sweep import Sweep


class Tables:
    """Arrays of the host that stay on the device, each once."""

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        self._known: dict[int, tuple[np.ndarray, Any]] = {}

    def __getitem__(self, array: np.ndarray) -> Any:
        """Return the array on the device."""
        if id(array) not in self._known:
            self._known[id(array)] = array, self._cupy.asarray(array)  # the first keeps the number from another array
        return self._known[id(array)][1]


class DeviceSweeps:
    """Sweeps that run on a device, one after the other.

    Parameters
    ----------
    sweeps : sequence of Sweep
        Written for an engine of grids.
    cupy : module
        CuPy.
    tables : Tables
        What is on the device already.

    Attributes
    ----------
    text : str
        The CUDA C.
    """

    def __init__(self, sweeps: Sequence[Sweep], cupy: Any, tables: Tables) -> None:
        module, planned = Module(), []
        for sweep in sweeps:
            work = {name: cupy.empty(size) for name, size in sweep.sizes.items()}
            functions = sweep.source.functions
            for function in functions:
                grids = Grids.of(function, sweep.source.fixed, sweep.sizes if len(functions) == 1 else ())
                kept = {name: tables[array] for name, array in (sweep.source.fixed | grids.fixed).items()}
                kept |= work | {name: cupy.empty(size) for name, size in grids.sizes.items()}
                planned += [(launch, kept) for launch in module.launches(grids)]
        self.text = module.text
        code: Any = cupy.RawModule(code=self.text, options=OPTIONS, backend="nvrtc") if planned else None
        self._steps = [
            (code.get_function(launch.kernel), launch.blocks, [kept.get(name, name) for name in launch.arrays])
            for launch, kept in planned
        ]

    def __call__(self, given: Mapping[str, Any]) -> None:
        """Launch all kernels on the current stream, on arrays of the device by name; nothing is waited for."""
        for kernel, blocks, arrays in self._steps:
            kernel((blocks,), (THREADS,), tuple(given[a] if isinstance(a, str) else a for a in arrays))
