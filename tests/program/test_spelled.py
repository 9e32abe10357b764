"""Expressions as text: what is shared is written once, so the text is no longer than the code."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from sparsead.program.scalar import LONG, OPS, Pool, spelled


def evaluated(lines, text, **known):
    for line in lines:
        name, part = line.split(" = ", 1)
        known[name] = eval(part, {"sin": np.sin}, known)
    return eval(text, {"sin": np.sin}, known)


def test_a_short_part_stays_where_it_is():
    x = Pool().leaf("x")
    root = OPS["sin"](x) * OPS["sin"](x) + 2.0
    assert spelled([root]) == ([], ["(sin(x) * sin(x)) + 2"])


def test_a_shared_part_is_written_once_also_between_roots():
    x = Pool().leaf("x_of_a_long_name")
    part = OPS["sin"](x + 1.0)
    lines, texts = spelled([part * part, part - 3.0, part])
    assert lines == ["e0 = sin((x_of_a_long_name + 1))"]
    assert texts == ["e0 * e0", "e0 - 3", "e0"]


@pytest.mark.parametrize("depth", [5, 60, 5000])
def test_text_grows_with_the_code_and_says_what_is_computed(depth):
    pool = Pool()
    x = value = pool.leaf("x")
    for k in range(depth):
        value = OPS["sin"](value) * value + pool.constant(0.25 * k) if k % 3 else value - x * value
    lines, (text,) = spelled([value])
    assert sum(map(len, (*lines, text))) < 60 * (depth + 1) and max(map(len, (*lines, text))) < 3 * LONG
    expected = 0.3
    for k in range(depth):
        expected = np.sin(expected) * expected + 0.25 * k if k % 3 else expected - 0.3 * expected
    assert evaluated(lines, text, x=0.3) == pytest.approx(expected, rel=1e-12)


def test_a_chain_without_shared_parts_is_cut_into_lines():
    pool = Pool()
    value = pool.leaf("x")
    for k in range(2000):
        value = OPS["sin"](value + float(k))
    lines, (text,) = spelled([value])
    assert max(map(len, (*lines, text))) < 2 * LONG
    assert sum(map(len, lines)) < 2000 * 30


def test_the_stages_of_a_dense_solve():
    def solved(x):
        return np.linalg.solve(x[:16].reshape(4, 4), x[16:])

    jac = sad.jacobian(solved, np.concatenate([2.0 * np.eye(4).ravel() + 0.1, np.ones(4)]), backend="python")
    assert len(str(jac.kernels)) < 20_000 and len(str(jac.linear)) < 20_000


def test_expressions_do_not_print_their_pool():
    pool = Pool()
    value = pool.leaf("x")
    for _ in range(60):
        value = OPS["sin"](value) * value
    assert len(repr(value)) < 200
