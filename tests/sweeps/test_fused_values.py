"""Values in the loops of their derivatives: only where that saves something, and never what others read."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad


def costly(x):
    return np.exp(x[1:] * x[:-1]) + x[1:]


def cheap(x):
    return x[1:] * x[:-1] + x[1:]


def layered(x):
    y = np.exp(x)
    return np.exp(np.cumsum(y) / x.size) * y


def source_of_both(jac, x):
    y, J = jac.value_and_jacobian(x)
    return "\n".join(sweep.source.text for sweep in jac._assembly.sweeps(jac._both)), y, J


@pytest.mark.parametrize("mode", ["direct", "forward"])
def test_a_costly_function_is_evaluated_once(mode):
    x = np.linspace(0.1, 1.0, 20)
    jac = sad.jacobian(costly, x, mode=mode)
    text, y, J = source_of_both(jac, x)
    assert text.count("exp(") == 1
    np.testing.assert_allclose(y, costly(x), rtol=1e-14)
    np.testing.assert_array_equal(J.data, jac(x).data)


def test_cheap_values_keep_their_own_loop():
    x = np.linspace(0.1, 1.0, 20)
    text, y, _ = source_of_both(sad.jacobian(cheap, x, mode="direct"), x)
    assert text.count("for i0") == 2
    np.testing.assert_allclose(y, cheap(x), rtol=1e-14)


@pytest.mark.parametrize("mode", ["direct", "forward", "reverse"])
@pytest.mark.parametrize("backend", ["llvm", "python"])
def test_values_that_later_kernels_read_come_first(mode, backend):
    x = np.linspace(0.1, 1.0, 20)
    jac = sad.jacobian(layered, x, mode=mode, backend=backend)
    y, J = jac.value_and_jacobian(x)
    np.testing.assert_allclose(y, layered(x), rtol=1e-13)
    np.testing.assert_array_equal(J.data, jac(x).data)


@pytest.mark.parametrize("mode", ["direct", "forward"])
@pytest.mark.parametrize("points", [12, 400])
def test_sums_over_elements_are_added_up_in_the_loop_of_their_derivatives(mode, points):
    ends = np.random.default_rng(points).integers(0, 30, (points, 2))
    middle = np.minimum(np.arange(points), 29)

    def f(x):
        r = np.zeros(30)
        np.add.at(r, middle, x[middle])
        np.add.at(r, ends[:, 0], np.exp(x[ends[:, 0]] * x[ends[:, 1]]))
        return r

    x = np.linspace(0.1, 1.0, 30)
    jac = sad.jacobian(f, x, mode=mode)
    text, y, J = source_of_both(jac, x)
    assert mode == "forward" or text.count("exp(") == 1
    np.testing.assert_array_equal(y, jac.value(x))
    np.testing.assert_array_equal(J.data, jac(x).data)
    np.testing.assert_allclose(y, f(x), rtol=1e-13)


@pytest.mark.parametrize("backend", ["llvm", "python"])
def test_a_costly_intermediate_array_is_computed_beside_its_derivative(backend):
    def f(x):
        flux = 0.3 / (1.0 + np.exp(x * np.roll(x, 1))) ** 2
        return sum(k * np.roll(flux, k) for k in range(1, 6))

    x = np.linspace(0.1, 1.0, 40)
    jac = sad.jacobian(f, x, mode="direct", backend=backend)
    text, y, J = source_of_both(jac, x)
    assert text.count("exp(") == text.count("0.3 /") == text.count(" / ") == 1
    np.testing.assert_array_equal(y, jac.value(x))
    np.testing.assert_allclose(y, f(x), rtol=1e-14)
    np.testing.assert_array_equal(J.data, jac(x).data)
    expected = np.stack([f(x + 1e-30j * e).imag / 1e-30 for e in np.eye(40)], axis=1)
    np.testing.assert_allclose(J.toarray(), expected, rtol=1e-12, atol=1e-14)
