"""Scalar expressions: equal ones are one object, and what is folded keeps the value."""

from __future__ import annotations

import math

import numpy as np
import pytest

import sparsead.ops  # noqa: F401  (defines the operations)
from sparsead.program.scalar import OPS, Op, Pool, define

SPECIAL = (0.0, -0.0, 1.0, -1.0, 2.5, np.inf, -np.inf, np.nan)


@pytest.fixture
def pool():
    return Pool()


def test_equal_expressions_are_one(pool):
    x, y = pool.leaf("x"), pool.leaf("y")
    assert pool.leaf("x") is x
    assert x * y + 1.0 is x * y + 1.0
    assert x * y is not y * x
    assert pool.constant(0.0) is not pool.constant(-0.0)


def test_structural_zeros_annihilate_in_rules(pool):
    x, zero = pool.leaf("x"), pool.constant(0.0)
    assert (zero * x).equals(0.0) and (x * 0.0).equals(0.0) and (zero / x).equals(0.0)
    assert x + 0.0 is x and 0.0 + x is x and x - 0.0 is x
    assert (x - x).equals(0.0)
    negative = -x
    assert -negative is x


def test_primal_zero_times_x_is_kept(pool):
    """0 * x is NaN at infinity: the value of a program is NumPy's, only coefficients have structural zeros."""
    x = pool.leaf("x")
    assert not pool.apply(OPS["multiply"], (pool.constant(0.0), x)).is_constant


def test_ones_are_folded(pool):
    x = pool.leaf("x")
    assert x * 1.0 is x and 1.0 * x is x and x / 1.0 is x


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 3.0, 4.0, -1.0, 0.5])
def test_constant_powers_keep_the_value(pool, exponent):
    x = pool.leaf("x")
    power = pool.apply(OPS["power"], (x, pool.constant(exponent)))
    assert power.op is not OPS["power"]
    for value in SPECIAL:
        if exponent == 0.5 and value in (-np.inf, 0.0):
            continue  # sqrt(-inf) is NaN and sqrt(-0.0) is -0.0; NumPy's own power agrees with sqrt by its fast path
        with np.errstate(all="ignore"):
            np.testing.assert_equal(evaluate(power, value), np.float64(value) ** exponent)


def evaluate(expr, x):
    if expr.op is None:
        return np.float64(expr.value) if expr.is_constant else np.float64(x)
    return expr.op.numpy(*(evaluate(a, x) for a in expr.args))


@pytest.mark.parametrize("word", ["logical_and", "logical_or"])
@pytest.mark.parametrize("known", [0.0, 1.0])
@pytest.mark.parametrize("first", [True, False])
def test_constant_conditions(pool, word, known, first):
    condition = OPS["greater"](pool.leaf("x"), 1.0)
    args = (pool.constant(known), condition) if first else (condition, pool.constant(known))
    folded = pool.apply(OPS[word], args)
    for x in (0.0, 2.0):
        assert bool(evaluate(folded, x)) == bool(OPS[word].numpy(known, x > 1.0))
    assert folded is condition or folded.is_constant


def test_constants_are_folded_with_the_value_of_numpy(pool):
    assert pool.apply(OPS["sin"], (pool.constant(2.0),)).value == math.sin(2.0)
    assert pool.apply(OPS["divide"], (pool.constant(1.0), pool.constant(0.0))).value == math.inf


def test_an_operation_is_defined_once():
    with pytest.raises(ValueError, match="the operation 'sin' is already defined"):
        define(Op("sin", np.sin, "sin({0})", (None,)))


def test_expressions_print(pool):
    x, y = pool.leaf("x"), pool.leaf("y")
    assert str((x + y) * 2.0) == "(x + y) * 2"
