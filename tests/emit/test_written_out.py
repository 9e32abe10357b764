"""Code without its loops computes the same, and is straight."""

from __future__ import annotations

import ast

import numpy as np

from sparsead.emit.python import interpreted
from sparsead.emit.source import Function, Source
from sparsead.emit.written_out import MOST, written_out

TABLES = {"t": np.array([4, 0, 2, 7], np.int32), "c": np.array([0.1, -0.0, np.inf, -2.5])}


def source(times=4):
    code = Source("f")
    x, y = code.array("x"), code.array("y")
    t, c = code.array("t", "i4", TABLES["t"]), code.array("c", "f8", TABLES["c"])
    with code.block(f"for i0 in range({times}):"):
        code.write(f"j0 = 2 * i0 + {t}[i0] // 2")
        code.write(f"s0 = {c}[i0]")
        code.write("s1 = s0 * x[j0]")
        with code.block(f"for k in range(min(i0, 2), {t}[3] - 4):"):
            code.write("c0 = k - 1")
            with code.block("if 0 <= c0 < 2:"):
                code.write(f"{y}[c0 + 2 * i0] += s1 if {x}[k] > 0.0 else (-1.0) * s1")
        code.write(f"{y}[8 + i0] = s0")
    return code


def test_it_computes_the_same_without_loops():
    (function,) = source().functions
    parsed = ast.parse(function.text).body[0]
    straight = written_out(parsed.body, TABLES)
    assert all(isinstance(node, (ast.Assign, ast.AugAssign)) for node in straight)
    text = ["    " + ast.unparse(node) for node in straight]
    assert not any(word in line for line in text for word in ("t[", "c[", "i0", "j0"))
    x = np.linspace(-1.0, 1.0, 12)
    results = []
    for f in (function, Function("f", function.arrays, text)):
        arrays = {"x": x, "y": np.zeros(12), **TABLES}
        interpreted(f)(arrays)([])
        results.append(arrays["y"])
    np.testing.assert_array_equal(*results)
    np.testing.assert_array_equal(np.signbit(results[0]), np.signbit(results[1]))
    assert np.count_nonzero(results[0]) >= 6


def test_what_is_given_does_not_change():
    parsed = ast.parse(source().functions[0].text).body[0]
    before = ast.dump(parsed)
    written_out(parsed.body, TABLES)
    assert ast.dump(parsed) == before


def test_long_code_keeps_its_loops():
    tables = {"t": np.full(MOST, 6, np.int32), "c": np.ones(MOST)}
    for times in (MOST // 2, 10**9):
        parsed = ast.parse(source(times).functions[0].text).body[0]
        assert written_out(parsed.body, tables) is None
