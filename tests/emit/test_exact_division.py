"""Quotients by constants are NumPy's to the bit, though nothing is divided."""

from __future__ import annotations

import ast
import itertools
import math

import llvmlite.binding as llvm
import numpy as np
import pytest

from sparsead.emit.assembly import assembly
from sparsead.emit.exact_division import reciprocal, waits_for_divisions
from sparsead.emit.llvm import _optimise, _target
from sparsead.emit.source import Source
from sparsead.emit.sweep import Engine, Sweep
from sparsead.emit.vector_math import vector_width

HARD = [1.9643577208942797, 1.8664392717878024, 1.8779358314058807]  # two operations are not enough
DIVISORS = [3.0, 6.0, 10.0, 0.1, 1.0 / 301.0, math.pi, math.nextafter(2.0, 1.0), 1e-50, 7e50, 1.0 + 2.0**-52, *HARD]
EVERY = 3000


def source(divisor):
    """Return code that divides numbers by one number."""
    out = Source("f")
    y, x = out.array("y"), out.array("x")
    with out.block(f"for i0 in range({EVERY * 4 + 5}):"):
        out.write(f"{y}[i0] = {x}[i0] / {divisor!r}")
    return out


def hardest(divisor, rng):
    """Return numbers whose quotients are r / (2 odd) units from the middle of two numbers: as near as any are."""
    odd = int(math.frexp(divisor)[0] * (1 << 53))
    odd //= odd & -odd
    found = []
    for r, shift in itertools.product((-3, -1, 1, 3), (odd.bit_length() - 1, odd.bit_length())):
        rest = (odd + r) // 2 * pow(1 << shift, -1, odd) % odd
        numbers = range(rest + ((1 << 52) - rest) // odd * odd + odd, 1 << 53, odd)
        some = [numbers[k] for k in rng.integers(len(numbers), size=400 if numbers else 0)]
        found += [float(n) for n in some if 1 << 52 <= (n << shift) // odd < 1 << 53]
    return np.resize(np.array(found), EVERY)


@pytest.mark.parametrize("divisor", DIVISORS)
def test_quotients_are_those_of_numpy(divisor):
    rng = np.random.default_rng(0)
    any_bits = rng.integers(0, 1 << 64, EVERY, dtype=np.uint64).view(np.float64)
    zeros = rng.choice([0.0, -0.0, 1.0, -3.0], EVERY)
    special = np.array([np.inf, -np.inf, np.nan, 5e-324, 1.7e308])
    x = np.concatenate([any_bits, zeros, special, hardest(divisor, rng), rng.standard_normal(EVERY)])
    y = np.empty_like(x)
    Sweep(source(divisor), {}, Engine("llvm"))(x=x, y=y)
    with np.errstate(all="ignore"):
        expected = x / divisor
    known = ~np.isnan(expected)
    assert np.array_equal(y.view(np.int64)[known], expected.view(np.int64)[known])
    assert np.isnan(y[~known]).all()


@pytest.mark.skipif(not vector_width(), reason="no fused multiply-adds")
def test_loops_multiply_several_at_once():
    text = assembly(source(6.0).functions)
    module = llvm.parse_assembly(text)
    _optimise(module, _target(), text)
    body = next(str(f) for f in module.functions if f.name.startswith("body"))
    assert f"@llvm.fma.v{vector_width()}f64" in body
    assert "@over_" not in body


def test_what_is_not_multiplied():
    assert [reciprocal(d).corrected for d in (3.0, 6.0, 301.0, *HARD)] == [False] * 3 + [True] * 3
    for divisor in (0.0, -3.0, 4.0, 0.5, math.inf, math.nan, 1e-80, 1e80):
        assert reciprocal(divisor) is None


@pytest.mark.parametrize(
    ("loop", "waits"),
    [
        ("y[i] = x[i] / 3.0", True),
        ("y[i] = sqrt(x[i]) + x[i] / 3.0 + " + " + ".join(["x[i]"] * 15), True),
        ("y[i] = x[i] / 3.0 + " + " + ".join(["x[i]"] * 40), False),
        ("y[i] = exp(x[i]) / 3.0", False),
        ("y[i] = x[i] * 3.0", False),
    ],
)
def test_loops_that_wait_for_divisions(loop, waits):
    loops = ast.parse(f"for k in range(2):\n  for i in range(9):\n    {loop}").body[0]
    assert waits_for_divisions(loops.body[0]) == waits
    assert not waits_for_divisions(loops)
