"""Reciprocals in coefficients: fewer divisions, the same derivative to rounding, the same side of every jump."""

from __future__ import annotations

import numpy as np

import sparsead as sad

X = np.linspace(0.2, 1.4, 12)


def divisions(prepared):
    return prepared.source.count(" / ")


def test_quotients_by_one_divisor_share_a_reciprocal():
    jac = sad.jacobian(lambda x: x[1:] * np.sin(x[1:]) / (1.0 + x[:-1] ** 2), X, mode="direct")
    assert divisions(jac) == 1
    expected = np.zeros((11, 12))
    below, above = X[:-1], X[1:]
    expected[range(11), range(1, 12)] = (np.sin(above) + above * np.cos(above)) / (1.0 + below**2)
    expected[range(11), range(11)] = -above * np.sin(above) * 2.0 * below / (1.0 + below**2) ** 2
    np.testing.assert_allclose(jac(X).toarray(), expected, rtol=1e-14, atol=1e-16)


def test_division_by_a_constant_is_a_product():
    assert divisions(sad.jacobian(lambda x: (x / 0.3) ** 3, X, mode="direct")) == 0


def test_constants_whose_reciprocal_overflows_still_divide():
    jac = sad.jacobian(lambda x: np.sin(x / 1e-310), X, mode="direct")
    assert divisions(jac) > 0
    np.testing.assert_array_equal(jac(np.zeros(12)).diagonal(), np.inf)


def test_conditions_keep_their_last_bit():
    x = np.array([0.3, 0.4])
    assert 0.3 / 0.1 < 3.0 <= 0.3 * (1.0 / 0.1)  # the quotient and the product are on two sides

    def f(x):
        return np.where(x / 0.1 >= 3.0, x**2, 5.0 * x) + np.floor(x / 0.1) * x

    np.testing.assert_allclose(sad.jacobian(f, x)(x).diagonal(), [5.0 + 2.0, 0.8 + 4.0], rtol=1e-15)


def test_the_value_keeps_its_divisions():
    jac = sad.jacobian(lambda x: x / 0.3, X)
    np.testing.assert_array_equal(jac.value(X), X / 0.3)
    np.testing.assert_array_equal(jac.value_and_jacobian(X)[0], X / 0.3)


def test_a_constant_over_a_divisor_is_divided_once_in_value_and_derivative():
    jac = sad.jacobian(lambda x: 0.3 / (1.0 + x**2), X, mode="direct")
    assert divisions(jac) == 1
    np.testing.assert_allclose(jac(X).diagonal(), -0.6 * X / (1.0 + X**2) ** 2, rtol=1e-14)


def test_numerators_near_the_ends_of_the_range_make_no_reciprocal():
    for scale in (1e-305, 1e305):
        jac = sad.jacobian(lambda x, scale=scale: scale / x, X * scale**0.5, mode="direct")
        x = X * scale**0.5
        np.testing.assert_allclose(jac(x).diagonal() * (X * X), -1.0, rtol=1e-14)
