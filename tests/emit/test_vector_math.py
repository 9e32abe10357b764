"""Functions for several numbers at once: near the exact values, the same at special ones and at every place."""

from __future__ import annotations

import llvmlite.binding as llvm
import numpy as np
import pytest
import scipy.special

import sparsead as sad
from sparsead.emit.assembly import LIBM, assembly
from sparsead.emit.llvm import _optimise, _target
from sparsead.emit.python import FUNCTIONS, INTERPRETED
from sparsead.emit.vector_math import has_wide

WIDE = [name for name, arity in LIBM.items() if has_wide(name, arity)]
SPECIAL = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 5e-324, 1e-300, 1e308, -1e308, 0.5, -2.0])
NUMPY = FUNCTIONS | INTERPRETED | {"pow": np.power}
ULPS = 5  # 4 of the variant, and half of one each of NumPy's and of rounding the reference

pytestmark = pytest.mark.skipif(not WIDE, reason="this machine has no libmvec, or no AVX2")


def reference(name):
    """Return what NumPy or, for what it has not, the C library computes."""
    function = NUMPY[name]
    return function if isinstance(function, np.ufunc) else np.vectorize(function, otypes=[float])


def arguments(name, rng):
    """Return points where the function has values, of all sizes."""
    sizes = 10.0 ** rng.uniform(-8, 2, 20_000) * rng.choice([-1.0, 1.0], 20_000)
    if LIBM[name] == 2:
        return [np.abs(sizes) if name == "pow" else sizes, rng.permutation(sizes)]
    return [sizes]


def compiled(name):
    """Return the function as machine code: of arrays, by evaluating a traced function."""
    function = {"erf": scipy.special.erf, "erfc": scipy.special.erfc}.get(name, NUMPY[name])
    arity = LIBM[name]

    def f(*args):
        values = sad.jacobian(lambda x: function(*np.split(x, arity)), np.concatenate(args), backend="llvm")
        return values.value(np.concatenate(args))

    return f


def errors_in_ulps(got, expected):
    return np.abs(got - expected) / np.spacing(np.maximum(np.abs(expected), np.finfo(float).tiny))


@pytest.mark.parametrize("name", WIDE)
def test_values_are_those_of_numpy_to_a_few_units_in_the_last_place(name):
    args = arguments(name, np.random.default_rng(len(name)))
    with np.errstate(all="ignore"):
        expected = reference(name)(*args)
    got = compiled(name)(*args)
    proper = np.isfinite(expected)
    assert proper.sum() > 100
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    np.testing.assert_array_equal(got[~proper], expected[~proper])
    assert errors_in_ulps(got[proper], expected[proper]).max() <= ULPS


@pytest.mark.parametrize("name", WIDE)
def test_special_values_are_those_of_numpy(name):
    args = [SPECIAL] if LIBM[name] == 1 else [a.ravel() for a in np.meshgrid(SPECIAL, SPECIAL)]
    with np.errstate(all="ignore"):
        expected = reference(name)(*args)
    got = compiled(name)(*args)
    np.testing.assert_allclose(got, expected, rtol=1e-15, atol=0.0)
    np.testing.assert_array_equal(np.signbit(got[got == 0.0]), np.signbit(expected[got == 0.0]))


@pytest.mark.parametrize("name", WIDE)
def test_a_value_does_not_depend_on_its_place(name):
    """Vectorised part, rest of a loop, and a loop of one element: the same bits."""
    args = [a[:37] for a in arguments(name, np.random.default_rng(5))]
    together = compiled(name)(*args)
    shifted = compiled(name)(*(np.roll(a, 3) for a in args))
    np.testing.assert_array_equal(np.roll(together, 3), shifted)
    alone = [compiled(name)(*(a[k : k + 1] for a in args))[0] for k in (0, 18, 36)]
    np.testing.assert_array_equal(together[[0, 18, 36]], alone)


def test_loops_call_the_variant_for_a_register_at_once():
    """Also on a processor for which LLVM prefers registers narrower than the variant."""
    text = assembly(sad.gradient(lambda x: np.sum(np.exp(x)), np.ones(64))._sweep("value").source.functions)
    module = llvm.parse_assembly(text)
    _optimise(module, _target(), text)
    bodies = [str(f) for f in module.functions if f.name.startswith("body")]
    assert any("_ZGV" in body for body in bodies)
