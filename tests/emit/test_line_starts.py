"""What loops store does not depend on where arrays lie, though they wait for a line of the cache to begin."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from sparsead.emit.line_starts import LONG, Stream, stream
from sparsead.emit.source import Source
from sparsead.emit.sweep import Engine, Sweep

PLACES = {  # of each point, and by how many elements a stretch of them goes on
    "in line": (["4 + i0"], 1),
    "backwards": (["2 + 3 * i0", "1 + 3 * i0", "3 * i0"], 3),
    "six, of which lines begin in every fourth": ([f"{k} + 6 * i0" for k in range(6)], 6),
    "two arrays in one": (["i0", "900 + i0"], 1),
    "with a gap": (["3 * i0", "1 + 3 * i0"], None),
    "lines": ([f"{k} + 8 * i0" for k in range(8)], None),
    "through a table": (["t[i0]"], None),
}


def source(places, begin, end, value="{x}[i0] / 3.0", sign="="):
    """Return code that stores what it computes, through names that are set in the loop, and the loop alone."""
    out = Source("f")
    data, x = out.array("data"), out.array("x")
    out.array("t", "i4", np.random.default_rng(0).permutation(LONG))
    with out.block("for k in range(1):"):
        out.write("outer = 1 + k")
        with out.block(f"for i0 in range({begin} + k, {end}):"):
            for k, place in enumerate(places):
                out.write(f"j{k} = {place} + outer")
                out.write(f"{data}[j{k}] {sign} {value.format(x=x)} + {float(k)}")
    return out, ast.parse(out.functions[0].text).body[0].body[0].body[-1]


@pytest.mark.parametrize(("places", "step"), PLACES.values(), ids=PLACES)
def test_stretches_without_gaps_are_found(places, step):
    found = stream(source(places, 0, LONG)[1], {"outer": ast.parse("1 + k", mode="eval").body})
    assert (None if found is None else found.step) == step


def test_where_a_stretch_begins():
    loop = source(PLACES["backwards"][0], 0, LONG)[1]
    assert stream(loop, {"outer": ast.parse("1 + 7 * k", mode="eval").body}) == Stream("data", "3 * i0 + 7 * k + 1", 3)


def test_sums_constants_and_short_loops_are_left_alone():
    assert stream(source(["i0"], 0, LONG, sign="+=")[1], {}) is None
    assert stream(ast.parse("for i in range(500):\n    y[i] = 0.0").body[0], {}) is None
    assert stream(ast.parse(f"for i in range({LONG - 1}):\n    y[i] = x[i]").body[0], {}) is None
    assert stream(ast.parse(f"for i in range({LONG}):\n    y[i] = x[i]").body[0], {}) == Stream("y", "i + 0", 1)


@pytest.mark.parametrize("places", [places for places, step in PLACES.values() if step], ids=str)
def test_the_same_is_stored_wherever_the_array_lies(places):
    x, room = np.random.default_rng(1).standard_normal(LONG), np.empty(2000)
    for begin, end in ((0, 0), (9, 3), (0, 2), (5, 70), (0, 128)):
        expected = np.zeros(1900)
        Sweep(source(places, begin, end)[0], {}, Engine("python"))(x=x, data=expected)
        sweep = Sweep(source(places, begin, end)[0], {}, Engine("llvm"))
        for start in range(8):
            room[:] = 0.0
            sweep(x=x, data=room[start : start + 1900])
            assert np.array_equal(room[start : start + 1900], expected)
            assert not room[:start].any() and not room[start + 1900 :].any()
