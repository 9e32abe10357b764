"""Derivatives along a direction by differences: right within the bound they state, undecided where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from sparsead.checking.check import SAFETY
from sparsead.checking.directional import EPS, MOST, slope_along

SMOOTH = {
    "exp": (np.exp, np.exp),
    "sin": (lambda x: np.sin(5 * x), lambda x: 5 * np.cos(5 * x)),
    "log": (np.log, lambda x: 1 / x),
    "large constant": (lambda x: 1e9 + x**3, lambda x: 3 * x**2),
    "steep": (lambda x: np.tanh(200 * (x - 0.5)), lambda x: 200 / np.cosh(200 * (x - 0.5)) ** 2),
}


def slope(f, x, v=None, magnitude=0.0):
    x = np.asarray(x, dtype=float)
    start = f(x)
    with np.errstate(all="ignore"):
        return slope_along(f, x, np.ones_like(x) if v is None else v, start, EPS * (np.abs(start) + magnitude))


@pytest.mark.parametrize("name", SMOOTH)
def test_error_of_smooth_functions_is_within_the_bound(name):
    f, derivative = SMOOTH[name]
    x = np.random.default_rng(1).uniform(0.05, 0.95, 2000)
    found = slope(f, x)
    assert found.decided.all()
    error = np.abs(found.value - derivative(x))
    assert np.all(error <= SAFETY * found.error + 4 * EPS * np.abs(derivative(x)))
    assert np.median(found.error / np.maximum(1e-3, np.abs(derivative(x)))) < 1e-3


def test_kinks_and_jumps_are_undecided():
    x = np.array([0.0, 0.0, 0.0, 0.0, 0.3])
    for f in (np.abs, lambda x: np.maximum(x, 0.0), np.floor, lambda x: np.cbrt(x) ** 2):
        assert slope(f, x).decided.tolist() == [False, False, False, False, True]


def test_a_kink_nearby_is_stepped_over():
    x = np.array([1e-3, 1e-4, -1e-4])
    found = slope(np.abs, x)
    assert found.decided.all()
    np.testing.assert_allclose(found.value, np.sign(x), rtol=1e-9)


def test_values_that_do_not_exist_are_avoided_by_smaller_steps():
    found = slope(np.log, [1e-3, 1.0, -1.0])
    assert found.decided.tolist() == [True, True, False]
    assert found.value[0] == pytest.approx(1000.0, rel=1e-5)


def test_number_of_calls_is_bounded():
    calls = []

    def f(x):
        calls.append(1)
        return np.sqrt(np.abs(x))

    slope(f, np.zeros(3))
    assert len(calls) <= 2 * MOST + 1
