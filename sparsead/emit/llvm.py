"""Back end that compiles generated source straight to machine code through llvmlite, numba's compiler layer.

Compiling takes a tenth of numba's time, most of which goes into type inference that generated source does not need.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import re
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numpy as np
from llvmlite.binding.newpassmanagers import NewPassManager

from coloring.interrupts import deferred
from sparsead.emit.address import address
from sparsead.emit.assembly import assembly
from sparsead.emit.cache import CodeCache, default_cache
from sparsead.emit.exact_division import defined_quotients
from sparsead.emit.frame import Frame
from sparsead.emit.python import Bind, Call
from sparsead.emit.source import Function

LABEL = re.compile(r"^\S+:$", re.MULTILINE)
OPTIONS = "O2, loop and SLP vectorisation (of short blocks), unrolling of marks"  # part of the name of cached code
LONG_BLOCK = 2000  # instructions in a row: SLP vectorisation of more may take minutes, and finds little
MOST_RECENT = 1 << 25  # bytes of machine code that nobody uses now, kept for the next who asks for the same


@functools.cache
def _processor() -> tuple[str, str]:
    """Return the name of this processor and its features: LLVM takes a millisecond to find them."""
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def _target() -> Any:
    """Return a machine description; an engine owns the one that it is given."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    name, features = _processor()
    return llvm.Target.from_default_triple().create_target_machine(cpu=name, features=features, opt=3, jit=True)


def _optimise(module: Any, target: Any, text: str, context: Any = None) -> None:
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = True
    options.slp_vectorization = max(block.count("\n") for block in LABEL.split(text)) < LONG_BLOCK
    options.loop_unrolling = False  # of all loops: it took half of the time and gained nothing
    builder = llvm.create_pass_builder(target, options)
    _run(builder.getModulePassManager(), module, builder)
    quotients = defined_quotients(text)
    if quotients:
        module.link_in(llvm.parse_assembly(quotients, context))
        inlining = llvm.create_new_module_pass_manager()
        inlining.add_always_inliner_pass()
        _run(inlining, module, builder)


def _run(passes: Any, module: Any, builder: Any) -> None:
    passes.run(module, builder)
    # llvmlite's class inherits another `_dispose` first, which frees nothing: 80 kB would stay of every module
    NewPassManager._dispose(passes)
    passes.detach()


class Code:
    """Machine code of some assembly, from the cache on disk if it is there.

    No interrupt comes while it is made or freed: an exception in a function that LLVM calls back would be lost, and
    what is freed by half would be freed twice. At the end of the process it is left to the system: what `__del__`
    needs may be gone by then, and another thread may be running the code.

    Parameters
    ----------
    text : str
        The assembly.
    key : str, optional
        Its name in the cache on disk; without one it is neither looked for nor kept there.
    stored : bytes, optional
        Its machine code, if that is known.

    Attributes
    ----------
    compiled : bytes
        The machine code; an engine holds much more than that.
    """

    def __init__(self, text: str, key: str | None = None, stored: bytes | None = None) -> None:
        cache = CodeCache(None) if key is None else default_cache()
        key = key or ""
        with deferred():
            target = _target()
            stored = stored or cache.get(key)
            context = llvm.create_context()  # of its own: what LLVM keeps of a module goes with it
            module = llvm.parse_assembly(text, context)
            module.triple = target.triple
            module.data_layout = str(target.target_data)
            if stored is None:
                _optimise(module, target, text, context)
            self.engine = llvm.create_mcjit_compiler(module, target)
            made: list[bytes] = []
            self.engine.set_object_cache(lambda _, code: made.append(code), lambda _: stored)
            self.engine.finalize_object()
            weakref.finalize(self, _close, self.engine, context).atexit = False
            for code in made:
                cache.put(key, code)
            self.compiled = stored or b"".join(made)

    def address_of(self, name: str) -> int:
        """Return where a function begins."""
        return self.engine.get_function_address(name)


def _close(engine: Any, context: Any) -> None:
    with deferred():
        engine.close()
        context.close()


class Codes:
    """The codes of this process: equal assembly is compiled once, as long as its code is in use or was lately."""

    def __init__(self) -> None:
        self.alive: weakref.WeakValueDictionary[str, Code] = weakref.WeakValueDictionary()
        self.recent: dict[str, bytes] = {}  # the latest at the end

    def of(self, text: str) -> Code:
        """Return the code of some assembly. Threads may come at once: at worst each compiles its own."""
        key = hashlib.sha256("\n".join([text, _machine()]).encode()).hexdigest()
        code = self.alive.get(key)
        if code is None:
            code = self.alive[key] = Code(text, key, self.recent.get(key))
        self.recent.pop(key, None)
        self.recent[key] = code.compiled
        size = sum(map(len, list(self.recent.values())))
        for old in list(self.recent):
            if size <= MOST_RECENT:
                break
            size -= len(self.recent.pop(old, b""))
        return code

    def clear(self) -> None:
        """Forget all: whoever asks next gets code from the disk, or compiles."""
        self.alive.clear()
        self.recent.clear()


_codes = Codes()


def code_of(text: str) -> Code:
    """Return the machine code of some assembly, shared by all who ask for it."""
    return _codes.of(text)


def llvm_compiled(functions: Sequence[Function]) -> list[Bind]:
    """Compile the functions with LLVM, or take their code from the cache.

    Arrays must be C-contiguous and of the declared types. Each call has a table of pointers of its own, so calls from
    several threads (or from a signal handler) do not meet.
    """
    code = code_of(assembly(functions))
    return [_binding(code, number, list(function.arrays)) for number, function in enumerate(functions)]


def _binding(code: Code, number: int, names: list[str]) -> Bind:
    start = code.address_of(f"entry{number}")
    run = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(start)
    pointers = ctypes.c_size_t * len(names)

    def bind(bound: Mapping[str, np.ndarray]) -> Call:
        known = bytes(pointers(*(address(bound[name]) if name in bound else 0 for name in names)))
        places = [k for k, name in enumerate(names) if name not in bound]

        def call(given: Sequence[np.ndarray]) -> None:
            table = pointers.from_buffer_copy(known)
            for place, array in zip(places, given, strict=True):
                table[place] = address(array)
            run(table)

        alive = bound, code  # what the pointers point to
        call.frame = Frame(start, np.frombuffer(known, np.intp).copy(), tuple(places), alive)  # type: ignore[attr-defined]
        return call

    return bind


@functools.cache
def _machine() -> str:
    """Return what machine code depends on beside its source: compiler, processor, our own options."""
    return f"{llvmlite.__version__} {llvm.llvm_version_info} {' '.join(_processor())} {OPTIONS}"
