"""What the host side calls of CuPy, on the CPU: arrays of NumPy, kernels compiled as C++.

It stands in where there is no device, so it holds the calls to the forms that CuPy documents: it cannot tell what a
device does.
"""

from __future__ import annotations

from types import ModuleType, SimpleNamespace

import numpy as np

from sparsead.emit.cuda import OPTIONS, THREADS
from tests.emit.grid_on_cpu import as_cpp, library, run


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
        self.code = library(as_cpp(code))
        calls["compiled"] += 1

    def get_function(self, name):
        def kernel(grid, block, args):
            (blocks,) = grid
            assert block == (THREADS,) and all(type(a) is Array and a.flags.c_contiguous for a in args)
            calls["launches"] += 1
            run(self.code, name, blocks, args)

        return kernel


class CsrMatrix:
    def __init__(self, arrays, shape):
        self.data, self.indices, self.indptr = arrays
        self.shape, self.has_canonical_format = shape, False


calls = {"compiled": 0, "launches": 0, "allocated": 0, "copied": 0}


def asarray(value):
    if isinstance(value, Array):
        return value
    calls["copied"] += 1
    return np.array(value).view(Array)


def empty(shape):
    calls["allocated"] += 1
    return np.full(shape, np.nan).view(Array)


def ascontiguousarray(array, dtype):
    assert isinstance(array, Array)
    return np.ascontiguousarray(array, dtype).view(Array)


def from_dlpack(value):
    return value.on_device


def installed(monkeypatch, devices=1):
    """Let ``import cupy`` find this."""
    cupy, sparse = ModuleType("cupy"), ModuleType("cupyx.scipy.sparse")
    for name in ("asarray", "empty", "ascontiguousarray", "from_dlpack", "RawModule"):
        setattr(cupy, name, globals()[name])
    cupy.ndarray, sparse.csr_matrix = Array, CsrMatrix
    cupy.cuda = SimpleNamespace(runtime=SimpleNamespace(getDeviceCount=lambda: devices))
    modules = {"cupy": cupy, "cupyx": ModuleType("cupyx"), "cupyx.scipy": ModuleType("cupyx.scipy")}
    for name, module in {**modules, "cupyx.scipy.sparse": sparse}.items():
        monkeypatch.setitem(__import__("sys").modules, name, module)
    return cupy
