"""`float` and `complex` of unknowns stay the numbers that they are, wherever Python code calls them."""

from __future__ import annotations

import math
import numbers as abc
import sys
import types

import numpy as np
import pytest

import sparsead as sad
from tests.reference import differences

X = np.array([0.5, 0.7, 1.1])
DOUBLE = np.float64  # as packages keep it
DEEP = """
class Model:
    def __call__(self, x):
        rate, size = [float(v) for v in x[:2]]
        return max(rate, 0.6) * size + min(float(x[2]), rate)
"""


def as_types(x):
    number = float(x[0])
    made, kinds = np.zeros(3, dtype=float), {float: 2.0, complex: 3.0}
    assert isinstance(number, float) and isinstance(2.0, float | None) and not isinstance(2, float)
    assert made.dtype == float and np.arange(3).astype(float).dtype == np.float64 and np.dtype(complex) == np.complex128
    assert float is float and complex is complex and issubclass(np.float64, float)
    assert issubclass(float, abc.Real) and issubclass(np.float64, np.floating) and issubclass(float, float)
    made[0] = float("1.5") * number ** float.fromhex("0x1p1")
    return made * kinds[float] + kinds[complex] * x


def defaulted(value, kind=np.float64):
    return kind(value)


def as_types_of_numpy(x):
    number = np.float64(x[0])
    assert isinstance(number, np.float64) and not isinstance(2.0, np.float32) and type(number) is np.float64
    assert x.dtype == DOUBLE and np.issubdtype(x.dtype, np.float64) and np.dtype(np.complex128) == complex
    assert np.zeros(2, np.float64).dtype == np.array([1], DOUBLE).dtype == np.arange(3).astype(np.float64).dtype
    assert np.float64("1.5") == 1.5 == np.float64.fromhex("0x1.8p0") and np.finfo(DOUBLE).eps == 2.0**-52
    return number * {np.float64: 2.0}[type(number)] * x + np.sum(x, dtype=np.float64)


@pytest.mark.parametrize(
    "f",
    [
        as_types_of_numpy,
        lambda x: DOUBLE(x) * np.float64(x[:2].reshape(2, 1)) * np.float64([x[0], 2.0 * x[1], 3.0]),
        lambda x: np.array([*map(np.float64, x)]) * defaulted(x[1]) + np.double(np.sum(x)) * np.float64(3),
        lambda x: (np.complex128(x[0]) * 1j * np.complex128(x)).imag + np.bool_(x[0] > 0.6) * x,
        lambda x: math.dist(x, (0.1, x[0], 0.2)) * x + math.fsum((x[0], x[1], 0.5)),
        lambda x: float(x[0]) * x,
        lambda x: float(x[:1].reshape(())) ** 2 * x + float(True),
        lambda x: np.array([*map(float, x**2)]),
        lambda x: np.sin(float(x[0] > 0.6)) + float(np.sum(x)) * x,
        lambda x: abs(complex(x[0], x[1]) ** 2) + complex(x[2]).real * x,
        lambda x: (complex(x[0] + 1j * x[1], 2.0) * 1j).real * x,
        as_types,
    ],
)
def test_numbers_of_unknowns_keep_their_derivatives(f):
    np.testing.assert_allclose(sad.jacobian(f, X)(X).toarray(), differences(f, X), atol=1e-10)


def test_so_do_those_of_a_package_deep_inside():
    module = sys.modules["deep_package"] = types.ModuleType("deep_package")
    try:
        exec(compile(DEEP, "deep_package.py", "exec"), vars(module))
        held = {"models": [module.Model()]}
        jac = sad.jacobian(lambda x: held["models"][0](x), X)
        assert {"max", "float"}.isdisjoint(vars(module))
    finally:
        del sys.modules["deep_package"]
    for x in (X, X[::-1]):
        expected = [x[1] * (x[0] > 0.6) + (x[0] < x[2]), max(x[0], 0.6), x[2] < x[0]]
        np.testing.assert_allclose(jac(x).toarray(), [expected], atol=1e-12)


def test_shapes_that_are_no_number_stay_errors():
    with pytest.raises(TypeError, match="scalar"):
        sad.jacobian(lambda x: float(x) * x, X)


def test_known_elements_beside_unknowns_decide_branches():
    def f(x):
        ends = np.concatenate([[np.inf], x, [np.inf]])
        return ends[1:-1] ** 2 if ends[0] == ends[-1] == np.inf else x

    np.testing.assert_allclose(sad.jacobian(f, X)(X).diagonal(), 2.0 * X)
