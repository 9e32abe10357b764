"""Sweeps on a device: their kernels compiled there, their tables and work arrays kept there, launched at each call."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sparsead.emit.cuda import OPTIONS, THREADS, Launch, Module
from sparsead.emit.grid import Grids
from sparsead.emit.sweep import Sweep
from sparsead.errors import InputError


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

    Work arrays belong to one stream, as one thread sees it: calls on several streams do not meet there.

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
        module = Module()
        self._planned = [_Planned(sweep, module, tables) for sweep in sweeps]
        self.text = module.text
        kernels = {
            launch.kernel for planned in self._planned for launches, _, _ in planned.parts for launch in launches
        }
        code: Any = cupy.RawModule(code=self.text, options=OPTIONS, backend="nvrtc") if kernels else None
        self._kernels = {name: code.get_function(name).kernel for name in kernels}
        self._cupy, self._local = cupy, threading.local()
        self._device: int = cupy.cuda.runtime.getDevice()
        # what a call takes of CuPy, looked up once
        self._on, self._stream = cupy.cuda.runtime.getDevice, cupy.cuda.get_current_stream
        self._launch = cupy.cuda.driver.launchKernel

    def __call__(self, given: Mapping[str, int]) -> None:
        """Launch all kernels on the current stream, on arrays by name, which are given by address.

        Nothing is waited for. The numbers that a launch is given are copied by it, so that those of the next call may
        take their place.
        """
        if self._on() != self._device:
            raise InputError(
                f"this derivative is on device {self._device}, and the current device is {self._on()}; call it inside "
                f"`with cupy.cuda.Device({self._device}):`"
            )
        stream, launch = self._stream().ptr, self._launch
        for kernel, blocks, open_places, values, parameters, _ in self._steps(stream):
            for place, name in open_places:
                values[place] = given[name]
            launch(kernel, blocks, 1, 1, THREADS, 1, 1, 0, stream, parameters, 0)

    def _steps(self, stream: int) -> list[tuple[Any, ...]]:
        """Return the launches of this thread on a stream, with work arrays of their own."""
        try:
            return self._local.steps[stream]
        except (AttributeError, KeyError):
            if not hasattr(self._local, "steps"):
                self._cupy.cuda.runtime.memGetInfo()  # a new thread takes the context of the device by such a call
                self._local.steps = {}
            steps: list[tuple[Any, ...]] = []
            for planned in self._planned:
                work = {name: self._cupy.empty(size) for name, size in planned.sizes.items()}
                for launches, kept, sizes in planned.parts:
                    arrays = {**kept, **work, **{name: self._cupy.empty(size) for name, size in sizes.items()}}
                    steps += [self._step(launch, arrays) for launch in launches]
            self._local.steps[stream] = steps
            return steps

    def _step(self, launch: Launch, kept: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return a launch with the memory of its parameters, and what keeps the arrays that stay."""
        arrays = [kept.get(name) for name in launch.arrays]
        values = (ctypes.c_void_p * len(arrays))(*(None if a is None else a.data.ptr for a in arrays))
        size = ctypes.sizeof(ctypes.c_void_p)
        addresses = [ctypes.addressof(values) + size * k for k in range(len(arrays))]
        parameters = (ctypes.c_void_p * len(arrays))(*addresses)
        open_places = [(k, name) for k, (name, a) in enumerate(zip(launch.arrays, arrays, strict=True)) if a is None]
        kernel = self._kernels[launch.kernel].ptr
        return kernel, launch.blocks, open_places, values, ctypes.addressof(parameters), (parameters, arrays)


class _Planned:
    """The launches of a sweep: of each function, with the arrays that stay, and the sizes of work arrays."""

    def __init__(self, sweep: Sweep, module: Module, tables: Tables) -> None:
        self.sizes = sweep.sizes
        self.parts: list[tuple[list[Launch], dict[str, Any], dict[str, int]]] = []
        for function in sweep.source.functions:
            grids = Grids.of(function, sweep.source.fixed)
            kept = {name: tables[array] for name, array in (sweep.source.fixed | grids.fixed).items()}
            self.parts.append((module.launches(grids), kept, grids.sizes))
