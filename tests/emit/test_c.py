"""Generated source as C: every construct of the generated language, compiled by the machine's C compiler."""

from __future__ import annotations

import ctypes
import shutil
import subprocess

import numpy as np
import pytest

from sparsead.emit.c import c_function
from sparsead.emit.packing import repeats, unpacked
from sparsead.emit.python import interpreted
from sparsead.emit.source import Source

COMPILER = shutil.which("cc")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler")
FLAGS = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", "-shared", "-fPIC"]


def shared_library(folder, text):
    (folder / "code.c").write_text(text)
    subprocess.run([COMPILER, *FLAGS, "-o", folder / "code.so", folder / "code.c", "-lm"], check=True)
    return ctypes.CDLL(str(folder / "code.so"))


def compared(tmp_path, source, **arrays):
    """Run a function as C and as Python; return what each made of the arrays."""
    (function,) = source.functions
    made = c_function(function, "f")
    text, used = made.text, made.arrays
    call = f"void g(void **a) {{ f({', '.join(f'a[{k}]' for k in range(len(used)))}); }}"
    library = shared_library(tmp_path, f"#include <math.h>\n{text}\n{call}\n")
    ours, theirs = ({name: a.copy() for name, a in arrays.items()} for _ in range(2))
    library.g((ctypes.c_void_p * len(used))(*(ours[name].ctypes.data for name in used)))
    interpreted(function)(theirs)([])
    return ours, theirs


@needs_compiler
def test_arithmetic_conditions_and_calls(tmp_path):
    source = Source("f")
    x, y = source.array("x"), source.array("y")
    with source.block("for i in range(12):"):
        source.write(f"s0 = {x}[i]")
        source.write("s1 = s0 < 0.5")
        source.write("s2 = not s1")
        source.write("s3 = s1 and s0 >= -1.0 or s2 and s0 != s0")
        source.write("s4 = -s0 if s3 else s0 ** 2.0")
        source.write("s5 = s1 * 3.0 - s4 / (1.5 - abs(s0))")
        source.write("s6 = copysign(s5, s0) + fmod(s0, 0.7) + rint(s0) + floor(s0)")
        source.write("s7 = (-inf) if s0 > 2.0 else 1e-300 * s6")
        source.write("s8 = nan if s0 == 0.0 else s7")
        source.write("s9 = s1 / s2 + (s1 + s1) / 4.0 - (-s2) * (s1 - s2)")
        source.write("unread = s8 * 2.0")
        for k, name in enumerate(["s3", "s4", "s5", "s6", "s7", "s8", "s9"]):
            source.write(f"{y}[7 * i + {k}] = {name}")
    values = np.array([-3.0, -1.0, -0.0, 0.0, 0.25, 0.5, 1.0, 1.5, 2.5, 7.0, np.inf, np.nan])
    ours, theirs = compared(tmp_path, source, x=values, y=np.zeros(84))
    np.testing.assert_array_equal(ours["y"], theirs["y"])
    assert np.isnan(ours["y"]).any() and np.isinf(ours["y"]).any()


@needs_compiler
def test_loops_guards_and_index_arithmetic(tmp_path):
    source = Source("f")
    y, t = source.array("y"), source.array("t", "i4")
    source.write("first = 7 * 3 // 2")
    with source.block("for i in range(2, 6):"):
        source.write(f"begin = {t}[i]")
        source.write(f"end = min(begin + 3, {t}[i + 1])")
        with source.block("for k in range(begin, end):"):
            source.write("c = k - first")
            with source.block("if 0 <= c < 8:"):
                source.write(f"{y}[c] += 1.0 + 0.1 * i")
        source.write(f"begin = max(begin, {t}[0])")  # set again in the same block
        source.write(f"{y}[8 + i] = begin")
        source.write(f"prefetch({y}, i)")
    tables = np.array([11, 0, 9, 14, 15, 20, 21], np.int32)
    ours, theirs = compared(tmp_path, source, t=tables, y=np.zeros(16))
    np.testing.assert_array_equal(ours["y"], theirs["y"])
    assert ours["y"][:8].any()


@needs_compiler
def test_indices_beyond_32_bits_do_not_overflow(tmp_path):
    source = Source("f")
    y, t = source.array("y"), source.array("t", "i4")
    source.write(f"far = {t}[0] * {t}[1]")
    source.write(f"{y}[0] = far // 4096")
    with np.errstate(over="ignore"):  # NumPy's integers do
        ours, _ = compared(tmp_path, source, t=np.array([1 << 20, 1 << 20], np.int32), y=np.zeros(1))
    assert ours["y"][0] == 2.0**28


def grid(n):
    """Return the columns of a five-point operator, by rows."""
    k = np.arange(n * n).reshape(n, n)
    rows = [
        sorted({k[i, j], *k[max(i - 1, 0) : i + 2, j], *k[i, max(j - 1, 0) : j + 2]})
        for i in range(n)
        for j in range(n)
    ]
    return np.concatenate(rows)


PACKED = {
    "empty": np.empty(0, int),
    "short": np.array([5, 4, 3]),
    "constant": np.full(1000, 7),
    "periodic": np.tile([3, 1, 4, 1, 5], 300),
    "nested": np.tile(np.concatenate([np.tile([1, 2], 20), [9, -9]]), 50),
    "changes late": np.concatenate([np.ones(999, int), [2]]),
    "two halves": np.concatenate([np.tile([1, 2, 3], 200), np.tile([1, 2, 3, 4], 200)]),
}


@pytest.mark.parametrize("kind", PACKED)
def test_codes_are_read_back(kind):
    code = repeats(PACKED[kind])
    assert (code is None) == (kind == "short")
    if code is not None:
        np.testing.assert_array_equal(unpacked(code), PACKED[kind])
        assert len(code) < 70


def test_codes_of_grids_have_one_length_for_all_sizes():
    lengths = []
    for n in (12, 25, 60):
        steps = np.diff(grid(n), prepend=0)
        code = repeats(steps)
        np.testing.assert_array_equal(unpacked(code), steps)
        lengths.append(len(code))
    assert max(lengths) < 1.3 * min(lengths)


def test_what_does_not_repeat_is_left_alone():
    assert repeats(np.random.default_rng(1).integers(0, 1000, 5000)) is None
