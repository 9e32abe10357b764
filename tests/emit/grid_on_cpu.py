"""Grids on the CPU: the text for the device, compiled as C++, block by block and thread by thread, in both directions.

Work arrays, and what a thread has for itself, hold NaN at the start; the two directions must agree in every bit.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from sparsead.emit.cuda import THREADS, Module
from sparsead.emit.grid import Grids
from sparsead.errors import InputError

COMPILER = shutil.which("g++")
FLAGS = ["-x", "c++", "-std=c++14", "-O0", "-w", "-ffp-contract=off", "-fno-builtin", "-shared", "-fPIC"]
SHIM = """#include <math.h>
#include <stdlib.h>
struct Index { unsigned x, y; };
static Index blockIdx, threadIdx;
#define __global__
#define __device__
#define __forceinline__ inline
#define __noinline__
#define __restrict__
#define __syncthreads()
#define PHASE(number) (phase == number)
#define SHARED(type, name, size) static type name[size]; if (first) for (int k_ = 0; k_ < size; ++k_) name[k_] = POISON
static int phase, first; // all threads of a block are in one phase; whether this is the first of them
struct Poison { operator double() const { return NAN; } operator int() const { return -(1 << 30); }
    operator long long() const { return -(1LL << 60); } };
static const Poison POISON;
#define PRIVATE(name, size) double name[size]; for (int k_ = 0; k_ < size; ++k_) name[k_] = NAN
"""
RUN = """extern "C" void run_{kernel}(void **a, unsigned blocks, unsigned rows, int backwards)
{{
    for (unsigned b = 0; b < blocks * rows; ++b)
        for (phase = 0; phase < 3; ++phase)
            for (unsigned t = 0; t < {threads}; ++t) {{
                unsigned at = backwards ? blocks * rows - 1 - b : b;
                blockIdx.x = at % blocks, blockIdx.y = at / blocks;
                threadIdx.x = backwards ? {threads} - 1 - t : t;
                first = phase == 0 && t == 0;
                {kernel}({arguments});
            }}
}}
"""
KERNEL = re.compile(r'extern "C" __global__ void (\w+)\((.*)\)')
kept = []  # folders of libraries in use


@functools.lru_cache(maxsize=512)
def library(text):
    """Compile C++ and load it."""
    folder = tempfile.TemporaryDirectory()
    kept.append(folder)
    path = Path(folder.name) / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.so"
    subprocess.run([COMPILER, *FLAGS, "-o", path, "-", "-lm"], input=text, text=True, check=True)
    return ctypes.CDLL(str(path))


def as_cpp(text):
    """Return CUDA C with what it takes to be C++, and for each kernel a function that runs its threads."""
    runs = []
    for kernel, parameters in KERNEL.findall(text):
        kinds = [re.sub(r"(const|__restrict__|\w+$)", "", parameter) for parameter in parameters.split(",")]
        arguments = ", ".join(f"({kind})a[{k}]" for k, kind in enumerate(kinds))
        runs.append(RUN.format(kernel=kernel, threads=THREADS, arguments=arguments))
    return "\n".join([SHIM, text, *runs])


def arity(text, kernel):
    """Return how many parameters a kernel takes."""
    return next(p.count(",") + 1 for name, p in KERNEL.findall(text) if name == kernel)


def run(code, kernel, blocks, arrays, backwards=False, rows=1):
    """Run all threads of a kernel, one after the other, on arrays or on addresses of arrays."""
    pointers = (ctypes.c_void_p * len(arrays))(*(a if isinstance(a, int) else a.ctypes.data for a in arrays))
    getattr(code, f"run_{kernel}")(pointers, blocks, rows, backwards)


def on_grid(functions):
    """Compile functions, as a back end does: at the first call, all that are bound to arrays by then, at once."""
    bound = []
    return [functools.partial(_Bound, function, bound) for function in functions]


class _Bound:
    """A function and arrays of its own."""

    def __init__(self, function, together, bound):
        self._function, self._bound, self._together, self._made = function, bound, together, None
        together.append(self)

    def __call__(self, given):
        if self._made is None:
            self._compile()
        if isinstance(self._made, Exception):
            raise self._made
        grids, launches, code = self._made
        others = iter(given)
        named = {name: self._bound[name] if name in self._bound else next(others) for name in self._function.arrays}
        arrays = named | grids.fixed
        first = {name: array.copy() for name, array in arrays.items()}
        for backwards, ours in ((0, first), (1, arrays)):
            ours |= {name: np.full(size, np.nan) for name, size in grids.sizes.items()}
            for launch in launches:
                run(code[0], launch.kernel, launch.blocks, [ours[a] for a in launch.arrays], backwards)
        for name, array in arrays.items():
            assert array.tobytes() == first[name].tobytes(), f"{name} depends on the order of threads"

    def _compile(self):
        """Compile it with all others that have not been."""
        module, code = Module(), []
        for other in self._together:
            other._made = other._grids(module, code)
        self._together.clear()
        if "__global__" in module.text:
            code.append(library(as_cpp(module.text)))

    def _grids(self, module, code):
        inner = [name for name, array in self._bound.items() if array.dtype.kind == "f"]
        try:
            grids = Grids.of(self._function, self._bound, inner)
        except InputError as refusal:
            return refusal
        return grids, module.launches(grids), code
