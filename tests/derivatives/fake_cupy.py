"""What the host side calls of CuPy, on the CPU: arrays of NumPy, kernels compiled as C++.

It stands in where there is no device, so it holds the calls to the forms that CuPy documents: it cannot tell what a
device does. A stream runs what is queued at once, but for what it captures: that is kept, and run by the graph.
"""

from __future__ import annotations

import ctypes
import itertools
from types import ModuleType, SimpleNamespace

import numpy as np
import scipy.sparse.linalg

from sparsead.emit.cuda import OPTIONS, THREADS
from tests.emit.grid_on_cpu import arity, as_cpp, library, run


class Array(np.ndarray):
    """An array of the "device": where it lies is in ``data.ptr``; the host cannot read it without `get`."""

    @property
    def data(self):
        return SimpleNamespace(ptr=self.ctypes.data)

    @property
    def __cuda_array_interface__(self):
        return self.__array_interface__

    def get(self):
        return np.array(self.view(np.ndarray))


class RawModule:
    def __init__(self, *, code, options, backend):
        assert options == OPTIONS and backend == "nvrtc"
        self.text, self.code = code, library(as_cpp(code))
        calls["compiled"] += 1

    def get_function(self, name):
        number = next(numbers)
        functions[number] = self.code, name, arity(self.text, name)
        return SimpleNamespace(kernel=SimpleNamespace(ptr=number))


class CsrMatrix:
    def __init__(self, arrays, shape):
        self.data, self.indices, self.indptr = arrays
        self.shape, self.has_canonical_format = shape, False


class Stream:
    def __init__(self, non_blocking=False):
        self.ptr, self._queued = next(numbers), None

    def __enter__(self):
        streams.append(self)
        return self

    def __exit__(self, *_):
        assert streams.pop() is self

    def synchronize(self):
        assert self._queued is None, "CUDA: not while a stream is being captured"
        calls["waited"] += 1

    def is_capturing(self):
        return self._queued is not None

    def begin_capture(self):
        assert self is not streams[0], "cannot capture on the default (legacy) stream"
        self._queued = []

    def end_capture(self):
        queued, self._queued = self._queued, None
        return SimpleNamespace(launch=lambda stream=None: _launch_all(queued))

    def take(self, launch):
        """Run a launch, or keep it for a graph."""
        if self._queued is None:
            _launch_all([launch])
        else:
            self._queued.append(launch)


calls = {"compiled": 0, "launches": 0, "allocated": 0, "copied": 0, "waited": 0}
numbers = itertools.count(1)
functions = {}
streams = [Stream()]


def launch_kernel(function, blocks, rows, z, threads, ty, tz, shared, stream, parameters, extra):
    """Launch as the driver does: the parameters, each through a pointer to it, are copied here and now."""
    assert (
        (z, threads, ty, tz, shared, extra) == (1, THREADS, 1, 1, 0, 0)
        and 0 < rows < 1 << 16
        and stream == streams[-1].ptr
    )
    code, name, count = functions[function]
    places = (ctypes.c_void_p * count).from_address(parameters)
    values = [ctypes.c_uint64.from_address(place).value for place in places]
    streams[-1].take((code, name, blocks, values, calls["launches"] % 2, rows))  # backwards every other time


def _launch_all(launches):
    for launch in launches:
        calls["launches"] += 1
        run(*launch)


def asarray(value, dtype=None):
    if isinstance(value, Array):
        return value
    assert not streams[-1].is_capturing(), "the current stream is capturing, so H2D transfers are disallowed"
    calls["copied"] += 1
    return np.array(value, dtype).view(Array)


def empty(shape):
    calls["allocated"] += 1
    return np.full(shape, np.nan).view(Array)


def ascontiguousarray(array, dtype):
    assert isinstance(array, Array)
    return np.ascontiguousarray(array, dtype).view(Array)


def moveaxis(array, source, destination):
    return np.moveaxis(array, source, destination)


def from_dlpack(value):
    return value.on_device


def installed(monkeypatch, devices=1):
    """Let ``import cupy`` find this."""
    cupy, sparse = ModuleType("cupy"), ModuleType("cupyx.scipy.sparse")
    for name in ("asarray", "empty", "ascontiguousarray", "from_dlpack", "moveaxis", "RawModule"):
        setattr(cupy, name, globals()[name])
    cupy.linalg, cupy.concatenate = np.linalg, np.concatenate
    cupy.ndarray, sparse.csr_matrix, sparse.linalg = Array, CsrMatrix, scipy.sparse.linalg
    runtime = SimpleNamespace(getDeviceCount=lambda: devices, getDevice=lambda: 0, memGetInfo=lambda: (0, 0))
    cupy.cuda = SimpleNamespace(
        runtime=runtime,
        driver=SimpleNamespace(launchKernel=launch_kernel),
        get_current_stream=lambda device=-1: streams[-1],
        Stream=Stream,
    )
    modules = {"cupy": cupy, "cupyx": ModuleType("cupyx"), "cupyx.scipy": ModuleType("cupyx.scipy")}
    modules |= {"cupyx.scipy.sparse": sparse, "cupyx.scipy.sparse.linalg": scipy.sparse.linalg}
    for name, module in modules.items():
        monkeypatch.setitem(__import__("sys").modules, name, module)
    return cupy
