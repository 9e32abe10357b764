"""Mathematical functions of several numbers at once: glibc's libmvec, for loops that LLVM vectorises.

LLVM turns a call in a loop into a call for a whole register where the function says that it has such a variant (the
vector function ABI). A call that stays alone goes through the same variant, so that a value does not depend on where
in a loop it was computed. The variants are within 4 units in the last place; special values are those of libm.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterable

import llvmlite.binding as llvm

LIBRARY = "libmvec.so.1"
WIDTHS = (("avx512f", "e", 8), ("avx2", "d", 4))  # processor feature, letter of the ABI, numbers at once


@functools.cache
def _width() -> tuple[str, int]:
    """Return the letter and the width of this processor's widest variants; width 0 where there are none."""
    features = llvm.get_host_cpu_features()
    found = ((letter, width) for name, letter, width in WIDTHS if features.get(name) and features.get("fma"))
    return next(found, ("", 0))


def vector_width() -> int:
    """Return how many numbers the widest variants take; 0 where there are none, or no fused multiply-adds."""
    return _width()[1]


@functools.cache
def width_attribute() -> str:
    """Return what lets LLVM use registers as wide as the widest variants.

    It prefers narrower ones on some processors. Then no variant fits, and each number would be a call of its own.
    """
    width = vector_width()
    return f' "prefer-vector-width"="{64 * width}"' if width else ""


@functools.cache
def _library() -> ctypes.CDLL | None:
    """Load the library, also for the machine code that is going to call it; None where there is none."""
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        return None
    llvm.load_library_permanently(LIBRARY)
    return library


def _symbol(name: str, arity: int) -> str:
    letter, width = _width()
    return f"_ZGV{letter}N{width}{'v' * arity}_{name}"


@functools.cache
def has_wide(name: str, arity: int) -> bool:
    """Tell whether a function has a variant for several numbers on this machine."""
    return vector_width() > 0 and hasattr(_library(), _symbol(name, arity))


def wide_definitions(functions: Iterable[tuple[str, int]]) -> list[str]:
    """Return LLVM assembly that defines ``@wide_f`` for functions (name, number of operands) that `has_wide`."""
    return [_definition(name, arity, number) for number, (name, arity) in enumerate(sorted(functions))]


def _definition(name: str, arity: int, number: int) -> str:
    """Define a function of single numbers by its variant, and say that it has one.

    It is neither internal nor inlined: LLVM would change its parameters, or forget what it stands for.
    """
    width = vector_width()
    symbol, vector = _symbol(name, arity), f"<{width} x double>"
    operands = [f"%x{k}" for k in range(arity)]
    spread = [
        line
        for o in operands
        for line in (
            f"  {o}.one = insertelement {vector} poison, double {o}, i32 0",
            f"  {o}.all = shufflevector {vector} {o}.one, {vector} poison, <{width} x i32> zeroinitializer",
        )
    ]
    pure = "memory(none) nounwind willreturn"
    variant = f"_ZGV_LLVM_N{width}{'v' * arity}_wide_{name}({symbol})"
    return "\n".join(
        [
            f"declare {vector} @{symbol}({', '.join([vector] * arity)}) {pure}",
            f"define double @wide_{name}({', '.join(f'double {o}' for o in operands)}) noinline #{number} {{",
            *spread,
            f"  %values = call {vector} @{symbol}({', '.join(f'{vector} {o}.all' for o in operands)})",
            f"  %value = extractelement {vector} %values, i32 0",
            "  ret double %value",
            "}",
            f'attributes #{number} = {{ {pure} "vector-function-abi-variant"="{variant}" }}',
        ]
    )
