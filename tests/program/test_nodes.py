"""The traced program: what it records, checks and prints."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead.ops  # noqa: F401  (fills the tables that tracing reads)
from sparsead.program.nodes import Join, Map, Program, Ref, Sum, whole
from sparsead.tracing.trace import trace


def kinds(f, x):
    program, _ = trace(f, (x,))
    program.check()
    return [type(n) for n in program.nodes]


def test_movement_is_no_node():
    assert not {Map, Sum, Join} & set(kinds(lambda x: np.roll(x.reshape(2, 3), 1, axis=1).T[::-1, [1, 0]], np.ones(6)))


def test_each_array_operation_is_one_node():
    assert kinds(lambda x: np.sin(x[1:]) * x[:-1], np.ones(6)).count(Map) == 2
    assert kinds(lambda x: np.sum(x.reshape(2, 3), axis=0), np.ones(6)).count(Sum) == 1
    assert kinds(lambda x: np.concatenate([x, 2.0 * x]), np.ones(6)).count(Join) == 1


def test_what_is_not_needed_is_not_kept():
    def f(x):
        np.exp(x)
        return x * 2.0

    assert kinds(f, np.ones(3)).count(Map) == 1


def test_program_prints_with_places():
    def f(x):
        return np.sin(x) * 2.0

    program, _ = trace(f, (np.ones(3),))
    lines = str(program).splitlines()
    assert lines[0] == "program f(x), 4 nodes"
    assert "= input x" in lines[1]
    assert "sin(%0)" in str(program) and "# test_nodes.py:" in str(program)
    assert lines[-1].strip().startswith("return %3 read as 3")


def test_check_finds_a_reading_outside_of_its_node():
    program, _ = trace(lambda x: x * 2.0, (np.ones(3),))
    broken = Map(shape=(1,), op=program.output.node.op, args=(Ref(program.wrt, np.array([3])),) * 2)
    with pytest.raises(AssertionError, match="multiply"):
        Program(program.inputs, program.wrt, whole(broken)).check()
