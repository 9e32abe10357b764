"""NVIDIA's compiler and assembler from their wheels, which need no device: CUDA C in, registers and spills out."""

from __future__ import annotations

import ctypes
import importlib.util
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sparsead.emit.cuda import OPTIONS

REPORT = re.compile(
    r"Compiling entry function '(\w+)'.*?(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads"
    r".*?Used (\d+) registers(?:[^\n]*?(\d+) bytes smem)?",
    re.DOTALL,
)


def _file(package, pattern):
    try:
        found = importlib.util.find_spec(f"nvidia.{package}")
    except ModuleNotFoundError:
        return None
    places = [] if found is None else [Path(p) for p in found.submodule_search_locations]
    return next((file for place in places for file in sorted(place.glob(pattern))), None)


NVRTC = _file("cuda_nvrtc", "lib/libnvrtc.so.12")
PTXAS = _file("cuda_nvcc", "bin/ptxas")


@dataclass(frozen=True)
class Usage:
    """What a thread of a kernel uses: registers; bytes of its own arrays and of what did not fit into registers.

    `shared` are the bytes that a block shares.
    """

    kernel: str
    registers: int
    stack: int
    spilled: int
    shared: int


def ptx(text, architecture):
    """Compile CUDA C for ``"80"``, ``"90"``; raise with the compiler's words if it does not."""
    library, program, size = ctypes.CDLL(str(NVRTC)), ctypes.c_void_p(), ctypes.c_size_t()
    assert not library.nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"grids.cu", 0, None, None)
    options = [option.encode() for option in (*OPTIONS, f"--gpu-architecture=compute_{architecture}")]
    failed = library.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    what = "ProgramLog" if failed else "PTX"
    getattr(library, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
    result = ctypes.create_string_buffer(size.value)
    getattr(library, f"nvrtcGet{what}")(program, result)
    library.nvrtcDestroyProgram(ctypes.byref(program))
    if failed:
        raise AssertionError(result.value.decode())
    return result.value.decode()


def assembled(text, architecture, folder):
    """Assemble CUDA C; return what each kernel uses."""
    source = folder / "grids.ptx"
    source.write_text(ptx(text, architecture))
    command = [PTXAS, "-v", f"-arch=sm_{architecture}", source, "-o", folder / "grids.cubin"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return [
        Usage(kernel, int(registers), int(stack), int(out) + int(back), int(shared or 0))
        for kernel, stack, out, back, registers, shared in REPORT.findall(told)
    ]
