"""What is added by vectors, one addition after the other, is the sum that comes out point by point, to the bit."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from sparsead.emit.source import STAGE, Source
from sparsead.emit.staged_additions import additions
from sparsead.emit.sweep import Engine, Sweep

CHUNK = 32
PLACES = {  # of each point, for each of its additions
    "neighbours": ["i0 + 1", "i0 + 30", "i0", "i0 + 31"],
    "one place twice": ["i0", "i0 + 2", "i0", "i0 + 1"],
    "further than a vector": ["i0", "i0 + 9", "i0 + 17"],
}


def sweep(places, points, backend):
    """Return code that adds staged numbers, chunk after chunk, as loops are written that compute much at a point."""
    out = Source("f")
    data, x = out.array("data"), out.array("x")
    stage = out.scratch(STAGE, CHUNK * len(places))
    with out.block(f"for chunk in range({-(-points // CHUNK)}):"):
        out.write(f"begin = {CHUNK} * chunk")
        out.write(f"end = min(begin + {CHUNK}, {points})")
        out.write("outer = 5 + chunk - chunk")
        for body in (True, False):
            with out.block("for i0 in range(begin, end):"):
                for k, place in enumerate(places):
                    at = f"{stage}[{CHUNK * k} + i0 - begin]"
                    if body:
                        out.write(f"{at} = {x}[i0 + {100 * k}]")
                    else:
                        out.write(f"j{k} = {place} + outer")
                        out.write(f"s{k} = {at}")
                for k in range(0 if body else len(places)):
                    out.write(f"{data}[j{k}] += s{k}")
    return Sweep(out, {}, Engine(backend))


@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
def test_sums_are_those_of_one_point_after_the_other(places):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(400) * 10.0 ** rng.integers(-8, 8, 400)
    for points in (1, 7, 8, 15, 33, 79):
        found = []
        for backend in ("python", "llvm"):
            data = np.ones(200)
            sweep(places, points, backend)(x=x, data=data)
            found.append(data)
        assert np.array_equal(*found)
        assert not np.array_equal(found[0], np.ones(200))


def loop(lines):
    return ast.parse("for i0 in range(9):\n" + "\n".join(f"    {line}" for line in lines)).body[0]


STAGED = ["s0 = stage[i0]", "s1 = stage[32 + i0]", "j = 3 + n + i0", "g[j] += s0"]


def test_the_one_that_is_furthest_ahead_comes_first():
    lines = [*STAGED, "g[n + i0 + 9] += s1", "h[i0] += s0", "g[j] += s1"]
    found = [ast.unparse(target) for target, _ in additions(loop(lines), {})]
    assert found == ["g[n + i0 + 9]", "g[j]", "g[j]", "h[i0]"]


@pytest.mark.parametrize(
    "line",
    ["g[m + i0] += s1", "g[n + 2 * i0] += s1", "g[n] += s1", "g[n + t[i0]] += s1", "g[n + i0] = s1",
     "g[n + i0] += s1 + 1.0", "k = t[s1]", "y = 2.0 * s1"],
)  # fmt: skip
def test_other_loops_are_left_alone(line):
    assert len(additions(loop([*STAGED, "g[n + i0] += s1"]), {})) == 2
    assert additions(loop([*STAGED, "g[n + i0] += s0", line]), {}) == []
