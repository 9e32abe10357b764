"""What is stored four points at a time lands where it does point by point."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from sparsead.emit.source import STAGE, Source
from sparsead.emit.staged_stores import plan
from sparsead.emit.sweep import Engine, Sweep

CHUNK = 32
ROOM = 2000
PLACES = {  # of each point, for each of its stores
    "rows of seven": [f"7 * i0 + {k}" for k in range(7)],
    "rows through a table": [f"t[i0] + {k}" for k in range(6)],
    "pairs": [f"2 * i0 + {400 * (k // 2) + k % 2}" for k in range(6)],
    "backwards": [f"8 * i0 - {k}" for k in range(8)],
    "apart": [f"i0 + {300 * k}" for k in range(3)],
}


def source(places, points, first=3, same=()):
    """Return code that stores staged numbers, through names that are set at several depths, and the loop alone.

    The stores whose numbers are `same` get a number that is the same at all points.
    """
    out = Source("f")
    data, x = out.array("data"), out.array("x")
    out.array("t", "i4", 11 * np.random.default_rng(0).permutation(120))
    stage = out.scratch(STAGE, CHUNK * len(places))
    with out.block("for k in range(1):"):
        out.write("outer = 9 + k")
        out.write(f"scale = {x}[5]")
        out.write(f"begin = {first}")
        with out.block(f"for i0 in range(begin, {first + points}):"):
            for k in range(len(places)):
                out.write(f"{stage}[{CHUNK * k} + i0 - begin] = {x}[i0] * {float(k + 1)}")
        with out.block(f"for i0 in range(begin, {first + points}):"):
            for k, place in enumerate(places):
                out.write(f"j{k} = {place} + outer")
                out.write(f"s{k} = {stage}[{CHUNK * k} + i0 - begin]")
            out.write(f"prefetch({data}, j0 + 40)")
            for k in range(len(places)):
                out.write(f"{data}[j{k}] = {('(-2.5)', 'scale')[k % 2] if k in same else f's{k}'}")
    loop = ast.parse(out.functions[0].text).body[0].body[0].body[-1]
    return out, loop


@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
def test_all_points_store_what_they_do_one_by_one(places):
    x = np.random.default_rng(1).standard_normal(120)
    for points, same in ((0, ()), (1, ()), (3, (1,)), (4, (0, 1)), (6, (2,)), (7, ()), (31, (1, 2))):
        found = []
        for backend in ("python", "llvm"):
            data = np.zeros(ROOM)
            Sweep(source(places, points, same=same)[0], {}, Engine(backend))(x=x, data=data)
            found.append(data)
        assert np.array_equal(*found)
        assert np.count_nonzero(found[0]) == points * len(places)


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [("rows of seven", [4, 2, 1]), ("rows through a table", [4, 2]), ("pairs", [2, 2, 2]), ("backwards", [4, 4])],
)
def test_neighbours_are_stored_together(kind, sizes):
    _, loop = source(PLACES[kind], 8)
    found = plan(loop, {"outer": ast.parse("2 + k", mode="eval").body})
    assert sorted((len(group) for group in found.groups), reverse=True) == sizes


def test_numbers_that_are_the_same_at_all_points_are_stored_with_their_neighbours():
    _, loop = source(PLACES["rows of seven"], 8, same=(1, 2, 6))
    found = plan(loop, {"outer": ast.parse("2 + k", mode="eval").body})
    assert list(found.same) == ["scale", "-2.5"]
    assert [len(group) for group in found.groups] == [4, 2, 1]


def body(lines):
    return ast.parse("for i0 in range(9):\n" + "\n".join(f"    {line}" for line in lines)).body[0]


STAGED = ["s0 = stage[i0]", "s1 = stage[32 + i0]", "data[2 * i0] = s0"]


@pytest.mark.parametrize(
    "line",
    ["data[2 * i0 + 1] += s1", "data[2 * i0 + 1] = s1 + c[0]", "data[2 * i0] = s1", "data[9 * i0 + 1] = s1",
     "if x[i0] > 0.0:\n        data[2 * i0 + 1] = s1"],
)  # fmt: skip
def test_other_loops_are_left_alone(line):
    assert plan(body([*STAGED, "data[2 * i0 + 1] = s1"]), {}) is not None
    assert plan(body([*STAGED, line]), {}) is None


@pytest.mark.parametrize("place", ["32 + 2 * i0", "32 + t[i0]", "32", "i0 + i0", "32 + j", "i0 + j"])
def test_points_must_lie_side_by_side(place):
    lines = ["j = t[i0]", "s0 = stage[i0]", f"s1 = stage[{place}]", "data[2 * i0] = s0", "data[2 * i0 + 1] = s1"]
    assert plan(body(lines), {}) is None
