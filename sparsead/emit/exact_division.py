"""Quotients by constants without dividing, equal to the bit: several numbers at once, in loops that wait for divisions.

The reciprocal of a divisor as a sum of two numbers gives a quotient within a trifle of half a unit in the last place:
mostly the correctly rounded one (N. Brisebarre, J.-M. Muller and S. K. Raina, Accelerating correctly rounded
floating-point division when the divisor is known in advance, IEEE Trans. Comput. 53 (2004) 1069-1072). Its remainder,
which a fused multiply-add computes exactly, gives that where the divisor does not prove it (P. Markstein, Computation
of elementary functions on the IBM RISC System/6000 processor, IBM J. Res. Dev. 34 (1990) 111-119). Both hold for
numbers whose quotients and remainders neither overflow nor underflow; where one of those that are divided at once is so
large or small, all are divided as usual.

LLVM sees a function of one number that has a variant of several, as for `sparsead.emit.vector_math`. What they do is
put in their place once it has vectorised loops.
"""

from __future__ import annotations

import ast
import functools
import math
import re
import struct
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from sparsead.emit.parsing import walk

NEAR = 200  # powers of two between divisors and 1
FAR = 500  # and between what is divided and 1
TRIFLE = Fraction(1, 1 << 50)  # bound on what the first quotient is off beyond half a unit, in units
DIVISION = 32  # operations during which one division, half of a root, or a function keeps a processor busy
DECLARED = re.compile(r"declare double @over_(\w{16})\(.*_ZGV_LLVM_N(\d+)v_")
PURE = "memory(none) nounwind willreturn"
SIGN = 1 << 63


def waits_for_divisions(loop: ast.For) -> bool:
    """Tell whether the divisions and roots of an innermost loop take longer than what else it computes."""
    divisions = others = 0
    for node in walk(loop):
        match node:
            case ast.For() if node is not loop:
                return False
            case ast.BinOp(op=ast.Div()):
                divisions += 1
            case ast.Call(func=ast.Name(id="sqrt")):
                divisions += 2
            case ast.Call(func=ast.Name(id=name)):
                others += 1 if name in {"abs", "min", "max", "range"} else DIVISION
            case ast.BinOp() | ast.Subscript():
                others += 1
    return DIVISION * divisions > others


class Reciprocal(NamedTuple):
    """Two numbers that add up to the reciprocal of a divisor; whether quotients need the remainder to be right."""

    first: float
    second: float
    corrected: bool


@functools.cache
def reciprocal(divisor: float) -> Reciprocal | None:
    """Return the reciprocal of a divisor; None where quotients might be rounded wrongly, or are easier to have.

    What is off before rounding must be less than how near a quotient comes to the middle of two numbers: in units in
    the last place half of one over the divisor as an odd number. The first quotient is off by two roundings of its
    smaller part; the corrected one by what the first is, once rounded, times the error of the reciprocal.
    """
    fraction, power = math.frexp(divisor)
    if not 0.0 < divisor < math.inf or fraction == 0.5 or abs(power) > NEAR:
        return None
    exact = 1 / Fraction(divisor)
    first = float(exact)
    second = float(exact - Fraction(first))
    odd = int(fraction * (1 << 53))
    odd //= odd & -odd
    nearest, error = Fraction(1, 2 * odd), abs(Fraction(first) / exact - 1)
    corrected = 2 * error >= nearest
    if corrected and (Fraction(1, 2) + TRIFLE) * error >= nearest:
        return None
    return Reciprocal(first, second, corrected)


def quotient_name(divisor: float) -> str:
    """Return the name of the function that divides by a number."""
    return f"over_{written(divisor)[2:]}"


def declared_quotients(divisors: Iterable[float], width: int) -> list[str]:
    """Return LLVM assembly that declares the functions, and says that they have variants."""
    vector = f"<{width} x double>"
    names = [quotient_name(divisor) for divisor in sorted(divisors)]
    if not names:
        return []
    used = ", ".join(f"ptr @{name}_wide" for name in names)
    return [
        *(f"declare {vector} @{name}_wide({vector}) {PURE}" for name in names),
        *(
            f"declare double @{name}(double) {PURE} "
            f'"vector-function-abi-variant"="_ZGV_LLVM_N{width}v_{name}({name}_wide)"'
            for name in names
        ),
        f'@llvm.compiler.used = appending global [{len(names)} x ptr] [{used}], section "llvm.metadata"',
    ]


def defined_quotients(text: str) -> str:
    """Return LLVM assembly that defines what a module declares, to be put in the place of calls; "" for nothing."""
    found = DECLARED.findall(text)
    if not found:
        return ""
    width = int(found[0][1])
    vector = f"<{width} x double>"
    lines = [f"declare {vector} @llvm.fma.v{width}f64({vector}, {vector}, {vector})"]
    for bits, _ in found:
        divisor = struct.unpack(">d", bytes.fromhex(bits))[0]
        lines += _one(divisor) + _several(divisor, width)
    return "\n".join([*lines, '!0 = !{!"branch_weights", i32 1000000, i32 1}'])


def _one(divisor: float) -> list[str]:
    return [
        f"define linkonce_odr double @{quotient_name(divisor)}(double %x) alwaysinline {PURE} {{",
        f"  %value = fdiv double %x, {written(divisor)}",
        "  ret double %value",
        "}",
    ]


def _several(divisor: float, width: int) -> list[str]:
    found = reciprocal(divisor)
    assert found is not None
    vector, whole = f"<{width} x double>", f"<{width} x i64>"
    first, second = (_all("double", written(part), width) for part in (found.first, found.second))
    lowest, highest = _bits(2.0**-FAR), _bits(2.0**FAR)
    by, minus = (_all("double", written(number), width) for number in (divisor, -divisor))
    fma = f"call {vector} @llvm.fma.v{width}f64"
    return [
        f"define linkonce_odr {vector} @{quotient_name(divisor)}_wide({vector} %x) alwaysinline {PURE} {{",
        f"  %bits = bitcast {vector} %x to {whole}",
        f"  %size = and {whole} %bits, {_all('i64', SIGN - 1, width)}",
        f"  %above = sub {whole} %size, {_all('i64', lowest, width)}",
        f"  %far = icmp ugt {whole} %above, {_all('i64', highest - lowest, width)}",
        f"  %some = icmp ne {whole} %size, zeroinitializer",
        f"  %extreme = and <{width} x i1> %far, %some",
        f"  %mask = bitcast <{width} x i1> %extreme to i{width}",
        f"  %usual = icmp eq i{width} %mask, 0",
        "  br i1 %usual, label %multiply, label %divide, !prof !0",
        "multiply:",
        f"  %rest = fmul {vector} %x, {second}",
        f"  %near = {fma}({vector} %x, {vector} {first}, {vector} %rest)",
        f"  %left = {fma}({vector} {minus}, {vector} %near, {vector} %x)",
        f"  %corrected = {fma}({vector} %left, {vector} {first}, {vector} %near)",
        f"  %size.of = bitcast {vector} {'%corrected' if found.corrected else '%near'} to {whole}",
        f"  %sign = and {whole} %bits, {_all('i64', -SIGN, width)}",
        f"  %signed = or {whole} %size.of, %sign",  # a zero has the sign of what is divided
        f"  %product = bitcast {whole} %signed to {vector}",
        "  br label %done",
        "divide:",
        f"  %quotient = fdiv {vector} %x, {by}",
        "  br label %done",
        "done:",
        f"  %value = phi {vector} [ %product, %multiply ], [ %quotient, %divide ]",
        f"  ret {vector} %value",
        "}",
    ]


def _all(kind: str, number: object, width: int) -> str:
    return f"<{', '.join([f'{kind} {number}'] * width)}>"


def _bits(number: float) -> int:
    return int(struct.unpack(">Q", struct.pack(">d", number))[0])


def written(number: float) -> str:
    """Return a number as LLVM assembly has it."""
    return f"0x{_bits(number):016X}"
