"""Truth values, integers and floats: which of its loops NumPy runs, for every ufunc on every pair of kinds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.tracing.compared import agree

#: Operands: traced and plain, arrays and numbers, of every kind.
OPERANDS = {
    "condition": lambda x: x > 0.4,
    "other condition": lambda x: x[::-1] < 0.5,
    "true or false": lambda x: x[0] > 0.3,
    "counts": lambda x: np.where(x > 0.5, 2, 3),
    "count": lambda x: np.sum(x > 0.4),
    "floats": lambda x: x * 1.0,
    "float": lambda x: x[1] * 1.0,
    "mask": lambda x: np.array([True, False, True, True, False, True]),
    "integers": lambda x: np.array([1, 2, 3, 4, 5, 6]),
    "True": lambda x: True,
    "np.True_": lambda x: np.True_,
    "2": lambda x: 2,
    "0.5": lambda x: 0.5,
}
TRACED = ("condition", "other condition", "true or false", "counts", "count", "floats", "float")
MAY_BE_ZERO = ("condition", "other condition", "true or false", "mask")
BINARY = "add subtract multiply divide power floor_divide remainder maximum minimum fmax fmin greater less equal"
BINARY += " not_equal greater_equal less_equal logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor"
UNARY = "negative positive absolute invert logical_not square sign sqrt sin sinc floor ceil trunc rint isnan isfinite"
WHOLE = {
    name: eval("lambda c: " + name)
    for name in """
    np.sum(c); c.sum(); np.prod(c); np.cumsum(c); np.cumprod(c); np.mean(c); np.any(c); np.all(c); np.max(c); np.min(c)
    c @ c; np.dot(c, c); np.inner(c, c); np.vdot(c, c); np.outer(c, c); np.einsum("i,i", c, c); np.einsum("i->", c)
    np.tensordot(c, c, 1); np.diff(c); np.where(c, c, ~c); np.where(c, 1, 0); np.where(c, 1.0, 0); c.astype(int)
    c.astype(float); c.astype(bool); np.concatenate([c, c]); np.stack([c, ~c]); np.any(c) + np.any(c); np.add.reduce(c)
    np.logical_or.reduce(c); np.maximum.reduce(c); np.var(c); c.copy(); c[::-1]; c[0]; c.reshape(2, 3).T; np.sort(c[:3])
    np.kron(c, c); np.count_nonzero([1]) + c; sum(c); max(1, 2) * c; c.any() * 2; -c.astype(int); np.clip(c.sum(), 0, 3)
    """.replace("\n", ";").split(";")
    for name in [name.strip()]
    if name
}
NARROW = (np.int8, np.uint8, np.float16, np.float32)  # refused: results are of 64 bits


def _compared(compute, *operands):
    """Compare value and type of a computation, or what it raises, with NumPy's."""
    kinds = []

    def f(x):
        result = compute(*(o(x) for o in operands))
        kinds.append(result.dtype)
        return np.ravel(result) * 1.0

    try:
        agree(f)
    except TypeError as error:
        if (kinds and kinds[0] in NARROW) or "of integers that depend on x" in str(error):  # operations on bits
            return
        raise
    assert not kinds or kinds[0] == kinds[-1] or kinds[0] in NARROW, f"{kinds[-1]}, expected {kinds[0]}"


@pytest.mark.parametrize("name", BINARY.split())
def test_two_operands(name):
    with np.errstate(all="ignore"):
        for (a, first), (b, second) in itertools.product(OPERANDS.items(), OPERANDS.items()):
            if (a in TRACED or b in TRACED) and not (name == "floor_divide" and b in MAY_BE_ZERO):
                try:
                    _compared(getattr(np, name), first, second)
                except Exception as error:
                    raise AssertionError(f"np.{name}({a}, {b}): {error}") from error


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "**", "//", "%", "&", "|", "^", "<", "=="])
def test_operators_run_the_loops_of_numpy(operator):
    compute = eval(f"lambda a, b: a {operator} b")
    with np.errstate(all="ignore"):
        for (a, first), (b, second) in itertools.product(OPERANDS.items(), OPERANDS.items()):
            if (a in TRACED or b in TRACED) and not (operator == "//" and b in MAY_BE_ZERO):
                try:
                    _compared(compute, first, second)
                except Exception as error:
                    raise AssertionError(f"{a} {operator} {b}: {error}") from error


@pytest.mark.parametrize("name", UNARY.split())
def test_one_operand(name):
    for kind in TRACED:
        try:
            _compared(getattr(np, name), OPERANDS[kind])
        except Exception as error:
            raise AssertionError(f"np.{name}({kind}): {error}") from error


@pytest.mark.parametrize("name", WHOLE)
def test_functions_of_conditions(name):
    _compared(WHOLE[name], OPERANDS["condition"])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.astype(int) * 1.0,
        lambda x: np.array(x, dtype=int) * 1.0,
        lambda x: np.asarray(x[0], dtype=np.int32) * 1.0,
        lambda x: np.full(3, x[0], dtype=int) * 1.0,
        lambda x: np.full_like(x, x[0], dtype=int) * 1.0,
        lambda x: np.copyto(np.zeros(6, int), x, casting="unsafe"),
        lambda x: np.zeros(6, int).__setitem__(0, x[0]),
        lambda x: np.where(x > 0.4, 1, 2).__setitem__(slice(None), x),
    ],
)
def test_casts_that_truncate_are_refused(f):
    with pytest.raises(TypeError, match=r"digits behind the point|plain|np.floor"):
        agree(f)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: (x > 0.4).astype(np.int8) * 100 * x,
        lambda x: (x > 0.4).astype(np.uint8) * x,
        lambda x: np.where(x > 0.4, np.int8(100), np.int8(120)) * x,
    ],
)
def test_integers_that_may_wrap_are_refused(f):
    with pytest.raises(TypeError, match="int64"):
        agree(f)
