"""Whole numbers as arithmetic, against the numbers themselves."""

from __future__ import annotations

import ast
from random import Random

import numpy as np
import pytest

from sparsead.emit.indices import formula, places, simplified
from sparsead.emit.parsing import parse


def loop_of(*lines, count=200):
    return parse("\n".join([f"for i in range({count}):", *(f"    {line}" for line in lines)])).body[0]


def values_of(code, count):
    return [eval(code, {"min": min, "max": max, "i": i}) for i in range(count)]


@pytest.mark.parametrize("seed", range(40))
def test_a_formula_gives_the_numbers(seed):
    random = Random(seed)
    count, step = random.randrange(1, 60), random.randrange(-3, 4)
    values = random.randrange(-50, 50) + step * np.arange(count)
    if seed % 2:
        for _ in range(random.randrange(4)):
            values[random.randrange(count) :] += random.randrange(-9, 9)
    else:
        width = random.randrange(3, 12)
        values += random.randrange(-9, 9) * ((np.arange(count) + random.randrange(width)) // width)
    code = formula(values, "i")
    assert code is not None
    assert values_of(code, count) == values.tolist()


@pytest.mark.parametrize("seed", range(40))
def test_numbers_without_rule_have_no_formula_or_a_right_one(seed):
    random = Random(seed)
    values = np.array(random.choices(range(3), k=random.choice([3, 5, 9, 40])))
    code = formula(values, "i")
    assert code is None or values_of(code, values.size) == values.tolist()
    assert values.size < 40 or code is None


def test_lines_of_two_lengths_have_no_formula():
    ends = np.zeros(100, np.int64)
    ends[[9, 19, 29, 40, 49, 59, 69]] = 5
    assert formula(np.cumsum(ends + 1), "i") is None


def test_tables_and_loops_in_a_point_go():
    tables = {"t": np.roll(np.arange(200), -1), "b": 3 * np.arange(201)}
    lines = [
        "j = 5 + t[i]",
        "begin = b[j - 5]",
        "n = b[j - 4] - begin",
        "for k in range(n):",
        "    y[b[i] + k] += x[begin + k]",
    ]
    loop = simplified(loop_of(*lines), tables, {})
    assert not {n.id for n in ast.walk(loop) if isinstance(n, ast.Name)} & {"t", "b"}
    assert sum(isinstance(s, ast.AugAssign) for s in loop.body) == 3
    found = places(loop, {}, {}, ["x"])
    assert [slot[[0, 7, 199]].tolist() for *_, slot in found] == [[3 + k, 24 + k, k] for k in range(3)]


def test_what_has_no_formula_stays():
    tables = {"t": np.array(Random(1).choices(range(9), k=200))}
    loop = loop_of("y[i] = x[3 * t[i] + 1]")
    assert ast.unparse(simplified(loop, tables, {})) == ast.unparse(loop)


@pytest.mark.parametrize(
    "lines",
    [
        ["for k in range(t[i]):", "    y[t[i] + k] += x[k]"],  # not as many turns
        ["s = x[i]", "for k in range(2):", "    s = s * x[t[i] + k]", "y[i] = s"],  # a name that is used outside
        ["for k in range(2):", "    for l in range(2):", "        y[t[i] + k] += x[l]"],
    ],
)
def test_loops_that_stay(lines):
    tables = {"t": np.arange(200) % 7}
    loop = simplified(loop_of(*lines), tables, {})
    assert any(isinstance(s, ast.For) for s in loop.body)


def test_a_number_at_a_fixed_distance_is_written_as_that():
    loop = simplified(
        loop_of("a = i + 3", "b = 2 * (a // 4)", "c = i - 9", "d = 2 * ((c + 5) // 4)", "y[d] = x[a]"), {}, {}, True
    )
    named = {s.targets[0].id: ast.unparse(s.value) for s in loop.body[:4]}
    assert named["c"] == "a + -12"
    assert named["d"].startswith("2 *"), "it is not everywhere as far from b"
