"""Products with imaginary numbers: the real part that is zero leaves nothing behind."""

import numba
import numpy as np
import pytest
import scipy.sparse

import sparsead as sad
from tests.reference import assert_close, differences

A = scipy.sparse.csr_array(np.array([[1.0, 2.0j, 0.0], [0.0, 1.0j, 3.0], [1.0j, 0.0, 0.0]]))
X = np.array([0.3, 0.5, 0.7])


@numba.njit
def product(a, b):
    return a * b


PRODUCTS = {
    "two imaginary": lambda x: ((1j * x) * (1j * x[::-1])).real,
    "imaginary part of a real product": lambda x: ((1j * x) * (1j * x)).imag + x,
    "rotation": lambda x: ((1j * x) * np.exp(1j * x)).real,
    "exponential of a real product": lambda x: np.exp(1j * (1j * x)).real,
    "zero": lambda x: ((0.0 * 1j) * np.exp(1j * x)).imag + x,
    "some zeros": lambda x: (np.array([1j, 0.0, 2.0]) * x * x).imag,
    "sparse": lambda x: (A @ (1j * x)).real,
    "joined": lambda x: np.r_[np.exp(1j * x), 2.0, x, 1j * x[:1]].imag,
    "columns": lambda x: np.c_[np.exp(1j * x), 1j * x].real,
    "compiled": lambda x: product(np.exp(1j * x), x).real,
}


@pytest.mark.parametrize("f", PRODUCTS.values(), ids=PRODUCTS)
def test_jacobians_with_imaginary_factors_are_right(f):
    jac = sad.jacobian(f, X, backend="python")
    assert_close(jac.value(X), f(X), 1e-15)
    assert_close(jac(X).toarray(), differences(f, X))


def test_a_phasor_is_a_cosine_and_a_sine():
    jac = sad.jacobian(lambda x: np.exp(1j * x).imag, X, backend="python")
    assert "exp" not in str(jac.linear)
    assert "0 *" not in str(jac.linear)
